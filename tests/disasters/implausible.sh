#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: among plausible records come a call of 4,294,967,295 tokens, a log of more tokens than eight context windows of its
# model, and a metric of more than its calls can have
# Compared: the figures with those of a replay of the same calls and logs without their tokens, and without the metric
# In: make test
. "$(dirname "$0")/../lib.sh"

A=111122223333
trail() { # ID MINUTE USER MODEL [FIELDS]
	printf '{"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%s:user/%s","accountId":"%s"},"eventTime":"2026-11-02T05:%s:00Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"%s"},"requestID":"%s","eventID":"e-%s","eventType":"AwsApiCall","recipientAccountId":"%s","eventCategory":"Management"%s}\n' \
		$A "$3" $A "$2" "$4" "$1" "$1" $A "${5:-}"
}
used() { echo ",\"additionalEventData\":{\"inputTokens\":$1,\"outputTokens\":$2}"; }
log() { # ID MINUTE USER MODEL TOKENS
	printf '{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-11-02T05:%s:30Z","accountId":"%s","region":"us-east-1","requestId":"%s","operation":"Converse","modelId":"%s","identity":{"arn":"arn:aws:iam::%s:user/%s"}%s}\n' $2 $A "$1" "$4" $A "$3" "${5:+,\"input\":{\"inputTokenCount\":$5\},\"output\":{\"outputTokenCount\":10\}}"
}
metric() { # MINUTE NAME MODEL SUM SAMPLES
	printf '{"metric_stream_name":"s","account_id":"%s","region":"us-east-1","namespace":"AWS/Bedrock","metric_name":"%s","dimensions":{"ModelId":"%s"},"timestamp":%s,"value":{"count":%s.0,"sum":%s.0,"max":1.0,"min":1.0},"unit":"Count"}\n' \
		$A "$2" "$3" "$(date -d "2026-11-02T05:$1:00Z" +%s)000" "$5" "$4"
}
replay() { "$nowcast" replay --redis "$REDIS_URL" --dead-letter-file "$T/dead" "$@" >"$T/replay.out" 2>&1 || diag "$(cat "$T/replay.out")"; }

claude=anthropic.claude-3-haiku-20240307-v1:0 nova=amazon.nova-micro-v1:0
{
	trail c-1 01 ann $claude "$(used 1000 100)"
	trail c-2 01 bob $nova "$(used 2000 200)"
	metric 02 InputTokenCount $nova 7000 1
	metric 03 InputTokenCount $nova 300 1
} >"$T/common.ndjson"
{ trail c-3 02 eve $nova; trail c-4 04 eve $claude; trail c-5 05 eve vendor.new-model; } >"$T/want.ndjson"
{
	trail c-3 02 eve $nova "$(used 4294967295 10)"
	trail c-4 04 eve $claude
	log c-4 04 eve $claude 1600001
	trail c-5 05 eve vendor.new-model "$(used 10 80000001)"
	metric 03 InputTokenCount $nova 5000000 2
} >"$T/got.ndjson"

start_redis
replay "$T/common.ndjson" "$T/want.ndjson"
report "$T/want.csv"
redis flushall >/dev/null
rm -f "$T/dead"
replay "$T/common.ndjson" "$T/got.ndjson"
report "$T/got.csv"
same_file "what cannot be is in no total, and its calls are counted" "$T/got.csv" "$T/want.csv"
is "each is a dead letter" "$(grep -c '"implausible"' "$T/dead")" 4
has "with the reason" "$(cat "$T/dead")" 'a call of 4294967295 prompt tokens'
has "the replay counts them" "$(cat "$T/replay.out")" '^faults +4$'
has "doctor shows them" "$("$nowcast" doctor --redis "$REDIS_URL")" '^warn +dead +4 dead letters `implausible`'
has "the report says that they are in no figure" "$("$nowcast" report --redis "$REDIS_URL" 2>&1)" '4 records have more tokens than a call can have'
replay "$T/got.ndjson" "$T/common.ndjson"
report "$T/again.csv"
same_file "in any order, and again" "$T/again.csv" "$T/want.csv"

trail c-6 06 ann $claude "$(used 1500000 1000)" >"$T/large.ndjson"
replay "$T/large.ndjson"
has "a call of many turns is believed" "$(cat "$T/replay.out")" '^faults +0$'
free_port
start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port"
wait_for 10 listens "$port"
has "/metrics has them" "$(curl -s "http://127.0.0.1:$port/metrics")" 'nowcast_dead_letters_total\{reason="implausible"\} [1-9]'
has "and so does the page" "$(curl -s "http://127.0.0.1:$port/api/v1/findings")" 'dead letters `implausible`'
finish
