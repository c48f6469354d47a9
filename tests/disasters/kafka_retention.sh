#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Kafka deletes messages that nobody has read: while no worker runs, and under one that waits. The worker counts them, says
# of which time they are, and a replay of that time mends the figures.
# Done: Kafka deletes messages before they are read
# Compared: the gap with what was deleted; figures after a replay of the gap with one undisturbed replay
. "$(dirname "$0")/../lib.sh"
topics=raw

delete_before() { kafka_admin delete-records raw 0 "$1"; } # OFFSET
for i in $(seq 0 49); do call_record "$i"; done >"$T/all"

reference "$T/all" "$T/want.csv" 2

start_redis
start_broker 1
[ "$broker_kind" = kafka ] || skip_all "librdkafka's mock cluster deletes nothing"
write_config "$T/nowcast.conf"
is "ten messages are there" "$(head -n 10 "$T/all" | produce -t raw -)" 10
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "a worker reads them" wait_for 30 caught_up
ok "and ends" stop "$worker"
is "twenty more come" "$(sed -n 11,30p "$T/all" | produce -t raw -)" 20
ok "fifteen of them are deleted" delete_before 25
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "the worker reads the others" wait_for 30 caught_up
doctor() { "$nowcast" doctor --config "$T/nowcast.conf" >"$T/doctor" 2>&1; grep -q "$1" "$T/doctor"; }
ok "doctor says which are missing" wait_for 10 doctor 'topic raw, partition 0: 15 messages (offsets 10 to 24)'
has "and of which time they are" "$(cat "$T/doctor")" '15 messages .* from 20[0-9-]+T[0-9:]+Z to 20[0-9-]+T[0-9:]+Z.*nowcast replay'
has "the log says so" "$(cat "$T/worker.log")" 'deleted messages before they were read.*topic=raw.*messages=15'
ok "and the stats line" wait_for 5 grep -q 'msg=stats.*missing_messages=15' "$T/worker.log"

# All that a stopped worker had not read is deleted, and nothing comes after it.
ok "the worker ends" stop "$worker"
is "twenty more come" "$(sed -n 31,50p "$T/all" | produce -t raw -)" 20
ok "all of them are deleted" delete_before 50
ok "doctor counts them before a worker has noticed" doctor 'warn  missing .*Kafka has deleted 20 messages that group test has not read'
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "doctor says so, though nothing comes" wait_for 30 doctor '20 messages (offsets 30 to 49)'
ok "once only" wait_for 10 eval '! doctor "Kafka has deleted"'
free_port
start serve "$nowcast" serve --config "$T/nowcast.conf" --listen "127.0.0.1:$port"
ok "/metrics is there" wait_for 10 listens "$port"
has "/metrics counts both" "$(curl -s "http://127.0.0.1:$port/metrics")" '^nowcast_missing_messages\{cause="retention"\} 35$'
ok "the worker ends on SIGTERM" stop "$worker"

# A group that was away for so long that Kafka has forgotten its offsets, too.
ok "Kafka forgets the group" kafka_admin delete-group test
echo '{}' | produce -t raw - >/dev/null # offset 50
ok "and deletes one more message" kafka_admin delete-records raw 0 51
echo '{}' | produce -t raw - >/dev/null
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "doctor says so, as Redis knows how far it had read" wait_for 30 doctor '1 messages (offsets 50 to 50)'
ok "the worker ends" stop "$worker"

# Messages that are older than three quarters of what their topic keeps: said before they go.
topics="raw old"
write_config "$T/old.conf"
ok "a topic that keeps messages for a day" kafka_admin create-topic old 1 retention.ms 86400000
now=$(date +%s)
for age in 80000 70000 60000 50; do
	printf '{"topic":"old","partition":0,"offset":0,"tstype":"create","ts":%d,"key":null,"payload":"{}"}\n' $(((now - age) * 1000))
done >"$T/old"
head -n 1 "$T/old" | produce - >/dev/null
start worker "$nowcast" run --config "$T/old.conf"
worker=$pid
ok "a worker reads the first message" wait_for 30 caught_up
ok "and ends" stop "$worker"
sed -n 2,4p "$T/old" | produce - >/dev/null
"$nowcast" doctor --config "$T/old.conf" >"$T/doctor" 2>&1
has "doctor says it before they are gone" "$(cat "$T/doctor")" 'warn +kafka +topic old: Kafka soon deletes 1 of 3 messages .*keeps them for 24 h'
# Under a worker that runs and waits, because its dead letters have no place.
topics=waiting
ok "another topic that keeps messages for a day" kafka_admin create-topic waiting 1 retention.ms 86400000
write_config "$T/waits.conf" "dead_letter.file = /dev/full" "batch.bytes = 1MiB"
python3 -c 'import json, sys
message = json.loads(open(sys.argv[1]).readline()) | {"topic": "waiting"}
message["payload"] = json.dumps({"eventSource": "bedrock.amazonaws.com", "requestID": "x", "eventName": "x" * 400000})
for _ in range(6): print(json.dumps(message))' "$T/old" | produce - >/dev/null
start worker "$nowcast" run --config "$T/waits.conf"
worker=$pid
ok "a worker that waits warns in the log" wait_for 100 grep -q 'Kafka soon deletes [0-9]* messages of topic waiting' "$T/worker.log"
ok "and in the stats line" wait_for 5 grep -q 'msg=stats.*endangered=[1-9]' "$T/worker.log"
endangered() { curl -s "http://127.0.0.1:$port/metrics" | grep -q '^nowcast_endangered_messages [1-9]'; }
ok "and /metrics has them" wait_for 10 endangered
lag() { curl -s "http://127.0.0.1:$port/metrics" | sed -n 's/^nowcast_kafka_lag_messages{topic="waiting"} //p'; }
before=$(lag)
is "and how many are not read" "$(("${before:-0}" > 0 && "${before:-0}" <= 6))" 1
head -n 5 "$T/old" | sed 's/"topic":"old"/"topic":"waiting"/' | produce - >/dev/null
more() { [ "$(lag)" = $((before + 4)) ]; }
ok "those that come while it waits count as well" wait_for 100 more
kill -KILL "$worker"
wait_for 10 gone "$worker"
ok "the gap is replayed" "$nowcast" replay --redis "$REDIS_URL" <(sed -n '11,25p;31,50p' "$T/all")
report "$T/got.csv"
same_file "and nothing is missing" "$T/got.csv" "$T/want.csv"
finish
