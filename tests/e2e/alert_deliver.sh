#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The outbox: all receivers are served at the same time and each in the order of its messages, whoever of them stalls or fails;
# what cannot be delivered is given up in time and visibly.
. "$(dirname "$0")/../lib.sh"

start_redis
start_sink
cat >"$T/alerts.conf" <<-END
	[rule silent]
	kind = silent
	receivers = flaky
	[receiver a-stall]
	kind = webhook
	url = $http/stall
	[receiver b-slow]
	kind = command
	command = cat >/dev/null; ls -l /proc/self/fd >$T/slow; sleep 300
	[receiver flaky]
	kind = webhook
	url = $http/flaky
	[receiver hook]
	kind = slack
	url = $http/slack
	[receiver post]
	kind = email
	url = $smtp
	from = nowcast@example.com
	to = ops@example.com
	[receiver script]
	kind = command
	command = cat >>$T/sink/command; echo >>$T/sink/command
END
check() { alert check >"$T/check.out" 2>&1 || diag "$(cat "$T/check.out")"; }
told() { [ "$(lines "$1")" -ge "$2" ]; }
key() { echo "{nowcast:alerts}:$1"; }
now() { date +%s%3N; }
waiting() { redis zcard "$(key outbox)"; }
dead() { alert list --dead; }
put() { # RECEIVER TEXT [AGE-SECONDS TRIES]: a message that waits
	local id
	created=$(($(now) - ${3:-0} * 1000)) id=$created-$1
	redis hset "$(key messages)" "$id" '{"receiver":"'"$1"'","created":'"$created"',"tries":'"${4:-0}"',"events":[{"event":"firing","rule":"r","severity":"info","text":"'"$2"'","since":0,"at":0}]}' >/dev/null
	redis zadd "$(key outbox)" "$created" "$id" >/dev/null
}
put_off() { redis zadd "$(key outbox)" "$(($(now) + $2))" "$(redis zrange "$(key outbox)" 0 -1 | grep -- "-$1\$" | sort -n | head -n 1)" >/dev/null; }

# --- at the same time

for to in a-stall b-slow hook post script; do put $to one; done
began=$(now)
alert check >"$T/check.out" 2>&1 &
job=$!
all_told() { told slack 1 && told mail 1 && told command 1; }
ok "chat, mail and a command have it" wait_for 5 all_told
is "while a webhook stalls and another command hangs" "$(lines stall) $(lines stall.answered) $([ -f "$T/slow" ] && echo hangs)" "1 0 hangs"
wait $job
ok "both have their ten seconds, at the same time" test "$(($(now) - began))" -lt 16000
has "and are tried again" "$(cat "$T/check.out")" "messages: 3 sent, [2-9] to be tried again, 0 given up"
is "nobody else is" "$(lines slack) $(lines mail) $(lines command) $(waiting)" "1 1 1 2"
has "why is kept" "$(redis hvals "$(key messages)")" "b-slow: the command did not end within 10 s"
redis del "$(key outbox)" "$(key messages)" >/dev/null
is "a command is given none of our connections" "$(grep -c 'socket:' "$T/slow")" 0

# --- in order

put flaky first
check
sleep 0.01
put flaky second
check
is "what comes after a message that failed waits for it" "$(lines flaky) $(waiting)" "1 2"
touch "$T/sink/flaky.ok"
put_off flaky -1
check
is "and follows it" "$(grep -o 'first\|second' "$T/sink/flaky" | uniq | tr '\n' ' ')$(waiting)" "first second 0"

rm "$T/sink/flaky.ok" "$T/sink/flaky"
put flaky first -3600
put_off flaky -1
redis zadd nowcast:signals 1000 call 1000 call:arrived >/dev/null # the rule rings
check
touch "$T/sink/flaky.ok"
put_off flaky -1
check
is "so it does when the clock was set back in between" "$(grep -o 'text[^,]*first\|text[^,]*no call is newer' "$T/sink/flaky" | sed 's/text[^,]*first/first/; s/text.*/second/' | uniq | tr '\n' ' ')$(waiting)" "first second 0"
redis del nowcast:signals nowcast:alerts >/dev/null

