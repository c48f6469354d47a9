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
is "what is billed has no band" "$(sed 1d "$T/first.csv" | awk -F, '$(NF-5) != $(NF-4) || $(NF-5) != $(NF-3)' | wc -l)" 0
ok "it is reconciled again" reconcile "$T/cur"
report "$T/second.csv"
same_file "which changes nothing" "$T/second.csv" "$T/first.csv"
is "nothing staged is left" "$(redis --scan --pattern '*staged*' | wc -l)" 0

# --- before anything is final
fresh
ok "an export whose hours are too young is reconciled" reconcile --watermark 60d "$T/cur"
has "nothing is final" "$(cat "$T/ok.out")" '^final_up_to +nothing yet$'
has "  and why, and when the first hour will be" "$(cat "$T/ok.out")" '^no hour of 2026-11 is final yet, and the estimate stands: .* 60 days old .watermark. .*, the first hour at 2026-12-31T01:00:00Z$'
"$nowcast" report --reconciliation --redis "$REDIS_URL" --period 2026-11 >"$T/young"
has "  the report says so in place of a table" "$(cat "$T/young")" '^Billing period 2026-11: there is nothing to compare, since no hour with figures is final yet[.]$'
has "  with the same reason" "$(cat "$T/young")" 'the first hour at 2026-12-31T01:00:00Z$'
is "  and no columns" "$(grep -c 'difference' "$T/young")" 0
ok "once they are old enough" reconcile "$T/cur"
is "  it is not said any more" "$(grep -c 'no hour of' "$T/ok.out")" 0

# --- on a terminal they say how far they are, in one line, which is erased
on_terminal() { script -qfec "$(printf '%q ' "$nowcast" "$@" --redis "$REDIS_URL")" /dev/null </dev/null | cat -v; }
on_terminal reconcile "$T/cur" >"$T/tty"
has "a reconciliation says which bill it reads" "$(cat "$T/tty")" '\^M\^\[\[Kreading the bill of 20[0-9-]+, 1 of [0-9]+'
has "and erases it" "$(cat "$T/tty")" '1 of [0-9]+(\^M\^\[\[K)+run '
on_terminal replay "$world/stream.ndjson" >"$T/tty"
has "a replay says how much it has read" "$(cat "$T/tty")" '\^M\^\[\[K[0-9]+ messages, [0-9]+ a second, [0-9]+[.][0-9] MB, [0-9]+ %'
has "and erases it" "$(cat "$T/tty")" '%(\^M\^\[\[K)+files '
"$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >/dev/null 2>"$T/err"
is "in a file there is nothing of that" "$(grep -c 'a second' "$T/err")" 0

change halve
ok "a restated bill" reconcile "$T/cur"
billed "replaces what was there, downwards too"

change same
reconcile "$T/cur" >/dev/null
report "$T/third.csv"
same_file "and upwards" "$T/third.csv" "$T/first.csv"

touch -d '3 days ago' "$T"/cur/test/metadata/*/*.json
if [ "$(date +%Y-%m)" = 2026-11 ]; then
	ok "an export that has not been delivered for days" reconcile "$T/cur"
	has "is said to be stale" "$(cat "$T/ok.out")" "stale: its newest delivery is 7[12] hours old"
fi

fresh
change until 2026-11-02T01:00:00Z
ok "half a delivery" reconcile "$T/cur"
"$nowcast" report --redis "$REDIS_URL" --by hour --format csv >"$T/hours.csv"
is "hours it holds are billed, the others are not" "$(sed 1d "$T/hours.csv" | cut -d, -f6 | sed 's/ .*//' | tr '\n' ' ')" "billed $(sed 1d "$T/hours.csv" | cut -d, -f6 | sed 's/ .*//' | tail -n 2 | tr '\n' ' ')"
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

