#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What learning and allocation cost: their share of a worker's instructions on the way from message to settled hour (callgrind),
# which is to be below 5 %, and an hour of 5,000 principals on 30 models.
#
#     make bench-learn            HOURS=12 SCALE=0.3 of a world
. "$(dirname "$0")/../lib.sh"

learning=(hour_stats_write learn_weights allocate_hour)
need_functions "${learning[@]}"

command -v callgrind_annotate >/dev/null || bail "valgrind is not installed"
for principals in 500 5000; do
	"$B/tests/bench/learn" "$principals" 30 || bail "learning failed"
done
make_world --hours "${HOURS:-12}" --scale "${SCALE:-0.3}" --tokens-in-cloudtrail none
start_redis
valgrind --tool=callgrind --callgrind-out-file="$T/callgrind" --quiet "$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >"$T/replay" 2>&1 ||
	bail "the replay failed: $(tail -n 1 "$T/replay")"
callgrind_annotate --inclusive=yes --threshold=100 --show=Ir "$T/callgrind" >"$T/inclusive" 2>/dev/null
instructions "$T/inclusive" intake_message intake_apply engine_settle >"$T/path"
instructions "$T/inclusive" "${learning[@]}" >"$T/learning"
awk -v path="$(cat "$T/path")" -v learning="$(cat "$T/learning")" -v records="$(sed -n 's/^records  *//p' "$T/replay")" 'BEGIN {
	if (path <= 0 || learning <= 0) { print "callgrind saw no such functions: was it built without symbols?"; exit 1 }
	printf "%s records: %.0f instructions from message to settled hour, %.2f %% of them learning and allocation; to be below 5 %%\n", records, path, 100 * learning / path
	exit 20 * learning >= path
}'
