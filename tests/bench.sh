#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What the whole path costs, measured in one run on this machine: broker, Redis and workers on the same cores.
#
#     make bench                   N=2000000 records, PARTITIONS=4, WORKERS=4
#     N=200000 tests/bench.sh      a quick look
#     make bench-sparse            one record in a hundred is a call of Bedrock (SHARE=100)
#
# Fills a topic with CloudTrail records (tests/bench/generate.c), then reads all of it twice: with a librdkafka consumer
# that discards it (tests/bench/discard.c), and with `nowcast run`, from the start of the process until the group has
# committed the last record, which it does only when everything is in Redis. Beside the speeds it prints the bytes of Redis
# a call, here and of as many calls without tokens and with them (a replay each, into an empty Redis), and the worker's peak
# memory, and the targets. Nothing fails here: a slow machine is no defect.
. "$(dirname "$0")/lib.sh"

n=${N:-2000000} partitions=${PARTITIONS:-4} workers=${WORKERS:-4} share=${SHARE:-1}
kafka_heap=${KAFKA_HEAP:-1g} KAFKA_JAVA_OPTS=-XX:+UseParallelGC
topics=cloudtrail

now_ms() { date +%s%3N; }
per_second() { awk -v n="$n" -v s="$1" 'BEGIN { printf "%d", n / s }'; }
redis_stat() { redis info stats | sed -n "s/^$1:\([0-9]*\).*/\1/p"; } # NAME
each_thousand() { awk -v n="$n" -v all="$1" 'BEGIN { printf "%.0f", all * 1000 / n }'; }
redis_bytes() { redis info memory | sed -n 's/^used_memory:\([0-9]*\).*/\1/p'; }
row() { printf '%-34s %12s   %s\n' "$1" "$2" "$3"; }

start_redis
start_broker "$partitions"
echo "filling a topic with $n records ..."
each=$("$top/$B/tests/bench/generate" -b "$BOOTSTRAP" -t cloudtrail -p "$partitions" -s "$share" -n "$n" | cut -d' ' -f1)
[ -n "$each" ] || bail "the topic could not be filled"

load=$(cut -d' ' -f1 /proc/loadavg)
echo "reading it with a bare consumer ..."
bare=$("$top/$B/tests/bench/discard" -b "$BOOTSTRAP" -t cloudtrail -p "$partitions" -n "$n") || bail "the bare consumer failed"

echo "reading it with nowcast ..."
write_config "$T/nowcast.conf"
empty=$(redis_bytes)
began=$(now_ms)
start worker "$nowcast" run --config "$T/nowcast.conf" --workers "$workers"
worker=$pid
"$top/$B/tests/group_lag" -b "$BOOTSTRAP" -g test -w "${LIMIT:-900}" cloudtrail >"$T/lag" ||
	{ tail -n 5 "$T/worker.log"; bail "the worker is $(cat "$T/lag") records behind after ${LIMIT:-900} s"; }
path=$(awk -v ms="$(($(now_ms) - began))" 'BEGIN { printf "%.3f", ms / 1000 }')
peak=$(awk '/^VmHWM/ { printf "%d", $2 / 1024 }' "/proc/$worker/status")
cpu=$(awk -v tick="$(getconf CLK_TCK)" '{ printf "%.1f", ($14 + $15) / tick }' "/proc/$worker/stat")
redis_cpu=$(awk -v tick="$(getconf CLK_TCK)" '{ printf "%.1f", ($14 + $15) / tick }' "/proc/$redis_pid/stat")
wire_in=$(redis_stat total_net_input_bytes) wire_out=$(redis_stat total_net_output_bytes) commands=$(redis_stat total_commands_processed)
stop $worker
"$nowcast" replay --redis "$REDIS_URL" - </dev/null >"$T/settle.log" 2>&1
full=$(redis_bytes)
bytes_of_calls() { # EVERY: one record in so many says its tokens, 0: none
	redis flushall >/dev/null
	"$top/$B/tests/bench/generate" -n "$n" -e "$1" | "$nowcast" replay --redis "$REDIS_URL" - >"$T/replay.log" 2>&1 ||
		bail "the replay failed: $(tail -n 1 "$T/replay.log")"
	echo $((($(redis_bytes) - empty) / n))
}
[ "$share" != 1 ] || { without=$(bytes_of_calls 0) with=$(bytes_of_calls 1); }

echo
row "records" "$n" "$each bytes each, lz4, $partitions partitions; one in $share is a call"
row "bare consumer, records/s" "$(per_second "$bare")" "$bare s"
row "nowcast run, records/s" "$(per_second "$path")" "$path s; target 100000 or more"
row "ratio to the bare consumer" "$(awk -v a="$bare" -v b="$path" 'BEGIN { printf "%.2f", a / b }')" ""
[ "$share" != 1 ] || row "bytes of Redis a call" "$(((full - empty) / n))" "$without without tokens, $with with input and output tokens; target 64"
row "bytes to Redis a 1,000 calls" "$(each_thousand "$wire_in")" "$(each_thousand "$wire_out") bytes back"
row "commands of Redis a 1,000 calls" "$(each_thousand "$commands")" "those in scripts too"
row "peak memory a worker, MB" "$((peak / workers))" "target below 160; $workers workers in one process"
row "processor seconds" "$cpu" "worker; Redis $redis_cpu"
row "microseconds of a core a record" "$(awk -v n="$n" -v s="$cpu" 'BEGIN { printf "%.2f", s * 1e6 / n }')" "worker; Redis $(awk -v n="$n" -v s="$redis_cpu" 'BEGIN { printf "%.2f", s * 1e6 / n }')"
row "machine" "$(nproc) cores" "load $load before; broker, Redis and worker together on them"
