#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bedrock-mantle, whose metrics count whole prompts: how much of them was cached is not known until a bill says so, and the band
# reaches from the price of reads to that of writes; its projects have metrics of their own; requests limit their output.
. "$(dirname "$0")/../lib.sh"

python3 tests/support/mantle.py "$T"
cases=$top/../shared/cases
apply() { "$nowcast" replay --redis "$REDIS_URL" --prices builtin "$@" >"$T/replay.out" 2>&1 || bail "replay failed: $(tail -n 2 "$T/replay.out")"; }
of() { # BY PATTERN COLUMN...
	local by=$1
	shift
	"$nowcast" report all --redis "$REDIS_URL" --prices builtin --by "$by" --format csv | python3 tests/support/columns.py "$@"
}

# --- nothing is known: from a tenth of the input's price to one and a quarter
start_redis
apply "$T/today.ndjson"
is "tokens of nobody, at the price of input, of reads and of writes" "$(of principal unattributed tokens usd usd_low usd_high)" "100000,0.110000000,0.011000000,0.137500000"
is "the sum of a caller's days holds both ends" "$(of principal ann usd_low usd_high | awk -F, '{ print ($1 <= 0.066 && $2 >= 0.572) }')" 1
fails 0 "the price can be explained" "$nowcast" price explain --redis "$REDIS_URL" --prices builtin --principal arn:aws:sts::111122223333:assumed-role/code/ann --hour 2026-11-22T09:00:00Z
has "with what it may cost less" "$(cat "$T/out")" 'input may cost 0\.0990+ USD less'
has "and why" "$(cat "$T/out")" '100000 tokens of the prompts may be input, cache reads or cache writes'
ok "priced again" "$nowcast" reprice --redis "$REDIS_URL" --prices builtin --from 2026-11-01
has "nothing changes" "$(cat "$T/ok.out")" 'rows_changed +0$'
start_redis
apply "$T/uncached.ndjson"
is "a model that has no cache has no such doubt" "$(of principal,token_type input usd usd_low usd_high)" "0.015000000,0.015000000,0.015000000"

# --- projects
start_redis
apply "$T/projects.ndjson"
is "each project has the tokens of its own metric, and the level of the model adds none" "$(of principal . principal tokens usd_low usd_high)" \
	"chat/bea,100000,0.015000000,0.015000000 code/ann,900000,0.135000000,0.135000000"
report "$T/forwards.csv"
tac "$T/projects.ndjson" >"$T/backwards.ndjson"
start_redis
apply "$T/backwards.ndjson" "$T/projects.ndjson"
report "$T/backwards.csv"
same_file "in any order, and twice" "$T/backwards.csv" "$T/forwards.csv"

# --- a limit
start_redis
apply "$T/limits.ndjson"
is "a call whose metric has not come puts out no more than its request allows" "$(of hour,principal,token_type 10:00:00Z.*output tokens basis)" "500,provisional"

# --- bills of two days
require "no libduckdb.so: run deploy/install-deps --duckdb" "$top/$B/tests/duck_sql" "SELECT 1"
start_redis
apply "$T/past.ndjson"
ok "a bill of two days" "$nowcast" reconcile --redis "$REDIS_URL" --prices builtin "$T/cur2/bedrock"
apply "$T/today.ndjson"
is "what it says of a caller is taken for the third day" "$(of day,principal,token_type '22,code/ann,(in|ca)' token_type tokens)" \
	"cache_read,200000 cache_write_5m,100000 input,100000"
is "and priced" "$(of day,principal 22,code/ann usd)" 0.291500000
is "of one who cached nothing too" "$(of day,principal 22,chat/bea usd)" 0.462000000
is "of its role for one who was not billed" "$(of day,principal 22,chat/cid usd)" 0.462000000
is "of all for one of another role" "$(of day,principal,token_type '22,batch/eve,(in|ca)' token_type tokens)" \
	"cache_read,100000 cache_write_5m,50000 input,250000"
is "and for nobody's tokens" "$(of day,principal,token_type 22,.unattributed token_type tokens)" "cache_read,25000 cache_write_5m,12500 input,62500"
is "no token is lost" "$(of day,token_type '22,(in|ca)' tokens | tr ' ' '\n' | awk '{ sum += $1 } END { print sum }')" 1700000
is "none of it is taken for certain" "$(of day,principal 11-22 usd usd_low usd_high | tr ' ' '\n' | awk -F, '$1 <= $2 || $1 >= $3' | wc -l)" 0
ok "priced again after the bill" "$nowcast" reprice --redis "$REDIS_URL" --prices builtin --from 2026-11-01
has "nothing changes either" "$(cat "$T/ok.out")" 'rows_changed +0$'

# --- the case that was collected: nearly all of the input was written to the cache
case=$cases/14-prompt-caching-on-mantle
if [ -d "$case" ]; then
	start_redis
	apply "$case/signals.ndjson"
	is "case 14: before a bill, 2,648,280 tokens at 0.22 to 2.75" "$(of day,token_type 22,input usd usd_low usd_high)" "5.826216000,0.582621600,7.282770000"
	ok "case 14: the bill of two days" "$nowcast" reconcile --redis "$REDIS_URL" --prices builtin "$case/cur2/bedrock"
	apply "$case/signals.ndjson"
	is "case 14: the days of the bill are the bill's" "$(of day '2[01],' usd)" "7.634616000 7.634616000"
	is "case 14: the third day is estimated as they were" "$(of day 22, tokens usd)" "2675280,7.634616000"
else
	diag "no $cases: the collected case is left out"
fi
finish
