#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two days, billed in every way there is: the report holds the dollars of the export to the billionth, and every difference is
# explained in parts that add up to it exactly, with the right cause.
. "$(dirname "$0")/../lib.sh"

require "no libduckdb.so: run deploy/install-deps --duckdb" "$top/$B/tests/duck_sql" "SELECT 1"
make_world --hours 48 --scale 0.01
start_redis
"$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >/dev/null

reconcile() { # HOW...: the export changed so, in the place of what stood; its dollars in $dollars
	dollars=$(python3 tests/support/cur.py "$world/cur2" "$T/cur" "$@")
	"$nowcast" reconcile --redis "$REDIS_URL" "$T/cur" >"$T/said" 2>&1
	result $? "reconciled: $*" || diag "$(cat "$T/said")"
}
cat >"$T/check.py" <<'END'
"""check.py EXPLAINED REPORT: are both the whole bill, do the parts add up; then the dollars of each cause, and the sum of list."""
import collections, csv, decimal, sys
D = decimal.Decimal
rows = list(csv.DictReader(open(sys.argv[1])))
report = sum((D(r["usd"] or 0) for r in csv.DictReader(open(sys.argv[2]))), D(0))
parts = ("volume", "price", "ttl", "attribution", "unmetered", "unbilled")
total = {k: sum((D(r[k]) for r in rows), D(0)) for k in rows[0] if k.endswith("_usd")}
exact = all(D(r["difference_usd"]) == sum(D(r[p + "_usd"]) for p in parts) == D(r["billed_usd"]) - D(r["estimated_usd"]) for r in rows)
moved = collections.Counter()
for r in rows:
    moved[(r["hour"], r["account"], r["region"], r["model"], r["token_type"])] += D(r["attribution_usd"])
print(exact, total["billed_usd"].quantize(D("1e-9")), report.quantize(D("1e-9")), max(map(abs, moved.values())) < D("1e-9"))
with open(sys.argv[3], "w") as f:
    print(*("%s=%.6f" % (p, total[p + "_usd"]) for p in parts + ("list", "billed", "estimated")), sep="\n", file=f)
END
explained() { # NAME: the whole bill is explained exactly; the sums by cause are in $volume, $price ... then
	"$nowcast" report --reconciliation --redis "$REDIS_URL" --by hour,account,region,model,principal,token_type --format csv >"$T/explained.csv"
	"$nowcast" report all --redis "$REDIS_URL" --by region --format csv >"$T/report.csv"
	is "$1: the bill to the billionth, explained exactly" "$(python3 "$T/check.py" "$T/explained.csv" "$T/report.csv" "$T/sums")" "True $dollars $dollars True"
	# shellcheck disable=SC1091
	. "$T/sums"
}
about() { # NAME GOT WANT TOLERANCE
	awk -v a="$2" -v b="$3" -v t="$4" 'BEGIN { exit !(a - b < t && b - a < t) }'
	result $? "$1" || diag "got $2, want $3 within $4"
}

# shellcheck disable=SC2154 # the sums come out of a file
{
	reconcile same
	explained "as delivered"
	cp "$T/explained.csv" "$T/first.csv"
	has "hours of two days are billed" "$(cut -d, -f1 "$T/first.csv" | sed 1d | sort -u | cut -c1-10 | uniq -c | awk '{ print $1 }' | tr '\n' ' ')" "^24 24 "
	about "nothing is seen and not billed" "$unbilled" 0 0.000001
	whole=$billed
	reconcile same
	explained "once more"
	same_file "which changes nothing" "$T/explained.csv" "$T/first.csv"

	reconcile halve
	explained "restated to the half"
	about "is a matter of volume" "$billed" "$(awk -v w="$whole" 'BEGIN { printf "%.6f", w / 2 }')" 0.0001
	has "of minus a half" "$(awk -v v="$volume" -v e="$estimated" 'BEGIN { print (v / e < -0.45 && v / e > -0.55) }')" 1
	reconcile same
	explained "and restated back"
	same_file "all is as it was" "$T/explained.csv" "$T/first.csv"

	reconcile discount
	explained "12 % off"
	about "the bill is 88 % of the list" "$billed" "$(awk -v l="$list" 'BEGIN { printf "%.6f", 0.88 * l }')" 0.0001
	# What the list prices would have come to, less the estimate, was the whole of it before; the discount is all on top.
	about "and the discount is in the price" "$price" "$(python3 -c '
import csv, decimal, sys
print(sum(decimal.Decimal(r["price_usd"]) - decimal.Decimal("0.12") * decimal.Decimal(r["billed_usd"]) for r in csv.DictReader(open(sys.argv[1]))))' "$T/first.csv")" 0.0001

	for how in "without line_item_iam_principal" "without line_item_resource_id" daily marketplace braces create; do
		# shellcheck disable=SC2086 # words
		reconcile $how
		explained "$how"
		about "$how: as many dollars" "$billed" "$whole" 0.000001
		case $how in
		marketplace | braces) # which do not tell the list price
			for f in explained first; do cut -d, -f1-10,12- "$T/$f.csv" >"$T/$f.cut"; done
			same_file "$how: and every figure but the list price is the same" "$T/explained.cut" "$T/first.cut" ;;
		create | *resource_id) same_file "$how: and every figure is the same" "$T/explained.csv" "$T/first.csv" ;;
		*principal) about "$how: nobody can be wrong about the caller" "$attribution" 0 0.000001 ;;
		esac
	done
	has "a bill of days is said to be one" "$(reconcile daily; redis hget nowcast:reconcile:2026-11 granularity)" daily

	# The first day of it, then the half of the second, as deliveries come. What is not final stays with the estimate.
	redis flushall >/dev/null
	"$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >/dev/null
	"$nowcast" report --redis "$REDIS_URL" --by region --from 2026-11-03 --format csv >"$T/second_day.csv"
	reconcile until 2026-11-03T00:00:00Z
	"$nowcast" report --redis "$REDIS_URL" --by region --to 2026-11-03 --format csv >"$T/report.csv"
	is "a delivery of one day is that day" "$(python3 -c 'import csv, decimal, sys; print(sum(decimal.Decimal(r["usd"]) for r in csv.DictReader(open(sys.argv[1]))).quantize(decimal.Decimal("1e-9")))' "$T/report.csv")" "$dollars"
	"$nowcast" report --redis "$REDIS_URL" --by region --from 2026-11-03 --format csv >"$T/after.csv"
	is "the other is still estimated" "$(cut -d, -f6 "$T/after.csv" | sed 1d | grep -c billed)" 0
	has "and is no smaller for it" "$(cat "$T/second_day.csv" "$T/after.csv" | python3 -c '
import csv, sys
rows = [r for r in csv.reader(sys.stdin) if r[0] != "region"]
n = len(rows) // 2
print(sum(float(r[2]) for r in rows[n:]) > 0.9 * sum(float(r[2]) for r in rows[:n]))')" True
}
finish
