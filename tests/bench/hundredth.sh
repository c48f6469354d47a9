#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A hundredth of a million calls a second, on this machine: what a record, a look for due hours and a settled hour cost, and how old
# the figures are meanwhile. docs/scale.md has a plan that is computed from it (tests/bench/scale_plan.py), with what it foretells for
# this hundredth beside what was measured.
#
#     make bench-hundredth     RATE=10000 SECONDS_LONG=60 ACCOUNTS=10 CALLERS=1000 SHARDS=1
#
# An hour of calls by 100 callers in each of 10 accounts with four models (tests/bench/generate.c) comes at RATE within SECONDS_LONG, so
# that by the end its sums are as many as in a real hour. One worker reads it from Kafka. Costs are processor time, so that what else
# the machine does matters less; ages are times on the clock.
. "$(dirname "$0")/../lib.sh"

rate=${RATE:-10000} long=${SECONDS_LONG:-60} accounts=${ACCOUNTS:-10} callers=${CALLERS:-1000}
export NOWCAST_SHARDS=${SHARDS:-1}
n=$((rate * long)) kafka_heap=${KAFKA_HEAP:-512m}
topics=cloudtrail
tick=$(getconf CLK_TCK)
models=4 due=()

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
redis_bytes() { redis info memory | sed -n 's/^used_memory:\([0-9]*\).*/\1/p'; }
stat_of() { redis info stats | sed -n "s/^$1:\([0-9]*\).*/\1/p"; }
us() { awk -v ticks="$1" -v tick="$tick" -v n="$2" 'BEGIN { printf "%.2f", ticks / tick * 1e6 / n }'; } # TICKS NUMBER
row() { printf '%-22s %12s   %s\n' "$@"; }
# How long the hour that waits longest has been due, in ms, in an account and Region or in a shard of it.
overdue() {
	# Redis drops a list that is empty: those seen once are remembered.
	[ ${#due[@]} = $((accounts * (NOWCAST_SHARDS > 1 ? 1 + NOWCAST_SHARDS : 1))) ] ||
		mapfile -t due < <({ printf '%s\n' "${due[@]}"; redis --scan --pattern 'nowcast:{*}:due'; } | grep . | sort -u)
	redis eval 'local now = redis.call("TIME") now = now[1] * 1000 + now[2] / 1000
		local most = 0
		for _, key in ipairs(KEYS) do
			local first = redis.call("ZRANGE", key, 0, 0, "WITHSCORES")
			if first[2] then most = math.max(most, now - tonumber(first[2])) end
		end
		return math.floor(most)' ${#due[@]} "${due[@]}"
}

start_redis
start_broker 4
write_config "$T/nowcast.conf"
empty=$(redis_bytes)
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
mkfifo "$T/records"
"$top/$B/tests/bench/generate" -n "$n" -a "$accounts" -c "$callers" -m 60 >"$T/records" &
produce -X compression.codec=lz4 -p 4 -t cloudtrail -r "$rate" "$T/records" >"$T/produced" 2>&1 &
producer=$!
while alive $producer; do overdue >>"$T/overdue"; sleep 1; done
wait $producer
is "all was produced" "$(cat "$T/produced")" "$n"
ok "and read" wait_for 300 caught_up
bytes_in=$(stat_of total_net_input_bytes)
worker_ticks=$(ticks "$worker") redis_ticks=$(ticks "$redis_pid")
full=$(redis_bytes)
settled=$(grep -o ' settled=[0-9]*' "$T/worker.log" | tail -n 1 | tr -dc 0-9)
kafka_bytes=$(du -sb "$T"/kafka/cloudtrail-* | awk '{ s += $1 } END { print s }')
stop "$worker"
is "calls are in so many keys of an account and Region" "$(redis --scan --pattern 'nowcast:{*}:calls:*' | sed 's/}.*//' | sort -u | wc -l)" $((accounts * NOWCAST_SHARDS))
"$nowcast" replay --redis "$REDIS_URL" - </dev/null >"$T/settle.log" 2>&1
cells=$(redis eval 'local n = 0 for _, key in ipairs(redis.call("KEYS", "nowcast:*:cells:*")) do n = n + redis.call("HLEN", key) end return n' 0)

# A few calls more of each caller and model make every hour due once; a replay settles them. A replay of nothing only looks for such.
"$top/$B/tests/bench/generate" -n "$n" -a "$accounts" -c "$callers" -m 60 | tail -n $((accounts * models * 10)) | sed 's/"requestID":"./&f/; s/"eventID":"./&f/' >"$T/again"
each() { echo $((($1 - $2) / $3)); }
replay_cost - && idle=$own idle_server=$server idle_wall=$wall
replay_cost "$T/again" && hours=$((accounts * models)) settle_us=$(each "$own" "$idle" "$hours") settle_redis_us=$(each "$server" "$idle_server" "$hours") settle_wall_us=$(each "$wall" "$idle_wall" "$hours")
# What looking costs: a thousand accounts instead of these.
redis flushall >/dev/null
"$top/$B/tests/bench/generate" -n 4000 -a 1000 -c 1000 -m 60 >"$T/many" && replay_cost "$T/many" && replay_cost -
look_us=$(each "$own" "$idle" $((1000 - accounts))) look_redis_us=$(each "$server" "$idle_server" $((1000 - accounts)))

row records "$n" "$rate a second, $accounts accounts, $callers callers, $models models, $NOWCAST_SHARDS shards"
row sums "$cells" "$((cells / accounts / models)) in each of $((accounts * models)) hours of a model"
row worker_us "$(us "$worker_ticks" "$n")" "microseconds of a core a record in the worker, its settling in it"
row redis_us "$(us "$redis_ticks" "$n")" "the same in Redis"
row settled "${settled:-0}" "hours of a model settled meanwhile"
row settle_us "$settle_us" "microseconds to settle an hour of a model again, nowcast"
row settle_redis_us "$settle_redis_us" "the same, Redis"
row settle_wall_us "$settle_wall_us" "the same on the clock, beside what else the machine does"
row look_us "$look_us" "to look into an account and Region for hours that are due, nowcast"
row look_redis_us "$look_redis_us" "the same, Redis"
overdue_ms=$(sort -n "$T/overdue" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')
row overdue_ms "$overdue_ms" "how long an hour has waited to be settled: median; most $(sort -n "$T/overdue" | tail -n 1)"
row bytes_a_call "$(((full - empty) / n))" "of Redis"
row wire_bytes "$((bytes_in / n))" "to Redis a call"
row kafka_bytes "$((kafka_bytes / n))" "on the disk of Kafka a record, lz4"
echo
python3 tests/bench/scale_plan.py --hundredth "$settle_wall_us" "$hours" "$long"
echo "$(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
finish