# --- in time

rm "$T/sink/flaky.ok"
put flaky young 60 50
put_off flaky -1
check
is "what is young is tried again, however often" "$(waiting)" 1
put flaky old 7300 1
put_off flaky -1
check
is "what is old gets some tries" "$(waiting)" 2
redis del "$(key outbox)" "$(key messages)" >/dev/null
put flaky old 7300 5
check
is "then it is given up" "$(waiting)" 0
has "and shown" "$(dead)" "dead .*for flaky, .* 6 tries: receiver flaky: answered 500"

put hook soon
put_off hook 500000
check
is "what is put off waits" "$(lines slack)" 1
put_off hook 3600000
check
is "unless the clock was set back since" "$(lines slack)" 2

# --- with no more rights than nowcast asks for

# shellcheck disable=SC2046 # rights are words
redis acl setuser app on '>pw' $(grep -o '~nowcast:[*].*+time' docs/operations.md) >/dev/null
put hook one
put nobody lost
REDIS_URL=${REDIS_URL/redis:\/\//redis://app:pw@} check
is "a Redis user that has the rights of docs/operations.md delivers" "$(waiting) $(lines slack)" "0 3"

# --- many events

events=$(for i in $(seq 25); do printf '{"event":"firing","rule":"r","severity":"info","text":"number %d","usd_low":"1.5","usd_high":"2.25","basis":"exact 10%% allocated 90%%","contributors":"x $1.20","link":"https://n/","since":0,"at":0},' "$i"; done)
redis hset "$(key messages)" 5-hook '{"receiver":"hook","created":5,"tries":0,"events":['"${events%,}"']}' >/dev/null
redis zadd "$(key outbox)" 5 5-hook >/dev/null
check
storm=$(tail -n 1 "$T/sink/slack")
is "a storm is told in twenty" "$(grep -o 'firing r (info): number' <<<"$storm" | wc -l) $(grep -o 'and 5 more' <<<"$storm")" "20 and 5 more"
has "each with since when, how sure, by whom, and where to look" "$storm" 'since 1970-01-01T00:00:00Z; between .1.50 and .2.25; evidence: exact 10% allocated 90%.*most by: x .1.20.*https://n/'

# --- for whoever was woken

up_is() { redis hset nowcast:alerts "$1" '{"rule":"'"$1"'","severity":"'"$2"'","since":'"$3"',"text":"t"}' >/dev/null; }
up_is d info 9000; up_is b critical 1000; up_is c warning 5000; up_is a critical 2000
is "the worst is listed first, then the newest" "$(alert list | sed -n 's/^up.*Z  \(.\): t$/\1/p' | tr -d '\n')" abcd
redis del nowcast:alerts >/dev/null

# --- for Prometheus

put flaky waits
check
free_port
start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port"
wait_for 10 listens "$port"
metrics=$(curl -s "http://127.0.0.1:$port/metrics" | grep ^nowcast_alert | tr '\n' ' ')
is "what is up, waits and was given up is counted" "$metrics" "nowcast_alerts_up 0 nowcast_alert_messages_waiting 1 nowcast_alert_messages_given_up 2 "
redis del "$(key outbox)" "$(key messages)" >/dev/null

# --- gone

put nobody lost
redis zadd "$(key outbox)" 1 1-hook >/dev/null
check
is "messages for a receiver that is gone do not wait, nor do ids without a message" "$(waiting) $(redis hlen "$(key messages)")" "0 0"
has "the former are shown, with what they told" "$(dead | tr '\n' ' ')" " firing r: lost .*firing r: old"
has "and why" "$(dead)" "dead .*for nobody, .*: the configuration has no receiver nobody any more"
finish
