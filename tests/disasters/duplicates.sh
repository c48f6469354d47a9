#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: every record comes twenty times, in any order
# Compared: the figures, with an undisturbed replay of each record once, byte for byte
# In: make test
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.1
reference "$world/stream.ndjson" "$T/want.csv"

for _ in $(seq 20); do cat "$world/stream.ndjson"; done | shuf >"$T/many.ndjson"
start_redis
ok "twenty times as many records are replayed" "$nowcast" replay --redis "$REDIS_URL" --batch-records 3000 "$T/many.ndjson"
report "$T/got.csv"
same_file "the figures are those of each record once, byte for byte" "$T/got.csv" "$T/want.csv"
finish
