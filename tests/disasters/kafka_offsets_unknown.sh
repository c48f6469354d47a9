#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The group's coordinator does not answer when a worker gets its partitions, and Kafka has deleted what was not read. The client then
# begins at the oldest message by itself; what is missing before it is found when the coordinator answers.
# Done: the committed offsets cannot be asked for at the start (tests/support/no_offsets.c), after Kafka has deleted messages
# Compared: the gap with what was deleted; figures after a replay of the gap with one undisturbed replay
. "$(dirname "$0")/../lib.sh"
topics=raw

for i in $(seq 0 39); do call_record "$i"; done >"$T/all"
cc -O1 -shared -fPIC -o "$T/no_offsets.so" tests/support/no_offsets.c -ldl || bail "no compiler for tests/support/no_offsets.c"
reference "$T/all" "$T/want.csv" 2

start_redis
start_broker 1
[ "$broker_kind" = kafka ] || skip_all "librdkafka's mock cluster deletes nothing"
write_config "$T/nowcast.conf"
head -n 10 "$T/all" | produce -t raw - >/dev/null
start worker "$nowcast" run --config "$T/nowcast.conf"
ok "a worker reads ten messages" wait_for 30 caught_up
ok "and ends" stop "$pid"
sed -n 11,30p "$T/all" | produce -t raw - >/dev/null
ok "fifteen of the next are deleted" kafka_admin delete-records raw 0 25
touch "$T/hidden"
start worker env LD_PRELOAD="$T/no_offsets.so" TEST_NO_OFFSETS="$T/hidden" "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "the next one reads on without knowing from where" wait_for 30 grep -q 'msg=stats.* messages=5 ' "$T/worker.log"
ok "and says so" wait_for 30 grep -q 'nothing can be committed yet' "$T/worker.log"
rm "$T/hidden"
ok "what is missing is found once the coordinator answers" wait_for 30 grep -q 'deleted messages before they were read.* offset=10 messages=15 ' "$T/worker.log"
sed -n 31,40p "$T/all" | produce -t raw - >/dev/null
ok "and all is committed" wait_for 30 caught_up
ok "the worker ends on SIGTERM" stop "$worker"
ok "the gap is replayed" "$nowcast" replay --redis "$REDIS_URL" <(sed -n 11,25p "$T/all")
settled_report "$T/got.csv"
same_file "and nothing is missing" "$T/got.csv" "$T/want.csv"
finish
