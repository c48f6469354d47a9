#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A Redis Cluster of three masters with replicas under a daemon that reads AWS's APIs: masters die and replicas that lagged take their
# place. The copies of the positions of the sources tell how far each master has it, and the daemon reads again from there.
# Done: of a Redis Cluster under a daemon that reads AWS's APIs, each master in turn is killed for a replica that lags
# Compared: figures with a replay of the same records into one Redis
. "$(dirname "$0")/../lib.sh"
skip_on_cluster "it makes one of its own"

by=(--by hour,account,region,model,principal,token_type) # a replay of the records does not know the tags
start_redis
start_aws 150 --hours 1 --scale 0.03 --log-share 0.2
aws_reference "$T/want.csv" "${by[@]}"
kill_redis

at() { redis-cli -p "${redis_ports[$1]}" "${@:2}"; } # NODE COMMAND...
fall_behind() { at "$1" config set masterauth wrong >/dev/null && at "$1" client kill type master >/dev/null; } # a replica
stands_still() { at "$1" info replication | grep -q master_link_status:down; }
is_master() { at "$1" info replication | grep -q role:master; }
is_whole() {
	local i
	for i in "${!redis_ports[@]}"; do [ -z "${redis_pids[i]}" ] || at "$i" cluster info | grep -q cluster_state:ok || return 1; done
}
# How far the sources are read, as the copies of a node have it.
copies() { at "$1" --scan --pattern 'nowcast:{*}:sources' | sort | while read -r key; do printf 'readonly\nhgetall %s\n' "$key" | at "$1" | tail -n +2; done; }
has_more() { [ "$(copies "$1")" != "$(copies "$2")" ]; }
# Whether every copy that is left says so, of the nine sources that have something to read (aws_is_read looks at the status alone).
all_is_read() {
	local i until=$(($(date +%s) - 80 * 60))000
	for i in "${!redis_ports[@]}"; do
		[ -n "${redis_pids[i]}" ] || continue
		copies "$i" | paste - - | awk -v until="$until" '
			/^(cloudtrail|metrics|logs) (111122223333\/us-(east-1|west-2)|444455556666\/us-east-1)\t/ { n[$1 $2]++; if ($3 <= until) late++ }
			END { exit !(length(n) == 9 && !late) }' || return 1
	done
}
mark() { grep -c 'APIs are read again' "$T/daemon.log"; }
goes_back() { [ "$(mark)" -gt "$1" ]; }

start_redis_cluster 1
REDIS_CLUSTER=3 # `redis` asks any node from now on
cat >"$T/conf" <<C
redis = $REDIS_URL
sources = aws
regions = us-east-1, us-west-2
accounts = own, arn:aws:iam::444455556666:role/nowcast
aws.since = 3h
aws.every = 1s
aws.cost_max = 0
alerts = false
C
ok "check-config has no complaint" "$nowcast" check-config --config "$T/conf"
start daemon "$nowcast" run --config "$T/conf"
daemon=$pid
for master in 0 1 2; do
	replica=$((master + 3)) redis_port=${redis_ports[(master + 1) % 3]}
	[ -n "${redis_pids[(master + 1) % 3]}" ] || redis_port=${redis_ports[(master + 1) % 3 + 3]}
	reads() { [ -n "$(copies "$master")" ]; }
	ok "master $master: the daemon reads" wait_for 60 reads
	before=$(mark)
	fall_behind $replica
	ok "master $master: its replica stands still" wait_for 10 stands_still $replica
	ok "master $master: it has more than the replica" wait_for 30 has_more "$master" $replica
	sleep 2
	stop "${redis_pids[master]}" KILL
	redis_pids[master]=
	ok "master $master: the replica takes its place" wait_for 40 is_master $replica
	ok "master $master: the cluster is whole" wait_for 30 is_whole
	ok "master $master: the daemon goes back" wait_for 40 goes_back "$before"
done
REDIS_URL=redis://127.0.0.1:$redis_port
ok "all is read" wait_for 120 all_is_read
has "doctor says that what was brought by hand is gone" "$("$nowcast" doctor --redis "$REDIS_URL")" '^warn +lost +at 20.* Redis had lost what was written to it'
ok "the daemon ends on SIGTERM" stop "$daemon"
settled_report "$T/got.csv" "${by[@]}"
same_file "nothing is missing" "$T/got.csv" "$T/want.csv"
finish
