#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each kind of rule on real figures: it rings when its condition holds, says what and against what, and is quiet otherwise.
# Also that an estimate that wavers does not flap it, that a storm is one message, and that silences hold and end.
. "$(dirname "$0")/../lib.sh"

make_world --hours 3 --scale 0.05
start_redis
ok "replay" "$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson"
now=2026-11-02T02:59:00Z

sum_up() { total=$("$nowcast" report --redis "$REDIS_URL" --by hour --from 2026-11-02 --format csv | awk -F, 'NR > 1 { s += $4 } END { printf "%.6f", s }'); }
sum_up
part() { awk "BEGIN { printf \"%.6f\", $total * $1 }"; } # of all that was spent in the three hours

rules() { cat >"$T/alerts.conf"; }
check() { at_time "${1:-$now}" alert check >"$T/check.out" 2>&1 || diag "$(cat "$T/check.out")"; }
up() { alert list; }
quiet() { has "$1" "$(up | head -n 1)" "no alert is up"; }
forget() { redis --raw keys '*nowcast:alerts*' | while read -r key; do redis del "$key" >/dev/null; done; }
told() { if [ -f "$T/told" ]; then grep -c . "$T/told"; else echo 0; fi; }

spend() { # USD AT ID MODEL ROLE [N]: an invocation log of output tokens that cost so much with Claude Sonnet 4.6; or N, ten a minute
	python3 - "$@" <<-'END' | "$nowcast" replay --redis "$REDIS_URL" - >/dev/null 2>&1
		import json, sys
		usd, at, id, model, role, n = (sys.argv[1:] + ["1"])[:6]
		def log(i):
		    return {"timestamp": at.replace("MM", f"{i // 10:02}"), "accountId": "111122223333", "identity": {"arn": f"arn:aws:sts::111122223333:assumed-role/{role}/i-1"},
		        "region": "us-east-1", "requestId": f"{id}-{i}" if i else id, "operation": "Converse", "modelId": model,
		        "input": {"inputContentType": "application/json", "inputTokenCount": 0, "cacheReadInputTokenCount": 0, "cacheWriteInputTokenCount": 0},
		        "output": {"outputContentType": "application/json", "outputTokenCount": round(float(usd) / 16.5e-6)},
		        "schemaType": "ModelInvocationLog", "schemaVersion": "1.0"}
		print("\n".join(json.dumps(log(i)) for i in range(int(n))))
	END
}
cells_of() { redis --raw keys "nowcast:{*}:cells:$(($(date -ud "$1" +%s) / 3600)):*"; }
put_away() { cells_of "$1" | while read -r key; do redis rename "$key" "away-$key" >/dev/null; done; } # the facts of an hour, as if they were not kept
bring_back() { redis --raw keys "away-*" | while read -r key; do redis rename "$key" "${key#away-}" >/dev/null; done; }
sonnet=us.anthropic.claude-sonnet-4-6

# --- budgets and forecasts

rules <<END
[rule soon]
kind = forecast
by = all
period = day
amount = $(part 3)
END
check
has "a forecast says when the budget will be passed" "$(up)" "soon: at this rate all passes .* for the day at 2026-11-02T0[89].*; so far it has spent .*, recently .* an hour"
forget
rules <<END
[rule later]
kind = forecast
by = all
period = day
amount = $(part 30)
END
check
quiet "a budget that will last does not ring"

# --- burn rates: a day's budget of which the three hours take so many times their share

burn() {
	rules <<-END
		[rule burn]
		kind = burn
		by = all
		period = day
		amount = $1
		floor = 0
	END
}
forget
burn "$(part 100)"
check
quiet "a slow burn does not ring"
burn "$(part 0.3)" # the three hours take 27 times what an even pace does
for minute in 54 55 56 57 58; do check 2026-11-02T02:$minute:00Z; done
has "a fast one of which nothing has arrived lately rings by hours only" "$(up | grep -c 'burn: ') $(up)" "^1 .*in the last 72h, .* in the last 6 hours"
spend "$(part 0.2)" 2026-11-02T02:58:30Z burn-1 $sonnet app-backend-prod
check
has "it rings by minutes once it goes on" "$(up)" "burn: all spends its .* for the day at more than 14.4 times the even pace: .* in the last hour, the even pace would be .*; .* in the last 5 minutes"
has "by half an hour as well" "$(up)" "at more than 6.0 times the even pace: .* in the last 6h, .* in the last 30 minutes"
check 2026-11-02T03:05:00Z
is "the five minutes are over, but not for long" "$(up | grep -c 'last 5 minutes')" 1
check 2026-11-02T03:21:00Z
is "it ends when it has stopped for a while" "$(up | grep -c 'last 5 minutes')" 0

