#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Which records are calls, and of what: copies of a call that VPC endpoints record, operations with new names, calls of prompts
# and prompt routers, whose model another record names or none does, and what only looks like a foundation model.
. "$(dirname "$0")/../lib.sh"

python3 tests/support/calls.py "$T"
cases=$top/../shared/cases
A=111122223333
apply() { "$nowcast" replay --redis "$REDIS_URL" --prices builtin "$@" >"$T/replay.out" 2>&1 || bail "replay failed: $(tail -n 2 "$T/replay.out")"; }
of() { # BY COLUMN...
	local by=$1
	shift
	"$nowcast" report --redis "$REDIS_URL" --prices builtin --by "$by" --format csv | python3 tests/support/columns.py . "$@"
}
calls() { redis --scan --pattern '*:usage_meta:2026*' | grep "$1" | sed 's/^/HGETALL /' | redis | awk '/ calls/ { getline n; split(n, part, " "); sum += part[1] } END { print sum + 0 }'; }
faults() { sed -n 's/^faults *//p' "$T/replay.out"; }

# --- network activity events: three calls, and the copies of them
start_redis
apply "$T/network.ndjson"
is "three calls" "$(calls sonnet)" 3
is "at their price" "$(of principal tokens usd basis)" "3600,0.018000000,exact"
is "copies, refusals and other services are no fault" "$(faults) $(sed -n "s/^dead_letters *//p" "$T/replay.out")" "0 0"
tac "$T/network.ndjson" >"$T/backwards.ndjson"
start_redis
apply "$T/backwards.ndjson" "$T/network.ndjson"
is "copies first, and twice: the same" "$(calls sonnet) $(of principal tokens usd basis)" "3 3600,0.018000000,exact"

# --- records of one call that contradict each other: the same stays in every Redis, though ids are other ones in each
contradicts() { # NAME MODEL
	printf '{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%s:user/%s","accountId":"%s","userName":"%s"},"eventTime":"2026-11-02T05:00:05Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"%s"},"responseElements":null,"additionalEventData":{"inputTokens":10,"outputTokens":10},"requestID":"r-1","eventID":"e-1","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"%s","eventCategory":"Management"}\n' $A "$1" $A "$1" "$2" $A
}
{ contradicts ann us.anthropic.claude-sonnet-4-6; contradicts bob amazon.nova-pro-v1:0; } >"$T/contradicting.ndjson"
for i in 1 2 3 4 5 6 7 8; do
	"$nowcast" replay --redis "$REDIS_URL" --redis-prefix "p$i" "$T/contradicting.ndjson" >/dev/null
	"$nowcast" report --redis "$REDIS_URL" --redis-prefix "p$i" --by principal,model --format csv | cut -d, -f1,2 | sed 1d
done >"$T/stays"
is "that of the larger names" "$(sort "$T/stays" | uniq -c | sed 's/^ *//')" "8 arn:aws:iam::$A:user/bob,us.anthropic.claude-sonnet-4-6"

# --- operations with new names, the model under either key; counting tokens and administration are no calls
start_redis
apply "$T/operations.ndjson"
is "four calls" "$(calls sonnet)" 4
is "at the rate of their model" "$(of model model tokens usd)" "us.anthropic.claude-sonnet-4-6,4800,0.026400000"

# --- a prompt router: what served, where a record names it
start_redis
apply "$T/routed.ndjson"
is "the log, or the end of the stream, names the model" "$(of principal tokens usd basis)" "1500,0.000675000,exact 1500,0.000675000,exact"
is "nothing is left under the router" "$(of model model | grep -c router)" 0
is "two calls" "$(calls haiku) $(calls router)" "2 0"
report "$T/forwards.csv"
tac "$T/routed.ndjson" >"$T/backwards.ndjson"
start_redis
apply "$T/backwards.ndjson" "$T/routed.ndjson"
report "$T/backwards.csv"
same_file "in any order, and twice" "$T/backwards.csv" "$T/forwards.csv"

# --- what nobody names, and what only looks like a foundation model
start_redis
apply "$T/unpriced.ndjson"
is "nothing has a price" "$(of principal usd | tr -d ' ')" ""
is "nothing hides, tokens or none" "$(of principal principal tokens basis)" \
	"p1,15,unpriced p2,15,unpriced p3,15,unpriced p4,1,unpriced p5,15,unpriced p6,15,unpriced p7,15,unpriced p8,15,unpriced p9,1,unpriced q1,1,unpriced"
is "a model is shown as it was called" "$(of model model | tr ' ' '\n' | sort | sed "s/.*:$A://" | paste -sd' ')" \
	"agent-alias/AGENT12345/TSTALIASID custom-model-deployment/abc123def456 custom-model/amazon.nova-pro-v1:0 default-prompt-router/anthropic.claude:1 flow/FLOW123456/alias/ALIAS12345 prompt-router/anthropic.claude-3-haiku-20240307-v1:0 prompt/ABCDEFGHIJ:3 provisioned-model/0123456789ab endpoint/claude-sonnet-4-6"
why() { redis hget nowcast:unpriced "$1"; }
has "with the reason: a router" "$(why default-prompt-router/anthropic.claude:1)" 'prompt router'
has "a prompt" "$(why ABCDEFGHIJ:3)" 'named a prompt'
has "a custom model" "$(why abc123def456)" '^custom and imported'
has "one that has its base model's id" "$(why custom-model/amazon.nova-pro-v1:0)" '^custom and imported'
has "provisioned throughput" "$(why 0123456789ab)" 'by the hour'
has "an endpoint" "$(why endpoint/claude-sonnet-4-6)" 'SageMaker'
has "an agent" "$(why agent-alias/AGENT12345/TSTALIASID)" 'an agent or a flow'
"$nowcast" doctor --redis "$REDIS_URL" --prices builtin >"$T/doctor" 2>&1
has "doctor tells" "$(cat "$T/doctor")" 'unpriced: the call named a prompt'
ok "priced again" "$nowcast" reprice --redis "$REDIS_URL" --prices builtin --from 2026-11-01
has "nothing changes" "$(cat "$T/ok.out")" 'rows_changed +0$'

# --- the cases that were collected
if [ -d "$cases" ]; then
	start_redis
	apply "$cases"/05-*/trail.ndjson
	is "case 05: three calls and one of mantle" "$(calls sonnet) $(calls mantle) $(faults)" "3 1 0"
	is "case 05: dollars" "$(of model usd | tr -d ' ')" 0.018000000
	start_redis
	apply "$cases"/16-*/trail.ndjson
	is "case 16, CloudTrail: unpriced" "$(of model tokens usd basis)" "1500,,unpriced"
	has "case 16: the reason" "$(redis hvals nowcast:unpriced)" 'prompt router'
	start_redis
	apply "$cases"/16-*/invocation-log.ndjson
	is "case 16, log: Claude 3 Haiku" "$(of model model tokens usd basis)" "us.anthropic.claude-3-haiku-20240307-v1:0,1500,0.000675000,exact"
else
	diag "no $cases: the collected cases are left out"
fi
finish
