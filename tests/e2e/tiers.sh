#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Service tiers and prompt bands, from the record that tells them to the dollars, the report, the explanation and the API: each
# call at its own rate where the record tells, and a mark where it does not.
. "$(dirname "$0")/../lib.sh"

. tests/support/tiers.sh
tier_records "$T"
by() { "$nowcast" report --redis "$REDIS_URL" --prices builtin --by "$1" --format csv | grep "$2" | cut -d, -f"$3" | paste -sd' '; }
apply() { "$nowcast" replay --redis "$REDIS_URL" --prices builtin "$@" >"$T/replay.out" 2>&1 || bail "replay failed: $(tail -n 2 "$T/replay.out")"; }

# --- every tier, told by logs: a million tokens each way, at the rates of that tier
start_redis
apply "$T/tiers.ndjson"
is "each tier at its rate" "$(by principal,tier /ann, 2,4)" \
	"flex,2.000000000 latency,5.000000000 priority,7.000000000 reserved, standard,4.000000000"
is "what served is billed, not what was asked for" "$(by principal,tier /bob, 2,4)" standard,0.800000000
is "what was asked for, where nothing else is known" "$(by principal,tier /eve, 2,4)" flex,0.400000000
fails 3 "price explain tells the terms of each" "$nowcast" price explain --redis "$REDIS_URL" --prices builtin --principal "$(user ann)" --hour $hour
is "tier by tier" "$(sed -n 's/.*, \([a-z]*\) tier, 1 call$/\1/p' "$T/out" | sort | paste -sd' ')" "flex latency priority reserved standard"
has "and reserved capacity as what it is" "$(cat "$T/out")" 'input +1000000 +unpriced: reserved capacity is billed by the hour'
"$nowcast" explain --redis "$REDIS_URL" --prices builtin "$(user ann)" $hour >"$T/out" 2>&1
is "explain too" "$(sed -n 's/^  \([a-z]*\) tier:$/\1/p' "$T/out" | sort | paste -sd' ')" "flex latency priority reserved"
report "$T/live.csv" --prices builtin
tac "$T/tiers.ndjson" >"$T/backwards.ndjson"
start_redis
apply "$T/backwards.ndjson" "$T/tiers.ndjson"
report "$T/backwards.csv" --prices builtin
same_file "in any order, and twice: the same" "$T/backwards.csv" "$T/live.csv"
ok "repriced at the same rates" "$nowcast" reprice --redis "$REDIS_URL" --prices builtin --from 2026-11-01
has "nothing changes" "$(cat "$T/ok.out")" 'rows_changed +0$'

# --- tiers of calls whose tokens only a metric tells: a caller's part is divided by calls
start_redis
apply "$T/mantle.ndjson"
is "three of four calls in flex: three quarters of the tokens at half the rate" "$(by tier '[a-z],[0-9]' 1,2,3)" "flex,3000000,0.225000000 standard,1000000,0.150000000"

# --- tiers that only a metric tells: the sum of the tier is the metric's, and each caller has of it what it has of the tokens
start_redis
apply "$T/told.ndjson"
is "half of the tokens in flex, half the rate" "$(by tier '[a-z],[0-9]' 1,2,3)" "flex,2000000,0.800000000 standard,2000000,1.600000000"
is "by caller alike" "$(by principal,tier :user 2,3)" "flex,1500000 standard,1500000 flex,500000 standard,500000"

# Tokens without a caller are of a tier too.
start_redis
apply "$T/nobody.ndjson"
is "unattributed tokens by tier" "$(by principal,tier '(un' 2,3,4)" "flex,1000000,0.400000000 standard,3000000,2.400000000"

# --- prompt bands: 0.11 up to 100,000 tokens, 0.55 beyond
start_redis
apply "$T/bands.ndjson"
# 0.100000 x 0.11 + 0.100001 x 0.55 + 0.000001 x 0.55 + 0.1 x 0.055
is "each request in the band of its own prompt" "$(by principal /ann, 3)" "$(python3 -c 'print("%.9f" % (.1*.11 + .100001*.55 + .000001*.55 + .1*.055))')"
is "and that is no estimate" "$(by principal /ann, 6)" exact
is "a prompt that is long without its cache is long" "$(by principal /bob, 3,6)" 0.082500000,exact
is "what only the mean tells is marked" "$(by principal /eve, 3,6)" "0.012100000,exact; prompt band estimated"
has "in JSON" "$("$nowcast" report --redis "$REDIS_URL" --format json)" 'user/eve".*"usd_band_estimated":"0.012100000"'
"$nowcast" explain --redis "$REDIS_URL" --prices builtin "$(user eve)" $hour >"$T/out" 2>&1
has "in explain" "$(cat "$T/out")" 'depends on the length of the prompt, which is estimated'
has "in price explain" "$(cat "$T/out")" 'rates are those of prompts up to 100000 tokens: estimated by the mean'
"$nowcast" explain --redis "$REDIS_URL" --prices builtin "$(user ann)" $hour >"$T/out" 2>&1
has "and what is known is said to be known" "$(cat "$T/out")" "rates are those of long prompts: by the prompt of each call"
free_port
start serve "$nowcast" serve --redis "$REDIS_URL" --prices builtin --listen "127.0.0.1:$port" --now 2026-11-02T06:00:00Z
wait_for 10 listens "$port" || bail "serve does not listen"
has "in the API" "$(curl -s "http://127.0.0.1:$port/api/v1/breakdown?by=principal&hours=24")" '"principal":"[^"]*user/eve".{0,300}"usd_band_estimated":"0.012100000"'
has "which groups by tier, and filters" "$(curl -s "http://127.0.0.1:$port/api/v1/breakdown?by=tier&tier=standard&hours=24")" '"tier":"standard"'
ok "repriced at the same rates" "$nowcast" reprice --redis "$REDIS_URL" --prices builtin --from 2026-11-01
has "nothing changes" "$(cat "$T/ok.out")" 'rows_changed +0$'

# --- by minute: calls from logs are shown in the minutes in which they were
start_redis
for minute in 3 4 5; do
	for i in 0 1 2 3 4 5 6 7 8 9; do log "m-$minute-$i" ann $M 1000 200 '{}' | sed "s/T05:30/T05:0$minute/"; done
done >"$T/minutes.ndjson"
apply "$T/minutes.ndjson"
free_port
start serve-minutes "$nowcast" serve --redis "$REDIS_URL" --prices builtin --listen "127.0.0.1:$port" --now 2026-11-02T05:50:00Z
wait_for 10 listens "$port" || bail "serve does not listen"
curl -s "http://127.0.0.1:$port/api/v1/series?step=minute&hours=1" >"$T/minutes"
is "30 calls of 1,200 tokens in three minutes" "$(python3 -c 'import json, sys; print([(m, n) for m, n in enumerate(json.load(open(sys.argv[1]))["total"]["tokens"]) if n])' "$T/minutes")" \
	"[(3, 12000), (4, 12000), (5, 12000)]"
finish
