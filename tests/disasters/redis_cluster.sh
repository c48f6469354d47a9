#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A Redis Cluster of three masters with replicas, while two workers read: masters die and replicas that lagged take their
# place, older than what is committed; the slots of a master move to another; replays run through failovers. SHARDS=8 spreads the
# calls of each account and Region over eight slots (redis_cluster_shards.sh).
# Done: of a Redis Cluster under two workers, two masters are killed for replicas that lag by seconds, and all slots but one of the
# first move to another; a master is killed under a replay, and another for a replica that lags
# Compared: figures with those of one Redis; the replay that has lost something says so
. "$(dirname "$0")/../lib.sh"
skip_on_cluster "it makes one of its own"

make_world --hours 1 --scale 0.1
reference "$world/stream.ndjson" "$T/want.csv"
[ -z "${SHARDS:-}" ] || export NOWCAST_SHARDS=$SHARDS
spread() { # how many shards have calls, of the account and Region that is spread over most
	local i
	for i in "${!redis_ports[@]}"; do [ -z "${redis_pids[i]}" ] || at "$i" --scan --pattern 'nowcast:{*}:calls:*'; done |
		sed 's/}.*//' | sort -u | sed 's/~.*//' | uniq -c | sort -n | awk 'END { print $1 }'
}

at() { redis-cli -p "${redis_ports[$1]}" "${@:2}"; } # NODE COMMAND...
# A replica stands still: it may not log in to its master again.
fall_behind() { at "$1" config set masterauth wrong >/dev/null && at "$1" client kill type master >/dev/null; }
stands_still() { at "$1" info replication | grep -q master_link_status:down; }
is_master() { at "$1" info replication | grep -q role:master; }
is_whole() { # all nodes that live know of no slot without a master
	local i
	for i in "${!redis_ports[@]}"; do [ -z "${redis_pids[i]}" ] || at "$i" cluster info | grep -q cluster_state:ok || return 1; done
}
kill_node() { stop "${redis_pids[$1]}" KILL; redis_pids[$1]=; }
# How far the workers have read, as node 0 or another has it: copies of the position are in all.
positions() { at "$1" --scan --pattern 'nowcast:{*}:positions:*' | sort | while read -r key; do at "$1" hgetall "$key"; done; }
reads() { positions "$1" | grep -q .; }
lags() { [ "$(positions "$1")" != "$(at "$2" readonly >/dev/null; replica_positions "$2")" ]; }
replica_positions() { at "$1" --scan --pattern 'nowcast:{*}:positions:*' | sort | while read -r key; do printf 'readonly\nhgetall %s\n' "$key" | at "$1" | tail -n +2; done; }
mark() { cat "$T/one.log" "$T/two.log" | grep -c 'Reading again'; }
goes_back() { [ "$(mark)" -gt "$1" ]; }
is_left() { at 0 cluster nodes | grep ":${redis_ports[$1]}@.* 10921$"; }

start_redis_cluster 1
start_broker 4
write_config "$T/nowcast.conf" "batch.interval = 200ms"
start_two_workers
split -n l/2 "$world/stream.ndjson" "$T/part."
for master in 1 2; do
	produce -p 4 -r 100 "$T/part.a$([ "$master" = 1 ] && echo a || echo b)" >"$T/produced" 2>&1 &
	producer=$!
	replica=$((master + 3))
	ok "master $master: the workers read" wait_for 60 reads "$master"
	before=$(mark)
	fall_behind $replica
	ok "master $master: its replica stands still" wait_for 10 stands_still $replica
	sleep 2
	ok "master $master: it has more than the replica" wait_for 20 lags "$master" $replica
	kill_node "$master"
	ok "master $master: the replica takes its place" wait_for 30 is_master $replica
	ok "master $master: the cluster is whole" wait_for 30 is_whole
	ok "master $master: the workers go back" wait_for 30 goes_back "$before"
	if [ "$master" = 1 ]; then
		from=$(at $replica cluster myid) to=$(at 0 cluster myid)
		ok "its slots move to another master" redis-cli --cluster reshard "127.0.0.1:${redis_ports[0]}" --cluster-from "$from" \
			--cluster-to "$to" --cluster-slots 5460 --cluster-pipeline 20 --cluster-yes
		ok "all but one, for which it has a vote" wait_for 20 is_left $replica
	fi
	wait $producer
done
REDIS_URL=redis://127.0.0.1:${redis_ports[0]}
is "calls are spread over so many shards" "$(spread)" "${SHARDS:-1}"
workers_end_whole "$one" "$two"
has "doctor counts no message as lost" "$("$nowcast" doctor --config "$T/nowcast.conf" | grep kafka)" '^ok +kafka'
for i in "${!redis_ports[@]}"; do [ -z "${redis_pids[i]}" ] || kill_node "$i"; done

# A replay has nothing to go back to: it says what it has lost, and is run again.
stream() { for _ in $(seq 12); do perl -ne '$| = 1; print; select(undef, undef, undef, 0.03) if $. % 240 == 0' "$world/stream.ndjson"; done; }
replays() { stream | "$nowcast" replay --batch-bytes 1MiB --redis "$REDIS_URL" - >"$T/replay.log" 2>&1; }
writes() { at 1 dbsize | grep -qv '^0$'; }
start_redis_cluster 1
replays &
replay=$!
ok "a replay writes" wait_for 30 writes
kill_node 1
ok "it goes on with the replica that takes the place of a master" wait $replay
is "its calls are spread over so many shards" "$(spread)" "${SHARDS:-1}"
report "$T/got.csv"
same_file "and comes to the same" "$T/got.csv" "$T/want.csv"
replays &
replay=$!
fall_behind 5
ok "the replica of another stands still" wait_for 10 stands_still 5
sleep 3
kill_node 2
fails 1 "a replay of which a replica has lost a part fails" wait $replay
has "and says so" "$(cat "$T/replay.log")" "Redis has lost part of what this replay wrote .*run the replay again"
ok "run again" "$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson"
report "$T/got.csv"
same_file "it comes to the same" "$T/got.csv" "$T/want.csv"
finish
