#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Alerts, with a real Redis and receivers that answer, fail, stall and are gone: each event once, told to everyone in their
# language, whoever evaluates and however often.
. "$(dirname "$0")/../lib.sh"

export NOWCAST_CACHE_TTL=5m # the percentages below are those of figures near their lower bound
make_world --hours 2 --scale 0.05
start_redis
ok "replay" "$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson"
hour=$("$nowcast" report --redis "$REDIS_URL" --by hour --format csv | tail -n 1 | cut -c 1-13)
now=${hour}:59:00Z

start_sink

rules() { # BUDGET: the file with a day's budget for everything
	cat >"$T/alerts.conf" <<-END
		[rule day]
		kind = budget
		by = all
		period = day
		amount = $1
		at = 50,80,100
		[receiver chat]
		kind = slack
		url = $http/slack
		[receiver hook]
		kind = webhook
		url = $http/hook
		secret = s3cret
		[receiver am]
		kind = alertmanager
		url = $http
		[receiver post]
		kind = email
		url = $smtp
		from = nowcast@example.com
		to = ops@example.com, boss@example.com
		[receiver script]
		kind = command
		command = cat >>$T/sink/command
		[receiver flaky]
		kind = webhook
		url = $http/flaky
		[receiver gone]
		kind = webhook
		url = $http/gone
	END
}

# A bad file is told with line, key, value and what is allowed.
printf '[rule x]\nkind = bugdet\n' >"$T/alerts.conf"
fails 2 "a wrong kind is a wrong configuration" alert list
has "and says where and what is allowed" "$(cat "$T/err")" 'alerts.conf:2: kind: expected one of budget, forecast.*got "bugdet"'
printf '[rule x]\nkind = budget\n' >"$T/alerts.conf"
fails 2 "a budget without an amount is one too" alert list
has "and is named" "$(cat "$T/err")" 'rule x: a budget needs `amount`'

total=$("$nowcast" report --redis "$REDIS_URL" --by hour --format csv | awk -F, 'NR > 1 { s += $4 } END { printf "%.4f", s }')
rules "$(awk "BEGIN { print $total / 0.6 }")" # 60 % of it is spent
alert check --now "$now" >"$T/preview"
has "what would hold at a time is shown" "$(cat "$T/preview")" '^day: .*has spent .*of its budget'
has "nothing of it is delivered" "$(tail -n 1 "$T/preview") $(alert list | head -n 1)" 'nothing was delivered no alert is up'
is "to nobody" "$(lines slack) $(redis exists "{nowcast:alerts}:outbox")" "0 0"
has "the rules in force are listed" "$(alert rules)" '^day +budget +all +- +day +[$][0-9.]+ +50,80,100 % +warning'
has "and who is told" "$(alert rules | tail -n 1)" 'alerts.conf; 7 receivers: chat [(]slack[)], '
# --- budgets: what is spent of them, and how to set one. The rules above are in a file that others may write, too.

budget() { "$nowcast" budget "$@" --redis "$REDIS_URL" --alerts-file "${alerts_file:-$T/alerts.conf}"; }
percent=$(sed -n 's/^day: .*, \([0-9]*\)% of its budget.*/\1/p' "$T/preview")
has "a budget has the percentage of its alert" "$(budget list --now "$now")" "^day +all +day 2026-11-02 .* $percent% +[$]"
is "in CSV, too" "$(budget list --now "$now" --format csv | awk -F, 'NR == 2 { print $1, $2, $4, $5, $11 }')" "day all day 2026-11-02T00:00:00Z $percent"
is "in JSON it is what the API says" "$(budget list --now "$now" --json | jq -r '.budgets[0] | .rule, .period, .rules[0].kind' | xargs)" "day day budget"
has "the status names the mark, as the alert does" "$(budget status day --now "$now")" "marks +50%, 80%, 100%: 50% is passed"
has "and who is told" "$(budget status --now "$now")" "rules +day [(]budget[)] to every receiver"
alerts_file=$T/hours.conf budget set h --period hour --amount 100 >/dev/null
has "the status of an hour says which" "$(alerts_file=$T/hours.conf budget status h --now "$now")" "^h: all, the hour from 2026-11-02 02:00 to 03:00 UTC$"
alerts_file=$T/none.conf budget set n --team nobody --amount 5 >/dev/null
has "where nothing is spent, nothing is said of how it is known" "$(alerts_file=$T/none.conf budget status n --now "$now")" \
	'of [$]5[.]00, 0%; between [$]0[.]00 and [$]0[.]00$'
