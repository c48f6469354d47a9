#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: Redis has no memory left (maxmemory, noeviction) three times while a worker runs, and gets some again
# Compared: the figures, with an undisturbed replay of the file, byte for byte
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.1
reference "$world/stream.ndjson" "$T/want.csv"

start_redis
start_broker 4
write_config "$T/nowcast.conf"
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
redis config set maxmemory-policy noeviction >"$T/redis.out"
produce -p 4 -r 500 "$world/stream.ndjson" >"$T/produced" 2>&1 &
producer=$!
for _ in 1 2 3; do
	sleep 1
	redis config set maxmemory 1mb >"$T/redis.out"
	sleep 2
	redis config set maxmemory 0 >"$T/redis.out"
done
wait $producer
ok "the worker lives, and reads to the end" wait_for 120 caught_up
has "it said what to do" "$(cat "$T/worker.log")" 'raise maxmemory'
ok "it ends on SIGTERM" stop $worker
settled_report "$T/got.csv"
same_file "nothing was lost, nothing counted twice" "$T/got.csv" "$T/want.csv"
finish
