#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Alerts as the daemon looks after them: records through a real broker, two daemons, one of them killed -9, a real Alertmanager,
# mail that wants a login, receivers that fail and stall. Every event happens once, and ingest waits for nobody.
. "$(dirname "$0")/../lib.sh"

require "no ../shared/world/world.py here" test -x "$shared/world/world.py"
make_certificates || bail "openssl could not make certificates"
mkdir "$T/sink"
cp "$T/server.pem" "$T/server.key" "$T/sink"
start_sink
wait_for 10 test -f "$T/sink/smtp-login.port" || bail "the sink takes no mail with a login"
told() { [ "$(lines "$1")" -ge "$2" ]; }

am=
if command -v prometheus-alertmanager >/dev/null; then
	free_port
	printf 'route:\n  receiver: none\nreceivers:\n- name: none\n' >"$T/am.yml"
	am_port=$port am=http://127.0.0.1:$port
	start_alertmanager() {
		start alertmanager prometheus-alertmanager --config.file="$T/am.yml" --storage.path="$T/am" --web.listen-address="127.0.0.1:$am_port" --cluster.listen-address=
		am_pid=$pid
		wait_for 20 curl -sf "$am/-/ready" || bail "Alertmanager does not start"
	}
	start_alertmanager
elif [ "${CI:-}" = true ]; then
	bail "no prometheus-alertmanager: run deploy/install-deps --test"