fails 2 "a budget that is none is told" budget status dya --now "$now"
has "with what was meant" "$(cat "$T/err")" "there is no budget dya: did you mean day[?]"
cp "$T/alerts.conf" "$T/mine.conf"
sed -i 's/^amount = .*/amount=1  /; s/^kind = budget$/&\r/' "$T/mine.conf"
printf '# mine, at the end' >>"$T/mine.conf"
chmod 600 "$T/mine.conf"
cp "$T/mine.conf" "$T/before.conf"
ln -s mine.conf "$T/link.conf"
alerts_file=$T/link.conf
ok "a budget is changed" budget set day --amount 250.5
is "nothing else of the file is" "$(diff "$T/before.conf" "$T/mine.conf" | grep '^[<>]' | cat -A)" '< amount=1  $
> amount=250.5  $'
is "who could read it still can, and a link stays one" "$(stat -c %a "$T/mine.conf") $(readlink "$T/link.conf")" "600 mine.conf"
cp "$T/mine.conf" "$T/before.conf"
has "what changes nothing is told" "$(budget set day --amount 250.5)" "link.conf says so already: it is as it was"
ok "and the file is left alone" cmp "$T/mine.conf" "$T/before.conf"
fails 2 "what check-config would refuse is refused" budget set day --receivers nobody
has "and says why" "$(cat "$T/err")" "nothing was changed, since the file would be refused: .*rule day: there is no \[receiver nobody\]"
fails 2 "so are marks that fall" budget set day --at 80,50
fails 2 "a name without a key" budget set other --amount 5 --only payments
fails 2 "a name of everything" budget set day --by all --only payments
fails 2 "and a new budget without an amount" budget set other
fails 2 "an amount with a comma" budget set other --amount '$5,000'
has "is named as it was given" "$(cat "$T/err")" '^nowcast budget: --amount: expected dollars such as 5000 or 0.25, got "[$]5,000"'
fails 2 "an amount of nothing" budget set other --amount 0
ok "a trial" budget set other --amount 5 --team payments --dry-run
same_file "the file is as it was after all of them" "$T/mine.conf" "$T/before.conf"
ok "another budget" budget set pay --amount 5 --team payments --receivers chat,post
is "it has its own section" "$(tail -n 8 "$T/mine.conf" | xargs)" "[rule pay] kind = budget by = team only = payments period = month amount = 5 at = 50,80,100 receivers = chat,post"
printf '[rule pay-soon]\nkind = forecast\nby = team\nonly = payments\namount = 5\n' >>"$T/mine.conf"
ok "a budget of two rules" budget set pay --amount 6
is "stays one" "$(grep -c '^amount = 6$' "$T/mine.conf")" 2
has "and is shown once" "$(budget status pay --now "$now" | grep rules)" "rules +pay [(]budget[)] to chat,post; pay-soon [(]forecast[)] to every receiver"
ok "a name that nobody has" budget set typo --amount 5 --team paymnets
has "is told, with what was meant" "$(cat "$T/ok.out")" "warning: rule typo watches nobody: only = paymnets, and no team of that name was ever seen; did you mean payments[?]"
has "so it is where its dollars are shown" "$(budget list --now "$now")" "^warning: rule typo watches nobody.* did you mean payments[?]$"
free_port
start serve "$nowcast" serve --redis "$REDIS_URL" --alerts-file "$T/mine.conf" --listen "127.0.0.1:$port" --now "$now"
ok "a server starts" wait_for 10 curl -sf "http://127.0.0.1:$port/readyz" -o "$T/ready"
is "  to programs, too" "$(curl -s "http://127.0.0.1:$port/api/v1/budgets" | jq -r '.warnings[]')" "rule typo watches nobody: only = paymnets, and no team of that name was ever seen; did you mean payments?"
kill "$pid"
has "  in full, too" "$(budget status typo --now "$now")" "^warning: rule typo watches nobody"
is "  but not beside another budget" "$(budget status pay --now "$now" | grep -c warning)" 0
printf '[rule late]\nkind = silent\nonly = metrics\n[rule lost]\nkind = unpriced\nonly = x\n[rule unborn]\nkind = new\nby = team\nonly = nobody-yet\n' >>"$T/mine.conf"
watched() { grep -oE '(late|lost|typo|unborn|pay) (watches|never)[^:]*' | xargs; }
check_config() { "$nowcast" check-config --redis "$REDIS_URL" --alerts-file "$T/mine.conf" 2>&1 >/dev/null; }
wrong="typo watches nobody late watches nobody lost never rings"
is "check-config warns of all that watch nobody, and of no other" "$(check_config | watched)" "$wrong"
has "it is no mistake" "$(check_config | grep 'rule late'; echo $?)" "did you mean metric[?]"
has "without Redis it says what was not checked" "$("$nowcast" check-config --redis unix:"$T/none" --alerts-file "$T/mine.conf" 2>&1 >/dev/null)" "whether the names in .only. were ever seen was not checked, for that takes Redis"
is "doctor warns, too" "$("$nowcast" doctor --redis "$REDIS_URL" --alerts-file "$T/mine.conf" | grep ^warn | watched)" "$wrong"
is "and alert rules" "$("$nowcast" alert rules --redis "$REDIS_URL" --alerts-file "$T/mine.conf" | watched)" "$wrong"
printf '[rule x\n' >"$T/bad.conf"
has "a file that is none is a failure of doctor" "$("$nowcast" doctor --redis "$REDIS_URL" --alerts-file "$T/bad.conf")" "^FAIL +alerts +.*bad.conf:1: expected \[rule NAME\]"
alerts_file=$T/new.conf
ok "a first budget makes the file" budget set month --amount 5000
is "for those only who may see its secrets" "$(stat -c %a "$T/new.conf")" 640
is "which begins with the rules that hold without one" "$(grep -c '^\[rule' "$T/new.conf")" "$(($("$nowcast" alert rules --redis "$REDIS_URL" | grep -c '^[a-z-]* .* warning\|^[a-z-]* .* info\|^[a-z-]* .* critical') + 1))"
budget status --now "$now" >"$T/out"
is "the exit status says whether one is passed" $? 0
ok "a lower amount" budget set month --amount 0.01
fails 3 "is passed" budget status --now "$now"
unset alerts_file