burn_past() { alert backtest --rule burn --from 2026-11-02T02:00:00Z; }
has "over stored minutes it rings as it would have" "$(burn_past)" "^2026-11-02T02:[0-5][0-9]:59Z  burn: .* in the last hour, the even pace would be .*; .* in the last 5 minutes"
put_away 2026-11-02T02:00:00Z
has "over stored hours it is said that the short window is the hour" "$(burn_past)" "burn: .* in the last hour, the even pace would be .*; .* in the current hour"
bring_back

# --- what is new, and what has no price

forget
rules <<-END
	[rule who]
	kind = new
	by = principal
	floor = 1
	[rule which]
	kind = new
	by = model
	floor = 0
	[rule unpriced]
	kind = unpriced
	by = model
END
spend 2 2026-11-02T02:30:00Z new-1 $sonnet stranger
check
quiet "with less than two days of figures nobody is new"
spend 2 2026-10-30T02:30:00Z old-1 $sonnet app-backend-prod
check
quiet "nor where hardly anything was observed of the days before"
for place in $(redis smembers nowcast:acct_regions); do # a day before
	redis setrange "nowcast:{$place}:observed:$(($(date -ud 2026-10-31 +%s) / 86400)):calls" 0 "$(printf 'w%.0s' $(seq 1 180))" >/dev/null
done
check
has "then somebody is" "$(up)" "who: new principal arn:aws:sts::111122223333:assumed-role/stranger/i-1: .2.00 in the last day"
is "who was there before is not" "$(up | grep -c 'new principal .*app-backend-prod/i-1')" 0
has "a model may be" "$(up)" "which: new model amazon.nova-pro"
is "one that was there is not" "$(up | grep -c "new model $sonnet")" 0
spend 2 2026-11-02T02:31:00Z new-2 acme.oracle-v1 stranger
check
has "a new model without a price is not one of $0.00" "$(up)" "which: new model acme.oracle[^ ]*: [0-9]+ tokens without a price in the last day"
has "tokens without a price ring" "$(up)" "unpriced: acme.oracle[^ ]*: [0-9]+ tokens of the last day have no price"

has "and it is said whose they are" "$(up)" "most by: arn:aws:sts::111122223333:assumed-role/stranger/i-1 [1-9][0-9]* tokens"

# --- spikes over stored hours

forget
spike_rules() {
	rules <<-END
		[rule spike]
		kind = spike
		by = principal
		floor = 0.05
	END
}
spike_rules
for hour in 05 06 07 08 09; do spend 1 2026-10-31T$hour:20:00Z steady-$hour $sonnet steady; done
past() { alert backtest --rule spike --from 2026-10-31T05:00:00Z --to 2026-10-31T12:00:00Z; }
is "a steady pace is no spike" "$(past | tail -n 1)" "0 rings in 7 hours, by the minute"
spend 30 2026-10-31T10:20:00Z steady-10 $sonnet steady
is "nor is one expensive call, by the minute" "$(past | tail -n 1)" "0 rings in 7 hours, by the minute"
spend 0.0201 2026-10-31T11:MM:00Z burst $sonnet steady 300
has "a backtest tells at which minute one would have rung, and against what" "$(past)" "^2026-10-31T11:0[0-9]:59Z  spike: .*steady/i-1 makes [0-9]+ calls in 5 minutes, where hardly any are usual"
is "once, as long as it lasts" "$(past | grep -c ' spike: .* makes ')" 1
rules <<-END
	[rule hour]
	kind = budget
	period = hour
	amount = 3
	at = 100
	[rule quiet]
	kind = silent
