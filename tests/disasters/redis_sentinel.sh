#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Redis Sentinel makes a replica the master while two workers write, twice: after a kill -9 of the master, and by hand, when the former
# master goes on as a replica and refuses to be written to. VALKEY=1: the same with Valkey.
# Done: the master is killed, then demoted, under two workers in flight; three sentinels
# Compared: figures with one undisturbed replay
. "$(dirname "$0")/../lib.sh"
skip_on_cluster "sentinels are for one master"

make_world --hours 1 --scale 0.1
reference "$world/stream.ndjson" "$T/want.csv"

start_sentinels 3
master=$redis_port
REDIS_URL=redis+sentinel://$sentinels/figures
start_broker 4
write_config "$T/nowcast.conf" "batch.interval = 200ms"
start_two_workers
produce -p 4 -r 150 "$world/stream.ndjson" >"$T/produced" 2>&1 &
producer=$!

position() { redis-cli -p "$1" --raw keys 'nowcast:positions:*' | sort | while read -r key; do redis-cli -p "$1" hgetall "$key"; done; }
writes_to() { [ -n "$(position "$1")" ]; }
moves_on() { [ "$(position "$1")" != "$2" ]; }
ok "the workers write to the master" wait_for 60 writes_to "$master"
sleep 2
kill_redis
ok "the replica becomes master" wait_for 30 replica_is_master
ok "and the workers write to it" wait_for 30 moves_on "$replica_port" "$(position "$replica_port")"

# The dead one comes back, as a replica.
restart_redis
follows() { redis-cli -p "$master" info replication | grep -q 'master_link_status:up'; }
ok "the former master follows the new one" wait_for 30 follows
orders() { sentinel sentinel failover figures >"$T/failover"; grep -q OK "$T/failover"; } # refused while they think it is down
ok "the sentinels take an order to change them" wait_for 30 orders
is_back() { [ "$(sentinel_master)" = "$master" ] && redis-cli -p "$master" info replication | grep -q role:master; }
ok "it becomes the master again, by hand" wait_for 30 is_back
ok "and the workers write to it" wait_for 30 moves_on "$master" "$(position "$master")"
wait $producer
workers_end_whole "$one" "$two"
diag "$(cat "$T/one.log" "$T/two.log" | grep -c 'Reading again') times a worker went back to where Redis was"
finish
