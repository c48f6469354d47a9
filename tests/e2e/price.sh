#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prices as a user meets them: sources in an order, a correction that reaches hours already computed without a replay, a bad
# file that changes nothing, and every dollar explained.
. "$(dirname "$0")/../lib.sh"

head=model,scope,region,account,tier,from,to,prompt_tokens_over,input,output,cache_read,cache_write_5m,cache_write_1h,unit,per_unit,source
export NOWCAST_PRICES_DIR=$T/prices

make_world --hours 2 --scale 0.02
start_redis
ok "a replay at the built-in prices" "$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson"
report "$T/before.csv"
ok "repriced at the same prices" "$nowcast" reprice --redis "$REDIS_URL" --from 1970-01-01
has "nothing changes" "$(cat "$T/ok.out")" 'rows_changed +0$'

# The dearest principal's hour, term by term.
"$nowcast" report --redis "$REDIS_URL" --by hour,principal --format csv >"$T/hours.csv"
IFS=, read -r hour principal _ usd _ < <(tail -n +2 "$T/hours.csv" | grep 'arn:' | sort -t, -k4 -gr | head -n 1)
fails 0 "an hour of a principal is explained" "$nowcast" price explain --redis "$REDIS_URL" --principal "$principal" --hour "$hour"
has "its sum is the report's" "$(tail -n 1 "$T/out")" "all together ${usd}[0-9]* USD"
fails 1 "an hour without figures" "$nowcast" price explain --redis "$REDIS_URL" --principal "$principal" --hour 2020-01-01
fails 1 "a part of a name" "$nowcast" price explain --redis "$REDIS_URL" --principal "${principal##*/}" --hour "$hour"
has "is told what takes it" "$(cat "$T/err")" 'expected a whole ARN.*`nowcast explain` takes a part of it'
long="--model us.anthropic.claude-sonnet-4-5-20250929-v1:0 --region us-east-1 --prices builtin --time 2026-11-02"
fails 0 "many calls are explained" "$nowcast" price explain $long --tokens input=10000000 --prompt 20000
has "at the rate of their prompts" "$(cat "$T/out")" 'x +3[.]3 / 1M = +33[.]0'
fails 0 "one call of as many tokens" "$nowcast" price explain $long --tokens input=10000000
has "is a long prompt" "$(cat "$T/out")" 'x +6[.]6 / 1M = +66[.]0'
fails 2 "a length that is none" "$nowcast" price explain $long --tokens input=1 --prompt long
fails 0 "a call is explained" "$nowcast" price explain --model us.anthropic.claude-haiku-5-5 --region us-east-1 --time 2026-11-02 --tokens input=200000,output=1
has "at the rate of its own prompt" "$(cat "$T/out")" 'sum .* 0\.110002750000 USD'

# A correction.
model=$("$nowcast" report --redis "$REDIS_URL" --by model --format csv | tail -n +2 | cut -d, -f1 | sed -n 's/^us\.//p' | sed 's/-v[01]:0$//; s/-20[0-9]*$//' | head -n 1)
printf '%s\n%s,regional,,,,,,,7.5,31,,,,,,ours\n' "$head" "$model" >"$T/ours.csv"
fails 0 "a price file of one's own is good" "$nowcast" price check "$T/ours.csv"
fails 3 "a part of a name is no model" "$nowcast" price show opus
has "what finds it is said" "$(cat "$T/out")" '`nowcast price list opus` finds models by a part of their name'
fails 0 "and shown first" "$nowcast" price show "us.$model" --prices-file "$T/ours.csv"
has "with its name and line" "$(cat "$T/out")" 'input +7\.5 +user; ours \(.*ours\.csv:2\)'
fails 3 "what it would change is shown" "$nowcast" price diff "$T/ours.csv"
has "rate by rate" "$(cat "$T/out")" "$model regional .* input .* -> 7\.500000 .*builtin"
printf '%s\n%s,regional,,,,,,,7.5,,,,,,,ours\n' "$head" "$model" >"$T/fewer.csv"
fails 3 "what a file has no longer is a difference, too" "$nowcast" price diff "$T/ours.csv" "$T/fewer.csv"
has "and told" "$(cat "$T/out")" "$model regional .* output 31\.000000 -> - .*ours\.csv"
fails 0 "a file does not differ from itself" "$nowcast" price diff "$T/ours.csv" "$T/ours.csv"
fails 0 "reprice --dry-run" "$nowcast" reprice --redis "$REDIS_URL" --from 1970-01-01 --dry-run --prices-file "$T/ours.csv"
report "$T/dry.csv"
same_file "writes nothing" "$T/dry.csv" "$T/before.csv"
ok "reprice" "$nowcast" reprice --redis "$REDIS_URL" --from 1970-01-01 --prices-file "$T/ours.csv"
has "changes rows" "$(cat "$T/ok.out")" 'rows_changed +[1-9]'
report "$T/repriced.csv"
redis flushall >/dev/null
ok "a replay at the corrected prices" "$nowcast" replay --redis "$REDIS_URL" --prices-file "$T/ours.csv" "$world/stream.ndjson"
report "$T/replayed.csv"
same_file "gives what reprice gave" "$T/repriced.csv" "$T/replayed.csv"
fails 0 "reprice back" "$nowcast" reprice --redis "$REDIS_URL" --from 1970-01-01
report "$T/back.csv"
same_file "gives what was there before" "$T/back.csv" "$T/before.csv"

