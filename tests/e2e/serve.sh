#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The dashboard's server: the API is what its description says and adds up to the report; tokens, names, bad questions and
# bad manners are refused; Redis may go and come back; a real Prometheus reads /metrics.
. "$(dirname "$0")/../lib.sh"

make_world --hours 2 --scale 0.05
start_redis
ok "there are figures" "$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson"
echo '{"Arn": "arn:aws:organizations::999988887777:account/o-abc/111122223333", "Tags": {"cost": "cc-1", "Team": "core"}}' >"$T/account.json"
ok "tags of an account" "$nowcast" tags import --redis "$REDIS_URL" --from 2026-11-01 "$T/account.json"

serve() { # [ARGUMENT...]: starts a server; sets server_pid and url
	free_port
	url=http://127.0.0.1:$port
	start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port" --now 2026-11-02T01:40:00Z "$@"
	server_pid=$pid
	wait_for 10 listens "$port" || { sed 's/^/# /' "$T/serve.log"; bail "nowcast serve does not listen"; }
}
code() { curl -s -m 10 -o "$T/body" -w '%{http_code}' --path-as-is "$@"; }
field() { python3 -c 'import json, sys; print(eval(sys.argv[2], {"a": json.load(open(sys.argv[1]))}))' "$@"; }

printf '[rule b%s]\nkind = budget\nby = %s\nperiod = month\namount = 20\nat = 50,100\n' 1 all 2 team >"$T/budgets"
serve --alerts-file "$T/budgets" --listen-rate 1000
python3 tests/api_check.py "$url" >"$T/api.tap"
result $? "every answer is what web/openapi.json says ($(grep -c '^ok' "$T/api.tap") checks)" || grep -A1 '^not ok' "$T/api.tap" | sed 's/^/# /'

# --- the figures are those of the report

"$nowcast" report --redis "$REDIS_URL" --by principal --to 2026-11-02T02:00:00Z --format json >"$T/report.json"
code "$url/api/v1/breakdown?by=principal&limit=1000" >/dev/null
is "a breakdown is the report" "$(field "$T/body" 'sorted((g["keys"]["principal"], g["usd"], g["usd_low"], g["usd_high"]) for g in a["groups"])')" \
	"$(field "$T/report.json" 'sorted((g["principal"], g["usd"], g["usd_low"], g["usd_high"]) for g in a)')"
whole=$(field "$T/body" 'a["total"]["usd"]')
first=$port
free_port
start serve2 "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port" --now 2026-11-02T01:40:00Z
wait_for 10 listens "$port" || bail "another nowcast serve does not listen"
is "another server of the same Redis says the same" "$(curl -s -m 10 "http://127.0.0.1:$port/api/v1/breakdown?by=principal&limit=1000" | sha256sum)" "$(sha256sum <"$T/body")"
kill "$pid"
port=$first
adds_up='sum(int(u.replace(".", "")) for u in a["total"]["usd"])'
for step in hour minute; do
	code "$url/api/v1/series?hours=2&step=$step" >/dev/null
	is "by $step it adds up to the same" "$(field "$T/body" "abs($adds_up - $(tr -d . <<<"$whole" | sed 's/^0*//')) <= 60")" True
done
for span in 'from=2026-11-02T01:00:00Z&to=2026-11-02T02:00:00Z' 'from=2026-10-20T15:00:00Z&to=2026-11-02T01:00:00Z'; do
	code "$url/api/v1/breakdown?$span" >/dev/null
	whole=$(field "$T/body" 'a["total"]["usd"]')
	code "$url/api/v1/series?step=day&by=team&$span" >/dev/null
	is "by day too, of $whole, where a day is asked for in part" "$(field "$T/body" "$adds_up == int('$whole'.replace('.', '')) == sum(int(u.replace('.', '')) for g in a['groups'] + [a['other']] for u in g['usd'])")" True
done
code "$url/api/v1/series?hours=2&by=model&limit=2" >/dev/null
is "groups and other add up to the total" "$(field "$T/body" 'all(sum(int(g["usd"][k].replace(".", "")) for g in a["groups"] + [a["other"]]) == int(a["total"]["usd"][k].replace(".", "")) for k in range(2))')" True
code "$url/api/v1/series?hours=2&step=minute&by=model&limit=2" >/dev/null
is "so they do by minute, but for the last place" "$(field "$T/body" 'all(abs(sum(int(g["usd"][k].replace(".", "")) for g in a["groups"] + [a["other"]]) - int(a["total"]["usd"][k].replace(".", ""))) <= 2 for k in range(120))')" True
cp "$T/body" "$T/minutes"
code "$url/api/v1/series?hours=2&by=model&limit=2" >/dev/null
is "and each group's minutes add up to its hours" "$(python3 - "$T/minutes" "$T/body" <<-'END'
	import json, sys
	minutes, hours = ({g["keys"]["model"]: [int(u.replace(".", "")) for u in g["usd"]] for g in json.load(open(f))["groups"]} for f in sys.argv[1:])
	print(len(hours) == 2 and all(abs(sum(minutes[m][h * 60:h * 60 + 60]) - hours[m][h]) <= 60 for m in hours for h in range(2)))