END
budget_past() { alert backtest "$@" --from 2026-10-31T11:00:00Z --to 2026-10-31T12:00:00Z; }
has "a budget is passed at its minute" "$(budget_past)" "^2026-10-31T11:14:59Z  hour: all has spent .3.0[0-9], 100%"
has "what cannot be known of the past is said" "$(budget_past)" "^not evaluated: quiet .kind silent., since "
has "at another time the minutes before it count" "$(alert check --now 2026-10-31T11:15:00Z)" "1 condition holds at 2026-10-31T11:15:00Z, by the figures of the minutes before"
has "and those after it do not" "$(alert check --now 2026-10-31T11:14:00Z)" "^0 conditions hold"
has "no minute is before 1970" "$(alert check --now 1970-01-01T00:00:00Z 2>&1)" "^0 conditions hold at 1970-01-01T00:00:00Z, by the figures of whole hours"
for hour in 05 06 07 08 09 10; do put_away 2026-10-31T$hour:00:00Z; done
spike_rules
has "where minutes are not kept, the whole hour counts" "$(past)" "^2026-10-31T10:59:59Z  spike: .*steady/i-1 spends .* or more in 10 minutes, where .0.17 is usual"
has "and that is said" "$(past | tail -n 1)" " in 7 hours, by the minute from 2026-10-31T11:00:00Z on; 6 hours by the figures of the whole hour, as their minutes are not kept"
bring_back

# --- a signal gone silent: it is the newest event that counts, though records arrived a moment ago

forget
rules <<-END
	[rule silent]
	kind = silent
	quiet = 30m
END
newest() { redis zscore nowcast:signals "$1"; } # in ms
after() { date -u -d "@$(($1 / 1000 + $2 * 60))" +%Y-%m-%dT%H:%M:%SZ; }
latest=$(printf '%s\n' "$(newest call)" "$(newest metric)" | sort -n | tail -n 1)
redis zadd nowcast:signals "$latest" call "$latest" metric >/dev/null
check "$(after "$latest" 29)"
quiet "a signal whose newest event is half an hour old is not silent"
check "$(after "$latest" 31)"
has "calls that stopped are" "$(up)" "silent: no call is newer than"
has "metrics too" "$(up)" "silent: no metric is newer than"

# --- the estimate and the bill

forget
if "$top/$B/tests/duck_sql" "SELECT 1" >/dev/null 2>&1; then
	rules <<-END
		[rule off]
		kind = bill
		by = account
		period = day
		at = 30,60
		floor = 0.01
	END
	check
	quiet "without a bill there is nothing to compare"
	python3 tests/support/cur.py "$world/cur2" "$T/cur" same >/dev/null
	ok "the bill is reconciled" "$nowcast" reconcile --redis "$REDIS_URL" "$T/cur"
	check 2026-11-06T00:00:00Z
	is "an estimate that was nearly right does not ring" "$(up | grep -c 'off: 444455556666')" 0
	has "one of somebody who was never billed does" "$(up)" "off: 111122223333 was estimated at .* a difference of more than 30%"
	python3 tests/support/cur.py "$world/cur2" "$T/cur" halve >/dev/null
	ok "a restated bill is reconciled" "$nowcast" reconcile --redis "$REDIS_URL" "$T/cur"
	check 2026-11-06T00:01:00Z
	has "half the bill does" "$(up)" "off: 444455556666 was estimated at .* and billed .* from 2026-11-0.* to 2026-11-02T03:00:00Z, a difference of more than 60%"
fi

# --- more than can be told

forget
python3 tests/many_principals.py 1100 1 2026-10-29T00:00:00Z | "$nowcast" replay --redis "$REDIS_URL" --sessions-max 2000 - >/dev/null 2>&1
rules <<-END
	[rule each]
	kind = budget
	by = principal
	period = day
	amount = 0.000001
	at = 100
	[rule whole]
	kind = budget
	by = account
	period = day
	amount = 0.01
	at = 100
	[receiver log]
	kind = command
	command = cat >>$T/many; echo >>$T/many
END
check 2026-10-29T00:59:00Z
has "a rule that finds very much does not silence the next one" "$(up)" "whole: 111122223333 has spent"
is "and is itself told of a thousand" "$(up | grep -c ' each: arn:')" 1000
has "and of how many there are besides" "$(up)" " each: it holds for 100 more groups than the 1000 that are listed, together .[0-9.]+;"
many() { python3 - "$T/many" "$1" <<-'END'
	import json, sys
	events = json.loads(open(sys.argv[1]).readline())["events"]
	each = [float(e["usd"]) for e in events if e["rule"] == "each" and e["group"] != "(more)"]
	print({"who": sum(e["contributors"] != "" for e in events), "most_expensive": each == sorted(each, reverse=True), "all": len(events)}[sys.argv[2]])
	END
}
is "who contributes is summed up for fifty of them, no more" "$(many all) $(many who)" "1002 50"
is "and the most expensive come first" "$(many most_expensive)" True
cheapest=$(up | grep ' each: arn:' | tail -n 1 | sed 's/.* each: \([^ ]*\) .*/\1/')
redis hdel nowcast:alerts "each|$cheapest|2026-10-29" >/dev/null # as if it had ended
check 2026-10-29T00:59:30Z
is "what was left out takes the room of what has ended" "$(up | grep -c ' each: arn:') $(up | grep -c ' each: it holds for 100 more')" "1000 1"