ok "an evaluation" at_time "$now" alert check
has "finds the budget half spent" "$(alert list)" "day: all has spent .* of its budget of .* for the day"
is "Slack is told once" "$(lines slack)" 1
has "with the mark that rang" "$(cat "$T/sink/slack")" '6[01]% of its budget of .* for the day 2026-11-02: the mark of 50% is passed'
is "in blocks, with short names, a sign, and what to do" "$(python3 - "$T/sink/slack" <<'END'
import json, sys
m = json.loads(json.loads(open(sys.argv[1]).readline())["body"])
section, context = m["blocks"]
print(section["type"], section["text"]["text"].split(" ")[:2], context["elements"][0]["text"].count("\n"), "arn:" in json.dumps(m["blocks"]), "`nowcast report this-month" in m["text"])
END
)" "section [':warning:', '*day*'] 2 False True"
is "the webhook too" "$(lines hook)" 1
is "Alertmanager too" "$(lines api_v2_alerts)" 1
is "by mail too" "$(lines mail)" 1
is "and the command, on its standard input" "$(grep -c '"rule":"day"' "$T/sink/command")" 1
has "Alertmanager gets labels and times" "$(python3 -c 'import json,sys; print(json.loads(json.loads(open(sys.argv[1]).readline())["body"])[0])' "$T/sink/api_v2_alerts")" "'rule': 'day'.*startsAt"
has "the mail has its recipients, date and subject" "$(cat "$T/sink/mail")" 'ops@example.com.*boss@example.com.*Date: [A-Z][a-z][a-z], [0-9]+ [A-Z][a-z][a-z] 20.*Subject: nowcast: firing day'
has "the message says who spends most" "$(cat "$T/sink/hook")" 'contributors.*arn:aws'
is "the webhook's signature holds" "$(python3 - "$T/sink/hook" <<'END'
import hashlib, hmac, json, sys
r = json.loads(open(sys.argv[1]).readline())
h = r["headers"]
want = hmac.new(b"s3cret", (h["x-nowcast-timestamp"] + "." + r["body"]).encode(), hashlib.sha256).hexdigest()
print(h["x-nowcast-signature"] == "sha256=" + want)
END
)" True