END
)" True
is "a caller's minutes are not made up" "$(code "$url/api/v1/series?hours=2&step=minute&by=team")" 400
code "$url/api/v1/breakdown?by=team&from=2026-11-02T01:00:00Z&to=2026-11-02T03:00:00Z" >/dev/null
"$nowcast" top --redis "$REDIS_URL" --by team --hours 2 --turns 1 >"$T/top" 2>&1
is "nowcast top shows the same figures" "$(field "$T/body" 'all(("%.4f" % float(g["usd"])) in open("'"$T/top"'").read() for g in a["groups"])')" True
code "$url/api/v1/breakdown?by=principal&limit=2" >/dev/null
is "what is not shown is in other" "$(field "$T/body" 'sum(int(g["usd"].replace(".", "")) for g in a["groups"] + [a["other"]]) == int(a["total"]["usd"].replace(".", ""))')" True

code "$url/api/v1/cache?hours=2" >/dev/null
is "what caching saves has a band, which holds it" "$(field "$T/body" 'all(float(x["saved_low"]) <= float(x["saved"]) <= float(x["saved_high"]) for x in [a["total"]] + a["models"] if x["saved"] is not None) and float(a["total"]["saved_low"]) < float(a["total"]["saved_high"])')" True
is "and is not known of a model without a rate" "$(field "$T/body" 'all((x["saved"] is None) == (not x["priced"]) for x in a["models"])')" True

code "$url/api/v1/breakdown?by=token_type" >/dev/null
is "calls of a token type are not known, not 0" "$(field "$T/body" 'len(a["groups"]) > 1, {(g["calls"], g["failed"]) for g in a["groups"] + [a["other"]]}, a["total"]["calls"] > 0')" "(True, {(None, None)}, True)"
for path in summary "breakdown?by=principal" models cache changes; do
	code "$url/api/v1/$path$([[ $path = *\?* ]] && echo '&' || echo '?')token_type=input" >/dev/null
	is "nor within one: $path" "$(grep -cE '"(calls|failed)":[0-9]' "$T/body")" 0
done

code "$url/api/v1/focus?from=2026-11-02T00:00:00Z&to=2026-11-02T02:00:00Z" >/dev/null
"$nowcast" report --redis "$REDIS_URL" --format focus --from 2026-11-02T00:00:00Z --to 2026-11-02T02:00:00Z >"$T/focus" 2>/dev/null
same_file "FOCUS is that of the command line" "$T/body" "$T/focus"
is "of more than a day it is refused" "$(code "$url/api/v1/focus?hours=25")" 400
has "which says what writes it" "$(cat "$T/body")" 'at most 24 hours at once; `nowcast report --format focus` writes any span'
is "and so are filters, for it has every row" "$(code "$url/api/v1/focus?team=search")" 400

for column in usd name calls tokens usd_per_call usd_per_token failed_share cache_hit; do
	code "$url/api/v1/breakdown?by=principal&limit=1000&sort=$column" >/dev/null
	cp "$T/body" "$T/rising"
	code "$url/api/v1/breakdown?by=principal&limit=1000&sort=-$column" >/dev/null
	python3 - "$column" "$T/rising" "$T/body" <<-'END' >"$T/sorted"
		import json, sys
		column, lists = sys.argv[1], [json.load(open(f))["groups"] for f in sys.argv[2:]]
		def over(a, b): return a / b if b else None
		def number(g):
		    usd = None if g["usd"] is None else float(g["usd"])
		    whole = usd if not g["tokens_unpriced"] else None
		    return {"usd": usd, "name": g["keys"]["principal"], "calls": g["calls"], "tokens": g["tokens"],
		        "usd_per_call": None if whole is None else over(whole, g["calls"]),
		        "usd_per_token": None if whole is None or g.get("units") else over(whole, g["tokens"]),
		        "failed_share": over(g["failed"], g["calls"] + g["failed"]), "cache_hit": over(g["tokens_cache_read"], g["tokens_prompt"])}[column]
		for groups, falling in zip(lists, (False, True)):
		    numbers = [number(g) for g in groups]
		    known = [n for n in numbers if n is not None]
		    print(numbers == sorted(known, reverse=falling) + [None] * (len(numbers) - len(known)), len(set(known)) > 1)
	END
	is "the list can be sorted by $column, in both directions" "$(sort -u "$T/sorted")" "True True"
