#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The test of convergence on a Redis Cluster: whatever the order of the records, however often they come and over however many shards,
# the figures are the same, while masters and replicas change places. redis_cluster.sh kills masters.
# Done: random records in any order, repeated and late, over 1, 2 and 8 shards, are written to a Redis Cluster of three masters; every
# few seconds a replica takes the place of its master
# Compared: figures of each round with those of the same records in order on one shard, byte for byte; tokens with what was given
. "$(dirname "$0")/../lib.sh"
skip_on_cluster "it makes one of its own"

at() { redis-cli -p "${redis_ports[$1]}" "${@:2}"; } # NODE COMMAND...
is_master() { at "$1" info replication | grep -q role:master; }
is_level() { at "$1" info replication | grep -q master_link_status:up; }
start_redis_cluster 1
start convergence env NOWCAST_TEST_REDIS="$REDIS_URL" NOWCAST_ROUNDS="${ROUNDS:-6}" "$top/$B/tests/unit/convergence_test"
test=$pid changes=0
while alive "$test"; do
	for master in 0 1 2; do
		node=$((master + 3))
		! is_master $node || node=$master
		wait_for 20 is_level $node
		at $node cluster failover >/dev/null
		! wait_for 20 is_master $node || changes=$((changes + 1))
		sleep 1
	done
done
wait "$test"
result $? "the test of convergence, on three masters" || grep -A2 -E '^(not ok|Bail)' "$T/convergence.log" | sed 's/^/# /'
diag "$(grep -c '^ok' "$T/convergence.log") of its checks; $changes times a replica took the place of its master; $(grep 'tried again' "$T/convergence.log" | tr -d '#')"
ok "masters and replicas changed places" test "$changes" -gt 3
for shards in 1 2 8; do ok "figures over $shards shards are the same" grep -qE "^ok .*round [0-9]+: .*[^0-9]$shards shards" "$T/convergence.log"; done
finish
