#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# nowcast beside other programs that bring records from Kafka into Redis, in one run, on the same cores.
#
#     make bench-peers            N=300000 records, PARTITIONS=4, WORKERS=4, PEERS="rsyslog node nowcast"
#
#     rsyslog    imkafka, mmjsonparse, omhiredis: two consumers, four threads, a pipeline of commands (rsyslog.conf)
#     node       kafkajs, a batch at a time, four partitions at once, two processes; adds up a batch before it writes (consumer.cjs)
#     nowcast    as in make bench
#
# The peers do less. They count calls by caller, model and minute, and no more: a record that comes twice counts twice, one that is
# lost with a process is lost; there are no tokens, no identities, no prices, and nothing else is decoded than CloudTrail's own form.
#
# What they need is fetched once into ${XDG_CACHE_HOME:-~/.cache}/nowcast/peers: rsyslog from Debian, unpacked and not installed;
# packages of npm, by their versions. Every peer is stopped when its counts are complete, and these are compared with the records.
. "$(dirname "$0")/../../lib.sh"

n=${N:-300000} partitions=${PARTITIONS:-4} workers=${WORKERS:-4} peers=${PEERS:-rsyslog node nowcast}
kafka_heap=${KAFKA_HEAP:-1g} KAFKA_JAVA_OPTS=-XX:+UseParallelGC
topics=cloudtrail
cache=${XDG_CACHE_HOME:-$HOME/.cache}/nowcast/peers
here=$top/tests/bench/peers
lib=$cache/rsyslog/usr/lib/x86_64-linux-gnu
tick=$(getconf CLK_TCK)

fetch_rsyslog() {
	[ -x "$cache/rsyslog/usr/sbin/rsyslogd" ] && return
	mkdir -p "$cache/deb" && (cd "$cache/deb" &&
		apt-get -q download rsyslog rsyslog-kafka rsyslog-hiredis libestr0 libfastjson4 liblognorm5 &&
		for package in *.deb; do dpkg -x "$package" "$cache/rsyslog" || exit 1; done) >"$T/fetch.log" 2>&1
}
fetch_node() {
	[ -d "$cache/npm/node_modules/ioredis" ] && return
	mkdir -p "$cache/npm" && (cd "$cache/npm" && npm install --no-audit --no-fund kafkajs@2.2.4 lz4-napi@2.10.0 ioredis@6.0.0) >"$T/fetch.log" 2>&1
}

seconds_of() { # PID...: processor seconds
	local one sum=0
	for one in "$@"; do sum=$((sum + $(awk '{ print $14 + $15 }' "/proc/$one/stat"))); done
	awk -v t="$sum" -v tick="$tick" 'BEGIN { printf "%.1f", t / tick }'
}

# Each starts a peer, sets pids, and returns when it has read all.
run_rsyslog() {
	mkdir -p "$T/spool"
	sed -e "s|@BOOTSTRAP@|$BOOTSTRAP|; s|@REDIS_PORT@|$redis_port|; s|@LIB@|$lib|; s|@SPOOL@|$T/spool|" "$here/rsyslog.conf" >"$T/rsyslog.conf"
	start rsyslog env LD_LIBRARY_PATH="$lib" "$cache/rsyslog/usr/sbin/rsyslogd" -n -f "$T/rsyslog.conf" -i "$T/rsyslog.pid" -M "$lib/rsyslog"
	pids=("$pid")
	rsyslog_done() { [ "$(redis info commandstats | sed -n 's/^cmdstat_hincrby:calls=\([0-9]*\).*/\1/p')" = "$n" ]; }
	wait_for 600 rsyslog_done
}
run_node() {
	pids=()
	for _ in 1 2; do
		start node env NODE_PATH="$cache/npm/node_modules" BOOTSTRAP="$BOOTSTRAP" REDIS_PORT="$redis_port" node "$here/consumer.cjs"
		pids+=("$pid")
	done
	node_done() { [ "$(redis get seen)" = "$n" ]; }
	wait_for 600 node_done
}
run_nowcast() {
	write_config "$T/nowcast.conf"
	start nowcast "$nowcast" run --config "$T/nowcast.conf" --workers "$workers"
	pids=("$pid")
	"$top/$B/tests/group_lag" -b "$BOOTSTRAP" -g test -w 600 cloudtrail >"$T/lag"
}

counted() { # of a peer, in Redis
	if [ "$1" = nowcast ]; then redis --raw keys '*:calls:*' | while read -r key; do redis hlen "$key"; done | awk '{ s += $1 } END { print s + 0 }'
	else redis --raw hvals calls | awk '{ s += $1 } END { print s + 0 }'; fi
}

for peer in $peers; do
	[ "$peer" = nowcast ] || "fetch_$peer" || bail "$peer cannot be had here: $(tail -n 1 "$T/fetch.log")"
done
start_redis
start_broker "$partitions"
"$top/$B/tests/bench/generate" -b "$BOOTSTRAP" -t cloudtrail -p "$partitions" -n "$n" >"$T/generate.log" 2>&1 || bail "the topic could not be filled"
printf '%-10s %12s %9s %22s %22s %10s\n' "" "records/s" "seconds" "us of a core a record" "of Redis" "load"
for peer in $peers; do
	redis flushall >/dev/null
	redis config resetstat >/dev/null
	before=$(seconds_of "$redis_pid")
	load=$(cut -d' ' -f1 /proc/loadavg)
	began=$(date +%s%3N)
	"run_$peer" || { tail -n 5 "$T/$peer.log"; bail "$peer has not read all"; }
	ms=$(($(date +%s%3N) - began))
	got=$(counted "$peer")
	awk -v peer="$peer" -v n="$n" -v ms="$ms" -v own="$(seconds_of "${pids[@]}")" -v redis="$(seconds_of "$redis_pid")" -v before="$before" -v load="$load" \
		'BEGIN { printf "%-10s %12d %9.1f %22.1f %22.1f %10s\n", peer, n * 1000 / ms, ms / 1000, own * 1e6 / n, (redis - before) * 1e6 / n, load }'
	[ "$got" = "$n" ] || echo "$peer counted $got of $n"
	for one in "${pids[@]}"; do stop "$one"; done
done