done

# --- one principal: what is known of it, and why a figure of it is what it is; nothing beyond the filters

ask() { code -G "$url/api/v1/$1" "${@:2}" >/dev/null; } # PATH NAME=VALUE...
arn=arn:aws:sts::111122223333:assumed-role/llm-gateway/erin team=search role=llm-gateway key=ASIALLM-ERIN0000
code -G "$url/api/v1/breakdown" -d by=model,region --data-urlencode "principal=$arn" >/dev/null
cp "$T/body" "$T/of_one"
ask principal --data-urlencode "principal=$arn"
is "a principal has the sums of the breakdown" "$(field "$T/body" 'a["total"]["usd"], [(g["keys"], g["usd_low"], g["usd"], g["usd_high"]) for g in a["models"]]')" \
	"$(field "$T/of_one" 'a["total"]["usd"], [(g["keys"], g["usd_low"], g["usd"], g["usd_high"]) for g in a["groups"]]')"
has "and the keys of its sessions, with when they were used" "$(field "$T/body" '[(k["id"][:4], k["used_from"], k["used_to"]) for k in a["access_keys"]][:1]')" "^..'ASIA', '2026-11-02T0[01]:[0-9:]+Z', '2026-11-02T01:40:00Z'..$"
is "its role, when it was seen, and its tags with their source" "$(field "$T/body" 'a["role"].endswith(":role/'"$role"'"), a["first"][:11] + a["last"][:11], sorted((t["value"], t["of"]) for t in a["tags"] if t["key"] == "team"), a["known"]')" \
	"(True, '2026-11-02T2026-11-02T', [('$team', 'session')], True)"
ask principal --data-urlencode "principal=$arn"
is "are said to be the account's, beneath its own" "$(field "$T/body" '[(t["key"], t["value"], t["overridden"]) for t in a["tags"] if t["of"] == "account"]')" "[('Team', 'core', True), ('cost', 'cc-1', False)]"
ask principal --data-urlencode "principal=$arn" --data-urlencode "team=$team"
is "within its team it has the same" "$(field "$T/body" 'a["total"]["usd"], len(a["tags"]) > 0, a["known"]')" "$(field "$T/of_one" 'a["total"]["usd"], True, True')"
ask principal --data-urlencode "principal=$arn" --data-urlencode 'team=another'
is "within another team nothing is said of it, not even a tag" "$(field "$T/body" 'a["known"], a["tags"], a["first"], a["last"], a["days"], a["models"], a["total"]["calls"], a["total"]["tokens"]')" "(False, [], None, None, 0, [], 0, 0)"
hour=2026-11-02T00:00:00Z
ask explain --data-urlencode "principal=$arn" -d "hour=$hour"
cp "$T/body" "$T/why"
code -G "$url/api/v1/breakdown" -d "by=principal&from=$hour&to=2026-11-02T01:00:00Z" --data-urlencode "principal=$arn" >/dev/null
is "the rows of its hour add up to its figure" "$(field "$T/why" 'sum(r["tokens"] for m in a["models"] for r in m["rows"]), "%.6f" % sum(float(r["usd"]) for m in a["models"] for r in m["rows"]), sum(m["calls"] for m in a["models"])')" \
	"$(field "$T/body" 'a["total"]["tokens"], "%.6f" % float(a["total"]["usd"]), a["total"]["calls"]')"
has "with how many tokens a call was assumed to use" "$(field "$T/why" '[(w["tokens"], w["learned_from"]) for w in a["weights"] if w["a_call"] > 0]')" "'input', '(its own|the metrics|others|all callers)"
ask explain --data-urlencode "principal=$arn" -d "hour=$hour&team=another"
is "and of another team there are none" "$(field "$T/body" 'a["models"], a["weights"], a["total"]["tokens"]')" "([], [], 0)"

# --- what moved