sed -i 's/^amount = 0.000001/amount = 1000/' "$T/alerts.conf"
check 2026-10-29T01:20:00Z
is "it ends when there is room for all" "$(up | grep -c ' each: ')" 0

# --- a tag that would steer the terminal and add lines to a mail

python3 - <<-'END' | "$nowcast" replay --redis "$REDIS_URL" - >/dev/null 2>&1
	import json
	print(json.dumps({"eventVersion": "1.11", "eventTime": "2026-10-28T02:00:00Z", "eventSource": "iam.amazonaws.com", "eventName": "TagRole", "awsRegion": "us-east-1",
	    "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/terraform", "accountId": "111122223333"}, "requestID": "tag-1", "eventID": "tag-1",
	    "requestParameters": {"roleName": "steerer", "tags": [{"key": "team", "value": "\x1b[31mred\nfiring day: all is lost"}]}, "responseElements": None, "readOnly": False,
	    "eventType": "AwsApiCall", "managementEvent": True, "recipientAccountId": "111122223333", "eventCategory": "Management"}))
END
spend 2 2026-10-28T02:30:00Z steer-1 $sonnet steerer
forget
rules <<-END
	[rule teams]
	kind = budget
	by = team
	period = day
	amount = 1
END
check 2026-10-28T02:59:00Z
has "it is shown without its control characters" "$(up)" "teams: [?].31mred[?]firing day: all is lost has spent .2.00"
has "in a backtest too" "$(alert backtest --rule teams --from 2026-10-28T02:00:00Z --to 2026-10-28T03:00:00Z)" "teams: [?].31mred[?]firing"

# --- wavering, storms, silences

forget
rules <<-END
	[rule day]
	kind = budget
	by = principal
	period = day
	amount = 0.001
	at = 100
	[receiver log]
	kind = command
	command = cat >>$T/told; echo >>$T/told
END
check
is "a storm is one message" "$(told)" 1
has "of many alerts" "$(cat "$T/told")" '"title": ?"nowcast: 1[0-9] alerts'
rings=$(up | grep -c '^up')
for minute in 0 1 2 3; do check 2026-11-02T03:0$minute:00Z; done
is "the same again tells nobody, and all stay up" "$(told) $(up | grep -c '^up')" "1 $rings"

forget
rm -f "$T/told"
sum_up
rate() { # AMOUNT
	rules <<-END
		[rule rate]
		kind = forecast
		by = all
		period = day
		amount = $1
		[receiver log]
		kind = command
		command = cat >>$T/told; echo >>$T/told
	END
}
rate "$(part 5)"
redis hset "{nowcast:alerts}:silences" s '{"rule":"rate","group":"*","until":1793590000000,"why":"until 03:26:40"}' >/dev/null
check 2026-11-02T03:00:00Z
has "an alert that is silenced is up" "$(up)" "rate: .*silenced"
is "and nobody is told" "$(told)" 0
check 2026-11-02T03:28:00Z
is "when the silence ends, they are" "$(grep -c '"event": *"firing"' "$T/told")" 1
is "and it is forgotten" "$(redis hlen "{nowcast:alerts}:silences")" 0
for minute in 29 30 31; do # the estimate wavers around the limit
	rate "$(part 60)"
	check 2026-11-02T03:$minute:00Z
	rate "$(part 5)"
	check 2026-11-02T03:$minute:30Z
done
is "a condition that comes and goes is not told again" "$(told)" 1
rate "$(part 60)"
check 2026-11-02T03:44:00Z
is "nor has it ended before it was gone for a quarter of an hour" "$(told)" 1
check 2026-11-02T03:47:00Z
is "then it has" "$(grep -c '"event": *"resolved"' "$T/told")" 1
rate "$(part 5)"
check 2026-11-02T03:50:00Z
rate "$(part 60)"
check 2026-11-02T02:58:00Z
is "a clock that is set back by an hour ends nothing at once" "$(up | grep -c '^up')" 1
check 2026-11-02T03:14:00Z
is "nor holds up for an hour what has ended" "$(up | grep -c '^up')" 0
finish
