#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Keys for Redis Cluster: a server that refuses all work on keys which a cluster might keep apart takes the stream, the bill
# and the alerts, and they come to what they come to elsewhere. REDIS_CLUSTER=1 runs any other test so.
. "$(dirname "$0")/../lib.sh"

require "no libduckdb.so: run deploy/install-deps --duckdb" "$top/$B/tests/duck_sql" "SELECT 1"
make_world --hours 2 --scale 0.05
python3 tests/support/cur.py "$world/cur2" "$T/cur" until 2026-11-02T01:00:00Z >/dev/null

all_ways() { # NAME: of the server that was started last, into $T/NAME.*
	ok "$1: replay" "$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson"
	report "$T/$1.estimate"
	ok "$1: reconcile" "$nowcast" reconcile --redis "$REDIS_URL" "$T/cur"
	report "$T/$1.billed"
	ok "$1: alerts" "$nowcast" alert check --redis "$REDIS_URL" --now 2026-11-02T01:59:00Z
	"$nowcast" alert list --redis "$REDIS_URL" | sed 's/^[0-9a-f]* //' >"$T/$1.alerts"
	ok "$1: prices anew" "$nowcast" reprice --redis "$REDIS_URL" --from 2026-11-02
	is "$1: doctor finds nothing that does not work" "$("$nowcast" doctor --redis "$REDIS_URL" | grep -c "^FAIL")" 0
}

start_redis
all_ways plain
REDIS_CLUSTER=1 start_redis
is "the server is a cluster" "$(redis info cluster | tr -d '\r' | grep cluster_enabled)" cluster_enabled:1
all_ways cluster
for what in estimate billed alerts; do same_file "the same $what" "$T/cluster.$what" "$T/plain.$what"; done
is "nothing was refused" "$(redis info errorstats | grep -c errorstat_)" 0

# One master with a replica: any of them leads to the master, also after a failover.
first=$redis_port first_url=$REDIS_URL first_bus=$redis_cluster_port
redis flushall >/dev/null
REDIS_CLUSTER=1 start_redis
replica_url=$REDIS_URL
id=$(redis-cli -p "$first" cluster myid)
redis cluster flushslots >/dev/null
redis cluster meet 127.0.0.1 "$first" "$first_bus" >/dev/null
replicates() { redis cluster replicate "$id" | grep OK; }
follows() { redis info replication | grep master_link_status:up; }
ok "a replica joins" wait_for 20 replicates && wait_for 20 follows
half=$(($(wc -l <"$world/stream.ndjson") / 2))
ok "a replay by the URL of the replica" "$nowcast" replay --redis "$replica_url" <(head -n $half "$world/stream.ndjson")
has "goes to the master" "$("$nowcast" doctor --redis "$replica_url")" "at 127.0.0.1:$first \(127.0.0.1:$redis_port\)"
free_port
start serve "$nowcast" serve --redis "$replica_url" --listen "127.0.0.1:$port" --now 2026-11-02T01:59:00Z
serve=http://127.0.0.1:$port serve_pid=$pid
is_ready() { curl -sf "$serve/readyz" >"$T/ready"; }
ok "a server reads there, too" wait_for 20 is_ready
redis cluster failover >/dev/null
is_master() { redis info replication | grep role:master && redis-cli -p "$first" info replication | grep role:slave; }
ok "the replica takes the place of the master" wait_for 20 is_master
ok "a replay by the URL of the former master" "$nowcast" replay --redis "$first_url" <(tail -n +$((half + 1)) "$world/stream.ndjson")
ok "the server goes on" wait_for 20 is_ready
report "$T/moved.estimate" --redis "$first_url"
same_file "the same estimate after a failover" "$T/moved.estimate" "$T/plain.estimate"
stop "$serve_pid"
kill_redis

# Several masters are too many.
REDIS_CLUSTER=1 start_redis
first=$redis_port first_url=$REDIS_URL
redis cluster delslotsrange 8192 16383 >/dev/null
other=$redis_cluster_port
REDIS_CLUSTER=1 start_redis
redis cluster delslotsrange 0 8191 >/dev/null
redis cluster meet 127.0.0.1 "$first" "$other" >/dev/null
is_moved() { redis-cli -p "$first" zcard nowcast:signals | grep MOVED; }
ok "a second node takes half of the slots" wait_for 20 is_moved
"$nowcast" report --redis "$first_url" >"$T/half.txt" 2>&1
has "which nowcast says it needs on one" "$(cat "$T/half.txt")" "nowcast talks to one node that has all slots"
finish
