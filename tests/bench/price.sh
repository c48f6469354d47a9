#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What pricing costs, in instructions of the whole path from message to Redis (callgrind), and what a look-up takes:
#
#     make bench-price
#
# Instructions do not depend on what else the machine does. A world is replayed, its hours settled, and the inclusive count of
# the functions that price is put beside that of everything.
. "$(dirname "$0")/../lib.sh"

command -v callgrind_annotate >/dev/null || bail "valgrind is not installed"
make_world --hours 1 --scale "${SCALE:-0.05}"
start_redis
valgrind --tool=callgrind --callgrind-out-file="$T/callgrind" --quiet "$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >"$T/replay" 2>&1 ||
	bail "the replay failed: $(tail -n 1 "$T/replay")"
callgrind_annotate --inclusive=yes --threshold=100 --show=Ir "$T/callgrind" >"$T/inclusive" 2>/dev/null
count() { # FUNCTION...: their inclusive instructions
	local sum=0 name n
	for name; do
		n=$(grep -E "[:/ ]$name( |\$|')" "$T/inclusive" | head -n 1 | sed 's/^ *//; s/ .*//; s/,//g')
		sum=$((sum + ${n:-0}))
	done
	echo "$sum"
}
all=$(grep -E 'PROGRAM TOTALS' "$T/inclusive" | sed 's/^ *//; s/ .*//; s/,//g')
row() { printf '%-44s %14s   %s\n' "$1" "$2" "$3"; }
share() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f %%", 100 * a / b }'; }
row "records" "$(sed -n 's/^records  *//p' "$T/replay")" ""
row "instructions, the whole path" "$all" ""
row "of these, pricing (tariff_read, tariff_price)" "$(count tariff_read tariff_price)" "$(share "$(count tariff_read tariff_price)" "$all"); target below 10 % with the identity join"
row "of these, identity (principal_*)" "$(count principal_from_identity principal_canonical)" "$(share "$(count principal_from_identity principal_canonical)" "$all")"
row "loading the prices, once" "$(count prices_load catalogue_builtin)" ""
