#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A replica that lagged takes the place of the Redis it followed, while two workers read: it lacks what both of them have
# committed since. They go back to where it is.
# Done: a replica that lagged by some seconds is promoted under two workers in flight, twice
# Compared: figures with one undisturbed replay
. "$(dirname "$0")/../lib.sh"
skip_on_cluster "redis_cluster.sh does this to one"

make_world --hours 1 --scale 0.1
reference "$world/stream.ndjson" "$T/want.csv"

start_replica() { # of the Redis in use; it is on $replica_port
	free_port
	replica_port=$port
	mkdir -p "$T/replica-$port"
	start "replica" "$redis_program" --bind 127.0.0.1 --port "$port" --dir "$T/replica-$port" --save '' --appendonly no --replicaof 127.0.0.1 "$redis_port"
	replica_pid=$pid
	wait_for 20 follows || bail "the replica does not follow"
}
replica() { redis-cli -p "$replica_port" "$@"; }
follows() { replica info replication | grep -q 'master_link_status:up'; }
# The replica stands still from now on; later it takes the place of the other, on its port.
fall_behind() { replica replicaof no one >/dev/null; }
promote() {
	replica save >/dev/null
	kill_redis
	cp "$T/replica-$replica_port/dump.rdb" "$(node_dir 0)/dump.rdb"
	kill -KILL "$replica_pid"
	restart_redis
}
# How far the workers have read, as a Redis has it.
positions() { "$1" --raw keys 'nowcast:positions:*' | sort | while read -r key; do "$1" hgetall "$key"; done; }
reads() { positions redis | grep -q .; }
lags() { [ "$(positions redis)" != "$(positions replica)" ]; }
mark() { cat "$T/one.log" "$T/two.log" | grep -c 'Reading again'; }
goes_back() { [ "$(mark)" -gt "$1" ]; }

start_redis
start_broker 4
write_config "$T/nowcast.conf" "batch.interval = 200ms"
start_replica
start_two_workers
produce -p 4 -r 150 "$world/stream.ndjson" >"$T/produced" 2>&1 &
producer=$!
for round in 1 2; do
	ok "round $round: the workers read" wait_for 60 reads
	before=$(mark)
	fall_behind
	ok "round $round: more than the replica has" wait_for 60 lags
	sleep 2
	promote
	ok "round $round: the workers go back" wait_for 30 goes_back "$before"
	start_replica
done
wait $producer
workers_end_whole "$one" "$two"
finish
