#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A topic is deleted while a worker reads it. The others go on, SIGTERM ends the worker in time and after its commit, and a
# topic made anew under the same name is read from its beginning.
# Done: a topic is deleted under a running worker, and made again
# Compared: figures with one undisturbed replay
. "$(dirname "$0")/../lib.sh"
topics="raw doomed"

for i in $(seq 0 29); do call_record "$i"; done >"$T/all"
reference "$T/all" "$T/want.csv" 2

start_redis
start_broker 1
[ "$broker_kind" = kafka ] || skip_all "librdkafka's mock cluster deletes no topics"
write_config "$T/nowcast.conf"
head -n 5 "$T/all" | produce -t raw - >/dev/null
sed -n 6,15p "$T/all" | produce -t doomed - >/dev/null
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "a worker reads both topics" wait_for 30 caught_up
ok "one of them is deleted" kafka_admin delete-topic doomed
sleep 3
sed -n 16,20p "$T/all" | produce -t raw - >/dev/null
topics=raw
ok "the worker goes on with the other" wait_for 30 caught_up
began=$SECONDS
ok "it ends on SIGTERM" stop "$worker"
ok "within twenty seconds" test $((SECONDS - began)) -lt 20
has "and says that everything is committed" "$(tail -n 2 "$T/worker.log")" 'everything read is committed'
is "which is so" "$(lag)" 0
topics="raw doomed"
ok "the topic is made again, shorter than it was" kafka_admin create-topic doomed 1
sed -n 21,25p "$T/all" | produce -t doomed - >/dev/null
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "it is read" wait_for 30 caught_up
redis FLUSHALL >/dev/null # what is lost now is found again: the old positions of the topic do not hide it
ok "Redis is found empty" wait_for 30 grep -q 'Reading again.*' "$T/worker.log"
sed -n 26,30p "$T/all" | produce -t doomed - >/dev/null
ok "all is read again" wait_for 30 caught_up
ok "the worker ends on SIGTERM" stop "$worker"
ok "what the deleted topic had is replayed" "$nowcast" replay --redis "$REDIS_URL" <(sed -n 6,15p "$T/all")
report "$T/got.csv"
same_file "and nothing is missing" "$T/got.csv" "$T/want.csv"
finish
