#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An export that was set up wrongly, or a bill with odd rows: found at once, and said in words that tell what to do.
. "$(dirname "$0")/../lib.sh"

require "no libduckdb.so: run deploy/install-deps --duckdb" "$top/$B/tests/duck_sql" "SELECT 1"
make_world --hours 3 --scale 0.05
start_redis

change() { dollars=$(python3 tests/support/cur.py "$world/cur2" "$T/cur" "$@"); }
reconcile() { "$nowcast" reconcile --redis "$REDIS_URL" "$@"; }
fresh() {
	redis flushall >/dev/null
	"$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >/dev/null
}
explain() { "$nowcast" report --reconciliation --redis "$REDIS_URL" "$@"; }
column() { python3 -c 'import csv, decimal, sys; print(sum((decimal.Decimal(r[sys.argv[1]]) for r in csv.DictReader(sys.stdin)), decimal.Decimal(0)).quantize(decimal.Decimal("1e-9")))' "$1"; }

says() { # EXTENDED-REGEX HOW...: it is reconciled, and said
	local what=$1
	shift
	fresh
	change "$@"
	ok "an export: $*" reconcile "$T/cur"
	has "is said to be so: $*" "$(cat "$T/ok.out")" "$what"
	is "with every dollar of its usage: $*" "$(explain --by region --format csv | column billed_usd)" "$dollars"
	has "and the report says it, too" "$(explain)" "$what"
}
says "no column line_item_iam_principal: .* by account and model.*set INCLUDE_IAM_PRINCIPAL_DATA in the export .rows delivered before do not gain it" without line_item_iam_principal
says "line_item_iam_principal is empty in every row: it is filled for usage from 2026-04-08 on" nobody
says "no column line_item_resource_id: .*set INCLUDE_RESOURCES" without line_item_resource_id
says "callers have tags, and the bill has none of them .*: activate them as cost allocation tags" untagged
has "nothing is said of tags where they are active" "$(change same; reconcile "$T/cur" | grep -c 'cost allocation tags')" "^0$"
has "nor where there is no such column" "$(change without tags; reconcile "$T/cur" | grep -c 'cost allocation tags')" "^0$"

refuses() { # STATUS EXTENDED-REGEX HOW...
	local status=$1 what=$2
	shift 2
	change "$@"
	fails "$status" "an export is refused: $*" reconcile "$T/cur"
	has "and why: $*" "$(cat "$T/err")" "$what"
	is "what stood stays: $*" "$(explain --by region --format csv | column billed_usd)" "$stood"
}
fresh
change same
reconcile "$T/cur" >/dev/null
stood=$(explain --by region --format csv | column billed_usd)
refuses 2 "the bill is in EUR; nowcast counts in USD only" euro
refuses 2 "several exports, whose rows would count twice: .*/(test|other) and .*/(test|other); name the one to read" twice
refuses 1 "names no data files: an export that has delivered nothing yet" empty
refuses 2 "the export is monthly.*set TIME_GRANULARITY to HOURLY" monthly
refuses 1 "csv.gz, which is not there: the delivery or its copy is not whole" lost
change same
rm -r "$T"/cur/test/metadata
fails 2 "data without a manifest is no export" reconcile "$T/cur"
has "and that is said" "$(cat "$T/err")" "no export: expected .*Manifest.json below it"
mkdir -p "$T/cur/test/metadata/BILLING_PERIOD=2026-11" && echo '{"dataFiles": [' >"$T/cur/test/metadata/BILLING_PERIOD=2026-11/test-Manifest.json"
fails 1 "a manifest cut short" reconcile "$T/cur"
has "is said to be no JSON" "$(cat "$T/err")" "test-Manifest.json, line [0-9]+: not JSON"

# This month's export, which has not been delivered for three days.
change now
touch -d '3 days ago' "$T"/cur/test/metadata/*/*.json
ok "an export that has not been delivered for days" reconcile "$T/cur"
has "is said to be stale" "$(cat "$T/ok.out")" "stale: its newest delivery is 7[12] hours old"

# Odd rows.
fresh
change negative
ok "tokens and dollars that are taken back" reconcile "$T/cur"
is "are taken back" "$(explain --by region --format csv | column billed_usd)" "$dollars"
is "and the parts of the difference add up" "$(explain --by principal,token_type --format csv | python3 -c '
import csv, decimal, sys
D = decimal.Decimal
print(max(abs(D(r["difference_usd"]) - sum(D(r[p]) for p in ("volume_usd", "price_usd", "ttl_usd", "attribution_usd", "unmetered_usd", "unbilled_usd"))) for r in csv.DictReader(sys.stdin)) == 0)')" True
change tribute
ok "a type of line that nobody knows" reconcile "$T/cur"
has "is kept apart with its dollars" "$(explain)" "other .* 7\.50"
has "and named" "$(cat "$T/ok.out")" "^Tribute USE1-.* .1 rows, 7.50 USD.: a type of row that is not known here"
change nan
ok "a cost that is no number" reconcile "$T/cur"
has "is counted and told" "$(cat "$T/ok.out")" "1 rows have a cost, an amount or a time that is no number"
finish
