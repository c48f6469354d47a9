#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A worker waits for Redis, and has paused its partitions. It loses one to another member of its group, goes on with what it has, and
# gets the lost one back: both are read.
# Done: while Redis is away, another member takes one of the partitions of a worker, and leaves when Redis is back
# Compared: figures with one undisturbed replay
. "$(dirname "$0")/../lib.sh"
topics=raw

for i in $(seq 0 39); do call_record "$i"; done >"$T/all"
reference "$T/all" "$T/want.csv" 2

start_redis durable
start_broker 2
[ "$broker_kind" = kafka ] || skip_all "librdkafka's mock cluster waits longer for a member"
write_config "$T/nowcast.conf"
head -n 10 "$T/all" | produce -t raw -p 2 - >/dev/null
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "a worker reads" wait_for 30 caught_up

# The same for sure: while it waits, another member takes one of its partitions, and gives it back when Redis has come back.
paused() { grep -q 'the batch is kept and tried again' "$T/worker.log"; }
assigned() { grep "assigned now" "$T/worker.log" | tail -n 1 | grep -q " $1 assigned now"; }
kill_redis
sed -n 11,25p "$T/all" | produce -t raw -p 2 - >/dev/null
ok "it waits for Redis, and has paused its partitions" wait_for 30 paused
start member kcat -q -b "$BOOTSTRAP" -X enable.auto.commit=false -X partition.assignment.strategy=roundrobin -G test raw
member=$pid
ok "another member takes one" wait_for 30 assigned 1
restart_redis
ok "what it has kept, it reads" wait_for 30 grep -q 'calls=2[0-9] ' "$T/worker.log"
stop "$member"
ok "it gets the other one back" wait_for 30 assigned 2
sed -n 26,40p "$T/all" | produce -t raw -p 2 - >/dev/null
ok "and reads both" wait_for 30 caught_up
ok "the worker ends on SIGTERM" stop "$worker"
settled_report "$T/got.csv"
same_file "nothing is missing" "$T/got.csv" "$T/want.csv"
finish
