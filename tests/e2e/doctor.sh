#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What doctor says of signals that are missing or silent, and of what that does to the bands.
. "$(dirname "$0")/../lib.sh"

hour=$(date -u -d '3 hours ago' +%Y-%m-%dT%H:00:00Z)
make_world --hours 2 --scale 0.05 --start "$hour"
start_redis
without() { grep -v "\"topic\":\"$1\"" "$world/stream.ndjson"; }
doctor() { "$nowcast" doctor --redis "$REDIS_URL"; }

"$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >/dev/null
has "records that came just now and tell of an hour ago are stale" "$(doctor)" '^warn +calls +.*last received [0-9]+ s ago: stale, since what arrives is old'
has "and so are the figures" "$(doctor)" "^warn +stale +figures end at .*no call and no metric is newer"
has "no hour waits after a replay" "$(doctor)" '^ok +figures +.* 0 model-hours to be computed$'
redis zadd 'nowcast:{111122223333/us-east-1}:due' 1 "$((EPOCHSECONDS / 3600)):0000000000000000" >/dev/null
has "of one that waits it says who computes it" "$(doctor)" '^ok +figures +.* 1 model-hour to be computed, by a worker or the next replay$'
redis del 'nowcast:{111122223333/us-east-1}:due' >/dev/null
# A Redis user that may only read: the rights that docs/operations.md names.
rights=$(grep -o '^  `+@read [^`]*`' docs/operations.md | tr -d '`')
# shellcheck disable=SC2086 # rights are words
redis acl setuser reader on '>pw' '~nowcast:*' '~{nowcast:alerts}:*' $rights >/dev/null
reader=redis://reader:pw@127.0.0.1:$redis_port
is "a reader sees the same report" "$("$nowcast" report --redis "$reader" --format csv)" "$("$nowcast" report --redis "$REDIS_URL" --format csv)"
is "and as many findings" "$("$nowcast" doctor --redis "$reader" | tail -n 1)" "$(doctor | tail -n 1)"
fails 2 "and writes nothing" "$nowcast" replay --redis "$reader" "$world/stream.ndjson"
redis zadd nowcast:signals "$(date +%s000)" metric >/dev/null
is "but not while one of the two is fresh" "$(doctor | grep -c '^warn  *stale')" 0
has "how wide bands are is told" "$(doctor)" '^ok +bands +the last 24 hours: \$[0-9.]+, .*allocated.*; the band of a caller.s hour is [1-9][0-9]* % wide in the mean$'
redis set nowcast:band 1250 >/dev/null
has "and how the bill has changed that" "$(doctor)" 'bands are 1\.25 times what the method says'
redis del nowcast:band >/dev/null
read_ago() { # SOURCE MINUTES
	local ms=$((($(date +%s) - $2 * 60) * 1000))
	redis hset nowcast:sources "$1 111122223333/us-east-1" "$ms $ms 0 reads 0 " >/dev/null
}
read_ago profiles 50
read_ago metrics 50
has "what is read each hour is not overdue after 50 minutes" "$(doctor)" '^ok +aws +profiles of 111122223333/us-east-1: all before'
has "what is read each minute is" "$(doctor)" '^warn +aws +metrics of 111122223333/us-east-1: not read since'
redis hset 'nowcast:{111122223333/us-east-1}:lost_calls' 82000 40 82001 2 >/dev/null
has "it says of which calls Redis has lost models and callers" "$(doctor)" '^warn +lost +.*models and callers of up to 42 calls from 2026-02-16T00:00:00Z to 2026-02-16T12:00:00Z\. They stay counted'
redis flushall >/dev/null

without cloudwatch | "$nowcast" replay --redis "$REDIS_URL" - >/dev/null
has "no metrics: figures are guessed" "$(doctor)" '^warn +metrics +no CloudWatch token metric: .*bands from nothing to twice the figure'
redis flushall >/dev/null

without cloudtrail | "$nowcast" replay --redis "$REDIS_URL" - >/dev/null
has "no calls: nothing can be attributed" "$(doctor)" '^warn +calls +no CloudTrail record of a Bedrock call: nothing can be attributed'
has "and all of it is shown" "$(doctor)" '^ok +bands .*allocated'
finish
