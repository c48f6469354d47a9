#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The bill meets the estimate: exports of every shape give the dollars they hold, to the billionth, and put them in the place
# of the estimate; the same again changes nothing; what is restated is replaced; what is half there pulls nothing down.
. "$(dirname "$0")/../lib.sh"

require "no libduckdb.so: run deploy/install-deps --duckdb" "$top/$B/tests/duck_sql" "SELECT 1"
make_world --hours 3 --scale 0.05
cur=$world/cur2

change() { # HOW...: an export in $T/cur, its dollars in $dollars
	dollars=$(python3 tests/support/cur.py "$cur" "$T/cur" "$@")
}
fresh() {
	redis flushall >/dev/null
	"$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >/dev/null
}
reconcile() { "$nowcast" reconcile --redis "$REDIS_URL" "$@"; }
total() { # of a column of the report: dollars, by basis
	"$nowcast" report --redis "$REDIS_URL" --by region --format csv | python3 -c '
import csv, decimal, sys
rows = list(csv.DictReader(sys.stdin))
print(sum((decimal.Decimal(r["usd"]) for r in rows), decimal.Decimal(0)), *sorted({r["basis"] for r in rows}))'
}
billed() { # NAME: all the dollars of the export, and nothing else
	is "$1" "$(total)" "$dollars billed"
}

start_redis
fresh
report "$T/estimate.csv"

change same
ok "an export is reconciled" reconcile "$T/cur"
billed "the report shows the billed dollars"
report "$T/first.csv"
is "what is billed has no band" "$(sed 1d "$T/first.csv" | awk -F, '$(NF-3) != $(NF-2) || $(NF-3) != $(NF-1)' | wc -l)" 0
ok "it is reconciled again" reconcile "$T/cur"
report "$T/second.csv"
same_file "which changes nothing" "$T/second.csv" "$T/first.csv"
is "nothing staged is left" "$(redis --scan --pattern '*staged*' | wc -l)" 0

change halve
ok "a restated bill" reconcile "$T/cur"
billed "replaces what was there, downwards too"

change same
reconcile "$T/cur" >/dev/null
report "$T/third.csv"
same_file "and upwards" "$T/third.csv" "$T/first.csv"

fresh
change until 2026-11-02T01:00:00Z
ok "half a delivery" reconcile "$T/cur"
"$nowcast" report --redis "$REDIS_URL" --by hour --format csv >"$T/hours.csv"
is "hours it holds are billed, the others are not" "$(sed 1d "$T/hours.csv" | sed 's/.*,//; s/ .*//' | tr '\n' ' ')" "billed $(sed 1d "$T/hours.csv" | sed 's/.*,//; s/ .*//' | tail -n 2 | tr '\n' ' ')"
"$nowcast" report --redis "$REDIS_URL" --by region --from 2026-11-02T01:00:00Z --format csv >"$T/after.csv"
redis flushall >/dev/null
fresh
"$nowcast" report --redis "$REDIS_URL" --by region --from 2026-11-02T01:00:00Z --format csv >"$T/before.csv"
same_file "and stay with the estimate" "$T/after.csv" "$T/before.csv"

change halve
ok "a delivery with half of every hour" reconcile "$T/cur"
report "$T/held.csv"
same_file "pulls nothing down" "$T/held.csv" "$T/estimate.csv"

for how in daily "without line_item_iam_principal" "without line_item_resource_id" "without pricing_unit" "without pricing_public_on_demand_cost" \
	"rename tags unheard_of" marketplace braces create; do
	fresh
	# shellcheck disable=SC2086 # words
	change $how
	ok "an export: $how" reconcile "$T/cur"
	cp "$T/ok.out" "$T/said"
	billed "gives its dollars: $how"
	report "$T/$(tr ' ' _ <<<"$how").csv"
done
has "the older delivery is said to be read" "$(cat "$T/said")" "older delivery of 2026-11"
same_file "in a folder an execution, the same figures" "$T/create.csv" "$T/first.csv"
same_file "without resources, the same figures by what the estimate knows of profiles" "$T/without_line_item_resource_id.csv" "$T/first.csv"
same_file "as the Marketplace bills it, the same figures" "$T/marketplace.csv" "$T/first.csv"

fresh
change same
for f in "$T"/cur/test/data/*/*.csv.gz; do
	"$B/tests/duck_sql" "COPY (SELECT * REPLACE (line_item_unblended_cost::DOUBLE AS line_item_unblended_cost, line_item_usage_amount::DOUBLE AS line_item_usage_amount,
		line_item_usage_start_date::TIMESTAMP AS line_item_usage_start_date, line_item_usage_end_date::TIMESTAMP AS line_item_usage_end_date),
		MAP {'product_name': 'Claude'} AS product FROM read_csv('$f', all_varchar=true) WHERE line_item_line_item_type = 'Usage') TO '${f%.csv.gz}.snappy.parquet' (FORMAT parquet)"
	rm "$f"
done
sed -i 's/csv\.gz/snappy.parquet/' "$T"/cur/test/metadata/*/*.json
ok "Parquet with doubles, timestamps and a real map" reconcile "$T/cur"
report "$T/parquet.csv"
same_file "gives the same figures" "$T/parquet.csv" "$T/first.csv"

refuses() { # WHAT-IT-SAYS HOW...: and what stood stays
	local says=$1
	shift
	change "$@"
	reconcile "$T/cur" >"$T/out" 2>"$T/err"
	local status=$?
	has "$*: refused (status $status), and why" "$status $(cat "$T/err")" "^[12] .*$says"
	report "$T/stays.csv"
	same_file "$*: what stood stays" "$T/stays.csv" "$T/first.csv"
}
refuses "is in EUR" euro
refuses "not there" lost
refuses "no column line_item_usage_type" without line_item_usage_type
change same
for f in "$T"/cur/test/data/*/*.csv.gz; do truncate -s 2000 "$f"; done
fails 1 "a file cut short is refused" reconcile "$T/cur"
has "in a line that says which period" "$(cat "$T/err")" "2026-11.*(gz|GZIP|file|csv|CSV)"
report "$T/stays.csv"
same_file "and what stood stays" "$T/stays.csv" "$T/first.csv"
fails 2 "a folder without an export is refused" reconcile "$T"/nothing
change nan
ok "a cost that is no number" reconcile "$T/cur"
has "is counted and told" "$(cat "$T/ok.out")" "1 rows have a cost"

fresh
change same
reconcile "$T/cur" >"$T/a.out" & a=$!
reconcile "$T/cur" >"$T/b.out" & b=$!
wait $a && wait $b
result $? "two runs at once"
billed "do not mix"
finish
