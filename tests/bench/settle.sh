#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What very many callers cost: the replay of a day of N of them, and settling again because of one more call, of the last hour or of
# the first. Each hour of a model is learned from the hours before it, so a call of the first one makes all that come after it due.
#
#     make bench-settle           N=2000 HOURS=24
#
# What else the machine does lengthens the time on the clock, and processor seconds by less. Instructions are nowcast's alone
# (callgrind). Of a replay that settles, that of a replay without messages is taken off.
. "$(dirname "$0")/../lib.sh"

n=${N:-2000} hours=${HOURS:-24} settle_limits=(0.1 0.5) replay_limit=6
command -v valgrind >/dev/null || bail "valgrind is not installed"

row() { printf '%-34s %8s %8s %8s %10s   %s\n' "$@"; }
seconds() { awk -v us="$1" 'BEGIN { printf "%.3f", us / 1e6 }'; } # MICROSECONDS
less() { echo $(($1 - $2)); }
count_instructions() { # FILE: sets counted
	valgrind --tool=callgrind --callgrind-out-file="$T/callgrind" "$nowcast" replay --redis "$REDIS_URL" "$1" </dev/null >"$T/cost" 2>&1 ||
		bail "the replay failed: $(tail -n 1 "$T/cost")"
	counted=$(sed -n 's/.*Collected : *//p' "$T/cost")
}
one_more() { # HOUR ID: writes $T/ID, like a call in the middle of that hour of the model that is called most, with ids that begin so
	grep "eventTime[^0-9]*$1:3" "$world/stream.ndjson" | grep -v Records | grep -F "$model" | grep -m 1 'eventName[^,]*\(Converse\|InvokeModel\)' |
		sed -E "s/(requestID|eventID)(\\\\?\": ?\\\\?\")/\\1\\2$2/g" >"$T/$2"
	[ -s "$T/$2" ] || bail "nobody called in the hour $1"
}
settle() { # NAME LIMIT HOUR ID
	local idle idle_server idle_wall
	one_more "$3" "$4"
	replay_cost - && idle=$own idle_server=$server idle_wall=$wall
	replay_cost "$T/$4" && own=$(less "$own" "$idle") server=$(less "$server" "$idle_server") wall=$(less "$wall" "$idle_wall")
	one_more "$3" "a$4"
	count_instructions - && idle=$counted
	count_instructions "$T/a$4"
	row "$1" "$(seconds "$own")" "$(seconds "$server")" "$(seconds "$wall")" "$(awk -v n="$(less "$counted" "$idle")" 'BEGIN { printf "%.1f", n / 1e6 }')" "at most $2 s"
	[ "$(less "$((own + server))" "$(awk -v s="$2" 'BEGIN { printf "%d", s * 1e6 }')")" -le 0 ]
}

make_world_by families.py hc --n "$n" --hours "$hours"
model=$(awk -F, 'NR > 1 { n[$6]++ } END { for (m in n) if (n[m] > most) { most = n[m]; name = m }; print name }' "$world/calls.csv")
start_redis
first=2026-11-02T00 last=$(date -u -d "2026-11-02 $((hours - 1)) hours" +%Y-%m-%dT%H)
row "seconds" nowcast Redis clock "10^6 ins." ""
replay_cost "$world/stream.ndjson"
messages=$(sed -n 's/^messages *//p' "$T/cost")
row "replay of $messages messages" "$(seconds "$own")" "$(seconds "$server")" "$(seconds "$wall")" - "at most $replay_limit s on the clock of an idle machine"
result $? "the replay is read"
settle "one more call of the last hour" "${settle_limits[0]}" "$last" fff
result $? "nowcast and Redis settle it within ${settle_limits[0]} s of a processor"
settle "one more call of the first hour" "${settle_limits[1]}" "$first" eee
result $? "nowcast and Redis settle what it makes due within ${settle_limits[1]} s of a processor"
redis eval 'local n, sum, most = 0, 0, 0
	for _, key in ipairs(redis.call("KEYS", "nowcast:*:hour_stats:*")) do
		local bytes = redis.call("MEMORY", "USAGE", key)
		n, sum, most = n + 1, sum + bytes, math.max(most, bytes)
	end
	return string.format("%d hours of a model: %.0f bytes of Redis each for their statistics, %d at most", n, sum / n, most)' 0
echo "$(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
finish