movers() { code "$url/api/v1/movers?$1" >/dev/null; field "$T/body" 'a["from"][5:13], a["to"][5:13], a["before"]["from"][5:13], a["before"]["to"][5:13], a["hours"]'; }
is "a span that has begun is compared by its hours that are over" "$(movers 'from=2026-11-02T00:00:00Z&to=2026-12-01')" "('11-02T00', '11-02T01', '11-01T23', '11-02T00', 0)"
is "the last hours by as many that are over" "$(movers hours=2)" "('11-01T23', '11-02T01', '11-01T21', '11-01T23', 0)"
is "or with another span" "$(movers 'from=2026-11-02T01:00:00Z&now=2026-11-02T02:00:00Z&to=2026-11-02T02:00:00Z&before_from=2026-11-02T00:00:00Z&before_to=2026-11-02T01:00:00Z')" "('11-02T01', '11-02T02', '11-02T00', '11-02T01', 1)"
is "nothing with a span of which no hour is over" "$(movers 'from=2026-11-02T01:00:00Z&to=2026-11-03')" "('11-02T01', '11-02T01', '11-02T01', '11-02T01', 0)"
is "but the present hour alone is compared as far as it has come" "$(movers 'from=2026-11-02T01:00:00Z&to=2026-11-02T02:00:00Z')" "('11-02T01', '11-02T02', '11-02T00', '11-02T01', 1)"

# --- why two spans differ

ask changes -d 'from=2026-11-02T01:00:00Z&to=2026-11-02T02:00:00Z&now=2026-11-02T02:00:00Z&limit=2'
pico='sum(round(float(u) * 1e9) for u in %s)'
is "the parts of a change add up to it" "$(field "$T/body" "abs($(printf "$pico" 'a["parts"].values()') - round(float(a['change']) * 1e9)) <= 5 and abs(float(a['now']['usd']) - float(a['then']['usd']) - float(a['change'])) < 1e-8")" True
is "so do its movers and the others, by each grouping" "$(field "$T/body" "[abs($(printf "$pico" '[m["change"] for m in b["movers"]] + [b["others"]]') - round(float(a['change']) * 1e9)) <= 9 and len(b['movers']) <= 2 for b in a['by'].values()]")" "[True, True, True]"
is "and it is compared with the hour before" "$(field "$T/body" 'a["before"]["from"], a["hours"], a["paired"]')" "('2026-11-02T00:00:00Z', 1, True)"
cp "$T/body" "$T/change"
code "$url/api/v1/breakdown?from=2026-11-02T00:00:00Z&to=2026-11-02T01:00:00Z" >/dev/null
is "which is what the breakdown says of it" "$(field "$T/body" 'a["total"]["usd"], a["total"]["calls"]')" "$(field "$T/change" 'a["then"]["usd"], a["then"]["calls"]')"
ask changes -d 'from=2026-11-02T01:00:00Z&to=2026-11-02T02:00:00Z&now=2026-11-02T02:00:00Z&before_from=2026-11-01T22:00:00Z&before_to=2026-11-02T01:00:00Z'
is "any two spans can be compared" "$(field "$T/body" 'a["before"]["from"], a["paired"], a["observed_before"] < 0.5, a["then"]["usd"]')" "('2026-11-01T22:00:00Z', False, True, '$(field "$T/change" 'a["then"]["usd"]')')"
ask changes -d 'from=2026-11-02T00:00:00Z&to=2026-11-02T01:00:00Z&now=2026-11-02T02:00:00Z&before_from=2026-11-02T00:00:00Z&before_to=2026-11-02T02:00:00Z'
is "two that begin in one hour as well, each with its own length" "$(field "$T/body" 'a["now"]["calls"], a["then"]["calls"], a["then"]["usd"] != a["now"]["usd"]')" \
	"$(field "$T/change" 'a["then"]["calls"], a["then"]["calls"] + a["now"]["calls"], True')"
is "a question of the beginning of time is answered" "$(for q in summary series changes findings focus 'principal?principal=x'; do code "$url/api/v1/$q$([ "$q" = "${q%%\?*}" ] && echo '?' || echo '&')now=1970-01-01T00:00:00Z"; done)" 200200200200200200
is "half a span is refused" "$(code "$url/api/v1/changes?before_from=2026-11-01")" 400

# --- one model, by all its profiles and Regions

ask breakdown -d by=family
cp "$T/body" "$T/families"
ask breakdown -d by=model,region -d family=anthropic.claude-sonnet-4-6
cp "$T/body" "$T/ways"
is "a family is every profile of its model" "$(field "$T/families" 'next(g["usd"] for g in a["groups"] if g["keys"]["family"] == "anthropic.claude-sonnet-4-6")')" \
	"$(field "$T/ways" '"%.9f" % (sum(int(g["usd"].replace(".", "")) for g in a["groups"]) / 1e9)')"
