#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The outbox: all receivers are served at the same time and each in the order of its messages, whoever of them stalls or fails;
# what cannot be delivered is given up in time and visibly.
. "$(dirname "$0")/../lib.sh"

start_redis
mkdir "$T/sink"
start sink python3 tests/e2e/alert_sink.py "$T/sink"
wait_for 10 test -f "$T/sink/smtp.port" || bail "the sink does not start"
http=http://127.0.0.1:$(cat "$T/sink/http.port") smtp=smtp://127.0.0.1:$(cat "$T/sink/smtp.port")
cat >"$T/alerts.conf" <<-END
	[rule silent]
	kind = silent
	[receiver a-stall]
	kind = webhook
	url = $http/stall
	[receiver b-slow]
	kind = command
	command = cat >/dev/null; touch $T/slow; sleep 300
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
alert() { "$nowcast" --redis "$REDIS_URL" --alerts-file "$T/alerts.conf" alert "$@"; }
check() { alert check >"$T/check.out" 2>&1 || diag "$(cat "$T/check.out")"; }
lines() { if [ -f "$T/sink/$1" ]; then wc -l <"$T/sink/$1" | tr -d ' '; else echo 0; fi; }
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

# --- gone

put nobody lost
redis zadd "$(key outbox)" 1 1-hook >/dev/null
check
is "messages for a receiver that is gone do not wait, nor do ids without a message" "$(waiting) $(redis hlen "$(key messages)")" "0 0"
has "the former are shown" "$(dead)" "dead .*for nobody, .*: the configuration has no receiver nobody any more"
finish