# Models without a price get one.
redis flushall >/dev/null
"$nowcast" replay --redis "$REDIS_URL" --prices user --prices-file "$T/ours.csv" "$world/stream.ndjson" >/dev/null 2>&1
has "models without a price are listed" "$(redis hlen nowcast:unpriced)" '^[1-9]'
ok "reprice where they have one" "$nowcast" reprice --redis "$REDIS_URL" --from 1970-01-01
is "and they are listed no longer" "$(redis hlen nowcast:unpriced)" 0
report "$T/priced.csv"
same_file "the figures are those of a replay" "$T/priced.csv" "$T/before.csv"

# Imports.
cat >"$T/list.json" <<'END'
{"products": {"A": {"attributes": {"usagetype": "USE1-MP:USE1_InputTokenCount-Units", "servicename": "Claude Sonnet 4.6 (Amazon Bedrock Edition)", "regionCode": "us-east-1"}}},
 "terms": {"OnDemand": {"A": {"A.T": {"effectiveDate": "2026-11-01T00:00:00Z", "priceDimensions": {"A.T.R": {"unit": "Units", "pricePerUnit": {"USD": "3.4000000000"}}}}}}}}
END
fails 0 "a price list is imported" "$nowcast" price import pricelist "$T/list.json"
has "what changes is shown first" "$(cat "$T/out")" 'claude-sonnet-4-6 regional us-east-1 standard input 3\.300000 -> 3\.400000 from 2026-11-01'
fails 0 "and counts from its date" "$nowcast" price show anthropic.claude-sonnet-4-6 --time 2026-11-02
has "as the price list's" "$(cat "$T/out")" 'input +3\.4 +pricelist'
mkdir "$T/wild" && sed "s/3\.4000/34.000/" "$T/list.json" >"$T/wild/list.json"
fails 2 "a rate that jumps too far is refused" "$nowcast" price import pricelist "$T/wild/list.json"
has "and the way out named" "$(cat "$T/err")" 'prices\.change_max.*--yes'
has "the old one stays" "$("$nowcast" price show anthropic.claude-sonnet-4-6 --time 2026-11-02)" 'input +3\.4 '
fails 0 "unless one insists" "$nowcast" price import pricelist --yes "$T/wild/list.json"
sed 's/Claude Sonnet 4\.6/Claude Unheard/' "$T/list.json" >"$T/unheard.json"
fails 2 "a model whose name is not known" "$nowcast" price import pricelist "$T/unheard.json"
has "is asked for" "$(cat "$T/err")" 'Claude Unheard.*the model is not known'
has "and where to say it" "$(cat "$T/err")" "$T/prices/names\.csv"
printf 'name,model\nClaude Unheard,anthropic.claude-unheard\n' >"$T/prices/names.csv"
fails 0 "once it is said" "$nowcast" price import pricelist "$T/unheard.json"
has "it is taken" "$("$nowcast" price show us.anthropic.claude-unheard --time 2026-11-02)" 'input +3\.4 +pricelist'
fails 3 "usage types are read" "$nowcast" price usage-type USE1-NovaPro-input-tokens-flex USE1-Nonsense
has "into JSON" "$(head -n 1 "$T/out")" '"region":"us-east-1","model":"amazon.nova-pro".*"token_type":"input".*"tier":"flex"'
has "and what is not known is said" "$(tail -n 1 "$T/out")" '"known":false,"why":"'
is "a line of standard input is one string, however long" "$(printf '%02000dUSE1-NovaPro-input-tokens\n' 0 | "$nowcast" price usage-type - | wc -l)" 1

