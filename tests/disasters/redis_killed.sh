#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: Redis is away when a worker starts, and is killed -9 twice in flight; it keeps what it has said yes to
# Compared: the figures, with an undisturbed replay of the file, byte for byte
# In: make test
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.1
reference "$world/stream.ndjson" "$T/want.csv"

start_redis durable
kill_redis
start_broker 4
write_config "$T/nowcast.conf"
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
produce -p 4 -r 600 "$world/stream.ndjson" >"$T/produced" 2>&1 &
producer=$!
sleep 2
ok "a worker outlives a Redis that is away at its start" alive $worker
restart_redis
for node in "" "$(node_of 'nowcast:{111122223333/us-east-1}')"; do # all, then the one with that account
	sleep 2
	kill_redis $node
	sleep 2
	restart_redis
done
ok "and one that is killed in flight" alive $worker
wait $producer
ok "it reads to the end" wait_for 120 caught_up
has "it said what it was waiting for" "$(cat "$T/worker.log")" '[Rr]edis'
ok "it ends on SIGTERM" stop $worker
settled_report "$T/got.csv"
same_file "nothing was lost, nothing counted twice" "$T/got.csv" "$T/want.csv"
finish