for _ in 1 2 3; do at_time "$now" alert check >/dev/null; done
for _ in 1 2 3 4; do at_time "$now" alert check >/dev/null & jobs="${jobs:-} $!"; done
# shellcheck disable=SC2086 # a list
wait $jobs
is "evaluated again, in turn and at once: nobody is told twice" "$(lines slack) $(lines hook) $(lines mail)" "1 1 1"
later=$(date -u -d "$now +6 minutes" +%Y-%m-%dT%H:%M:%SZ)
for _ in 1 2; do at_time "$later" alert check >/dev/null 2>&1; done
is "but an Alertmanager, which forgets, hears after some minutes that it still is" "$(lines api_v2_alerts) $(lines slack) $(lines hook)" "2 1 1"
is "under the same labels and start, until an hour from then" "$(python3 - "$T/sink/api_v2_alerts" <<'END'
import datetime, json, sys
first, again = (json.loads(json.loads(l)["body"])[0] for l in open(sys.argv[1]))
time = lambda z: datetime.datetime.fromisoformat(z.replace("Z", "+00:00"))
print(first["labels"] == again["labels"], first["startsAt"] == again["startsAt"], round((time(again["endsAt"]) - time(first["endsAt"])).total_seconds() / 60), time(first["endsAt"]) - time(first["startsAt"]))
END
)" "True True 6 1:00:00"
at_time "$(date -u -d "$now -30 minutes" +%Y-%m-%dT%H:%M:%SZ)" alert check >/dev/null 2>&1
is "at once, when the clock was set back" "$(lines api_v2_alerts)" 3
has "a receiver that is gone is given up visibly" "$(alert list --dead)" "dead .*for gone.*answered 410"
is "one that answers 500 waits to be tried again" "$(redis zcard "{nowcast:alerts}:outbox")" 1
has "the list says so" "$(alert list)" "messages: 1 waiting to be delivered, 1 given up"
touch "$T/sink/flaky.ok"
redis zadd "{nowcast:alerts}:outbox" 0 "$(redis zrange "{nowcast:alerts}:outbox" 0 0)" >/dev/null
at_time "$now" alert check >/dev/null 2>&1
is "and gets it when it is well again" "$(tail -n 1 "$T/sink/flaky" | grep -c '"status": 200') $(redis zcard "{nowcast:alerts}:outbox")" "1 0"
is "under the same id" "$(python3 -c 'import json,sys; print(len({json.loads(l)["headers"]["x-nowcast-id"] for l in open(sys.argv[1])}))' "$T/sink/flaky")" 1