# Every call's tokens known: the dollars are the true ones.
make_world --hours 2 --scale 0.02 --log-share 1.0
start_redis
ok "a world in which every call has an invocation log" "$nowcast" replay --prices builtin --redis "$REDIS_URL" "$world/stream.ndjson"
"$nowcast" report --redis "$REDIS_URL" --by hour,team,token_type --format csv >"$T/exact.csv"
ok "dollars by hour and team are true to the microdollar, but for the TTL of cache writes" python3 tests/price_truth.py "$world/truth.csv" "$T/exact.csv"

# A bad file, before and under a running daemon.
printf '%s\nacme.m,any,,,,,,,-1,,,,,,,x\n' "$head" >"$T/bad.csv"
fails 2 "a bad file is refused" "$nowcast" price check "$T/bad.csv"
has "with line and reason" "$(cat "$T/err")" 'bad\.csv:2: input: -1 is negative'
fails 2 "and a replay does not begin with it" "$nowcast" replay --redis "$REDIS_URL" --prices-file "$T/bad.csv" "$world/stream.ndjson"

# A rate of one's own, without an editor.
printf '# ours\nmodel,scope,region,from,to,input,output,cache_read,cache_write_5m,cache_write_1h,source\n' >"$T/own.csv"
fails 0 "a rate is added" "$nowcast" price add acme.llm --input 1.5 --output 6 --region eu-west-1 --from 2026-11-01 --source 'our "deal", 2026' --prices-file "$T/own.csv"
has "what it changes is shown" "$(cat "$T/out")" 'acme.llm regional eu-west-1 standard input - -> 1[.]500000'
is "it stands under the columns of the file, and the rest of that stays" "$(sed -n '1p;3p' "$T/own.csv" | paste -sd' ')" '# ours acme.llm,any,eu-west-1,2026-11-01,,1.5,6,,,,"our ""deal"", 2026"'
fails 0 "it is in force" "$nowcast" price show acme.llm --region eu-west-1 --time 2026-11-02 --prices-file "$T/own.csv"
has "with its source" "$(cat "$T/out")" 'output +6 +user; our "deal", 2026'
cp "$T/own.csv" "$T/kept.csv"
fails 2 "the same once more is refused" "$nowcast" price add acme.llm --input 2 --region eu-west-1 --prices-file "$T/own.csv"
fails 2 "and a wrong one" "$nowcast" price add acme.other --input 20000 --prices-file "$T/own.csv"
fails 2 "and one without a column for it" "$nowcast" price add acme.other --input 1 --tier batch --prices-file "$T/own.csv"
has "which is named" "$(cat "$T/err")" 'no column tier'
fails 2 "and one without any rate" "$nowcast" price add acme.other --prices-file "$T/own.csv"
has "which says what is missing" "$(cat "$T/err")" 'no rate of acme.other is given: --input N'
fails 0 "a misspelt model" "$nowcast" price add acme.lllm --input 1 --dry-run --prices-file "$T/own.csv"
has "is told which one there is" "$(cat "$T/out")" '^no source has a model acme.lllm so far: did you mean acme.llm[?]$'
has "and that the rest has no price" "$(cat "$T/out")" '^not given, so unpriced: output, '
fails 0 "a trial" "$nowcast" price add acme.other --input 1 --dry-run --prices-file "$T/own.csv"
same_file "the file is as it was" "$T/own.csv" "$T/kept.csv"
fails 0 "a file that is not there yet" "$nowcast" price add acme.llm --input 1 --file "$T/new.csv"
has "is said not to be used" "$(cat "$T/out")" 'new.csv is not in prices.file'
fails 0 "and is a price file" "$nowcast" price check "$T/new.csv"
fails 0 "one that prices.file names already" "$nowcast" price add acme.llm --input 1 --output 2 --prices-file "$T/newer.csv"
has "one line is one row, of both scopes" "$(cat "$T/out")" "newer\.csv: one row added, 1 in all"
has "check counts it so, too" "$("$nowcast" price check "$T/newer.csv")" "newer\.csv: 1 row$"
is "is compared with what is in force, without a complaint" "$(cat "$T/err")" ""
has "and the rates that were left out are named" "$(cat "$T/out")" '^not given, so unpriced: cache_read, cache_write_5m, cache_write_1h$'
fails 0 "a rate of a model that another source has" "$nowcast" price add anthropic.claude-sonnet-4-6 --input 2 --output 9 --dry-run --prices-file "$T/newer.csv"
has "leaves the others as they were" "$(cat "$T/out")" '^not given, so as before: cache_read, cache_write_5m, cache_write_1h$'
is "and is no new model" "$(grep -c 'so far' "$T/out")" 0

