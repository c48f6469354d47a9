#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A group that begins at the newest message (kafka.auto.offset.reset = latest) begins there once. What comes later is read, also
# what comes while no worker runs and before the first message was read, and all of a partition that is added.
# Done: a worker that begins at the end is stopped before it has read anything; messages come; a partition is added
# Compared: figures with one replay of what came after the beginning
. "$(dirname "$0")/../lib.sh"
topics=raw

call() { # NUMBER
	printf '{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ann","accountId":"111122223333","userName":"ann"},"eventTime":"2026-11-02T00:%02d:05Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"us.anthropic.claude-sonnet-4-6"},"responseElements":null,"additionalEventData":{"inputTokens":100,"outputTokens":10},"requestID":"r-%s","eventID":"e-%s","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}\n' "$1" "$1" "$1"
}
for i in $(seq 0 39); do call "$i"; done >"$T/all"
start_redis
ok "the reference: what came after the beginning" "$nowcast" replay --redis "$REDIS_URL" <(sed 1,10d "$T/all")
report "$T/want.csv"
kill_redis

start_redis
start_broker 1
[ "$broker_kind" = kafka ] || skip_all "librdkafka's mock cluster adds no partitions"
write_config "$T/nowcast.conf" "kafka.auto.offset.reset = latest"
head -n 10 "$T/all" | produce -t raw - >/dev/null
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "a worker begins at the end, and commits that" wait_for 30 caught_up
ok "and ends" stop "$worker"
sed -n 11,20p "$T/all" | produce -t raw - >/dev/null
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "the next one reads what came meanwhile" wait_for 30 caught_up
ok "and ends" stop "$worker"
sed -n 21,30p "$T/all" | produce -t raw -a -p 2 - >/dev/null # half of them into a new partition
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "a partition that was added is read from its beginning" wait_for 30 caught_up
sed -n 31,40p "$T/all" | produce -t raw -p 2 - >/dev/null
ok "and on" wait_for 30 caught_up
ok "the worker ends on SIGTERM" stop "$worker"
settled_report "$T/got.csv"
same_file "nothing that came after the beginning is missing" "$T/got.csv" "$T/want.csv"
finish