is "which are more than one" "$(field "$T/ways" 'len({g["keys"]["model"] for g in a["groups"]}) > 1')" True
printf '{"inferenceProfileSummaries":[{"inferenceProfileName":"support-bot prod","inferenceProfileArn":"arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/k3v9q2m7x1tz","models":[{"modelArn":"arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-6"}],"status":"ACTIVE","type":"APPLICATION"}]}' >"$T/profiles.json"
"$nowcast" profiles import --redis "$REDIS_URL" "$T/profiles.json" --from 2026-11-01 >/dev/null 2>&1
ask models -d family=anthropic.claude-sonnet-4-6
is "the names of application profiles stand beside them" "$(field "$T/body" 'sorted((m["profile"], m["name"], m["keys"]["region"]) for m in a["models"])')" "[('application', 'support-bot prod', 'us-east-1'), ('us', None, 'us-east-1')]"
is "with the same sums" "$(field "$T/body" 'sorted((m["keys"]["model"], m["usd"], m["usd_high"]) for m in a["models"]), a["total"]["usd"], a["all"]')" "$(field "$T/ways" 'sorted((g["keys"]["model"], g["usd"], g["usd_high"]) for g in a["groups"]), a["total"]["usd"], a["all"]')"
is "and no name beyond the filters" "$(code "$url/api/v1/models?family=anthropic.claude-sonnet-4-6&team=another"; cat "$T/body" | grep -c support-bot)" 2000
is "by minute a family can be asked for too" "$(code "$url/api/v1/series?step=minute&hours=2&by=family")" 200

is "a question without a principal" "$(code "$url/api/v1/principal")" 400
has "is told how to ask" "$(cat "$T/body")" 'expected principal=ARN'
is "one without an hour too" "$(code -G "$url/api/v1/explain" --data-urlencode "principal=$arn")" 400
is "nobody is known by a made-up key" "$(code "$url/api/v1/principal?access_key=ASIANOBODY")" 400
ask principal -d "access_key=$key"
is "an access key leads to its principal" "$(field "$T/body" 'a["principal"], a["access_key"]["id"]')" "('$arn', '$key')"
is "but not beyond the filters" "$(code "$url/api/v1/principal?access_key=$key&team=another"; grep -c "$arn" "$T/body")" 4000

# --- questions that are wrong

is "an unknown grouping" "$(code "$url/api/v1/breakdown?by=colour")" 400
has "is named" "$(cat "$T/body")" 'colour.*is no grouping'
is "an unknown column" "$(code "$url/api/v1/breakdown?sort=colour")" 400
has "is named, with those there are" "$(cat "$T/body")" 'usd_per_call.*got \\"colour'
is "a huge span" "$(code "$url/api/v1/series?step=minute&hours=7000")" 400
has "is refused with the limit" "$(cat "$T/body")" '1 to 6'
is "a span by dates" "$(code "$url/api/v1/breakdown?from=2001-01-01")" 400
has "too" "$(cat "$T/body")" 'at most 9600'
for query in hours=0 hours=-1 hours=1e3 limit=99999999999999999999 from=yesterday 'from=2026-11-02&to=2026-11-01' 'hours=1&from=2026-11-02' 'by=a%00b' step=week "$(printf 'x%d=1&' {1..60})"; do
	is "?${query:0:40} is refused" "$(code "$url/api/v1/series?$query")" 400
done
for words in 33 100 1000 8000; do
	is "a query of $words parameters is refused" "$(code "$url/api/v1/series?$(printf 'a&%.0s' $(seq $words))x=1")" 400
	has "with the limit" "$(cat "$T/body")" 'more than 32 parameters'
done
for path in /../etc/passwd /..%2f..%2fetc/passwd //app.js /app.js%00.css /app.js/ /api/v1 /api/v1/summary/.. /%2e%2e/; do
	is "$path is not there" "$(code "$url$path")" 404
done
is "POST is refused" "$(code -X POST -d x=1 "$url/api/v1/summary")" 405
is "a body of megabytes is refused" "$(head -c 3000000 /dev/zero | code -X POST --data-binary @- "$url/api/v1/summary")" 413
is "a name that is not ours in Host is refused" "$(code -H 'Host: evil.example' "$url/api/v1/summary")" 403

# --- the page

is "the page is there" "$(code "$url/")" 200
curl -s -D "$T/head" -o /dev/null "$url/"
has "with a strict policy" "$(cat "$T/head")" "Content-Security-Policy: default-src 'none'; script-src 'self'"
has "and no cookie" "$(grep -ci '^set-cookie' "$T/head")" '^0$'
etag=$(sed -n 's/^[Ee][Tt]ag: \(.*\)\r$/\1/p' "$T/head")
is "and is not sent twice" "$(code -H "If-None-Match: $etag" "$url/")" 304
size=$(for f in / /app.css /app.js /api.js /columns.js /panels.js /parts.js /view.js /chart.js /vendor/uPlot.js /vendor/uPlot.css; do curl -s -H 'Accept-Encoding: gzip' "$url$f"; done | wc -c)
ok "the page is under 60 KB gzipped ($size bytes)" test "$size" -lt 60000
size=$(for f in /principal.js /model.js /why.js /csv.js /wall.js /wall.css; do curl -sf -H 'Accept-Encoding: gzip' "$url$f"; done | wc -c)
ok "and what it loads when it is needed under 10 KB ($size bytes)" test "$size" -gt 1000 -a "$size" -lt 10000