rules "$(awk "BEGIN { print $total / 0.9 }")" # 90 %: the next threshold
at_time "$now" alert check >/dev/null 2>&1
has "the next threshold is an update" "$(tail -n 1 "$T/sink/slack")" "updated day"
model=$("$nowcast" report --redis "$REDIS_URL" --by model --format csv | tail -n +2 | cut -d, -f1 | sed -n 's/^us\.//p' | sed 's/-v[01]:0$//; s/-20[0-9]*$//' | head -n 1)
{
	echo model,scope,region,account,tier,from,to,prompt_tokens_over,input,output,cache_read,cache_write_5m,cache_write_1h,unit,per_unit,source
	echo "$model,regional,,,,,,,0.01,0.01,,,,,,ours"
} >"$T/cheap.csv"
ok "an estimate below what was told" "$nowcast" reprice --redis "$REDIS_URL" --from 1970-01-01 --prices user --prices-file "$T/cheap.csv"
at_time "$now" alert check >/dev/null 2>&1
is "does not take it back" "$(lines slack)" 2
"$nowcast" reprice --redis "$REDIS_URL" --from 1970-01-01 >/dev/null
rules "$(awk "BEGIN { print $total / 0.6 }")" # a larger budget
at_time "$now" alert check >/dev/null 2>&1
has "a larger budget does, and it is said how it stands" "$(tail -n 1 "$T/sink/slack")" "updated day.* (59|60|61)% of its budget"
rules "$(awk "BEGIN { print $total / 0.9 }")"
at_time "$now" alert check >/dev/null 2>&1
has "its thresholds are told anew" "$(tail -n 1 "$T/sink/slack")" "updated day.* (89|90|91)% of its budget"
rules "$(awk "BEGIN { print $total / 2 }")"
ok "a silence" alert silence 'da*' --for 1h --why "known"
at_time "$now" alert check >/dev/null 2>&1
is "keeps it quiet" "$(lines slack)" 4
has "and is listed" "$(alert list)" "silence .*rule da.*known"
fails 2 "one that could never match is refused" alert silence 'da*' --only $'\xff'
fails 2 "the flag of the consumer group does not silence every group" alert silence 'da*' --group all
fails 0 "one of no rule that is known here is set" alert silence spkie
has "and remarked on" "$(cat "$T/err")" "note: .*alerts.conf has no rule spkie"
fails 0 "one of a rule" alert silence 'da?'
is "is not" "$(cat "$T/err")" ""
alert silence 'da*' --only 'a[k-m]*' >/dev/null
has "one of some groups says which" "$(alert list)" "silence .*rule da.*group a.k-m"
for id in $(redis hkeys "{nowcast:alerts}:silences"); do alert silence --end "$id" >/dev/null; done
at_time "$now" alert check >/dev/null 2>&1
# the budget is half of the lower bound; the percentage is of the figure itself, a little above it
has "what it kept quiet is told when it ends" "$(tail -n 1 "$T/sink/slack")" "updated day.* (199|200|201|202)% of its budget"
is "once" "$(at_time "$now" alert check >/dev/null 2>&1; lines slack)" 5
tomorrow=$(date -u -d "${hour%T*} +2 days" +%Y-%m-%dT01:00:00Z)
at_time "$tomorrow" alert check >/dev/null 2>&1
has "it is resolved when the day is over" "$(tail -n 1 "$T/sink/slack")" "resolved day.* until ${tomorrow%%0:00Z}.:..Z: the day is over"
has "the history tells it all" "$(alert list --history 10 | tr '\n' ' ')" "resolved.*ended: the day is over.*updated.*firing"

rules "$(awk "BEGIN { print $total / 0.9 }")"
at_time "$now" alert check >/dev/null 2>&1
told_before=$(lines slack)
rules "$(awk "BEGIN { print $total / 0.4 }")" # no threshold of it is reached
at_time "$now" alert check >/dev/null 2>&1
has "a budget that is large enough ends the alert" "$(tail -n 1 "$T/sink/slack")" "resolved day.* until 2026-11-02T02:59:..Z: its rule was changed"
is "once" "$(lines slack)" $((told_before + 1))
sed -i '/^at = /a receivers = hook' "$T/alerts.conf"
sed -i "s/^amount = .*/amount = 0.01/" "$T/alerts.conf"
at_time "$now" alert check >/dev/null 2>&1
has "a rule that names a receiver tells that one" "$(tail -n 1 "$T/sink/hook")" "firing day"
sed -i 's/^receivers = hook/receivers = chat/; s/^\[rule day\]/[rule renamed]/' "$T/alerts.conf"
at_time "$now" alert check >/dev/null 2>&1
has "receivers that were notified learn of the end, when the rule has another name" "$(tail -n 1 "$T/sink/hook")" "resolved day.*its rule is not in the configuration any more"
has "and the new rule's receiver of the new one only" "$(tail -n 1 "$T/sink/slack")" 'nowcast.*firing renamed|"text[^,]*firing renamed'
is "not of an alert it never heard of" "$(tail -n 1 "$T/sink/slack" | grep -c 'resolved day')" 0

rules 1000000
at_time "$now" alert check >/dev/null 2>&1
ok "a trial message" alert test chat
fails 1 "a trial tells of a receiver that does not take it" alert test gone
has "which and why" "$(cat "$T/out")" "failed gone .webhook.: receiver gone: answered 410"
rules "$(awk "BEGIN { print $total / 0.9 }")"
has "a backtest says when it would have rung" "$(alert backtest --rule day)" "day: all has spent"
is "with nothing configured there are rules" "$("$nowcast" alert list --redis "$REDIS_URL" | head -n 1)" "no alert is up"

# Someone else's lease: nothing is written.
redis set "{nowcast:alerts}:lease" other px 60000 >/dev/null
has "who does not hold the lease does nothing" "$(at_time "$now" alert check)" "another process evaluates the alerts"
finish