free_port
printf 'brokers = 127.0.0.1:%s\ntopics = t\nredis = %s\nprices.file = %s\n' "$port" "$REDIS_URL" "$T/ours.csv" >"$T/run.conf"
start daemon "$nowcast" run --config "$T/run.conf"
daemon=$pid
wait_for 10 grep -q msg=started "$T/daemon.log"
cp "$T/ours.csv" "$T/good.csv"; cp "$T/bad.csv" "$T/ours.csv"
kill -HUP "$daemon"
ok "SIGHUP with a bad file: those in force stay" wait_for 10 grep -q 'prices were not taken.*ours\.csv:2' "$T/daemon.log"
cp "$T/good.csv" "$T/ours.csv"
kill -HUP "$daemon"
ok "SIGHUP with a good one: they are taken" wait_for 10 grep -q 'prices read again' "$T/daemon.log"
ok "the daemon ends in peace" stop "$daemon"

# What caching saves, of models that only your own prices know.
printf 'model,scope,region,account,from,to,input,output,cache_read,cache_write_5m,cache_write_1h,source\nacme.hot,any,,,,,8,20,2,,,ours\nacme.hot,any,,111122223333,,,4,20,1,5,,ours\n' >"$T/private.csv"
cached() { # REQUEST ACCOUNT INPUT READ
	printf '{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-11-02T05:01:00Z","accountId":"%s","region":"us-east-1","requestId":"%s","operation":"InvokeModel","modelId":"acme.hot","identity":{"arn":"arn:aws:iam::%s:user/ann"},"input":{"inputTokenCount":%d,"cacheReadInputTokenCount":%d},"output":{"outputTokenCount":1}}\n' "$2" "$1" "$2" "$3" "$4"
}
own=(--redis "$REDIS_URL" --redis-prefix private --prices-file "$T/private.csv")
fails 0 "the rates of all are shown" "$nowcast" price show acme.hot --prices-file "$T/private.csv"
has "and whose are other ones" "$(cat "$T/out")" '^  other rates hold for account 111122223333: --account shows them$'
fails 0 "the rates of that account" "$nowcast" price show acme.hot --prices-file "$T/private.csv" --account 111122223333
has "are those" "$(cat "$T/out")" 'input +4 +user'
is "and name no other" "$(grep -c 'other rates' "$T/out")" 0
{
	cached a 111122223333 0 1000000
	cached b 444455556666 0 1000000
} | "$nowcast" replay "${own[@]}" - >/dev/null 2>&1
free_port
start serve "$nowcast" serve "${own[@]}" --listen "127.0.0.1:$port" --now 2026-11-02T06:00:00Z
ok "the server starts" wait_for 10 curl -sf "http://127.0.0.1:$port/readyz" -o "$T/ready"
caching() { curl -s "http://127.0.0.1:$port/api/v1/cache?hours=2&account=$1" | jq -r ".models[0].$2"; }
is "without a cache an account pays its own rate" "$(caching 111122223333 without_caching)" 4.000000000
is "another one that of all" "$(caching 444455556666 without_caching)" 8.000000000
is "and that is what caching saves" "$(caching 444455556666 saved)" 6.000000000
cached c 111122223333 500000 0 | "$nowcast" replay "${own[@]}" - >/dev/null 2>&1
sleep 2
is "what could be cached costs what your prices say" "$(caching 111122223333 'cacheable | .usd + " " + .usd_if_read + " " + .usd_if_written')" "2.000000000 0.500000000 2.500000000"
sed -i 's/acme.hot,any,,111122223333,,,4,/acme.hot,any,,111122223333,,,8,/' "$T/private.csv"
at_new_rate() { [ "$(caching 111122223333 'cacheable | .usd_if_read')" = 0.250000000 ]; }
ok "a price file that was changed is read again" wait_for 10 at_new_rate
finish
