#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Time that was not observed is no time without spend: in forecasts, comparisons, movers and budgets. A flat day and a half with a
# gap of four hours, then three small hours of a week before that are read later.
. "$(dirname "$0")/../lib.sh"

A=111122223333
start_redis
calls() { # FROM TO STEP_MINUTES TOKENS [CALLS]: of bob, from .. to - 1
	python3 - "$@" <<-'END'
		import datetime as dt, sys
		at, end = (dt.datetime.fromisoformat(a) for a in sys.argv[1:3])
		while at < end:
		    for i in range(int(sys.argv[5]) if len(sys.argv) > 5 else 1): print('{"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/bob","accountId":"111122223333"},"eventTime":"%sZ","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"amazon.nova-pro-v1:0"},"additionalEventData":{"inputTokens":%s,"outputTokens":0},"requestID":"%s-%d","eventID":"e","eventType":"AwsApiCall","recipientAccountId":"111122223333","eventCategory":"Management"}' % (at.isoformat(), sys.argv[4], at.timestamp(), i))
		    at += dt.timedelta(minutes=int(sys.argv[3]))
	END
}
replay() { "$nowcast" replay --redis "$REDIS_URL" - >/dev/null 2>>"$T/replay.err"; }
serve() { # NOW: starts a server; sets url
	free_port
	url=http://127.0.0.1:$port
	start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port" --now "$1" --alerts-file "$T/rules"
	wait_for 10 listens "$port" || { sed 's/^/# /' "$T/serve.log"; bail "nowcast serve does not listen"; }
}
ask() { # PATH EXPRESSION
	curl -s -m 10 "$url/api/v1/$1" >"$T/body"
	python3 -c 'import json, sys; print(eval(sys.argv[2], {"a": json.load(open(sys.argv[1])), "n": lambda x: round(float(x), 2)}))' "$T/body" "$2"
}
printf '[rule all]\nkind = budget\nby = all\nperiod = day\namount = 90\n' >"$T/rules"

# 4.80 an hour, of which the hour of now has 40 minutes, and the one a day ago only the minutes from 20 on
{
	calls 2026-11-17T14:20 2026-11-18T02:00 5 500000
	calls 2026-11-18T06:00 2026-11-18T14:40 5 500000
} | replay
serve 2026-11-18T14:40:00Z
first=$pid
is "the gap is known" "$(ask 'series?step=hour&hours=15' 'a["unobserved"]')" \
	"[{'from': '2026-11-18T01:56:00Z', 'to': '2026-11-18T06:00:00Z', 'why': 'nothing was read of this time'}]"
doctor() { "$nowcast" doctor --redis "$REDIS_URL" --now 2026-11-18T14:40:00Z | grep -E '^[a-zA-Z]+ +observed '; }
has "doctor says from when to when, and what to do" "$(doctor)" '^warn +observed +2026-11-18 01:56 to 2026-11-18 06:00 [(]4 h 4 min[)] was not observed: nothing was read of this time[.] .*`nowcast replay --reopen`'
has "and which signal does not come in which account and Region" "$(doctor)" "^warn +observed +metrics of $A/us-east-1 have not come in the last 7 days, while calls or logs came in ([0-9]+ h )?[0-9]+ (min|h)"
is "Prometheus has both" "$(curl -s -m 10 "$url/metrics" | grep -E '^nowcast_(unobserved|signal_missing)' | xargs)" \
	"nowcast_unobserved_seconds 14640 nowcast_signal_missing_since_timestamp_seconds{signal=metrics,account=$A,region=us-east-1} $(date -ud 2026-11-17T14:20 +%s)"
is "and what of each hour was observed" "$(ask 'series?step=hour&hours=15' 'a["observed"][:7]')" "[1, 0.933, 0, 0, 0, 0, 1]"
is "by this time yesterday: the same minutes of both days" "$(ask summary '[n(a["yesterday_so_far"]["usd"]), n(a["yesterday_so_far"]["usd_now"]), a["yesterday_so_far"]["minutes"]]')" "[1.6, 1.6, 16]"
is "that nothing was spent last month is not said" "$(ask summary '[a["last_month"]["observed"], a["last_month_so_far"]["usd"]]')" "[0, None]"
is "of nine hours five were observed both times, and nothing has moved" "$(ask 'movers?by=principal&hours=9' '[a["hours"], a["movers"]]')" "[5, []]"
before=$(ask forecast '[n(a["day"]["usd"]), n(a["month"]["usd"])]')
is "a forecast of flat spend is flat" "$(ask forecast '95 < n(a["day"]["usd"]) < 97 or n(a["day"]["usd"])')" True
stop "$first"

calls 2026-11-11T03:00 2026-11-11T06:00 5 1000 | replay
serve 2026-11-18T14:40:00Z
is "three small hours of a week ago, read later, change no forecast but by themselves" \
	"$(ask forecast "[abs(n(a['day']['usd']) - $before[0]) < 0.01, abs(n(a['month']['usd']) - $before[1]) < 0.1, a['days_of_history']]")" "[True, True, 0]"
is "nor when a budget is passed" "$(ask budgets '[b["passes"][:13] for b in a["budgets"]]')" "['2026-11-18T22']"
stop "$pid"

# --- a whole day before

calls 2026-11-16T14:00 2026-11-17T14:20 5 500000 | replay
serve 2026-11-18T14:40:00Z
is "with a day before, the comparison leaves the gap out of both" "$(ask summary '[n(a["yesterday_so_far"]["usd"]), n(a["yesterday_so_far"]["usd_now"]), a["yesterday_so_far"]["minutes"], a["yesterday_so_far"]["minutes_so_far"]]')" \
	"[51.2, 51.2, 632, 876]"
is "nothing has moved of what was observed of both" "$(ask 'movers?by=principal&hours=15' '[a["hours"], a["movers"]]')" "[11, []]"

# --- the first minutes after an outage are no spike

printf '[rule spikes]\nkind = spike\nby = principal\n' >"$T/spikes"
spikes() { # GAP-ENDS: 20 calls a minute, none from 06:00 to then
	start_redis
	{
		calls 2026-11-18T00:00 2026-11-18T06:00 1 100000 20
		calls "$1" 2026-11-18T10:09 1 100000 20
	} | replay
	"$nowcast" alert check --redis "$REDIS_URL" --alerts-file "$T/spikes" --now 2026-11-18T10:08:40Z 2>&1
}
has "after four hours without a record, what is usual is not known" "$(spikes 2026-11-18T10:00)" '^0 conditions hold'
finish
