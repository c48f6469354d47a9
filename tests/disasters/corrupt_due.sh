#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: what no nowcast writes stands among the hours that are due and in the place of versions, calls and sums; replays
# are stopped by a signal while Redis hangs
# Compared: the figures after one more replay, with those before the damage, byte for byte
# In: make test
. "$(dirname "$0")/../lib.sh"

python3 tests/support/identity.py "$T" || bail "no records"
start_redis
replay() { timeout -k 1 20 "$nowcast" replay --redis "$REDIS_URL" "$T/calls.ndjson"; }
ok "records are replayed" replay
report "$T/want.csv"
region='nowcast:{111122223333/us-east-1}'
cells=$(redis --scan --pattern "$region:cells:*" | sort | head -n 1)

for member in x '' 1 :: 12:zz 494280 494280:0123 494280:0123456789ABCDEF 0494280:0123456789abcdef -5:0123456789abcdef \
	494280:0123456789abcdef 99999999999:0123456789abcdef 4e5:0123456789abcdef; do
	redis zadd "$region:due" 1 "$member" >/dev/null
	ok "'$member' among the hours that are due does not keep a replay from its end" replay
	is "and is not due any more" "$(redis zscore "$region:due" "$member")" ""
done
redis sadd "$region:model_hours:82380" x 5:y >/dev/null
redis hset "$cells" v many w much >/dev/null
ok "nor do versions that are no numbers" replay

start hanging "$nowcast" replay --redis "$REDIS_URL" /dev/zero
reading=$pid
mkfifo "$T/fifo"
start held bash -c "exec $nowcast replay --redis $REDIS_URL - <'$T/fifo'"
held=$pid
exec 8>"$T/fifo"
cat "$T/calls.ndjson" >&8
sleep 0.5
hang_redis
exec 8>&-
sleep 0.5
began=$SECONDS
kill -TERM "$held"
kill -INT "$reading"
ok "a replay ends on a signal while Redis hangs" wait_for 10 gone "$held"
ok "and one that reads without an end" wait_for 10 gone "$reading"
ok "within seconds" test $((SECONDS - began)) -le 6
has "and says so" "$(cat "$T/held.log")" 'interrupted; run it again'
resume_redis

ok "records are replayed once more" replay
report "$T/got.csv"
same_file "the figures are those before, byte for byte" "$T/got.csv" "$T/want.csv"

# Nothing tells what stood there, but every replay ends.
on_all_nodes eval 'for _, key in ipairs(redis.call("KEYS", ARGV[1] .. ":calls:*")) do for _, id in ipairs(redis.call("HKEYS", key)) do
	redis.call("HSET", key, id, "junk") end end for _, key in ipairs(redis.call("KEYS", ARGV[1] .. ":cells:*")) do
	for _, field in ipairs(redis.call("HKEYS", key)) do redis.call("HSET", key, field, "1 2 3 junk") end
	redis.call("HSET", key, "\0m0", "junk", "\200junk", "junk") end' 0 "$region" >/dev/null
ok "a replay over calls and sums that are damaged ends" replay
finish
