#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# How fast a folder is replayed that CloudTrail has written: files of 1,000 records in one line, in gzip. The yardstick is zcat of
# the same files, times the cores that nowcast used; the target is 0.6 of that.
#
#     make bench-folder            N=400000 records; SHARES="100 1": of so many records one is a call of Bedrock
#
# Both read from the page cache. Compared are bytes, unpacked, a second of a processor, so that what else the machine does matters
# less: of zcat and wc, of nowcast, and of nowcast and Redis.
. "$(dirname "$0")/../lib.sh"

n=${N:-400000}
read -r -a shares <<<"${SHARES:-100 1}"
tick=$(getconf CLK_TCK)
TIMEFORMAT='%R %U %S'

redis_ticks() { awk '{ print $14 + $15 }' "/proc/$redis_pid/stat"; }

fill_folder() { # SHARE
	rm -rf "$T/folder"
	mkdir "$T/folder"
	# shellcheck disable=SC2016 # split runs it
	"$top/$B/tests/bench/generate" -n "$n" -s "$1" |
		split -l 1000 -a 4 --additional-suffix .json.gz --filter='{ printf "{\"Records\":["; paste -sd,; printf "]}"; } | tr -d "\n" | gzip >"$FILE"' - "$T/folder/trail-"
}

start_redis
printf '%-8s %11s %10s %11s %10s %8s %11s %11s\n' "one in" "bytes" "s of zcat" "s, nowcast" "s, Redis" "ratio" "with Redis" "on the clock"
for share in "${shares[@]}"; do
	fill_folder "$share"
	redis flushall >/dev/null
	zcat "$T"/folder/*.gz >/dev/null # into the page cache
	{ time zcat "$T"/folder/*.gz | wc -c >"$T/bytes"; } 2>"$T/zcat"
	before=$(redis_ticks)
	{ time "$nowcast" replay --redis "$REDIS_URL" "$T/folder" >"$T/replay" 2>&1; } 2>"$T/time"
	grep -q "^calls *$(((n + share - 1) / share))\$" "$T/replay" || bail "the replay failed: $(tail -n 1 "$T/replay")"
	awk -v share="$share" -v bytes="$(cat "$T/bytes")" -v zcat="$(cat "$T/zcat")" -v own="$(cat "$T/time")" \
		-v redis="$(($(redis_ticks) - before))" -v tick="$tick" 'BEGIN {
		split(zcat, z, " "); split(own, o, " ")
		yard = z[2] + z[3]; cpu = o[2] + o[3]; redis /= tick
		printf "%-8d %11d %10.2f %11.2f %10.2f %8.2f %11.2f %11.2f\n", share, bytes, yard, cpu, redis, yard / cpu, yard / (cpu + redis), z[1] / o[1]
	}'
done
echo "ratio: bytes a second of a processor beside zcat; target 0.6. $(nproc) cores, load $(cut -d' ' -f1 /proc/loadavg)"
