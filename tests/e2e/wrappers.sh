#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A call is read in whatever it is wrapped, on the whole way into a report; what has the signs of one and cannot be read is
# a dead letter, which doctor and /metrics count by reason; and a replay that recognises nothing says so.
# tests/decode/shippers.txt has many more wrappers, tests/decode/unread.txt and quotations.txt what is none.
. "$(dirname "$0")/../lib.sh"

record='{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROATEST1:ann","arn":"arn:aws:sts::111122223333:assumed-role/app/ann","accountId":"111122223333","accessKeyId":"ASIATESTKEY1"},"eventTime":"2026-11-02T05:06:07Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","userAgent":"x","requestParameters":{"modelId":"global.anthropic.claude-sonnet-4-6"},"responseElements":null,"additionalEventData":{"inputTokens":1000,"outputTokens":200},"requestID":"r-1","eventID":"e-1","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}'
escaped=${record//\"/\\\"}

replay() { "$nowcast" replay --redis "$REDIS_URL" "$@"; }
spent() { "$nowcast" report --redis "$REDIS_URL" --from 2026-11-01 --to 2026-12-01 --by principal --format csv | tail -n +2 | cut -d, -f2,3; }
reads() { # NAME FILE: one call, $0.006
	redis flushall >/dev/null
	ok "$1 is replayed" replay "$2"
	has "one call" "$(cat "$T/ok.out")" '^calls +1$'
	is "of \$0.006" "$(spent)" "1200,0.006000000"
}

start_redis
cases=$shared/cases
if [ -d "$cases/01-wrappers" ]; then
	for file in "$cases"/01-wrappers/* "$cases"/02-fluentd-log-key/*; do
		reads "the case $(basename "$file")" "$file"
	done
else
	diag "no $cases here: its wrappers are skipped"
fi

# Of our own: a console's lines, a queue in a queue, a collector's JSON, an export of CloudWatch Logs.
printf 'CreateTime:1793595967000\tnull\t%s\n' "$record" >"$T/console.txt"
reads "what a console consumer prints" "$T/console.txt"
python3 - "$record" >"$T/queue.json" <<'END'
import json, sys
print(json.dumps({"Messages": [{"Body": json.dumps({"Type": "Notification", "Message": json.dumps({"detail-type": "x", "detail": json.loads(sys.argv[1])})})}]}, indent=4))
END
reads "EventBridge in SNS in SQS, indented" "$T/queue.json"
printf '2026-11-02T05:06:06.000Z START bedrock\n2026-11-02T05:06:07.000Z %s\n' "$record" | gzip >"$T/000000.gz"
reads "an export of CloudWatch Logs" "$T/000000.gz"
printf '{"l":%s,"attributes":{"l":"%s"}}\n' "$record" "$escaped" >"$T/twice.json"
redis flushall >/dev/null
ok "a call that a message tells twice is replayed" replay "$T/twice.json"
is "and is one call" "$(spent)" "1200,0.006000000"

# What cannot be read.
redis flushall >/dev/null
has "without dead letters doctor says so" "$("$nowcast" doctor --redis "$REDIS_URL")" '^ok +dead +no dead letters'
{
	echo '{"event_source":"bedrock.amazonaws.com","request_id":"r-1"}'
	echo '{"event_source":"bedrock-mantle.amazonaws.com","request_id":"r-2"}'
	echo '{"Namespace":"AWS/Bedrock","MetricName":"InputTokenCount","Values":[1]}'
	echo '{"schema_type":"ModelInvocationLog"}'
	printf '{"prompt":"%s"}\n' "$escaped"
} >"$T/unread.ndjson"
fails 1 "a replay of what cannot be read fails" replay --dead-letter-file "$T/dead.ndjson" "$T/unread.ndjson"
has "and says what it looked for" "$(cat "$T/err")" 'no record was recognised in 5 messages.*CloudTrail records.*invocation logs.*metrics'
has "it counts them" "$(cat "$T/out")" '^dead_letters +5 in '
is "each is filed with its kind" "$(sed 's/.*"kind":"\([a-z_]*\)".*/\1/' "$T/dead.ndjson" | tr '\n' ' ')" \
	"unread_call unread_call unread_metric unread_log quoted "
"$nowcast" doctor --redis "$REDIS_URL" >"$T/doctor"
has "doctor counts them" "$(cat "$T/doctor")" '^warn +dead +2 dead letters `unread_call`, the last [0-9]+ s ago: calls of Bedrock in a form'
has "by reason" "$(cat "$T/doctor")" '^warn +dead +1 dead letter `unread_metric`'
has "a quotation is a note" "$(cat "$T/doctor")" '^note +dead +1 dead letter `quoted`'
free_port
start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port"
wait_for 10 listens "$port"
curl -s "http://127.0.0.1:$port/metrics" >"$T/metrics"
stop "$pid"
has "/metrics counts them too" "$(cat "$T/metrics")" '^nowcast_dead_letters_total\{reason="unread_call"\} 2$'
has "and what did not come" "$(cat "$T/metrics")" '^nowcast_dead_letters_total\{reason="broken"\} 0$'
fails 1 "dead letters that are replayed fail again" replay --dead-letter-file "$T/again.ndjson" "$T/dead.ndjson"
is "with the same reasons" "$(sed 's/.*"kind":"\([a-z_]*\)".*/\1/' "$T/again.ndjson" | tr '\n' ' ')" \
	"unread_call unread_call unread_metric unread_log quoted "
is "and the same bytes" "$(grep -o '"records":.*' "$T/again.ndjson")" "$(grep -o '"records":.*' "$T/dead.ndjson")"

# What is not ours, and nothing.
echo '{"eventSource":"s3.amazonaws.com","eventName":"GetObject"}' >"$T/other.json"
fails 1 "a replay of others' records fails" replay "$T/other.json"
has "and says why" "$(cat "$T/err")" 'no record was recognised in 1 messages'
mkdir "$T/empty"
fails 1 "so does one of an empty folder" replay "$T/empty"
ok "nothing on standard input only computes what is due" replay - </dev/null
finish
