#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is not billed by token: images and search units are counted where a log or a metric counts them, priced by the unit, and
# reported; where nothing counts, or there is no rate, the usage is shown without a price, never as nothing.
. "$(dirname "$0")/../lib.sh"

. tests/support/units.sh
unit_records "$T"
by() { "$nowcast" report --redis "$REDIS_URL" --by "$1" --format csv | sed 1d | cut -d, -f"$2" | paste -sd' '; }
apply() { "$nowcast" replay --redis "$REDIS_URL" --prices-file "$T/ours.csv" "$@" >"$T/replay.out" 2>&1 || bail "replay failed: $(tail -n 2 "$T/replay.out")"; }

start_redis
apply "$T/units.ndjson"
is "images as the log counts them, and as the metric does; search units; calls that nothing counts" "$(by principal,model,token_type,region 1,2,3,5,6 | tr ' ' '\n' | sed 's/.*user.//')" \
"ann,$C,units,2,0.080000000
bob,$C,units,3,0.120000000
eve,cohere.rerank-v3-5:0,units,3,0.006000000
eve,stability.sd3-5-large-v1:0,units,1,"
is "the sum is the sum" "$(by region 3)" 0.206000000
is "and the sum of the second numbers of all usage hashes in Redis" \
	"$(redis --scan --pattern '*:usage:2026*' | sed 's/^/HVALS /' | redis | awk '$2 != "-" { sum += $2 } END { printf "%.9f", sum / 1e12 }')" 0.206000000
is "which count calls that nothing counts" "$(redis hget "nowcast:{$A/us-east-1}:usage:2026-11-02T05:stability.sd3-5-large-v1:0" "arn:aws:iam::$A:user/eve - uncounted")" "1 - 0 0 1 0 0 0 0"
is "calls are beside them" "$(redis hget "nowcast:{$A/us-east-1}:usage_meta:2026-11-02T05:stability.sd3-5-large-v1:0" "arn:aws:iam::$A:user/eve - calls")" "1 0"
has "what has no price is shown as such" "$("$nowcast" report --redis "$REDIS_URL" --by model --format csv)" '^stability.sd3-5-large-v1:0,1,,,,unpriced,1,0$'
has "JSON says that they are no tokens" "$("$nowcast" report --redis "$REDIS_URL" --by model --format json)" '"model":"amazon.nova-canvas-v1:0".*"tokens":5,"units":5'
has "and they are listed" "$(redis hget nowcast:unpriced stability.sd3-5-large-v1:0)" 'billed by the unit'
fails 0 "explained" "$nowcast" price explain --redis "$REDIS_URL" --prices-file "$T/ours.csv" --principal arn:aws:iam::$A:user/bob --hour $hour
has "term by term" "$(cat "$T/out")" 'units +3 x +0\.040000 / image += +0\.120000000000 USD +user; ours'
fails 3 "and what has no price too" "$nowcast" price explain --redis "$REDIS_URL" --prices-file "$T/ours.csv" --principal arn:aws:iam::$A:user/eve --hour $hour
has "with its count" "$(cat "$T/out")" 'units +1 +unpriced: billed by the unit'
fails 0 "price show knows them" "$nowcast" price show $C --prices-file "$T/ours.csv"
has "by the unit" "$(cat "$T/out")" 'units +0\.040000 .*USD per image'
report "$T/live.csv"
ok "repriced at the same rates" "$nowcast" reprice --redis "$REDIS_URL" --prices-file "$T/ours.csv" --from 2026-11-01
has "nothing changes" "$(cat "$T/ok.out")" 'rows_changed +0$'
ok "repriced at what is built in: search units, and no image whose price goes by its size" "$nowcast" reprice --redis "$REDIS_URL" --prices builtin --from 2026-11-01
is "the counts stay, the dollars of the images go" "$(by principal 2,3)" "2, 3, 4,0.006000000"
ok "and back" "$nowcast" reprice --redis "$REDIS_URL" --prices-file "$T/ours.csv" --from 2026-11-01
report "$T/back.csv"
same_file "as it was" "$T/back.csv" "$T/live.csv"
tac "$T/units.ndjson" >"$T/backwards.ndjson"
start_redis
apply "$T/backwards.ndjson" "$T/units.ndjson"
report "$T/backwards.csv"
same_file "in any order, and twice: the same" "$T/backwards.csv" "$T/live.csv"
finish
