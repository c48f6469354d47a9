#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: replays are killed -9 at random moments, twelve times, while they apply or compute; another ends on a signal
# Compared: the figures of the replay that is let alone in the end, with an undisturbed one, byte for byte
# In: make test
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.1
reference "$world/stream.ndjson" "$T/want.csv"

start_redis
replay() { "$nowcast" replay --redis "$REDIS_URL" --batch-records 200 "$world/stream.ndjson" "$@"; }
began=$(date +%s%N)
ok "a replay, to see how long it takes" replay --redis-prefix timed
whole_ms=$((($(date +%s%N) - began) / 1000000))
killed=0
for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
	start killed "$nowcast" replay --redis "$REDIS_URL" --batch-records 200 "$world/stream.ndjson"
	ms=$((whole_ms * (RANDOM % 80 + 5) / 100))
	sleep "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))"
	kill -KILL "$pid" 2>/dev/null && killed=$((killed + 1))
	wait_for 10 gone "$pid"
done
ok "some were killed ($killed)" test "$killed" -gt 3
ok "a replay is let alone" replay
report "$T/got.csv"
same_file "the figures are those of one replay, byte for byte" "$T/got.csv" "$T/want.csv"
finish