fi
active() { curl -s "$am/api/v2/alerts?active=true" | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'; }

# A period in which the world of the last three hours lies.
begin=$(date -u -d '3 hours ago' +%Y-%m-%dT%H:00:00Z)
in_period() { [ "$(date -u -d "$begin" "$1")" = "$(date -u "$1")" ]; }
if in_period +%Y-%m; then period=month; elif in_period +%G-%V; then period=week; else skip_all "a month and a week have begun in the last hours"; fi

rules() { # AMOUNT AT: a budget for everything
	cat >"$T/alerts.conf" <<-END
		[rule day]
		kind = budget
		by = all
		period = $period
		amount = $1
		at = $2
		receivers = $3
		[receiver hook]
		kind = webhook
		url = $http/hook
		[receiver flaky]
		kind = webhook
		url = $http/flaky
		[receiver stall]
		kind = webhook
		url = $http/stall
		[receiver post]
		kind = email
		url = smtp://localhost:$(cat "$T/sink/smtp-login.port")
		ca = $T/ca.pem
		from = nowcast@example.com
		to = ops@example.com
		user = nowcast
		password = s3cret
		[receiver wrong]
		kind = email
		url = smtp://localhost:$(cat "$T/sink/smtp-login.port")
		ca = $T/ca.pem
		from = nowcast@example.com
		to = ops@example.com
		user = nowcast
		password = guessed
		[receiver am]
		kind = alertmanager
		url = ${am:-$http}
	END
}

# --- a world of the last hours, two daemons

start_redis durable
start_broker 2
world=$T/world
"$shared/world/world.py" --out "$world" --hours 2 --scale 0.02 --start "$begin" >"$T/world.log" 2>&1 || bail "world.py failed"
rules 1000000 50 hook
write_config "$T/nowcast.conf" "alerts.file = $T/alerts.conf" "alerts.interval = 1s"
for i in 1 2; do
	start "run$i" "$nowcast" run --config "$T/nowcast.conf" --log-format json
	run[i]=$pid
done
half=$(($(wc -l <"$world/stream.ndjson") / 2))
head -n $half "$world/stream.ndjson" >"$T/first.ndjson"
tail -n +$((half + 1)) "$world/stream.ndjson" >"$T/second.ndjson"
produce -p 2 "$T/first.ndjson" >/dev/null
ok "both daemons read the stream" wait_for 60 caught_up
has "one of them looks after the alerts" "$(redis get "{nowcast:alerts}:lease")" "^[0-9a-f]{32}$"

reload() { for i in 1 2; do [ -z "${run[i]}" ] || kill -HUP "${run[i]}"; done; }
taken() { [ "$(cat "$T"/run?.log | grep -c 'alert rules read again')" -ge "$1" ]; }
rules 0.01 50,80 "hook, flaky, post, wrong, am"
reload
ok "the rules are read again on SIGHUP" wait_for 10 taken 2
ok "and one that holds is told" wait_for 60 told hook 1 # once its hours are settled
ok "by mail too, with login and TLS" wait_for 20 told mail 1
sleep 3
is "once each, by whichever daemon" "$(lines hook) $(lines mail)" "1 1"
is "as the history has it" "$(redis lrange "{nowcast:alerts}:history" 0 -1 | grep -c '"event": *"firing"')" 1
dead() { "$nowcast" alert list --dead --config "$T/nowcast.conf"; }
has "a wrong password is given up visibly" "$(dead)" "dead .*for wrong, .*1 tries: .*[Ll]ogin denied"
has "what answers 500 is tried again" "$(redis hvals "{nowcast:alerts}:messages")" '"receiver": ?"flaky".*"tries": ?[1-9]'
if [ -n "$am" ]; then
	is "Alertmanager has the alert" "$(active)" 1
	stop "$am_pid"
	start_alertmanager
	is "begun anew, it has forgotten it" "$(active)" 0
	some_minutes_pass() { # as if the alert had been told long ago
		redis --raw hgetall nowcast:alerts >"$T/up"
		redis hset nowcast:alerts "$(head -n 1 "$T/up")" "$(sed -n '2s/"again": *[0-9]*/"again":0/p' "$T/up")" >/dev/null
		sleep 1
		[ "$(active)" = 1 ]
	}
	ok "and is told again" wait_for 20 some_minutes_pass
fi

echo "[rule broken" >>"$T/alerts.conf"
reload
refused() { grep -q 'the alert rules were not taken' "$T"/run?.log; }
ok "a bad file is refused" wait_for 10 refused
has "with its line" "$(cat "$T"/run?.log)" "alerts.conf:[0-9]+: "

# --- kill -9 while a receiver stalls

rules 0.02 50,80,100 "hook, stall" # a step that the alert has not reached yet: it is told once more
reload
ok "the next file is taken" wait_for 10 taken 4
ok "a message is on its way to a receiver that stalls" wait_for 20 told stall 1
produce -p 2 "$T/second.ndjson" >/dev/null
ok "ingest does not wait for it" wait_for 8 caught_up
newest() { grep -hE '"event":"(firing|updated)"' "$T/run$1.log" | tail -n 1 | cut -c 8-27; } # when it last wrote an event
victim=1
[[ $(newest 2) > $(newest 1) ]] && victim=2
kill -KILL "${run[victim]}"
run[victim]=
touch "$T/sink/stall.ok"
told_before=$(lines hook)
redis pexpire "{nowcast:alerts}:lease" 1 >/dev/null                # as if its time had passed
for id in $(redis zrange "{nowcast:alerts}:outbox" 0 -1); do redis zadd "{nowcast:alerts}:outbox" 0 "$id" >/dev/null; done
ok "the other daemon takes over, and sends what was on its way" wait_for 30 told stall 2
is "under the same id" "$(python3 -c 'import json,sys; print(len({json.loads(l)["headers"]["x-nowcast-id"] for l in open(sys.argv[1])}))' "$T/sink/stall")" 1
sleep 2
is "and tells nobody else anew" "$(lines hook)" "$told_before"

# --- Redis is away while a message is on its way

rm "$T/sink/stall.ok"
rules 0.03 50,80,100 "hook, stall"
reload
ok "a third message stalls" wait_for 20 told stall 3
kill_redis
touch "$T/sink/stall.ok"
ok "its receiver takes it, and Redis is away" wait_for 10 told stall.answered 3
sleep 2
restart_redis
nothing_waits() { redis --raw hvals "{nowcast:alerts}:messages" >"$T/waits" && ! grep -q stall "$T/waits"; }
ok "it is noted when Redis is back" wait_for 30 nothing_waits
sleep 2
is "and not sent again, nor is an alert that is still up" "$(lines stall) $(lines hook)" "3 $((told_before + 1))"

mv "$T/alerts.conf" "$T/alerts.conf.away"
reload
gone_file() { [ "$(cat "$T"/run?.log | grep -c 'the alert rules were not taken.*there is no .*alerts.conf')" = 1 ]; }
ok "a file that is gone changes nothing" wait_for 10 gone_file
mv "$T/alerts.conf.away" "$T/alerts.conf"
is "the alert stays" "$("$nowcast" alert list --config "$T/nowcast.conf" | grep -c '^up')" 1

# --- the end of an alert

if [ -n "$am" ]; then
	printf '[rule other]\nkind = budget\nby = all\nperiod = day\namount = 1000000\n' >"$T/alerts.conf.new"
	grep -A3 'receiver am' "$T/alerts.conf" >>"$T/alerts.conf.new"
	mv "$T/alerts.conf.new" "$T/alerts.conf"
	reload
	none() { [ "$(active)" = 0 ]; }
	ok "an alert of a rule that is gone ends in Alertmanager too" wait_for 30 none
fi
for i in 1 2; do [ -z "${run[i]}" ] || ok "the daemon ends on SIGTERM" stop "${run[i]}"; done
is "and gives its lease back" "$(redis exists "{nowcast:alerts}:lease")" 0
finish
