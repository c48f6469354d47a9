#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: a world goes through Kafka in 8 partitions to three processes of one group, one of which is killed -9 and
# started anew every few seconds
# Compared: the figures, with an undisturbed replay of the file, byte for byte
# In: make test
#
# FULL=1 (make test-convergence) takes six hours of full traffic instead of one hour of a tenth of it.
. "$(dirname "$0")/../lib.sh"

if [ -n "${FULL:-}" ]; then
	make_world --hours 6
	rate=6000 pause=4 kafka_heap=512m
else
	make_world --hours 1 --scale 0.1
	rate=400 pause=2
fi
reference "$world/stream.ndjson" "$T/want.csv"

start_redis
start_broker 8
write_config "$T/nowcast.conf"
worker() { start "worker$1" "$nowcast" run --config "$T/nowcast.conf"; workers[$1]=$pid; }
workers=()
for i in 0 1 2; do worker $i; done

produce -p 8 -r $rate "$world/stream.ndjson" >"$T/produced" 2>&1 &
producer=$!
kills=0
while alive $producer || [ $kills -lt 3 ]; do
	sleep $pause
	victim=$((RANDOM % 3))
	kill -KILL "${workers[victim]}"
	kills=$((kills + 1))
	worker $victim
done
wait $producer
is "everything was produced" "$(cat "$T/produced")" "$(wc -l <"$world/stream.ndjson")"
ok "the group reads to the end, $kills kills later" wait_for 300 caught_up
for i in 0 1 2; do ok "worker $i ends on SIGTERM" stop "${workers[i]}"; done
settled_report "$T/got.csv"
same_file "the figures are those of one replay, byte for byte" "$T/got.csv" "$T/want.csv"
finish
