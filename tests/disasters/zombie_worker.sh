#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: a worker is stopped in flight for longer than its session in the group lasts, and wakes up with a batch in hand
# whose partitions another has read since; three times
# Compared: the figures, with an undisturbed replay of the file, byte for byte
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.1
reference "$world/stream.ndjson" "$T/want.csv"

start_redis
start_broker 4
write_config "$T/nowcast.conf"
workers=()
for i in 0 1; do start "worker$i" "$nowcast" run --config "$T/nowcast.conf"; workers[i]=$pid; done
produce -p 4 -r 400 "$world/stream.ndjson" >"$T/produced" 2>&1 &
producer=$!
for i in 0 1 0; do
	sleep 1.5
	kill -STOP "${workers[i]}"
	sleep 4
	kill -CONT "${workers[i]}"
done
wait $producer
ok "the group reads to the end" wait_for 120 caught_up
for i in 0 1; do ok "worker $i ends on SIGTERM" stop "${workers[i]}"; done
settled_report "$T/got.csv"
same_file "nothing was lost, nothing counted twice" "$T/got.csv" "$T/want.csv"
finish
