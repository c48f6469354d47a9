# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What a shell test stands on: TAP output, a temporary folder of its own, and private servers that end with it.
#
#     . tests/lib.sh
#     start_redis; start_broker 8
#     ok "it runs" build/nowcast report --redis "$REDIS_URL"
#     finish
#
# Everything started here listens on loopback only, on a port that was free, writes below $T only, and dies with the test:
# after success and failure and on ^C by the trap, and when the test itself is killed -9 because the kernel passes it on
# (setpriv --pdeathsig). What such a death leaves in $TMPDIR, the next test sweeps. So never call a start_* function in
# a subshell or in $(...): the server would die with that. Results come back in variables.
#
# Variables a caller may set: B (build folder), SHARED (where the worlds are made: ../shared), KAFKA_HOME, NOWCAST_BROKER=mock|kafka (which broker start_broker takes),
# VALKEY=1 or REDIS_SERVER=path (which server start_redis runs), REDIS_CLUSTER=1 (as a cluster of one node) or 3 (of three masters), KEEP=1 (leave $T for inspection), KAFKA_HEAP (256m).

set -u
export LC_ALL=C TZ=UTC PYTHONDONTWRITEBYTECODE=1
export NOWCAST_PRICES_DIR= # prices that were imported on this machine have no say in a test
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top" || exit 1
: "${B:=build}"
nowcast=$top/$B/nowcast
kafka_heap=${KAFKA_HEAP:-256m}

# --- TAP ---------------------------------------------------------------------------------------------------------------

tap_count=0 tap_failed=0

diag() { printf '%s\n' "$*" | sed 's/^/# /'; }

