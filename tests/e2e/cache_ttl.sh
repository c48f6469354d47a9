#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The TTL of cache writes that no record names: what is declared counts, from the hour on for which it is declared, the most specific
# first; what a record names stays, and the bill wins. In a world where many writes live for one hour, a declaration takes the error
# of the TTL away, and one that the bill contradicts is found.
. "$(dirname "$0")/../lib.sh"

A=111122223333
ROLE=arn:aws:sts::$A:assumed-role
log() { # ID HOUR ROLE [TTL]: 1,000 tokens are written to the cache; TTL: a record names it
	printf '{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-11-%s:01:00Z","accountId":"%s","region":"us-east-1","requestId":"%s","operation":"InvokeModel","modelId":"global.anthropic.claude-sonnet-4-6","identity":{"arn":"%s"},"input":{"inputTokenCount":1000,"cacheReadInputTokenCount":9000,"cacheWriteInputTokenCount":1000},"output":{"outputTokenCount":200%s}}\n' \
		"$2" $A "$1" "$ROLE/$3/s-1" "${4:+,\"outputBodyJson\":{\"usage\":{\"cache_creation\":{\"ephemeral_${4}_input_tokens\":1000\}\}\}}"
}
written() { # [FLAG...]: by hour and role the tokens that live for one hour; 0 are not listed
	"$nowcast" report --redis "$REDIS_URL" --by hour,role,token_type --format csv "$@" |
		awk -F, '$3 == "cache_write_1h" { printf "%s%s %s=%d", n++ ? " " : "", substr($1, 9, 5), $2, $4 }'
}
usd() { # [FLAG...]: all dollars, and their band
	"$nowcast" report --redis "$REDIS_URL" --by account --format csv "$@" | awk -F, 'NR > 1 { print $3, $4, $5 }'
}

{
	log t-1 02T05 agent
	log t-2 03T05 agent
	log t-3 03T05 named 1h
	log t-4 03T05 tagged
	log t-5 03T05 other
} >"$T/log.ndjson"
start_redis
"$nowcast" replay --redis "$REDIS_URL" "$T/log.ndjson" >/dev/null
is "nothing is known: a tenth is taken to live for one hour, and what a record names stays" "$(written)" \
	"02T05 agent=100 03T05 agent=100 03T05 named=1000 03T05 other=100 03T05 tagged=100"
# 5 x (1,000 at 3 and 9,000 at .3 and 200 at 15), then 4,000 writes of which one in ten is at 6 and not at 3.75, and 1,000 at 6
is "at the expected cost, between the two" "$(usd)" "0.065400000 0.064500000 0.073500000"
has "which the report says" "$("$nowcast" report --redis "$REDIS_URL" --by role --format json)" '"usd_ttl_estimated":"0.003975000".*exact; TTL estimated'
has "and explain" "$("$nowcast" explain --redis "$REDIS_URL" $ROLE/other/s-1 2026-11-03T05:00:00Z)" \
	'^ +100 of them have a TTL that no record names: nothing is known of it; one write in ten is taken for a 1-hour one'

is "a key declares for all, from an hour on" "$(written --cache-ttl '5m, 1h from 2026-11-03')" \
	"03T05 agent=1000 03T05 named=1000 03T05 other=1000 03T05 tagged=1000"
is "and nothing is left in doubt" "$(usd --cache-ttl '5m, 1h from 2026-11-03')" "0.071250000 0.071250000 0.071250000"
is "a share is one of tokens" "$(written --cache-ttl 30%)" "02T05 agent=300 03T05 agent=300 03T05 named=1000 03T05 other=300 03T05 tagged=300"
printf '{"RoleDetailList":[{"RoleName":"tagged","Arn":"arn:aws:iam::%s:role/tagged","Tags":[{"Key":"cache_ttl","Value":"1h"}]}]}' $A >"$T/details.json"
"$nowcast" tags import --redis "$REDIS_URL" --from 2026-11-01 "$T/details.json" >/dev/null
is "the tag of a role says it of its sessions, before the key" "$(written --cache-ttl 5m)" "03T05 named=1000 03T05 tagged=1000"
is "another tag may be the one" "$(written --cache-ttl 5m --cache-ttl-tag ttl)" "03T05 named=1000"
cat >"$T/map.csv" <<END
kind,name,account,from,team,cache_ttl
account,$A,,,,5m
role,agent,,2026-11-03,,1h
role,tagged,,,search,-
role,named,,,,5m
END
map=(--map-file "$T/map.csv")
is "a line of the mapping file, the most specific and from its date, before a tag and the key; - leaves it open" \
	"$(written "${map[@]}" --cache-ttl 1h)" "03T05 agent=1000 03T05 named=1000 03T05 tagged=100"
has "explain names the line" "$("$nowcast" explain --redis "$REDIS_URL" "${map[@]}" $ROLE/agent/s-1 2026-11-03T05:00:00Z)" \
	'1000 of them have a TTL that no record names: as the mapping file declares \(.*map\.csv:3\)'
has "price explain comes to the same" "$("$nowcast" price explain --redis "$REDIS_URL" "${map[@]}" --principal $ROLE/agent/s-1 --hour 2026-11-03T05:00:00Z)" \
	'cache_write_1h +1000 x +6 / 1M'
