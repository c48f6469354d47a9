#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: Redis says no: a user without rights, a replica, no memory left, another password, no answer at all
# Compared: the sum of the calls, with what was sent; and what is said, with what to do
# In: make test
. "$(dirname "$0")/../lib.sh"
topics=raw mock_topics=raw

calls() { # FROM TO: one each, of 10 input tokens
	local i
	for ((i = $1; i <= $2; i++)); do
		printf '{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ann","accountId":"111122223333","userName":"ann"},"eventTime":"2026-11-02T00:00:05Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"us.anthropic.claude-sonnet-4-6"},"responseElements":null,"additionalEventData":{"inputTokens":10,"outputTokens":10},"requestID":"r-%d","eventID":"e-%d","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}\n' "$i" "$i"
	done
}
send() { calls "$@" >"$T/in"; produce -t raw "$T/in" >"$T/produced"; }
said() { grep -q -- "$1" "$T/worker.log"; }

start_redis
redis acl setuser app on '>pw' >"$T/acl"
as_app=redis://app:pw@127.0.0.1:$redis_port
fails 2 "a user without rights is refused" "$nowcast" report --redis "$as_app"
rights=$(sed -n 's/.*ACL user needs: \([^)]*\)).*/\1/p' "$T/err")
[ "${REDIS_CLUSTER:-}" != 3 ] || rights="$rights $(grep -o '+cluster|slots' "$T/err")"
has "and the rights that are missing are named" "$rights" '~nowcast:\*'
fails 2 "so is a wrong password" "$nowcast" report --redis "redis://app:no@127.0.0.1:$redis_port"
has "with what to look at" "$(cat "$T/err")" 'check user and password'
# shellcheck disable=SC2086 # rights are words
redis acl setuser app $rights >"$T/acl"

start_broker 1
admin_url=$REDIS_URL REDIS_URL=$as_app
write_config "$T/nowcast.conf" 'alerts.interval = 1s' "dead_letter.file = $T/dead.ndjson"
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
send 1 100
ok "with these rights the worker works" wait_for 30 caught_up
calls 1 1 >"$T/one"
ok "and replay" "$nowcast" replay --redis "$as_app" "$T/one"
ok "and report" "$nowcast" report --redis "$as_app"
ok "and who" "$nowcast" who --redis "$as_app" --from 2026-11-01 ann
ok "and reprice" "$nowcast" reprice --redis "$as_app" --from 2026-11-01
ok "and silences of alerts" "$nowcast" alert silence --redis "$as_app" 'spike*' --for 1h
echo '{"Arn":"arn:aws:iam::111122223333:user/ann","Tags":[{"Key":"team","Value":"a"}]}' >"$T/tags.json"
ok "and imports of tags" "$nowcast" tags import --redis "$as_app" "$T/tags.json"
sleep 3
is "nothing was forbidden, to the alerts neither" "$(grep -c NOPERM "$T/worker.log")" 0

if [ "${REDIS_CLUSTER:-}" = 3 ]; then # a node of a cluster takes no such order: e2e/redis_cluster.sh demotes one
	send 101 200
else
	redis replicaof 127.0.0.1 1 >"$T/acl"
	send 101 200
	ok "a replica is told to be one" wait_for 20 said 'a replica; connecting again'
	redis replicaof no one >"$T/acl"
fi
ok "the worker goes on when it is none" wait_for 30 caught_up

redis config set maxmemory-policy noeviction >"$T/acl"
redis config set maxmemory 1mb >"$T/acl"
send 201 300
ok "a full Redis is told, and what to do" wait_for 20 said 'raise maxmemory'
redis config set maxmemory 0 >"$T/acl"
ok "the worker goes on when there is room" wait_for 30 caught_up

mkfifo "$T/pipe"
timeout 60 "$nowcast" replay --redis "$as_app" - <"$T/pipe" >"$T/replay.log" 2>&1 &
replay=$!
exec 7>"$T/pipe"
calls 1 10 >&7
sleep 1
redis acl setuser app resetpass '>other' >"$T/acl"
redis client kill user app >"$T/acl"
send 301 350
ok "a password that was changed is told" wait_for 20 said 'check user and password'
exec 7>&-
wait "$replay"
is "a replay that was under way ends with it" "$? $(grep -c 'check user and password' "$T/replay.log")" "2 1"
redis acl setuser app resetpass '>pw' >"$T/acl"
ok "the worker goes on when it is right again" wait_for 30 caught_up

# No answer at all, and a stop in the middle of that.
hang_redis
send 351 400
sleep 2
kill -TERM $worker
ok "a worker whose Redis hangs ends within 25 s of SIGTERM" wait_for 25 gone $worker
# It hung with that batch in hand, or in other work before it had read the batch: then all that it read is safe.
has "and says what became of what it read" "$(cat "$T/worker.log")" 'will be read again|reads the rest again|everything read is committed'
resume_redis
start worker "$nowcast" run --config "$T/nowcast.conf"
ok "the next one reads it again" wait_for 30 caught_up
ok "it ends on SIGTERM" stop "$pid"

REDIS_URL=$admin_url
settled_report "$T/csv"
is "400 calls: nothing was lost, nothing counted twice" "$(awk -F, '/,input,/ {n += $9} END {print n}' "$T/csv")" 4000

# A Redis that may evict does so, and is mended: what it has evicted stays known.
redis config set maxmemory-policy allkeys-random >"$T/acl"
redis config set maxmemory 1mb >"$T/acl"
redis set other 1 >"$T/acl"
redis config set maxmemory 0 >"$T/acl"
redis config set maxmemory-policy noeviction >"$T/acl"
has "doctor says that keys were evicted" "$("$nowcast" doctor --redis "$REDIS_URL")" '^FAIL +redis +it has evicted [1-9][0-9]* keys'
finish
