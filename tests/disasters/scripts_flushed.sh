#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: Redis forgets the scripts all the time while a replay applies records and computes hours
# Compared: the figures, with an undisturbed replay of the file, byte for byte
# In: make test
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.1
reference "$world/stream.ndjson" "$T/want.csv"

start_redis
start replay "$nowcast" replay --redis "$REDIS_URL" --batch-records 100 "$world/stream.ndjson"
replay=$pid flushed=0
while alive "$replay" && [ $flushed -lt 200 ]; do
	redis script flush >/dev/null && flushed=$((flushed + 1))
	sleep 0.02
done
ok "the replay ends, after $flushed flushes" wait_for 60 gone "$replay"
ok "there were some" test $flushed -gt 5
has "it waited, and lost nothing" "$(cat "$T/replay.log")" 'nothing is lost'
has "and came to its end" "$(cat "$T/replay.log")" '^records_per_s'
report "$T/got.csv"
same_file "the figures are those of one replay, byte for byte" "$T/got.csv" "$T/want.csv"
finish
