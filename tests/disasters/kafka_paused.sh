#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A worker waits for Redis, and has paused its partitions. It loses them because its group takes it for dead, goes on while it has
# none, and gets them back: they are read.
# Done: while Redis is away and messages come, a worker is stopped (SIGSTOP) for longer than its group waits
# Compared: figures with one undisturbed replay
. "$(dirname "$0")/../lib.sh"
topics=raw

call() { # NUMBER
	printf '{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ann","accountId":"111122223333","userName":"ann"},"eventTime":"2026-11-02T00:%02d:05Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"us.anthropic.claude-sonnet-4-6"},"responseElements":null,"additionalEventData":{"inputTokens":100,"outputTokens":10},"requestID":"r-%s","eventID":"e-%s","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}\n' "$1" "$1" "$1"
}
for i in $(seq 0 39); do call "$i"; done >"$T/all"
start_redis
ok "the reference: one replay" "$nowcast" replay --redis "$REDIS_URL" "$T/all"
report "$T/want.csv"
kill_redis

start_redis durable
start_broker 2
[ "$broker_kind" = kafka ] || skip_all "librdkafka's mock cluster waits longer for a member"
write_config "$T/nowcast.conf"
head -n 10 "$T/all" | produce -t raw -p 2 - >/dev/null
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "a worker reads" wait_for 30 caught_up
paused() { [ "$(grep -c 'the batch is kept and tried again' "$T/worker.log")" -ge "$1" ]; }
for round in 1 2 3; do
	kill_redis
	sed -n "$((round * 10 + 1)),$((round * 10 + 10))p" "$T/all" | produce -t raw -p 2 - >/dev/null
	ok "it waits for Redis, and has paused its partitions: $round" wait_for 30 paused "$round"
	kill -STOP "$worker"
	restart_redis
	sleep 4
	kill -CONT "$worker"
	ok "after the group has lost it, it reads on" wait_for 30 caught_up
done
ok "the worker ends on SIGTERM" stop "$worker"
settled_report "$T/got.csv"
same_file "nothing is missing" "$T/got.csv" "$T/want.csv"
finish