# --- bad manners

python3 - "$port" >"$T/manners" <<-'END'
	import socket, sys, time
	port = int(sys.argv[1])
	def connect():
	    s = socket.create_connection(("127.0.0.1", port)); s.settimeout(5); return s
	def status(s):
	    try: return s.recv(4096).split(b"\r\n")[0].decode("latin-1")
	    except OSError as e: return "closed"
	s = connect()
	try: s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"a" * 90) for i in range(5000)) + b"\r\n")
	except OSError: pass
	print("flood:", status(s))
	s = connect(); s.sendall(b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"); print("long:", status(s))
	s = connect(); s.sendall(b"\x16\x03\x01\x00\xff garbage\r\n\r\n"); print("garbage:", status(s))
	s = connect(); s.sendall(b"GET /healthz HTTP/1.1\r\n\r\n"); print("no host:", status(s))
	# Readers who never read, and senders who never end: others are served meanwhile.
	idle = [connect() for _ in range(60)]
	for i, s in enumerate(idle):
	    s.sendall(b"GET /api/v1/breakdown?hours=2 HTTP/1.1\r\nHost: localhost\r\n" + (b"\r\n" if i % 2 else b"X-"))
	t = time.time(); s = connect(); s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); print("beside idlers:", status(s), time.time() - t < 1)
END
has "a flood of headers is cut off" "$(cat "$T/manners")" '^flood: (closed|HTTP/1.1 (431|413|400)|$)'
has "an endless path too" "$(cat "$T/manners")" '^long: (closed|HTTP/1.1 (414|431|400)|$)'
has "slow clients keep nobody else waiting" "$(cat "$T/manners")" '^beside idlers: HTTP/1.1 200 OK True'
ok "it lives" alive "$server_pid"

# --- live, and Redis going away

code "$url/api/v1/findings" >/dev/null
has "findings say which Redis it is" "$(cat "$T/body")" '"(Redis|Valkey) [0-9.]+"'
cp "$T/body" "$T/findings"

