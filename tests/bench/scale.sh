#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What a record costs as there are more of them, and as more principals make them: 10 times the records are to take 10 times the
# time, and 10 times the principals at most twice the time a record.
#
#     make bench-scale            RECORDS="30000 100000 300000" PRINCIPALS="50 500 5000" SVG=docs/scale.svg
#
# Six hours of calls (tests/bench/generate.c) are replayed from a pipe into an empty Redis, and their hours settled. Counted is the
# processor time of nowcast and of Redis, not the time on the clock, so that what else the machine does matters less. Prints a table, and
# writes the same as a picture (tests/bench/scale_plot.py). It fails if a limit does not hold.
. "$(dirname "$0")/../lib.sh"

read -r -a records <<<"${RECORDS:-30000 100000 300000}"
read -r -a principals <<<"${PRINCIPALS:-50 500 5000}"
rows=$T/rows
tick=$(getconf CLK_TCK)
TIMEFORMAT='%U %S'

redis_ticks() { awk '{ print $14 + $15 }' "/proc/$redis_pid/stat"; }
redis_bytes() { redis info memory | sed -n 's/^used_memory:\([0-9]*\).*/\1/p'; }

measure() { # SERIES RECORDS PRINCIPALS: a row of $rows
	local before after empty
	redis flushall >/dev/null
	before=$(redis_ticks) empty=$(redis_bytes)
	"$top/$B/tests/bench/generate" -n "$2" -c "$3" | { time "$nowcast" replay --redis "$REDIS_URL" - >"$T/replay" 2>&1; } 2>"$T/time"
	grep -q "^calls *$2\$" "$T/replay" || bail "the replay failed: $(tail -n 1 "$T/replay")"
	after=$(redis_ticks)
	awk -v series="$1" -v n="$2" -v who="$3" -v own="$(cat "$T/time")" -v ticks="$((after - before))" -v tick="$tick" -v bytes="$(($(redis_bytes) - empty))" 'BEGIN {
		split(own, t, " ")
		printf "%s %d %d %.2f %.2f %.0f\n", series, n, who, (t[1] + t[2]) * 1e6 / n, ticks / tick * 1e6 / n, bytes / n
	}' >>"$rows"
}

start_redis
for n in "${records[@]}"; do measure records "$n" "${principals[0]}"; done
for who in "${principals[@]}"; do measure principals "${records[-1]}" "$who"; done

printf '%-12s %10s %11s %16s %16s %14s\n' "more" "records" "principals" "us nowcast" "us Redis" "bytes of Redis"
awk '{ printf "%-12s %10d %11d %16s %16s %14s\n", $1, $2, $3, $4, $5, $6 }' "$rows"
echo "us: microseconds of a core a record. $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
python3 tests/bench/scale_plot.py "$rows" "${SVG:-docs/scale.svg}" || bail "no picture"
awk '
	{ cost = $4 + $5 }
	$1 == "records" { if (!first_n) { first_n = $2; first = cost }; last_n = $2; last = cost }
	$1 == "principals" { if (!before_who) { before_who = $3; before = cost } else {
		steps = log($3 / before_who) / log(10)
		limit = 2 ^ steps
		if (cost / before > limit) { printf "%d principals cost %.2f times what %d cost a record\n", $3, cost / before, before_who; bad = 1 }
		before_who = $3; before = cost } }
	END {
		printf "%.0f times the records take %.1f times the time\n", last_n / first_n, last_n * last / (first_n * first)
		if (last / first > 1.1) bad = 1
		exit bad
	}' "$rows"
