#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: the broker is killed -9 in flight and comes back; a worker starts without one
# Compared: the figures, with an undisturbed replay of the file, byte for byte
# In: make test
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.1
reference "$world/stream.ndjson" "$T/want.csv"

start_redis
start_broker 4
write_config "$T/nowcast.conf"
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
produce -p 4 -r 600 -X retry.backoff.ms=200 "$world/stream.ndjson" >"$T/produced" 2>&1 &
producer=$!
sleep 3
broker_down
sleep 4
ok "a worker outlives its broker" alive $worker
broker_up
wait $producer
is "everything was produced in the end" "$(tail -n 1 "$T/produced")" "$(wc -l <"$world/stream.ndjson")"
ok "the worker reads to the end" wait_for 120 caught_up
ok "it ends on SIGTERM" stop $worker
settled_report "$T/got.csv"
same_file "nothing was lost, nothing counted twice" "$T/got.csv" "$T/want.csv"

broker_down
start early "$nowcast" run --config "$T/nowcast.conf"
early=$pid
sleep 3
ok "a worker that starts without a broker waits for it" alive $early
has "and says so" "$(cat "$T/early.log")" 'level=(warn|error).*([Kk]afka|broker|[Cc]onnect)'
ok "it ends on SIGTERM all the same" stop $early
finish
