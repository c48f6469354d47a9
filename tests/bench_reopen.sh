#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What it costs to keep calls after the window: bytes of Redis a call in the window and packed, and the time that a replay
# with --reopen of all records takes beside one in time. Six hours of the test world.
. "$(dirname "$0")/lib.sh"

make_world --hours 6 --scale "${SCALE:-0.3}"
bytes() { # PATTERN
	redis eval 'local sum = 0 for _, key in ipairs(redis.call("KEYS", ARGV[1])) do sum = sum + redis.call("MEMORY", "USAGE", key, "SAMPLES", 0) end return sum' 0 "$1"
}
replay() { "$nowcast" replay --redis "$REDIS_URL" "$@" | awk '$1 == "seconds" { print $2 }'; }

use_clock 2026-11-02T06:00:00Z
start_redis
in_time=$(replay "$world/stream.ndjson")
calls=$(redis eval 'local n = 0 for _, key in ipairs(redis.call("KEYS", "*:calls:*")) do n = n + redis.call("HLEN", key) end return n' 0)
window=$(bytes '*:calls:*')
set_clock 2026-11-03T20:00:00Z
while [ "$(redis --scan --pattern '*:calls:*')" ]; do replay - </dev/null >/dev/null; done
each() { echo $((($1 + calls / 2) / calls)); }
printf '%-40s %d\n' 'calls' "$calls" 'bytes a call, in the window' "$(each "$window")" \
	'bytes a call, packed' "$(each "$(bytes '*:packed:*')")" 'bytes a call, in the sums of minutes' "$(each "$(bytes '*:cells:*')")"
printf '%-40s %s\n' 'seconds of the replay in time' "$in_time" 'seconds of the replay with --reopen' "$(replay --reopen "$world/stream.ndjson")"
