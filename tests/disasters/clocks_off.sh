#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: two replays share the live records of an hour; the clock of one is two hours slow, that of the other two hours fast
# Compared: the figures, with an undisturbed replay by the right clock, byte for byte
# In: make test
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.1
use_clock 2026-11-02T01:05:00Z
reference "$world/stream.ndjson" "$T/want.csv"

# Redis has the right clock; each of the two has one of its own.
start_redis
at() { # HOURS COMMAND...
	local file=$T/clock$1
	printf '%+015d\n' $((clock_offset + $1 * 3600)) >"$file"
	shift
	LD_PRELOAD=$T/clock.so TEST_CLOCK=$file "$top/$B/nowcast" "$@"
}
awk 'NR % 2' "$world/stream.ndjson" >"$T/odd.ndjson"
awk 'NR % 2 == 0' "$world/stream.ndjson" >"$T/even.ndjson"
at -2 replay --redis "$REDIS_URL" --batch-records 300 "$T/odd.ndjson" >"$T/slow" 2>&1 &
slow=$!
ok "the one with a fast clock ends" at 2 replay --redis "$REDIS_URL" --batch-records 300 "$T/even.ndjson"
wait $slow
is "so does the one with a slow clock" $? 0
is "for which no record is of the future" "$(awk '$1 == "future" { print $2 }' "$T/slow")" 0
is "nor late" "$(awk '$1 == "late" { print $2 }' "$T/slow")" 0
settled_report "$T/got.csv"
same_file "the figures are those by the right clock, byte for byte" "$T/got.csv" "$T/want.csv"
finish
