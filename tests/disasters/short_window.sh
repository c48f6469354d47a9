#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: a day of live records, each 50 minutes late, with `window = 1h`
# Compared: the figures, with an undisturbed replay of all records, byte for byte
# In: make test
. "$(dirname "$0")/../lib.sh"
. tests/support/call.sh

begin=2026-11-02T00:10:00Z
use_clock "$begin"
start_redis
for ((i = 0; i < 1440; i += 25)); do
	call "r-$i" "$(minutes_after "$begin" $i)" | tee -a "$T/all.ndjson" >"$T/in.ndjson"
	set_clock "$(minutes_after "$begin" $((i + 50)))"
	"$nowcast" replay --redis "$REDIS_URL" --window 1h "$T/in.ndjson" >>"$T/said" 2>&1 || bail "no replay"
done
is "none is late" "$(awk '$1 == "late" { n += $2 } END { print n }' "$T/said")" 0
report "$T/got.csv"
kill_redis

start_redis
ok "the reference: one replay" "$nowcast" replay --redis "$REDIS_URL" "$T/all.ndjson"
report "$T/want.csv"
same_file "the figures are those, byte for byte" "$T/got.csv" "$T/want.csv"
finish