# The reconciliation adds up: by any grouping the parts are the difference, and the sums those of the export.
fresh
dollars=$(python3 tests/support/cur.py "$cur" "$T/cur" discount)
reconcile "$T/cur" >/dev/null
explain() { "$nowcast" report --reconciliation --redis "$REDIS_URL" "$@"; }
explain --by hour,account,region,model,principal,token_type --format csv >"$T/explained.csv"
is "the parts add up, and the bill is the export's" "$(python3 - "$T/explained.csv" <<'END'
import csv, decimal, sys
D = decimal.Decimal
rows = list(csv.DictReader(open(sys.argv[1])))
parts = ("volume_usd", "price_usd", "ttl_usd", "attribution_usd", "unmetered_usd", "unbilled_usd")
off = max(abs(D(r["difference_usd"]) - sum(D(r[p]) for p in parts)) for r in rows)
total = {k: sum((D(r[k]) for r in rows), D(0)) for k in rows[0] if k.endswith("_usd")}
print(off == 0, total["billed_usd"].quantize(D("1e-9")), abs(total["attribution_usd"]) < D("1e-6"), total["shared_tax_usd"].normalize(),
      -total["list_usd"] * D(".13") < total["list_usd"] * D("-.12") and abs(total["billed_usd"] / total["list_usd"] - D(".88")) < D("1e-6"))
END
)" "True $dollars True 1.23 True"
is "a discount of 12 % is a matter of price" "$(explain --by region --format csv | python3 -c '
import csv, sys
rows = list(csv.DictReader(sys.stdin))
print(all(float(r["price_usd"]) < 0 and abs(float(r["volume_usd"])) < 0.01 * float(r["billed_usd"]) for r in rows if float(r["list_usd"]) > float(r["estimated_usd"]) * .99))')" True
explain --by day,account,region,model,scope,principal,token_type,tier --format csv >"$T/days.csv"
is "by day and scope, too" "$(python3 - "$T/days.csv" <<'END'
import csv, decimal, sys
D = decimal.Decimal
rows = list(csv.DictReader(open(sys.argv[1])))
print(sum(D(r["billed_usd"]) for r in rows).quantize(D("1e-9")), *sorted({r["day"] for r in rows}), *sorted({r["scope"] for r in rows}),
      all((r["scope"] == "global") == r["model"].startswith("global.") for r in rows))
END
)" "$dollars 2026-11-02 global regional True"
ok "as a table" explain
has "which speaks of tax" "$(cat "$T/ok.out")" "tax .*1.23"
explain --format html >"$T/page.html"
has "as a page without anything from elsewhere" "$(grep -c 'src=\|href=\|@import' "$T/page.html") $(tail -n 1 "$T/page.html")" "^0 .*</body></html>$"
is "its chart goes from the first hour to the last" "$(grep -o '2026-11-02 0[0-9]:00' "$T/page.html" | tr '\n' ' ')" "2026-11-02 00:00 2026-11-02 02:00 "
has "and it says which hours it is of" "$(cat "$T/page.html")" 'from 2 November 2026, 00:00 UTC to 2 November 2026, 03:00 UTC'
is "its tables are those that were asked for" "$(explain --format html --by account,region | grep -o '<h2>By [a-z]*' | paste -sd' ')" "<h2>By hour <h2>By account <h2>By region"
has "it leads to the sum on the invoice" "$(grep -A1 -c 'Billed for Amazon Bedrock' "$T/page.html") $(grep -o 'Billed for Amazon Bedrock</td><td>[0-9.,]*' "$T/page.html" | sed 's/.*>//')" \
	"^1 $(printf %.2f "$(python3 -c "print($dollars + 1.23)")")$"
if command -v chromium >/dev/null; then
	ok "and prints" timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir="$T/chromium" --print-to-pdf="$T/page.pdf" "file://$T/page.html"
	has "on a few sheets of paper" "$(head -c 5 "$T/page.pdf") $(grep -ac '/Type */Page$' "$T/page.pdf")" "^%PDF- [2-4]$"
fi
ok "as JSON" python3 -c 'import json, subprocess, sys; json.loads(subprocess.check_output(sys.argv[1:]))' "$nowcast" report --reconciliation --redis "$REDIS_URL" --format json
fails 3 "a difference beyond the threshold is status 3" explain --threshold 0.1%
fails 0 "and one within it 0" explain --threshold 50%
fails 2 "what is no threshold is refused" explain --threshold five
is "before anything is printed" "$(cat "$T/out")" ""
fails 2 "a period that was not read is refused" explain --period 2026-10
"$nowcast" report --format focus --redis "$REDIS_URL" >"$T/focus.csv"
is "FOCUS has the billed dollars" "$(python3 - "$T/focus.csv" <<'END'
import csv, decimal, sys
rows = list(csv.DictReader(open(sys.argv[1])))
usage = [r for r in rows if r["ChargeCategory"] == "Usage"]
print(sum(decimal.Decimal(r["BilledCost"]) for r in usage).quantize(decimal.Decimal("1e-9")), {r["x_Basis"] for r in rows}, {None in r for r in rows})
for r in rows:
    if r["ChargeCategory"] != "Usage":
        print(r["ChargeCategory"], decimal.Decimal(r["BilledCost"]).normalize(), r["ChargePeriodStart"], r["ChargePeriodEnd"], r["SubAccountId"], r["x_EstimatedCost"] or "-")
