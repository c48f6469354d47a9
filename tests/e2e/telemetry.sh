#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What callers say of their own calls (docs/telemetry.md), as an OpenTelemetry collector writes it into Kafka, from files: it is not
# used unless a trust rule allows it, then it beats the estimate, and what of it is not used is counted and shown.
. "$(dirname "$0")/../lib.sh"

python3 - "$T" <<'PY' || bail "no records"
import json, sys
out, at = sys.argv[1], "2026-11-02T05:06:0%dZ"
ids = ["79b9da3%d-b7ae-508a-a6bc-864b2829c622" % i for i in range(4)]
arn = "arn:aws:sts::111122223333:assumed-role/dev/%s"
def call(i, who):
    return {"eventSource": "bedrock.amazonaws.com", "eventName": "Converse", "eventTime": at % i, "awsRegion": "us-east-1", "requestID": ids[i],
            "recipientAccountId": "111122223333", "requestParameters": {"modelId": "us.anthropic.claude-sonnet-4-6"},
            "userIdentity": {"type": "AssumedRole", "arn": arn % who, "accountId": "111122223333",
                             "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/dev"}}}}
def metric(name, n):
    return {"namespace": "AWS/Bedrock", "metric_name": name, "account_id": "111122223333", "region": "us-east-1", "timestamp": 1793595960000,
            "dimensions": {"ModelId": "us.anthropic.claude-sonnet-4-6"}, "value": {"sum": n, "count": 2}}
def attributes(d):
    return [{"key": k, "value": {"intValue": str(v)} if isinstance(v, int) else {"stringValue": v}} for k, v in d.items()]
place = {"cloud.account.id": "111122223333", "cloud.region": "us-east-1"}
def event(resource, **more):
    usage = {"model": "us.anthropic.claude-sonnet-4-6", "input_tokens": 100, "output_tokens": 900, "cache_read_tokens": 0, "cache_creation_tokens": 0}
    return {"resourceLogs": [{"resource": {"attributes": attributes(resource)}, "scopeLogs": [{"logRecords": [
        {"timeUnixNano": "1793595966000000000", "body": {"stringValue": "claude_code.api_request"}, "attributes": attributes({**usage, **more})}]}]}]}
def varint(n):
    return bytes([n & 127 | 128]) + varint(n >> 7) if n > 127 else bytes([n])
def field(number, value):
    if isinstance(value, int): return varint(number << 3) + varint(value)
    if isinstance(value, str): value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value
def fixed(number, n): return varint(number << 3 | 1) + n.to_bytes(8, "little")
def pair(number, k, v): return field(number, field(1, k) + field(2, field(3 if isinstance(v, int) else 1, v)))
span = field(1, "0123456789abcdef") + field(2, "01234567") + fixed(7, 1793595965000000000) + fixed(8, 1793595966000000000)
for k, v in {"gen_ai.provider.name": "aws.bedrock", "gen_ai.request.model": "us.anthropic.claude-sonnet-4-6", "aws.request_id": ids[1], "aws.region": "us-east-1",
             "gen_ai.usage.input_tokens": 50, "gen_ai.usage.output_tokens": 60}.items():
    span += pair(9, k, v)
scope = field(1, field(1, "opentelemetry.instrumentation.botocore.bedrock-runtime")) + field(2, span)
spans = field(1, field(1, pair(1, "cloud.account.id", "111122223333")) + field(2, scope))
open(f"{out}/calls.ndjson", "w").write("".join(json.dumps(r) + "\n" for r in (call(0, "ann"), call(1, "bob"), call(2, "cleo"), metric("InputTokenCount", 250), metric("OutputTokenCount", 1500))))
open(f"{out}/logs.ndjson", "w").write("".join(json.dumps(e) + "\n" for e in (
    event(place, request_id=ids[0]), event(place, request_id=ids[3]), event({}, request_id=ids[0]), event(place),
    event(place, request_id=ids[2], output_tokens=700))))
open(f"{out}/spans.pb", "wb").write(spans)
PY

start_redis
replay() { "$nowcast" replay --redis "$REDIS_URL" "$@"; }
by() { "$nowcast" report --redis "$REDIS_URL" --by "$1" --format csv --from 2026-11-02T05:00:00Z --to 2026-11-02T06:00:00Z; }
doctor() { "$nowcast" doctor --redis "$REDIS_URL"; }

ok "calls and metrics" replay "$T/calls.ndjson"
replay "$T/logs.ndjson" "$T/spans.pb" >"$T/out" 2>&1
has "telemetry is recognised, in JSON and in protobuf" "$(cat "$T/out")" '^telemetry +6$'
has "and not used unless a rule allows it" "$(cat "$T/out")" '^telemetry unlisted 6$'
has "which is no fault" "$(cat "$T/out")" '^faults +0$'
has "but is worth a note" "$(doctor)" 'note.* 6 not used \(`unlisted`\)'
is "and in no figure" "$(by principal | grep -c telemetry)" 0

printf '%s\n' "trust.file:*calls* = cloudtrail, metrics" "trust.file:*logs* = telemetry" "trust.file:*spans* = telemetry" >"$T/nowcast.conf"
ok "with rules" replay --config "$T/nowcast.conf" "$T/spans.pb" "$T/logs.ndjson"
has "what cannot be placed is counted" "$(cat "$T/ok.out")" '^telemetry unplaced 1$'
has "and what names no request" "$(cat "$T/ok.out")" '^telemetry without_id 1$'
by principal,token_type | cut -d, -f 1-3,7 >"$T/got.csv"
is "the caller's tokens are its own, within the metric; the rest is shared" "$(sort "$T/got.csv" | grep -v ^principal)" \
	"arn:aws:sts::111122223333:assumed-role/dev/ann,input,100,telemetry
arn:aws:sts::111122223333:assumed-role/dev/ann,output,740,allocated
arn:aws:sts::111122223333:assumed-role/dev/bob,input,50,telemetry
arn:aws:sts::111122223333:assumed-role/dev/bob,output,60,telemetry
arn:aws:sts::111122223333:assumed-role/dev/cleo,input,100,telemetry
arn:aws:sts::111122223333:assumed-role/dev/cleo,output,700,telemetry"
has "explain says whose word it is" "$("$nowcast" explain --redis "$REDIS_URL" arn:aws:sts::111122223333:assumed-role/dev/bob 2026-11-02T05:00:00Z)" \
	'60 exact, .*60 of the exact ones by the caller'
has "and that some was refused" "$("$nowcast" explain --redis "$REDIS_URL" arn:aws:sts::111122223333:assumed-role/dev/bob 2026-11-02T05:00:00Z)" \
	'telemetry .* 3 calls; 1 were refused'

printf '%s\n' "trust.file:*calls* = cloudtrail, metrics" >"$T/nowcast.conf"
replay --config "$T/nowcast.conf" "$T/logs.ndjson" >"$T/out" 2>&1
has "a file that no rule names is refused like any other record" "$(cat "$T/out")" '^telemetry unlisted 5$'
finish