result() { # STATUS NAME
	tap_count=$((tap_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_count - $2"
	else
		echo "not ok $tap_count - $2"
		tap_failed=$((tap_failed + 1))
		return 1
	fi
}

ok() { # NAME COMMAND...: it succeeds
	local name=$1
	shift
	"$@" >"$T/ok.out" 2>&1
	local status=$?
	result $status "$name" || { diag "status $status from: $*"; tail -n 20 "$T/ok.out" | sed 's/^/# /'; return 1; }
}

fails() { # STATUS NAME COMMAND...: it ends with that status; what it said is in $T/out and $T/err
	local want=$1 name=$2
	shift 2
	"$@" >"$T/out" 2>"$T/err"
	local status=$?
	[ $status = "$want" ]
	result $? "$name" || { diag "status $status, not $want, from: $*"; tail -n 10 "$T/err" | sed 's/^/# /'; return 1; }
}

is() { # NAME GOT WANT
	[ "$2" = "$3" ]
	result $? "$1" || { diag "got  '$2'"; diag "want '$3'"; return 1; }
}

has() { # NAME TEXT EXTENDED-REGEX
	grep -Eq -- "$3" <<<"$2"
	result $? "$1" || { diag "no match for: $3"; diag "in: $2"; return 1; }
}

same_file() { # NAME GOT WANT: byte for byte, and not empty
	[ -s "$3" ] && cmp -s "$2" "$3"
	result $? "$1" || { diag "$2 has $(wc -l <"$2") lines, $3 has $(wc -l <"$3"); their first differences:"; diff "$2" "$3" | head -n 20 | sed 's/^/# /'; return 1; }
}

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

# What a test cannot do without: skipped where that may be, a failure in CI.
require() { # WHY COMMAND...
	local why=$1
	shift
	"$@" >/dev/null 2>&1 && return
	[ "${CI:-}" = true ] || skip_all "$why"
	bail "$why"
}

# This test cannot go on. (TAP's own "Bail out!" would end the tests after it, too.)
bail() {
	result 1 "it could go on: $*"
	echo "1..$tap_count"
	exit 1
}

finish() {
	echo "1..$tap_count"
	exit $((tap_failed > 0))
}

# --- temporary folder, and the end of everything ---------------------------------------------------------------------

sweep() { # folders of tests that are no more
	local dir owner
	for dir in "${TMPDIR:-/tmp}"/nowcast-test.*; do
		owner=$(cat "$dir/.pid" 2>/dev/null) || continue
		[ -O "$dir" ] && [ -n "$owner" ] && ! [ -d "/proc/$owner" ] && rm -rf "$dir"
	done
}

sweep
T=$(mktemp -d "${TMPDIR:-/tmp}/nowcast-test.XXXXXX") || exit 1
began=$(date +%s) # see at_time
echo $$ >"$T/.pid"
started=()

clean_up() {
	local status=$? pid
	trap - EXIT INT TERM HUP
	for pid in "${started[@]}"; do ! ours "$pid" || kill -KILL "$pid" 2>/dev/null; done
	wait 2>/dev/null
	if [ -n "${KEEP:-}" ]; then diag "left for you: $T"; else rm -rf "$T"; fi
	exit $status
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- processes -------------------------------------------------------------------------------------------------------

# Starts a command in the background; its output goes to $T/NAME.log. Its process id is in $pid.
start() { # NAME COMMAND...
	local name=$1
	shift
	setpriv --pdeathsig KILL "$@" >>"$T/$name.log" 2>&1 </dev/null &
	pid=$!
	disown $pid
	started+=("$pid")
}

# A number is given to another process after some time: only a child of this shell is what was started.
ours() { grep -q "^PPid:[[:space:]]*$$\$" "/proc/$1/status" 2>/dev/null; }

alive() { grep -q '^State:.[^Z]' "/proc/$1/status" 2>/dev/null; }

# Sends a signal and waits until the process is gone; what does not go in 30 s is killed, and that is a failure.
stop() { # PID [SIGNAL]
	kill "-${2:-TERM}" "$1" 2>/dev/null || return 0
	wait_for 30 gone "$1" && return
	diag "process $1 did not end on ${2:-TERM}: killed"
	kill -KILL "$1"
	return 1
}
gone() { ! alive "$1"; }

# Tries a command each 0.1 s until it succeeds.
wait_for() { # SECONDS COMMAND...
	local until=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.1
	done
}

listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Sets $port: one on which nobody listens, nor will; tests that run beside this one note theirs likewise.
free_port() {
	until
		port=$((20000 + RANDOM % 12000))
		echo $port >>"$T/.ports"
		! listens $port && [ "$(cat "${T%/*}"/nowcast-test.*/.ports 2>/dev/null | grep -cx $port)" = 1 ]
	do :; done
}

# --- Redis -----------------------------------------------------------------------------------------------------------

redis_binary() {
	if [ -n "${REDIS_SERVER:-}" ]; then echo "$REDIS_SERVER"
	elif [ -n "${VALKEY:-}" ]; then valkey_binary
	else echo redis-server; fi
}

valkey_binary() { # prints where it is
	command -v valkey-server || compgen -G "${XDG_CACHE_HOME:-$HOME/.cache}/nowcast/valkey-*/valkey-server" | head -n 1 | grep .
}

# What is of a server and not of a key goes to all masters of a cluster.
redis() {
	local first=${1:-} # none: commands come by the standard input
	case "${REDIS_CLUSTER:-} ${first,,}" in
	"3 acl" | "3 bgrewriteaof" | "3 client" | "3 config" | "3 flushall" | "3 keys" | "3 --scan" | "3 script") on_all_nodes "$@" ;;
	3*) redis_cli -c -p "$redis_port" "$@" ;;
	*) redis_cli -p "$redis_port" "$@" ;;
	esac
}
redis_cli() { redis-cli ${redis_tls:+--tls --cacert "$REDIS_CA"} "$@"; }
on_all_nodes() { # COMMAND...: at every node that answers
	local node
	for node in "${redis_ports[@]}"; do redis_cli -p "$node" "$@" 2>/dev/null; done
}

# Node NUMBER of what start_redis or start_redis_cluster began: port, process, its own arguments (words), and the folder.
redis_ports=() redis_pids=() redis_nodes=()
node_dir() { echo "$T/redis-${redis_ports[$1]}"; }
node_up() { [ "$(redis_cli -p "${redis_ports[$1]}" ping 2>/dev/null)" = PONG ]; }
start_node() { # NUMBER
	mkdir -p "$(node_dir "$1")"
	# shellcheck disable=SC2086 # words
	start redis "$redis_program" --bind 127.0.0.1 $redis_host --dir "$(node_dir "$1")" --save '' --daemonize no --loglevel warning \
		${redis_nodes[$1]} "${redis_arguments[@]}"
	redis_pids[$1]=$pid
	wait_for 10 node_up "$1" || { tail -n 5 "$T/redis.log" | sed 's/^/# /'; bail "$redis_program does not start"; }
}
node_of() { # KEY: prints the number of the master that has it
	local slot=0
	[ "${REDIS_CLUSTER:-}" != 3 ] || slot=$(redis cluster keyslot "$1")
	echo $((slot < 5461 ? 0 : slot < 10922 ? 1 : 2))
}

# For each start: without nodes yet, for clients in the clear. With `durable`, what Redis has said yes to outlives kill -9.
# An address in redis_host is listened on beside loopback, and is the one that the nodes of a cluster give to clients.
redis_host=
prepare_redis() { # [durable]
	redis_program=$(redis_binary)
	command -v "$redis_program" >/dev/null || bail "no ${VALKEY:+valkey-server or }redis-server: run deploy/install-deps --test"
	redis_ports=() redis_pids=() redis_nodes=() redis_tls=
	redis_arguments=(--appendonly no)
	[ "${1:-}" != durable ] || redis_arguments=(--appendonly yes --appendfsync always)
	[ -z "$redis_host" ] || redis_arguments+=(--protected-mode no)
}

# A Redis of our own: sets REDIS_URL, redis_port, redis_pid. A second call starts a second one; the variables then name that.
# With REDIS_CLUSTER=3 it is a cluster of three masters, and they name the first.
start_redis() { # [durable]
	[ "${REDIS_CLUSTER:-}" != 3 ] || { start_redis_cluster 0 "$@"; return; }
	prepare_redis "$@"
	free_port
	redis_port=$port redis_ports=("$port") redis_nodes=("--port $port")
	REDIS_URL=redis://${redis_host:-127.0.0.1}:$port
	if [ -n "${REDIS_CLUSTER:-}" ]; then
		free_port
		redis_cluster_port=$port
		redis_nodes[0]+=" --cluster-enabled yes --cluster-port $port"
	fi
	start_node 0
	redis_pid=${redis_pids[0]}
	[ -z "${REDIS_CLUSTER:-}" ] || redis_takes_all_slots || bail "$redis_program makes no cluster"
}

redis_takes_all_slots() { redis cluster addslotsrange 0 16383 >/dev/null && wait_for 10 redis_cluster_up; }
redis_cluster_up() { redis cluster info | grep -q cluster_state:ok; }

# A Redis Cluster of three masters, each with so many replicas: sets REDIS_URL, redis_port and redis_pid (of the first), redis_ports and
# redis_pids, the masters before the replicas. Replica i of master m is number 3 i + m. With tls=1 before it, behind TLS (see start_redis_tls).
start_redis_cluster() { # [REPLICAS [durable]]
	local i ids=() bus=() listen=--port host=${redis_host:-127.0.0.1}
	prepare_redis "${2:-}"
	redis_arguments+=(--cluster-enabled yes --cluster-node-timeout 5000 --cluster-announce-ip "$host" --repl-diskless-sync-delay 0)
	[ -z "${tls:-}" ] || { redis_arguments+=("${redis_tls_arguments[@]}" --tls-cluster yes --tls-replication yes); listen="--port 0 --tls-port"; }
	redis_tls=${tls:-}
	for i in $(seq 0 $((3 * (1 + ${1:-0}) - 1))); do
		free_port; bus+=("$port")
		free_port; redis_port=$port redis_ports+=("$port") redis_nodes+=("$listen $port --cluster-port ${bus[i]}")
		start_node "$i"
		ids+=("$(redis cluster myid)")
		[ "$i" -gt 2 ] || redis cluster addslotsrange $((i * 5461)) $((i == 2 ? 16383 : i * 5461 + 5460)) >/dev/null
		redis cluster set-config-epoch $((i + 1)) >/dev/null
		[ "$i" = 0 ] || redis cluster meet "$host" "${redis_ports[0]}" "${bus[0]}" >/dev/null
	done
	for redis_port in "${redis_ports[@]}"; do wait_for 20 redis_knows ${#ids[@]} || bail "the nodes do not meet"; done
	for i in $(seq 3 $((${#ids[@]} - 1))); do
		redis_port=${redis_ports[i]}
		redis cluster replicate "${ids[i % 3]}" >/dev/null || bail "no replica"
	done
	for redis_port in "${redis_ports[@]}"; do wait_for 20 redis_cluster_whole "$((${#ids[@]} - 3))" || bail "no cluster"; done
	redis_port=${redis_ports[0]} redis_pid=${redis_pids[0]}
	REDIS_URL=redis${tls:+s}://$host:$redis_port
}
redis_knows() { redis cluster info | tr -d '\r' | grep -q "^cluster_known_nodes:$1$"; }
redis_cluster_whole() { # REPLICAS: it knows so many, and follows if it is one
	redis_cluster_up && [ "$(redis cluster nodes | grep -c slave)" = "$1" ] && { redis info replication | grep -qE 'role:master|master_link_status:up'; }
}
skip_on_cluster() { # WHY: what a script does to Redis cannot be done to a cluster, or it makes one of its own
	[ "${REDIS_CLUSTER:-}" != 3 ] || skip_all "on a cluster: $1"
}

# A master, its replica and sentinels that watch them under the name `figures`: sets redis_port and redis_pid (of the master),
# replica_port, replica_pid, sentinels ("host:port,host:port").
start_sentinels() { # NUMBER
	local i
	start_redis
	free_port
	replica_port=$port
	mkdir -p "$T/replica"
	start replica "$redis_program" --bind 127.0.0.1 --port "$port" --dir "$T/replica" --save '' --appendonly no \
		--repl-diskless-sync-delay 0 --replicaof 127.0.0.1 "$redis_port"
	replica_pid=$pid
	wait_for 20 replica_follows || bail "the replica does not follow"
	sentinels=
	for i in $(seq "$1"); do
		free_port
		printf '%s\n' "port $port" "bind 127.0.0.1" "dir $T" "sentinel monitor figures 127.0.0.1 $redis_port $(($1 / 2 + 1))" \
			"sentinel down-after-milliseconds figures 1000" "sentinel failover-timeout figures 5000" >"$T/sentinel-$i.conf"
		start "sentinel-$i" "$redis_program" "$T/sentinel-$i.conf" --sentinel
		sentinels=$sentinels${sentinels:+,}127.0.0.1:$port
	done
	for i in ${sentinels//,/ }; do wait_for 20 sentinel_knows "${i#*:}" $(($1 - 1)) || bail "the sentinels do not meet"; done
}
replica_follows() { redis-cli -p "$replica_port" info replication | grep -q 'master_link_status:up'; }
sentinel() { redis-cli -p "${sentinels##*:}" "$@"; }
sentinel_knows() { # PORT OTHERS: it knows the replica and so many other sentinels
	local is
	is=$(redis-cli -p "$1" sentinel master figures | paste - -)
	grep -q "num-slaves[[:space:]]1$" <<<"$is" && grep -q "num-other-sentinels[[:space:]]$2$" <<<"$is"
}
sentinel_master() { sentinel sentinel get-master-addr-by-name figures | tail -n 1; } # prints its port
replica_is_master() { [ "$(sentinel_master)" = "$replica_port" ] && redis-cli -p "$replica_port" info replication | grep -q role:master; }
replica_is_level() { # it has all that the master has
	local has
	has=$(redis-cli -p "$replica_port" info replication | tr -d '\r' | sed -n 's/^slave_repl_offset://p')
	[ -n "$has" ] && redis info replication | tr -d '\r' | grep -q "^master_repl_offset:$has$"
}
# By hand, with nothing lost: until the former master is a replica, another sentinel may still send a client to it.
fail_over() { wait_for 10 replica_is_level && sentinel sentinel failover figures | grep -q OK && wait_for 30 replica_is_master && wait_for 30 master_is_replica; }
master_is_replica() { redis info replication | grep -q role:slave; }

# The same behind TLS, with an authority made for the test: also sets REDIS_CA, for clients to trust.
# Always redis-server: a Valkey built without TLS is common.
start_redis_tls() {
	VALKEY= prepare_redis
	REDIS_CA=$T/ca.pem
	make_certificates || bail "openssl could not make certificates"
	redis_tls_arguments=(--tls-cert-file "$T/server.pem" --tls-key-file "$T/server.key" --tls-ca-cert-file "$REDIS_CA" --tls-auth-clients no)
	redis_arguments+=("${redis_tls_arguments[@]}")
	free_port
	redis_port=$port redis_tls=1 redis_ports=("$port") redis_nodes=("--port 0 --tls-port $port")
	start_node 0
	redis_pid=${redis_pids[0]}
	REDIS_URL=rediss://127.0.0.1:$port
}

make_certificates() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=nowcast-test-ca \
		-keyout "$T/ca.key" -out "$T/ca.pem" &&
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
			-keyout "$T/server.key" -out "$T/server.csr" &&
		openssl x509 -req -in "$T/server.csr" -CA "$T/ca.pem" -CAkey "$T/ca.key" -CAcreateserial -days 2 -out "$T/server.pem" \
			-extfile <(echo subjectAltName=DNS:localhost,IP:127.0.0.1)
} >/dev/null 2>&1

build_clock() { [ -e "$T/clock.so" ] || cc -O1 -shared -fPIC -o "$T/clock.so" tests/support/clock.c || bail "no compiler for tests/support/clock.c"; }
# From now on start_redis and $nowcast see the time that set_clock sets.
use_clock() { # TIME
	build_clock
	set_clock "$1"
	at_clock "$(command -v "$(redis_binary)")" "$T/redis-server"
	at_clock "$nowcast" "$T/nowcast"
	REDIS_SERVER=$T/redis-server nowcast=$T/nowcast
}
at_clock() { # PROGRAM SCRIPT: writes a script that runs it
	printf '#!/bin/sh\nLD_PRELOAD=%s TEST_CLOCK=%s exec %s "$@"\n' "$T/clock.so" "$T/clock" "$1" >"$2"
	chmod +x "$2"
}
set_clock() { # TIME: 2026-11-02T05:30:00Z; it goes on from there
	clock_offset=$(($(date -u -d "$1" +%s) - $(date +%s)))
	printf '%+015d\n' $clock_offset 1<>"$T/clock"
}

# Runs a command as if it were then. Since the clock goes on, it is later by as long as the script has run, whatever the time.
at_time() { # TIME COMMAND...
	local time=$1
	shift
	build_clock
	(
		export TEST_CLOCK="$T/clock@$time" LD_PRELOAD="$T/clock.so"
		[ -e "$TEST_CLOCK" ] || printf '%+015d\n' $(($(date -u -d "$time" +%s) - began)) >"$TEST_CLOCK"
		"$@"
	)
}

# Of what start_redis made last: one node, or all of them.
kill_redis() { # [NODE]
	local node
	for node in ${1:-${!redis_pids[@]}}; do stop "${redis_pids[node]}" KILL; done
}
hang_redis() { signal_redis STOP "$@"; } # [NODE]
resume_redis() { signal_redis CONT "$@"; wait_for_cluster; } # [NODE]
signal_redis() { # SIGNAL [NODE]
	local node
	for node in ${2:-${!redis_pids[@]}}; do kill "-$1" "${redis_pids[node]}"; done
}
restart_redis() { # the nodes that are gone, on their old ports with what they kept
	local node
	for node in "${!redis_nodes[@]}"; do alive "${redis_pids[node]}" || start_node "$node"; done
	redis_pid=${redis_pids[0]}
	wait_for_cluster
}
wait_for_cluster() { # which takes back a master that it has given up after twice its cluster-node-timeout
	local redis_port
	[ "${REDIS_CLUSTER:-}" = 3 ] || return 0
	for redis_port in "${redis_ports[@]}"; do wait_for 30 redis_cluster_up || bail "the cluster does not come back"; done
}
take_snapshot() { # NAME: of all nodes
	local node
	for node in "${!redis_ports[@]}"; do redis_cli -p "${redis_ports[node]}" --rdb "$T/$1-$node.rdb" >"$T/snapshot.log" 2>&1 && test -s "$T/$1-$node.rdb" || return 1; done
}
restart_redis_from() { # SNAPSHOT: after kill_redis
	local node
	for node in "${!redis_ports[@]}"; do
		rm -rf "$(node_dir "$node")/appendonlydir"
		cp "$T/$1-$node.rdb" "$(node_dir "$node")/dump.rdb"
	done
	redis_arguments+=(--appendonly no)
	restart_redis
}

# --- Kafka -----------------------------------------------------------------------------------------------------------

# A function that was renamed would be counted as free.
need_functions() { # NAME...: they are in the sources
	local name
	for name; do
		grep -rqE "^[a-z].*[ *]$name\(" --include='*.c' --include='*.cc' . || bail "no function $name: has it another name now?"
	done
}

instructions() { # INCLUSIVE-LISTING FUNCTION...: what they and all they call took, as callgrind_annotate lists it
	local file=$1 sum=0 name n
	shift
	for name; do
		n=$(grep -E "[:/ ]$name( |\$|'|\.)" "$file" | head -n 1 | sed 's/^ *//; s/ .*//; s/,//g')
		sum=$((sum + ${n:-0}))
	done
	echo "$sum"
}

redis_us() { redis info cpu | sed -n 's/^used_cpu_\(user\|sys\):\([0-9.]*\).*/\2/p' | awk '{ s += $1 } END { printf "%d", s * 1e6 }'; }
replay_cost() { # FILE: sets own, server and wall: microseconds of nowcast, of Redis and on the clock
	local before TIMEFORMAT='%U %S %R'
	before=$(redis_us)
	{ time "$nowcast" replay --redis "$REDIS_URL" "$1" </dev/null >"$T/cost" 2>&1; } 2>"$T/time" || bail "the replay failed: $(tail -n 1 "$T/cost")"
	server=$(($(redis_us) - before)) own=$(awk '{ printf "%d", ($1 + $2) * 1e6 }' "$T/time") wall=$(awk '{ printf "%d", $3 * 1e6 }' "$T/time")
}

kafka_libs() { # prints the folder with Kafka's jars
	local dir
	for dir in "${KAFKA_HOME:-/nonexistent}" "${XDG_CACHE_HOME:-$HOME/.cache}"/nowcast/kafka-*; do
		compgen -G "$dir/libs/kafka_2.13-*.jar" >/dev/null && { echo "$dir/libs"; return; }
	done
	return 1
}

# Prints the folder with a librdkafka that logs in to Kafka 4 by SCRAM, where the system's is older than that.
newer_librdkafka() {
	local file
	for file in "${XDG_CACHE_HOME:-$HOME/.cache}"/nowcast/librdkafka-*/librdkafka.so.1; do
		[ -e "$file" ] && { dirname "$file"; return; }
	done
	return 1
}

# The broker the tests run on: Apache Kafka; librdkafka's mock cluster where that cannot be had (never in CI). Sets BOOTSTRAP.
# Topics come into being when first written to, with PARTITIONS partitions (on the mock cluster: those of mock_topics).
start_broker() { # [PARTITIONS]
	local kind=${NOWCAST_BROKER:-}
	if [ -z "$kind" ]; then
		if kafka_libs >/dev/null && command -v java >/dev/null; then kind=kafka
		elif [ "${CI:-}" = true ]; then bail "no Apache Kafka here, and CI wants the real one: run deploy/install-deps --test"
		else kind=mock; fi
	fi
	"start_$kind" "${1:-1}"
	broker_kind=$kind
}

# For the last lines of a whole run: on which broker it stood.
note_broker() { [ -z "${NOWCAST_TEST_NOTES:-}" ] || echo "$1" >>"$NOWCAST_TEST_NOTES"; }


kafka_format=() # more arguments for formatting the broker's folder
start_kafka() { # [PARTITIONS]
	local libs controller
	libs=$(kafka_libs) || bail "no Apache Kafka: run deploy/install-deps --test, or set KAFKA_HOME"
	free_port; kafka_port=$port
	free_port; controller=$port
	kafka_properties "${1:-1}" "$kafka_port" "$controller" >"$T/kafka.properties"
	kafka_log4j >"$T/log4j2.properties"
	kafka_java=(java -cp "$libs/*" -Xshare:auto "-Dlog4j2.configurationFile=$T/log4j2.properties")
	"${kafka_java[@]}" -Xmx128m -XX:TieredStopAtLevel=1 kafka.tools.StorageTool format --cluster-id nowcastTestBroker0000A \
		--config "$T/kafka.properties" "${kafka_format[@]}" >"$T/format.log" 2>&1 || { sed 's/^/# /' "$T/format.log"; bail "Kafka could not format its folder"; }
	restart_broker_kafka
	note_broker "Apache $(basename "$libs"/kafka_2.13-*.jar .jar | sed 's/kafka_2.13-/Kafka /') (KRaft, one node)"
}

restart_broker_kafka() {
	start kafka "${kafka_java[@]}" "-Xmx$kafka_heap" "-Xms64m" ${KAFKA_JAVA_OPTS:--XX:+UseSerialGC -XX:TieredStopAtLevel=1} kafka.Kafka "$T/kafka.properties"
	broker_pid=$pid
	BOOTSTRAP=127.0.0.1:$kafka_port
	wait_for 120 broker_ready || { tail -n 20 "$T/kafka.log" | sed 's/^/# /'; bail "Kafka does not start"; }
}

# Records carry the times of their events, often weeks ago: nothing may be thrown away for age (log.retention.ms).
kafka_properties() { # PARTITIONS PORT CONTROLLER-PORT
	cat <<-END
		process.roles=broker,controller
		node.id=1
		controller.quorum.voters=1@127.0.0.1:$3
		listeners=PLAINTEXT://127.0.0.1:$2,CONTROLLER://127.0.0.1:$3
		advertised.listeners=PLAINTEXT://127.0.0.1:$2
		controller.listener.names=CONTROLLER
		log.dirs=$T/kafka
		num.partitions=$1
		auto.create.topics.enable=true
		offsets.topic.num.partitions=1
		offsets.topic.replication.factor=1
		transaction.state.log.replication.factor=1
		transaction.state.log.min.isr=1
		group.initial.rebalance.delay.ms=0
		group.min.session.timeout.ms=1000
		log.retention.ms=-1
		log.message.timestamp.before.max.ms=9223372036854775807
		log.segment.bytes=268435456
		message.max.bytes=16777216
		controlled.shutdown.enable=false
		broker.session.timeout.ms=3000
		broker.heartbeat.interval.ms=500
	END
}

kafka_log4j() {
	cat <<-'END'
		rootLogger.level = warn
		rootLogger.appenderRef.console.ref = console
		appender.console.type = Console
		appender.console.name = console
		appender.console.layout.type = PatternLayout
		appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1} %m%n
	END
}

start_mock() { # [PARTITIONS]
	# shellcheck disable=SC2086 # a list of words
	start mock "$top/$B/tests/mock_broker" "${1:-1}" ${mock_topics:-cloudtrail cloudwatch invocation-log raw}
	broker_pid=$pid
	wait_for 10 test -s "$T/mock.log" || bail "the mock cluster does not start: is $B/tests/mock_broker built?"
	BOOTSTRAP=$(head -n 1 "$T/mock.log")
	note_broker "librdkafka's mock cluster, NOT on a real Kafka broker"
}

# The broker goes away (for real: kill -9; the mock cluster refuses connections) and comes back with what it had.
broker_down() {
	if [ "$broker_kind" = kafka ]; then stop "$broker_pid" KILL; else kill -USR1 "$broker_pid"; fi
}
broker_up() {
	if [ "$broker_kind" = kafka ]; then restart_broker_kafka; else kill -USR2 "$broker_pid" && wait_for 20 broker_ready; fi
}

# It listens, and every partition it knows has a leader.
broker_ready() {
	local said
	listens "${BOOTSTRAP##*:}" && said=$(kcat -L -b "$BOOTSTRAP" -m 5 2>/dev/null) &&
		grep -q ' 1 brokers' <<<"$said" && ! grep -q 'leader -1' <<<"$said"
}

kafka_admin() { "$top/$B/tests/kafka_admin" -b "$BOOTSTRAP" "$@"; }
produce() { "$top/$B/tests/produce" -b "$BOOTSTRAP" "$@"; }

# --- S3 --------------------------------------------------------------------------------------------------------------

s3_libs() { # prints the folder with S3Proxy's jars
	local dir
	for dir in "${XDG_CACHE_HOME:-$HOME/.cache}"/nowcast/s3proxy-*; do
		compgen -G "$dir/libs/s3proxy-*.jar" >/dev/null && { echo "$dir/libs"; return; }
	done
	return 1
}

# An S3 server that checks signatures (S3Proxy), by path, over HTTP and TLS: sets s3_url and s3_tls_url; $T/ca.pem vouches for
# the latter. Its keys are AKIDEXAMPLE and topsecret; its objects are in its memory.
start_s3() {
	local libs plain tls
	libs=$(s3_libs) || bail "no S3Proxy: run deploy/install-deps --test"
	make_certificates && openssl pkcs12 -export -in "$T/server.pem" -inkey "$T/server.key" -out "$T/s3.p12" -passout pass:changeit 2>"$T/s3.p12.log" ||
		bail "openssl could not make certificates"
	free_port; plain=$port
	free_port; tls=$port
	cat >"$T/s3.properties" <<-END
		s3proxy.authorization=aws-v4
		s3proxy.identity=AKIDEXAMPLE
		s3proxy.credential=topsecret
		s3proxy.endpoint=http://127.0.0.1:$plain
		s3proxy.secure-endpoint=https://127.0.0.1:$tls
		s3proxy.keystore-path=$T/s3.p12
		s3proxy.keystore-password=changeit
		jclouds.provider=transient-nio2
		jclouds.identity=none
		jclouds.credential=none
	END
	echo '<configuration><appender name="c" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%p %c{1} %m%n</pattern></encoder></appender>
		<root level="warn"><appender-ref ref="c"/></root></configuration>' >"$T/logback.xml"
	start s3 env LC_ALL=C.UTF-8 java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlogback.configurationFile="$T/logback.xml" -cp "$libs/*" org.gaul.s3proxy.Main --properties "$T/s3.properties"
	s3_pid=$pid s3_url=http://127.0.0.1:$plain s3_tls_url=https://127.0.0.1:$tls
	wait_for 60 listens "$plain" && wait_for 20 listens "$tls" || { tail -n 5 "$T/s3.log" | sed 's/^/# /'; bail "S3Proxy does not start"; }
}

# curl as a client of it: signed.
s3_curl() { curl -sSf --aws-sigv4 aws:amz:us-east-1:s3 --user AKIDEXAMPLE:topsecret -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$@"; }
s3_put() { # FOLDER BUCKET/PREFIX, percent-encoded
	local file
	(cd "$1" && find . -type f) | while read -r file; do
		s3_curl -T "$1/$file" "$s3_url/$2/$(sed 's|^\./||; s/ /%20/g' <<<"$file")" || exit 1
	done
}

# --- AWS's APIs -------------------------------------------------------------------------------------------------------

moto_python() { # prints the interpreter that has moto
	local dir
	for dir in "${XDG_CACHE_HOME:-$HOME/.cache}"/nowcast/moto-*; do
		[ -e "$dir/ready" ] && { echo "$dir/bin/python"; return; }
	done
	return 1
}

# AWS on loopback (tests/aws_server.py) with the records of a world; the environment names it, with credentials of account 111122223333
# and none else. Sets aws_pid, aws_url, aws_world.
start_aws_of() { # FILE: rows as of world.py
	require "no moto: run deploy/install-deps --test" moto_python
	aws_python=$(moto_python)
	aws_world=$1
	start aws "$aws_python" tests/aws_server.py "$aws_world"
	aws_pid=$pid
	wait_for 60 grep -q . "$T/aws.log" || bail "tests/aws_server.py does not start"
	aws_url=http://127.0.0.1:$(head -n 1 "$T/aws.log")
	unset AWS_PROFILE AWS_SESSION_TOKEN AWS_REGION AWS_DEFAULT_REGION AWS_ENDPOINT_URL_STS AWS_ENDPOINT_URL_S3
	export HOME=$T AWS_EC2_METADATA_DISABLED=true AWS_ENDPOINT_URL=$aws_url AWS_ACCESS_KEY_ID=AKIAEXAMPLE AWS_SECRET_ACCESS_KEY=topsecret
}

# The same, with the records of an hour that began so many minutes ago.
start_aws() { # MINUTES-AGO ARGUMENTS of world.py but --out and --start
	local start
	require "no moto: run deploy/install-deps --test" moto_python
	require "no ../shared/world/world.py here" test -x "$shared/world/world.py"
	start=$(date -u -d "$1 minutes ago" +%Y-%m-%dT%H:%M:00Z)
	shift
	python3 "$shared/world/world.py" --out "$T/aws" --start "$start" "$@" >"$T/world.log" 2>&1 || bail "world.py failed"
	start_aws_of "$T/aws/stream.ndjson"
}
aws_faults() { curl -sf -d "$1" "$aws_url/_faults" >"$T/faults.out"; }       # JSON: what goes wrong from now on
aws_log() { curl -sf "$aws_url/_log" | python3 -c 'import json, sys; [print(*r) for r in json.load(sys.stdin)]'; } # since the last time

# Replays the same records into the same Redis, with the prefix `replayed`, and reports them.
aws_reference() { # FILE [ARGUMENT...]
	"$aws_python" tests/aws_server.py "$aws_world" --write "$T/records.ndjson"
	ok "the same records, replayed" "$nowcast" replay --redis "$REDIS_URL" --redis.prefix replayed "$T/records.ndjson"
	report "$@" --redis.prefix replayed
}

aws_position() { redis hget nowcast:sources "$1" | cut -d' ' -f1; } # SOURCE ACCOUNT/REGION: ms up to which it is read

# Whether each source has read all of the places that the world has: a record of an invocation log may come 75 minutes late.
aws_is_read() {
	local source place until
	until=$(($(date +%s) - 80 * 60))000
	for source in cloudtrail metrics logs; do
		for place in 111122223333/us-east-1 111122223333/us-west-2 444455556666/us-east-1; do
			[ "$(aws_position "$source $place")" -gt "$until" ] || return 1
		done
	done
}

# --- worlds ----------------------------------------------------------------------------------------------------------

shared=$(cd "${SHARED:-$top/../shared}" 2>/dev/null && pwd)

# The world whose truth is known (see ../shared/world): made once for the same arguments, kept beside the build. Sets $world.
make_world() { make_world_by world.py "$@"; } # ARGUMENTS of world.py but --out
make_world_by() { # PROGRAM ARGUMENTS: the same by world.py or families.py
	local program=$1
	shift
	require "no ../shared/world/$program here" test -e "$shared/world/$program"
	world=$top/$B/worlds/$(echo "$*" | tr -c 'a-zA-Z0-9.\n' _)
	[ -e "$world/truth.csv" ] && return
	mkdir -p "$top/$B/worlds"
	(
		flock 9 # another test may be making it
		[ -e "$world/truth.csv" ] && exit
		rm -rf "$world.new" "$world"
		mkdir "$world.new" && python3 "$shared/world/$program" --out "$world.new" "$@" && mv "$world.new" "$world"
	) 9>"$world.lock" >"$T/world.log" 2>&1 || { sed 's/^/# /' "$T/world.log"; bail "$program failed"; }
}

# --- nowcast ---------------------------------------------------------------------------------------------------------

topics="cloudtrail cloudwatch invocation-log"
all_keys=hour,account,region,model,principal,role,team,token_type

# The configuration of a worker on $BOOTSTRAP and $REDIS_URL, with more lines if given. A member that was killed is missed
# after two seconds, not after Kafka's usual 45; the mock cluster keeps a new group waiting longer than that.
write_config() { # FILE [LINE...]
	local file=$1
	shift
	cat >"$file" <<-END
		brokers = $BOOTSTRAP
		topics = ${topics// /, }
		group = test
		redis = $REDIS_URL
		stats.interval = 1s
		kafka.session.timeout.ms = $([ "$broker_kind" = mock ] && echo 6000 || echo 2000)
		kafka.heartbeat.interval.ms = 300
		kafka.topic.metadata.refresh.interval.ms = 1000
	END
	[ $# = 0 ] || printf '%s\n' "$@" >>"$file"
}

lag() { # shellcheck disable=SC2086 # topics are words
	"$top/$B/tests/group_lag" -b "$BOOTSTRAP" -g test $topics
}
caught_up() { [ "$(lag 2>/dev/null)" = 0 ]; }

# Receivers of alerts that answer, fail and stall, by their names (tests/e2e/alert_sink.py): sets http and smtp.
start_sink() {
	mkdir -p "$T/sink"
	start sink python3 tests/e2e/alert_sink.py "$T/sink"
	wait_for 10 test -f "$T/sink/smtp.port" || bail "the sink does not start"
	http=http://127.0.0.1:$(cat "$T/sink/http.port") smtp=smtp://127.0.0.1:$(cat "$T/sink/smtp.port")
}
lines() { if [ -f "$T/sink/$1" ]; then wc -l <"$T/sink/$1" | tr -d ' '; else echo 0; fi; } # that a receiver has got
alert() { "$nowcast" --redis "$REDIS_URL" --alerts-file "$T/alerts.conf" alert "$@"; }

report() { # FILE [ARGUMENT...]: everything, as CSV
	local file=$1 span=all
	shift
	case " $* " in *" --from "* | *" --to "* | *" --since "*) span= ;; esac
	"$nowcast" report $span --redis "$REDIS_URL" --by "$all_keys" --format csv "$@" >"$file" 2>"$T/report.err" || { sed 's/^/# /' "$T/report.err"; return 1; }
}

# CloudTrail's record of a call by user/ann in that minute of 2026-11-02T00, of 100 tokens in and 10 out.
call_record() { # MINUTE
	printf '{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ann","accountId":"111122223333","userName":"ann"},"eventTime":"2026-11-02T00:%02d:05Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"us.anthropic.claude-sonnet-4-6"},"responseElements":null,"additionalEventData":{"inputTokens":100,"outputTokens":10},"requestID":"r-%s","eventID":"e-%s","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}\n' "$1" "$1" "$1"
}

# What a stream comes to in one Redis of its own, without shards, by one replay: what every other way must come to as well.
reference() { # STREAM FILE [LINES]: which the report has at least
	local REDIS_CLUSTER=
	start_redis
	ok "the reference: one replay" env -u NOWCAST_SHARDS "$nowcast" replay --redis "$REDIS_URL" "$1"
	report "$2"
	ok "it has figures" test "$(wc -l <"$2")" -ge "${3:-21}"
	kill_redis
}

# With the configuration in $T/nowcast.conf; their processes in $one and $two, their logs $T/one.log and $T/two.log.
start_two_workers() {
	start one "$nowcast" run --config "$T/nowcast.conf"
	one=$pid
	start two "$nowcast" run --config "$T/nowcast.conf"
	two=$pid
}

# Two workers read all, what they go back to as well, and end; the figures are those of the reference in $T/want.csv.
workers_end_whole() { # PID PID
	ok "all is read" wait_for 120 caught_up
	sleep 6 # Redis is asked every five seconds
	ok "and stays so" wait_for 60 caught_up
	ok "the first worker ends on SIGTERM" stop "$1"
	ok "and the second" stop "$2"
	settled_report "$T/got.csv"
	same_file "nothing was lost, nothing counted twice" "$T/got.csv" "$T/want.csv"
}

# Whether nothing is to be computed, neither now nor later.
nothing_due() {
	local key
	for key in $(redis --scan --pattern 'nowcast:*:due'); do [ "$(redis zcard "$key")" = 0 ] || return 1; done
}

# Settles what is still due (a replay of nothing does), then reports.
settled_report() { # FILE [ARGUMENT...]
	ok "what was due is settled" "$nowcast" replay --redis "$REDIS_URL" - </dev/null
	report "$@"
}
