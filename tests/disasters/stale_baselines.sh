#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A rule watches sessions or tags that are others every day: their baselines fill the hash of the rule.
#
# Done: 25,000 baselines of groups that are gone stand beside those of groups that spend
# Compared: the baselines of the groups that spend with those of a Redis without the others
# In: make test
. "$(dirname "$0")/../lib.sh"

call() { # ID MINUTE USER
	printf '{"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/%s","accountId":"111122223333"},"eventTime":"2026-11-02T%s:00Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"us.anthropic.claude-sonnet-4-6"},"requestID":"%s","eventID":"e-%s","eventType":"AwsApiCall","recipientAccountId":"111122223333","eventCategory":"Management","additionalEventData":{"inputTokens":100000,"outputTokens":1000}}\n' "$3" "$2" "$1" "$1"
}
key='{nowcast:alerts}:rate_monitor:spike'
printf '[rule spike]\nkind = spike\nby = principal\nfloor = 0.05\n' >"$T/alerts.conf"
for n in $(seq 30); do call "c-$n" "05:$(printf %02d "$n")" "user-$((n % 5))"; done >"$T/calls.ndjson"
evaluate() { for minute in 31 32 33; do at_time 2026-11-02T05:$minute:00Z alert check >"$T/check.out" 2>&1 || diag "$(cat "$T/check.out")"; done; }
users=$(printf 'arn:aws:iam::111122223333:user/user-%s ' 0 1 2 3 4)
living() { for user in $users; do redis hget "$key" "$user" | grep . | sed "s|^|$user |"; done; }

start_redis
ok "calls of five users" "$nowcast" replay --redis "$REDIS_URL" "$T/calls.ndjson"
evaluate
living >"$T/want"
is "five have a baseline" "$(wc -l <"$T/want")" 5
redis del "$key" '{nowcast:alerts}:state' >/dev/null

at_time 2026-11-02T05:30:00Z alert check >/dev/null 2>&1
baseline=$(redis hget "$key" arn:aws:iam::111122223333:user/user-1)
old="$(($(date -d 2026-10-31T05:00:00Z +%s) / 60)) ${baseline#* }"
redis eval 'for i = 1, 25000 do redis.call("HSET", KEYS[1], "gone-" .. i, ARGV[1]) end' 1 "$key" "$old" >/dev/null
# shellcheck disable=SC2086 # they are words
redis hdel "$key" $users >/dev/null
evaluate
living >"$T/got"
same_file "the baselines of those who spend are what they were" "$T/got" "$T/want"
before=$(redis hlen "$key")
ok "some of those that are gone went, though not all at once ($before are left)" test "$before" -lt 25006
evaluate
evaluate
after=$(redis hlen "$key")
ok "more go with each evaluation ($after are left)" test "$after" -lt "$before"
living >"$T/got"
ok "and nobody who spends with them" test "$(wc -l <"$T/got")" = 5
finish