sed 's/,1h$/,1d/' "$T/map.csv" >"$T/bad.csv"
"$nowcast" check-config --map-file "$T/bad.csv" 2>"$T/err"
is "what is no TTL is refused" "$? $(grep -c 'bad\.csv:3:.*cache_ttl: expected 5m, 1h.*"1d"' "$T/err")" "2 1"
"$nowcast" check-config --cache-ttl '5m, 1h' 2>"$T/err"
is "and so is a second value without a time" "$? $(grep -c 'cache_ttl: expected a later time' "$T/err")" "2 1"

# Half of the callers of a world write for one hour.
require "no ../shared/world/world.py here" test -x "$shared/world/world.py"
mkdir -p "$T/world"
(cd "$shared/world" && PYTHONDONTWRITEBYTECODE=1 python3 - "$T/world" <<'END'
import sys
sys.path.insert(0, ".")
import world
longer = {"bob", "carol", "frank", "erin", "backend2"}
world.PEOPLE = [p[:10] + (("1h" if p[0] in longer else "5m"),) + p[11:] for p in world.PEOPLE]
sys.argv = ["world.py", "--out", sys.argv[1], "--hours", "2", "--scale", "0.1"]
world.main()
END
) >"$T/world.log" 2>&1 || bail "world.py failed"
cat >"$T/map.csv" <<END
kind,name,account,from,cache_ttl
account,*,,,5m
role,AWSReservedSSO_Developer_*,,,1h
session,llm-gateway/erin,,,1h
session,llm-gateway/frank,,,1h
session,app-backend-prod/i-0f9e8d7c6b5a43210,,,1h
END
off() { # [FLAG...]: the error, dollars by hour and principal over the truth, in thousandths
	"$nowcast" report --redis "$REDIS_URL" --by hour,principal --format csv "$@" >"$T/estimate.csv"
	python3 - "$T/world/truth.csv" "$T/estimate.csv" <<'END'
import collections, csv, sys
truth, got = collections.Counter(), collections.Counter()
for path, to in zip(sys.argv[1:], (truth, got)):
    for r in csv.DictReader(open(path)):
        to[r["hour"], r["principal"]] += float(r["usd"] or 0)
print(round(1000 * sum(abs(truth[k] - got[k]) for k in truth.keys() | got.keys()) / sum(truth.values())))
END
}
redis flushall >/dev/null
"$nowcast" replay --redis "$REDIS_URL" "$T/world/stream.ndjson" >/dev/null
all_5m=$(off --cache-ttl 5m) nothing=$(off) declared=$(off "${map[@]}")
diag "off by $all_5m thousandths with all writes at five minutes, $nothing at the expected cost, $declared as declared"
ok "the expected cost is nearer to the truth than the cheaper rate" test "$nothing" -lt "$all_5m"
ok "what is declared takes more than a third of the error away" test $((3 * declared)) -lt $((2 * nothing))

"$top/$B/tests/duck_sql" "SELECT 1" >/dev/null 2>&1 || { diag "no libduckdb.so: the rest needs a bill"; finish; }
"$nowcast" reconcile --redis "$REDIS_URL" "${map[@]}" "$T/world/cur2" >"$T/out"
is "a bill that agrees with what is declared finds nothing" "$(grep -c 'billed otherwise' "$T/out")" 0
"$nowcast" reconcile --redis "$REDIS_URL" --cache-ttl 5m "$T/world/cur2" >"$T/out"
has "one that does not says so, with figures" "$(cat "$T/out")" \
	'declared 5m by the key cache_ttl, and billed otherwise: arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Developer_0f1e2d3c4b5a6978, 100 % of [0-9]+ tokens of cache writes lived for 1 hour and 0 % were expected, [0-9.]+ USD more'
has "doctor says it, too" "$("$nowcast" doctor --redis "$REDIS_URL" 2>&1)" 'warn +cache_ttl +the bill of 2026-11 contradicts [0-9]+ declared TTLs of cache writes, by \$'
is "the bill wins" "$(usd --cache-ttl 5m)" "$(usd)"

# What was billed of others is the share of who was never billed: a later hour, of a role that is new.
log t-6 04T03 newcomer | sed 's/global\.anthropic.claude-sonnet/us.anthropic.claude-sonnet/' >"$T/log.ndjson"
"$nowcast" replay --redis "$REDIS_URL" "$T/log.ndjson" >/dev/null
has "and is the share of the next hours" "$("$nowcast" explain --redis "$REDIS_URL" $ROLE/newcomer/s-1 2026-11-04T03:00:00Z)" \
	'TTL that no record names: divided as those billed of all callers of the model'
sed -i 's/us\.anthropic/anthropic/; s/t-6/t-7/; s/newcomer/stranger/' "$T/log.ndjson"
"$nowcast" replay --redis "$REDIS_URL" "$T/log.ndjson" >/dev/null
has "of all models, where the model was never billed" "$("$nowcast" explain --redis "$REDIS_URL" $ROLE/stranger/s-1 2026-11-04T03:00:00Z)" \
	'divided as all cache writes that were billed'
finish