curl -sN -m 60 "$url/api/v1/events" >"$T/events" &
viewer=$!
ok "a viewer gets the summary" wait_for 10 grep -q '^event: summary' "$T/events"
kill_redis
ok "and is told that Redis is away" wait_for 15 grep -q '^event: away' "$T/events"
is "the API says 503" "$(code "$url/api/v1/summary?hours=1&now=2026-11-02")" 400
is "as it should" "$(code "$url/api/v1/summary?now=2026-11-03")" 503
has "and why, without Redis's address" "$(cat "$T/body")" '"redis: '
is "which no viewer is told" "$(grep -cF "${REDIS_URL#redis://}" "$T/body" "$T/events" "$T/findings" | paste -sd' ')" "$T/body:0 $T/events:0 $T/findings:0"
python3 tests/api_check.py "$url" 503 >"$T/away.tap"
result $? "and so do all that need it, as web/openapi.json says ($(grep -c '^ok' "$T/away.tap") checks)" || grep -A1 '^not ok' "$T/away.tap" | sed 's/^/# /'
is "readyz too" "$(code "$url/readyz")" 503
is "healthz does not" "$(code "$url/healthz")" 200
is "metrics say so" "$(code "$url/metrics")$(grep '^nowcast_up' "$T/body")" "200nowcast_up 0"
restart_redis
"$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >/dev/null 2>&1
ok "Redis is back, and so are the figures" wait_for 15 sh -c "curl -s '$url/readyz' | grep -q ready"
ok "the viewer learns that as well" wait_for 15 sh -c "[ \$(grep -c '^event: summary' '$T/events') -ge 2 ]"
kill $viewer

# --- a real Prometheus

# As workers tell it: two partitions of a topic, a topic of a longer name, and one that nobody has read for long.
ms=$(date +%s%3N)
redis hset nowcast:lag "raw 0 c g" "$ms 5 2" "raw 1 c g" "$ms 1000000 0" "raw.b 0 c g" "$ms 0 0" "old 0 c g" "1700000000000 7 7" >/dev/null
is "Redis has lost nothing" "$(curl -s "$url/metrics" | grep ^nowcast_redis_lost)" "nowcast_redis_lost_timestamp_seconds 0"
redis zadd nowcast:lost 1793595600123 seen 1793590000000 held >/dev/null
is "when it was found that it has" "$(curl -s "$url/metrics" | grep ^nowcast_redis_lost)" "nowcast_redis_lost_timestamp_seconds 1793595600"
redis hset 'nowcast:{111122223333/us-east-1}:lost_calls' 82000 40 82001 2 >/dev/null
is "whose calls Redis has lost" "$(curl -s "$url/metrics" | grep ^nowcast_lost_calls)" "nowcast_lost_calls 42"
curl -s "$url/metrics" | sed -n 's/^nowcast_\(kafka_lag\|endangered\)/\1/p' >"$T/lag"
is "how far workers are behind, by topic" "$(sort "$T/lag" | paste -sd' ')" 'endangered_messages 2 kafka_lag_messages{topic="raw"} 1000005 kafka_lag_messages{topic="raw.b"} 0 kafka_lag_partitions{topic="raw"} 2 kafka_lag_partitions{topic="raw.b"} 1'

if command -v prometheus >/dev/null; then
	free_port
	prom=$port
	cat >"$T/prometheus.yml" <<-END
		global: {scrape_interval: 1s, evaluation_interval: 1s}
		rule_files: [$top/deploy/alert-rules.yml]
		scrape_configs:
		  - job_name: nowcast
		    static_configs: [{targets: ['${url#http://}']}]
	END
	ok "the alert rules are valid" promtool check rules deploy/alert-rules.yml
	ok "and ring when they should, and only then" promtool test rules tests/alert_rules.promtool.yml
	curl -s "$url/metrics" | promtool check metrics >"$T/lint" 2>&1
	is "the metrics are as Prometheus wants them" "$(cat "$T/lint")" ""
	start prometheus prometheus --config.file="$T/prometheus.yml" --storage.tsdb.path="$T/prometheus" --web.listen-address="127.0.0.1:$prom" --log.level=error
	promql() { curl -s -G "http://127.0.0.1:$prom/api/v1/query" --data-urlencode "query=$1" | python3 -c 'import json, sys; r = json.load(sys.stdin)["data"]["result"]; print(r[0]["value"][1] if r else "")'; }
	ok "Prometheus scrapes it" wait_for 20 sh -c "curl -s 'http://127.0.0.1:$prom/api/v1/query?query=nowcast_up' | grep -q '\"1\"'"
	code "$url/api/v1/summary" >/dev/null
	today=$(field "$T/body" '"%.3f" % float(a["today"]["usd"])')
	is "PromQL sums the day to what the API says" "$(printf %.3f "$(promql 'sum(nowcast_spend_usd{span="today"})')")" "$today"
	is "and by principal to the same" "$(printf %.3f "$(promql 'sum(nowcast_principal_spend_usd)')")" "$today"
	redis config set maxmemory 7gb >/dev/null
	is "how full Redis may be is as it says" "$(curl -s "$url/metrics" | sed -n 's/^nowcast_redis_memory_max_bytes //p')" $((7 << 30))
	ok "and it holds less" [ "$(curl -s "$url/metrics" | sed -n 's/^nowcast_redis_memory_bytes //p')" -gt 500000 ]
	redis config set maxmemory 0 >/dev/null
	is "tokens by team and type add up to those of the day" "$(promql 'sum(nowcast_team_tokens)')" "$(promql 'nowcast_tokens_total')"
	is "by model likewise, with the prompts' share" "$(promql 'sum(nowcast_model_tokens{type!="output"})')" "$(promql 'sum(nowcast_team_tokens{type!="output"})')"
	ok "no more principals than metrics.top, and other" test "$(promql 'count(count by (principal) (nowcast_principal_spend_usd))')" -le 21
	curl -s "http://127.0.0.1:$prom/api/v1/rules" >"$T/rules"
	python3 tests/grafana_check.py "http://127.0.0.1:$prom" "${url#http://}" >"$T/grafana.tap"
	result $? "every query of the Grafana dashboard is answered ($(grep -c '^ok' "$T/grafana.tap") checks)" || grep -A1 '^not ok' "$T/grafana.tap" | sed 's/^/# /'
	is "every rule evaluates" "$(field "$T/rules" 'sorted({r["health"] for g in a["data"]["groups"] for r in g["rules"]} - {"unknown"})')" "['ok']"
else
	diag "no prometheus here: deploy/install-deps --test installs it"
fi
ok "SIGTERM ends it" stop "$server_pid"

# --- tokens

printf '# who  token\nwall  0123456789abcdef-wall\n' >"$T/tokens"
serve --auth-tokens-file "$T/tokens"
is "without a token there are no figures" "$(code "$url/api/v1/summary")" 401
is "nor metrics" "$(code "$url/metrics")" 401
is "nor events" "$(code "$url/api/v1/events")" 401
is "but the page, which asks for one" "$(code "$url/")" 200
python3 tests/api_check.py "$url" 401 >"$T/locked.tap"
result $? "as web/openapi.json says of each path ($(grep -c '^ok' "$T/locked.tap") checks)" || grep -A1 '^not ok' "$T/locked.tap" | sed 's/^/# /'
is "the right one is taken" "$(code -H 'Authorization: Bearer 0123456789abcdef-wall' "$url/api/v1/summary")" 200
for i in {1..10}; do code -H "Authorization: Bearer 0123456789abcdef-wal$i" "$url/api/v1/summary" >"$T/wrong"; done
is "a wrong one is not" "$(cat "$T/wrong")" 401
is "and guessing is slowed down" "$(code -H 'Authorization: Bearer 0123456789abcdef-walx' "$url/api/v1/summary")" 429
ok "SIGTERM ends it" stop "$server_pid"

serve --listen-rate 1
python3 - "$url" <<-'END' >"$T/often.tap" # not by tests/api_check.py, which could not even ask for the description
	import json, sys, urllib.request, urllib.error
	said, silent = json.load(open("web/openapi.json"))["paths"], []
	def status(path):
	    try: return urllib.request.urlopen(sys.argv[1] + path, timeout=5).status
	    except urllib.error.HTTPError as e: return e.code
	for path in said:
	    if not any(status(path) == 429 for _ in range(8)) or "429" not in said[path]["get"]["responses"]: silent.append(path)
	print(silent)
END
is "who asks too often is told to wait, on every path, as described" "$(cat "$T/often.tap")" "[]"
fails 2 "a port that is in use" "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port"
has "is told what to do" "$(cat "$T/err")" 'Address already in use; give another port'
ok "SIGTERM ends it" stop "$server_pid"

# --- addresses and keys that are wrong

fails 2 "an open address wants tokens" "$nowcast" serve --redis "$REDIS_URL" --listen 0.0.0.0:0
has "and says so" "$(cat "$T/err")" 'auth.tokens.file'
fails 2 "an address without a port" "$nowcast" serve --listen localhost
printf 'short x\n' >"$T/short"
fails 2 "a token that is too short" "$nowcast" serve --listen 127.0.0.1:0 --auth-tokens-file "$T/short"
fails 2 "a certificate that is none" "$nowcast" serve --listen 127.0.0.1:0 --listen-tls-cert "$T/short" --listen-tls-key "$T/short"
fails 2 "a certificate without a key" "$nowcast" serve --listen 127.0.0.1:0 --listen-tls-cert "$T/short"

# --- tags that would like to be more than text

start_redis
python3 tests/many_principals.py 300 1 | "$nowcast" replay --redis "$REDIS_URL" --sessions-max 1000 - >/dev/null 2>&1
serve
code "$url/api/v1/breakdown?by=team&limit=1000" >/dev/null
is "HTML in a tag is text in JSON" "$(field "$T/body" 'any(g["keys"]["team"] == "<img src=x onerror=document.title=\x27owned\x27>" for g in a["groups"])')" True
"$nowcast" report --redis "$REDIS_URL" --by team --format csv >"$T/teams.csv"
has "a formula in a tag is there" "$(cat "$T/teams.csv")" 'calc'
is "and is text in CSV" "$(python3 -c 'import csv, sys; print([r[0] for r in csv.reader(open(sys.argv[1])) if r[0][:1] in "=+@"])' "$T/teams.csv")" '[]'
if command -v promtool >/dev/null; then
	curl -s "$url/metrics" | promtool check metrics >"$T/lint" 2>&1
	is "labels with quotes are what Prometheus takes" "$(cat "$T/lint")" ""
fi
curl -s "$url/metrics" >"$T/metrics"
is "no two samples have the same name and labels" "$(grep -v '^#' "$T/metrics" | sed 's/} .*/}/' | sort | uniq -d)" ""
is "names in other alphabets stay what they are" "$(grep ^nowcast_team_spend_usd "$T/metrics" | grep -c -e 'team="équipe"' -e 'team="ôquipe"')" 2
ok "SIGTERM ends it" stop "$server_pid"

# --- TLS

make_certificates
serve --listen-tls-cert "$T/server.pem" --listen-tls-key "$T/server.key"
is "HTTPS works" "$(curl -s --cacert "$T/ca.pem" -o /dev/null -w '%{http_code}' "https://127.0.0.1:${url##*:}/api/v1/summary")" 200
ok "SIGTERM ends it" stop "$server_pid"
finish
