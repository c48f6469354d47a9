#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: a group grows from one process to six and shrinks to one again while records come, each process in a network namespace of its
# own; one joins or leaves (by SIGTERM, by kill -9) while another is cut off from Kafka, from Redis or from both for longer than its
# session lasts, and comes back; once with the partitions shared anew each time, once cooperatively
# Compared: the figures, with an undisturbed replay of the file, byte for byte
#
# SEED=N repeats who was cut off from what.

# All the networks are in a namespace of this test, and go with it. No address of the machine is used.
[ -n "${IN_NETWORK:-}" ] || ! unshare --net --mount true 2>/dev/null || exec env IN_NETWORK=yes unshare --net --mount "$0" "$@"
. "$(dirname "$0")/../lib.sh"
[ -n "${IN_NETWORK:-}" ] || skip_all "no network namespaces: run it as root"
command -v bridge >/dev/null || skip_all "no ip and bridge: apt-get install iproute2"

# A bridge to Kafka (10.99.1.1) and one to Redis (10.99.2.1). A process has a link to each; a link that is disabled at the bridge
# drops everything without a word, and stays up for the process.
make_networks() { # PROCESSES
	local i to
	mount -t tmpfs tmpfs /run && mkdir -p /run/netns && ip link set lo up || return 1
	for to in 1 2; do
		ip link add "bridge$to" type bridge && ip addr add "10.99.$to.1/24" dev "bridge$to" && ip link set "bridge$to" up || return 1
	done
	for i in $(seq 0 $(($1 - 1))); do
		ip netns add "net$i" && ip -n "net$i" link set lo up || return 1
		for to in 1 2; do
			ip link add "link$i$to" type veth peer name "eth$to" netns "net$i" && ip link set "link$i$to" master "bridge$to" up &&
				ip -n "net$i" addr add "10.99.$to.$((10 + i))/24" dev "eth$to" && ip -n "net$i" link set "eth$to" up || return 1
		done
	done
}
link_state() { # PROCESS NETWORKS STATE
	local to
	for to in $2; do bridge link set dev "link$1$to" state "$3"; done
}
# Redis closes the connections of a process that it does not hear; the process learns of it when it is heard again.
forget() { # PROCESS
	redis client list | grep -oE " addr=10\.99\.2\.$((10 + $1)):[0-9]+" | sort -u | while IFS== read -r _ address; do redis client kill addr "$address" >/dev/null; done
}
cut_off() { link_state "$1" "$2" 0; }
reconnect() { link_state "$1" "$2" 3; }

eval "plain_$(declare -f kafka_properties)"
kafka_properties() { plain_kafka_properties "$@" | sed "s|^listeners=PLAINTEXT://127.0.0.1|listeners=PLAINTEXT://0.0.0.0|; s|^advertised.listeners=PLAINTEXT://127.0.0.1|advertised.listeners=PLAINTEXT://10.99.1.1|"; }

enter() { # PROCESS
	start "$strategy$1" ip netns exec "net$1" "$nowcast" run --config "$T/nowcast.conf"
	pids[$1]=$pid
}
leave() { # PROCESS SIGNAL
	if [ "$2" = KILL ]; then kill -KILL "${pids[$1]}"; else ok "$strategy: process $1 ends on SIGTERM while another is cut off" stop "${pids[$1]}"; fi
	unset "pids[$1]"
}
choose() { # [PROCESS]: sets chosen to one that runs, not that one
	local all=("${!pids[@]}")
	while chosen=${all[RANDOM % ${#all[@]}]} && [ "$chosen" = "${1:-}" ]; do :; done
}

# One joins (+) or leaves (-, !: by kill -9) while another is cut off from the networks given.
step() { # CHANGE NETWORKS
	local victim
	choose
	victim=$chosen
	cut_off "$victim" "$2"
	sleep 0.5
	case $1 in
	+) enter "${#pids[@]}" ;;
	-) choose "$victim" && leave "$chosen" TERM ;;
	!) choose "$victim" && leave "$chosen" KILL ;;
	esac
	sleep 2.5
	[ "$2" = 1 ] || forget "$victim"
	sleep 0.5
	reconnect "$victim" "$2"
	sizes="$sizes ${#pids[@]}"
	sleep 1
}

# Six processes come and go while the world is produced; the last reads to the end.
come_and_go() { # STRATEGY
	local networks change producer i
	strategy=$1 sizes=1 pids=()
	redis_host=10.99.2.1
	start_redis
	start_kafka 6
	broker_kind=kafka
	write_config "$T/nowcast.conf" "kafka.partition.assignment.strategy = $strategy"
	sed -i "s|^brokers = .*|brokers = 10.99.1.1:$kafka_port|" "$T/nowcast.conf"
	enter 0
	produce -p 6 -r "$rate" "$world/stream.ndjson" >"$T/produced" 2>&1 &
	producer=$!
	sleep 2
	networks=(1 2 "1 2") i=0
	for change in + + + + + - ! - ! -; do
		step "$change" "${networks[$((i++ % 3))]}"
	done
	diag "$strategy: processes in the group: $sizes"
	is "$strategy: one to six processes" "$(tr ' ' '\n' <<<"$sizes" | sort -u | paste -sd' ')" "1 2 3 4 5 6"
	ok "$strategy: records came all the time" alive $producer
	wait $producer
	is "$strategy: everything was produced" "$(cat "$T/produced")" "$(wc -l <"$world/stream.ndjson")"
	ok "$strategy: the last one reads to the end" wait_for 120 caught_up
	sleep 6 # Redis is asked every five seconds whether it has what was read
	ok "$strategy: and stays there" wait_for 60 caught_up
	ok "$strategy: some lost their session with Kafka" test "$(said "$strategy" 'session timed out')" -gt 0
	ok "$strategy: some lost Redis" test "$(said "$strategy" 'the batch is kept and tried again')" -gt 0
	ok "$strategy: it ends on SIGTERM" stop "${pids[@]}"
	settled_report "$T/got.csv"
	same_file "$strategy: the figures are those of one replay, byte for byte" "$T/got.csv" "$T/want.csv"
	stop "$broker_pid" KILL
	kill_redis
	rm -rf "$T/kafka"
}
said() { grep -hE "$2" "$T/$1"[0-9].log | wc -l; } # STRATEGY PATTERN
kept='partitions revoked, [1-9][0-9]* assigned now'

kafka_libs >/dev/null || skip_all "no Apache Kafka: run deploy/install-deps --test"
RANDOM=${SEED:=$$}
diag "SEED=$SEED"
make_networks 6 || bail "cannot make the networks"
make_world --hours 1 --scale 0.1
reference "$world/stream.ndjson" "$T/want.csv"
rate=$(($(wc -l <"$world/stream.ndjson") / 75))
come_and_go cooperative-sticky
ok "cooperatively, a process keeps partitions while it gives up others" test "$(said cooperative-sticky "$kept")" -gt 0
come_and_go roundrobin
is "otherwise it gives up all" "$(said roundrobin "$kept")" 0
finish
