#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A worker whose queue was full goes on as soon as it has read a part of it. librdkafka before 2.2 fetches again only a second
# later (ingest/kafka_refill.c): so it would take 15 seconds here.
. "$(dirname "$0")/../lib.sh"
topics=cloudtrail n=40000

start_redis
start_broker 1
"$top/$B/tests/bench/generate" -b "$BOOTSTRAP" -t cloudtrail -p 1 -n $n >"$T/generate.log" 2>&1 || bail "the topic could not be filled"
# 54 MB in fetches of about 1 MB
write_config "$T/nowcast.conf" "queue.bytes = 1MiB" "kafka.max.partition.fetch.bytes = 65536"
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "the worker begins to read" wait_for 60 grep -q 'assigned now' "$T/worker.log"
began=$(date +%s%3N)
ok "it reads many times what fits into the queue" wait_for 60 caught_up
took=$(($(date +%s%3N) - began))
ok "without a second of waiting each time it was full ($took ms)" test $took -lt 10000
stop $worker
finish
