#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: a record dated 24 hours ahead comes, once where that is refused (the default of `future`), once where it is allowed
# Compared: the figures after the next day's live records, with an undisturbed replay of all records, byte for byte
# In: make test
. "$(dirname "$0")/../lib.sh"
. tests/support/call.sh

today=2026-11-02T05:10:00Z tomorrow=2026-11-03T05:10:00Z
live() { # its records come five minutes late
	local i
	call ahead "$tomorrow" >"$T/ahead.ndjson"
	set_clock "$today"
	ok "a record of tomorrow comes today" "$nowcast" replay --redis "$REDIS_URL" "$@" "$T/ahead.ndjson"
	for i in 0 30 60 90 120 180 240 300 360 390; do
		call "r-$i" "$(minutes_after "$tomorrow" $i)" >"$T/in-$i.ndjson"
		set_clock "$(minutes_after "$tomorrow" $((i + 5)))"
		"$nowcast" replay --redis "$REDIS_URL" "$T/in-$i.ndjson" >>"$T/said" 2>&1 || bail "no replay"
	done
	is "no live record of the next day is late" "$(awk '$1 == "late" { n += $2 } END { print n }' "$T/said")" 0
}

use_clock "$today"
start_redis
live --future 2d
report "$T/allowed.csv"
kill_redis

start_redis
live --dead-letter-file "$T/dead.ndjson"
has "where it is refused it is a dead letter" "$(cat "$T/dead.ndjson")" '"kind":"refused","reason":"time: 2026-11-03T05:10:00.*future'
ok "which can be replayed when its time has come" "$nowcast" replay --redis "$REDIS_URL" "$T/dead.ndjson"
report "$T/refused.csv"
kill_redis

start_redis
set_clock 2026-11-05T00:00:00Z
ok "the reference: one replay" "$nowcast" replay --redis "$REDIS_URL" "$T/ahead.ndjson" "$T"/in-*.ndjson
report "$T/want.csv"
is "it has all calls" "$(awk -F, '/,input,/ { n += $9 } END { print n }' "$T/want.csv")" 110
same_file "where it was allowed the figures are those, byte for byte" "$T/allowed.csv" "$T/want.csv"
same_file "and where it was refused" "$T/refused.csv" "$T/want.csv"
finish