END
)" "$dollars {'billed'} {False}
Tax 1.23 2026-11-01T00:00:00Z 2026-12-01T00:00:00Z 111122223333 -"
is "a span after the first hour of the month is without the month's tax" "$("$nowcast" report --format focus --redis "$REDIS_URL" --from 2026-11-02 | grep -c ',Tax,')" 0
is "with the names of AWS's own FOCUS table, and the tags of callers" "$(python3 - "$T/focus.csv" "$shared/cur/focus12_glue_columns.csv" <<'END'
import collections, csv, decimal, json, sys
rows = list(csv.DictReader(open(sys.argv[1])))
rows = [r for r in rows if r["ChargeCategory"] == "Usage"]
known = {r[0] for r in csv.reader(open(sys.argv[2]))}
print([c for c in rows[0] if not c.startswith("x_") and c.lower() not in known])
teams = collections.Counter()
for r in rows:
    teams[json.loads(r["Tags"]).get("iamPrincipal/team", "(no team)")] += decimal.Decimal(r["BilledCost"])
for team, usd in sorted(teams.items()):
    print(team, usd.quantize(decimal.Decimal("1e-6")))
END
)" "[]
$("$nowcast" report --redis "$REDIS_URL" --by team --format csv | python3 -c '
import csv, decimal, sys
for r in sorted(csv.DictReader(sys.stdin), key=lambda r: r["team"]):
    print(r["team"] or "(no team)", decimal.Decimal(r["usd"]).quantize(decimal.Decimal("1e-6")))')"

# Service tiers of which no record tells: the bill's rows keep theirs, and what differs is the rate, not the volume.
fresh
change flex
reconcile "$T/cur" >/dev/null
billed "tiers that only the bill knows: its dollars"
is "and its tiers" "$("$nowcast" report --redis "$REDIS_URL" --by tier --format csv | sed 1d | cut -d, -f1,6 | paste -sd' ')" "flex,billed standard,billed"
is "flex is a matter of price" "$(explain --by tier --format csv | python3 -c '
import csv, sys
(row,) = [r for r in csv.DictReader(sys.stdin) if r["tier"] == "flex"]
usd = {k: float(row[k]) for k in row if k.endswith("_usd")}
print(usd["price_usd"] < -0.99 * usd["billed_usd"], abs(usd["volume_usd"]) < 0.02 * usd["billed_usd"], usd["unmetered_usd"] == 0)')" "True True True"

# Sessions that have no row of their own have none in the bill either: the bill names each, and the two are compared as one.
by_role() { "$nowcast" report --redis "$REDIS_URL" --by hour,role,model --format csv | cut -d, -f 1-5; }
fresh
change same
reconcile "$T/cur" >/dev/null
by_role >"$T/named.csv"
redis flushall >/dev/null
"$nowcast" replay --redis "$REDIS_URL" --sessions-max 1 "$world/stream.ndjson" >/dev/null
ok "a bill over folded sessions" reconcile "$T/cur"
billed "gives its dollars"
by_role >"$T/folded.csv"
same_file "to the same roles" "$T/folded.csv" "$T/named.csv"
"$nowcast" report --redis "$REDIS_URL" --by principal --format csv >"$T/others.csv"
has "with the names that the estimate has" "$(cat "$T/others.csv")" '/\(other sessions\),[0-9]+,.*,billed,[0-9]+,[0-9]+$'
is "and no more of them: two a role" "$(grep -o 'assumed-role/[^/]*/' "$T/others.csv" | sort | uniq -c | awk '$1 > 2' | wc -l)" 0

fresh
change same
reconcile "$T/cur" >"$T/a.out" & a=$!
reconcile "$T/cur" >"$T/b.out" & b=$!
wait $a && wait $b
result $? "two runs at once"
billed "do not mix"
finish
