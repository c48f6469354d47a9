#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: a ninth of the records come two days late: as dead letters, and by a replay that is killed -9 in the middle
# Compared: the figures, with an undisturbed replay of all records, byte for byte; those of hours with a bill, with the bill
# In: make test
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.1
stream=$world/stream.ndjson
awk 'NR % 9 == 0' "$stream" >"$T/missing.ndjson"
awk 'NR % 9' "$stream" >"$T/most.ndjson"
python3 -c 'import base64, json, sys
for line in sys.stdin:
    m = json.loads(line)
    print(json.dumps({"kind": "broken", "reason": "cut off", "topic": m["topic"], "partition": 0, "offset": 1, "index": -1,
                      "records": [{"data": base64.b64encode(m["payload"].encode()).decode()}]}))' <"$T/missing.ndjson" >"$T/dead.ndjson"
replay() { "$nowcast" replay --redis "$REDIS_URL" "$@" >"$T/said" 2>&1; }
late() { awk '$1 == "late" { print $2 }' "$T/said"; }

in_time() { # all but the missing, then two days pass
	start_redis
	set_clock 2026-11-02T01:05:00Z
	ok "$1: the other records come in time" replay "$T/most.ndjson"
	report "$T/before.csv"
	set_clock 2026-11-04T03:00:00Z
	for _ in 1 2 3; do replay - </dev/null; done
	is "$1: all calls are packed since" "$(redis --scan --pattern '*:calls:*')" ""
}

use_clock 2026-11-02T01:05:00Z
start_redis
ok "the reference: one replay" replay "$stream"
report "$T/want.csv"
kill_redis

in_time "dead letters"
ok "a replay of what is late" replay "$T/missing.ndjson"
ok "counts it as late" test "$(late)" -gt 100
has "and says what to do" "$(cat "$T/said")" 'run it again with --reopen'
report "$T/got.csv"
same_file "and changes nothing" "$T/got.csv" "$T/before.csv"
head -n 100 "$T/dead.ndjson" >"$T/of_file.ndjson"
tail -n +101 "$T/missing.ndjson" | sed 's/"topic": *"[^"]*"/"topic":"dead"/' >"$T/of_topic.ndjson"
ok "dead letters of a file and of a topic are replayed" replay --dead-letter-topic dead "$T/of_file.ndjson" "$T/of_topic.ndjson"
is "none of them is late" "$(late)" 0
report "$T/got.csv"
same_file "the figures are those of one replay, byte for byte" "$T/got.csv" "$T/want.csv"
ok "and so they are when all records come once more" replay --reopen "$stream" "$T/dead.ndjson"
report "$T/got.csv"
same_file "nothing counts twice" "$T/got.csv" "$T/want.csv"
kill_redis

in_time "a repair"
region='nowcast:{111122223333/us-east-1}'
model=$(redis zrange "$region:usage" 0 0 | cut -d: -f2-)
redis hset "$region:billed" since $((1793577600 / 3600)) watermark $((1793577600 / 3600 + 1)) 2026-11 1 >"$T/redis.out"
redis sadd "$region:actual:models" "$model" >>"$T/redis.out"
redis zadd "$region:actual" $((1793577600 / 3600)) "2026-11-02T00:$model" >>"$T/redis.out"
redis hset "$region:actual:2026-11-02T00:$model" "arn:aws:iam::111122223333:user/ann input" "77 77000000000 77000000000" >>"$T/redis.out"
report "$T/bill_before.csv"
for delay in 0.05 0.1 0.2 0.3; do
	start killed "$nowcast" replay --redis "$REDIS_URL" --batch-records 50 --reopen "$T/missing.ndjson"
	sleep $delay
	kill -KILL "$pid" 2>/dev/null
done
ok "a replay with --reopen, killed before" replay --reopen "$T/missing.ndjson"
is "none is late" "$(late)" 0
report "$T/bill.csv"
only() { grep "^2026-11-02T00:00:00Z,111122223333,us-east-1" "$1" | grep -v ',unbilled' >"$1.only"; }
only "$T/bill.csv"; only "$T/bill_before.csv"
same_file "where the bill counts it still does" "$T/bill.csv.only" "$T/bill_before.csv.only"
redis del "$region:billed" "$region:actual:models" "$region:actual" >>"$T/redis.out"
report "$T/got.csv"
same_file "without a bill the figures are those of one replay, byte for byte" "$T/got.csv" "$T/want.csv"
set_clock 2026-11-20T00:00:00Z
ok "after reopen.keep" replay --reopen "$T/missing.ndjson"
ok "records are late for good" test "$(late)" -gt 100
has "which is said" "$(cat "$T/said")" 'no longer kept .reopen.keep'
report "$T/got.csv"
same_file "and the figures stay" "$T/got.csv" "$T/want.csv"
finish
