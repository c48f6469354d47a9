#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Service tiers and prompt bands, from the record that tells them to the dollars, the report, the explanation and the API: each
# call at its own rate where the record tells, and a mark where it does not.
. "$(dirname "$0")/../lib.sh"

A=111122223333
hour=2026-11-02T05:00:00Z
user() { echo "arn:aws:iam::$A:user/$1"; }
log() { # ID USER MODEL INPUT OUTPUT BODY [CACHE-READ]
	printf '{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-11-02T05:30:00Z","accountId":"%s","region":"us-east-1","requestId":"%s","modelId":"%s","operation":"Converse","identity":{"arn":"%s"},"input":{"inputTokenCount":%d,"cacheReadInputTokenCount":%d},"output":{"outputBodyJson":%s,"outputTokenCount":%d}}\n' \
		$A "$1" "$3" "$(user "$2")" "$4" "${7:-0}" "$6" "$5"
}
call() { # ID USER MODEL PARAMETERS [TOKENS]
	printf '{"userIdentity":{"type":"IAMUser","arn":"%s","accountId":"%s"},"eventTime":"2026-11-02T05:30:00Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"%s"%s},%s"requestID":"%s","eventID":"e","eventType":"AwsApiCall","recipientAccountId":"%s","eventCategory":"Management"}\n' \
		"$(user "$2")" $A "$3" "$4" "${5:+\"additionalEventData\":{$5\},}" "$1" $A
}
mantle() { # ID USER MODEL TIER
	printf '{"userIdentity":{"type":"IAMUser","arn":"%s","accountId":"%s"},"eventTime":"2026-11-02T05:30:00Z","eventSource":"bedrock-mantle.amazonaws.com","eventName":"CreateInference","awsRegion":"us-east-1","requestParameters":{"model":"%s","service_tier":"%s"},"requestID":"%s","eventID":"e","eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"%s","eventCategory":"Data"}\n' \
		"$(user "$2")" $A "$3" "$4" "$1" $A
}
metric() { # NAMESPACE DIMENSION MODEL NAME SUM
	printf '{"metric_stream_name":"m","account_id":"%s","region":"us-east-1","namespace":"%s","metric_name":"%s","dimensions":{"%s":"%s"},"timestamp":1793597400000,"value":{"max":1,"min":1,"sum":%d,"count":1},"unit":"Count"}\n' $A "$1" "$4" "$2" "$3" "$5"
}
by() { "$nowcast" report --redis "$REDIS_URL" --prices builtin --by "$1" --format csv | grep "$2" | cut -d, -f"$3" | paste -sd' '; }
apply() { "$nowcast" replay --redis "$REDIS_URL" --prices builtin "$@" >"$T/replay.out" 2>&1 || bail "replay failed: $(tail -n 2 "$T/replay.out")"; }

# --- every tier, told by logs: a million tokens each way, at the rates of that tier
start_redis
M=amazon.nova-pro-v1:0
{
	log l-0 ann $M 1000000 1000000 '{"usage":{}}'
	log l-1 ann $M 1000000 1000000 '{"serviceTier":{"type":"flex"}}'
	log l-2 ann $M 1000000 1000000 '{"serviceTier":{"type":"priority"}}'
	log l-3 ann $M 1000000 1000000 '{"performanceConfig":{"latency":"optimized"}}'
	log l-4 ann $M 1000000 1000000 '{"serviceTier":{"type":"reserved"}}'
	# Asked for priority, served by default: what served is billed, in whatever order the two records come.
	log l-5 bob $M 1000000 0 '{"serviceTier":{"type":"default"}}'
	call l-5 bob $M ',"serviceTier":{"type":"priority"}'
	# Nothing but the wish is known.
	call c-6 eve $M ',"serviceTier":{"type":"flex"}' '"inputTokens":1000000,"outputTokens":0'
} >"$T/tiers.ndjson"
apply "$T/tiers.ndjson"
is "each tier at its rate" "$(by principal,tier /ann, 2,4)" \
	"flex,2.000000000 latency,5.000000000 priority,7.000000000 reserved, standard,4.000000000"
is "what served is billed, not what was asked for" "$(by principal,tier /bob, 2,4)" standard,0.800000000
is "what was asked for, where nothing else is known" "$(by principal,tier /eve, 2,4)" flex,0.400000000
fails 3 "price explain tells the terms of each" "$nowcast" price explain --redis "$REDIS_URL" --prices builtin --principal "$(user ann)" --hour $hour
is "tier by tier" "$(sed -n 's/.*, \([a-z]*\) tier, 1 calls$/\1/p' "$T/out" | sort | paste -sd' ')" "flex latency priority reserved standard"
has "and reserved capacity as what it is" "$(cat "$T/out")" 'input +1000000 +unpriced: reserved capacity is billed by the hour'
"$nowcast" explain --redis "$REDIS_URL" --prices builtin "$(user ann)" $hour >"$T/out" 2>&1
is "explain too" "$(sed -n 's/^  \([a-z]*\) tier:$/\1/p' "$T/out" | sort | paste -sd' ')" "flex latency priority reserved"
report "$T/live.csv" --prices builtin
tac "$T/tiers.ndjson" >"$T/backwards.ndjson"
start_redis
apply "$T/backwards.ndjson" "$T/tiers.ndjson"
report "$T/backwards.csv" --prices builtin
same_file "in any order, and twice: the same" "$T/backwards.csv" "$T/live.csv"
ok "repriced at the same rates" "$nowcast" reprice --redis "$REDIS_URL" --prices builtin --from 2026-11-01
has "nothing changes" "$(cat "$T/ok.out")" 'rows_changed +0$'

# --- tiers of calls whose tokens only a metric tells: a caller's part is divided by calls
start_redis
G=openai.gpt-oss-120b
{
	for i in 1 2 3; do mantle m-$i ann $G flex; done
	mantle m-4 ann $G default
	metric AWS/BedrockMantle Model $G TotalInputTokens 4000000
	metric AWS/BedrockMantle Model $G TotalOutputTokens 0
} >"$T/mantle.ndjson"
apply "$T/mantle.ndjson"
is "three of four calls in flex: three quarters of the tokens at half the rate" "$(by tier '[a-z],[0-9]' 1,2,3)" "flex,3000000,0.225000000 standard,1000000,0.150000000"

# --- tiers that only a metric tells: the sum of the tier is the metric's, and each caller has of it what it has of the tokens
start_redis
{
	call x-1 ann $M '' '"inputTokens":3000000,"outputTokens":0'
	call x-2 bob $M '' ''
	metric AWS/Bedrock ModelId $M InputTokenCount 4000000
	metric AWS/Bedrock ModelId $M OutputTokenCount 0
	metric AWS/Bedrock ModelId $M InputTokenCount 2000000 | sed 's/"ModelId"/"ServiceTier":"flex","ResolvedServiceTier":"flex",&/'
	metric AWS/Bedrock ModelId $M InputTokenCount 1000000 | sed 's/"ModelId"/"ServiceTier":"priority","ResolvedServiceTier":"default",&/'
} >"$T/told.ndjson"
apply "$T/told.ndjson"
is "half of the tokens in flex, half the rate" "$(by tier '[a-z],[0-9]' 1,2,3)" "flex,2000000,0.800000000 standard,2000000,1.600000000"
is "by caller alike" "$(by principal,tier :user 2,3)" "flex,1500000 standard,1500000 flex,500000 standard,500000"

# Tokens without a caller are of a tier too.
start_redis
{
	metric AWS/Bedrock ModelId $M InputTokenCount 4000000
	metric AWS/Bedrock ModelId $M InputTokenCount 1000000 | sed 's/"ModelId"/"ServiceTier":"flex","ResolvedServiceTier":"flex",&/'
} >"$T/nobody.ndjson"
apply "$T/nobody.ndjson"
is "unattributed tokens by tier" "$(by principal,tier '(un' 2,3,4)" "flex,1000000,0.400000000 standard,3000000,2.400000000"

# --- prompt bands: 0.11 up to 100,000 tokens, 0.55 beyond
start_redis
H=us.anthropic.claude-haiku-5-5
{
	log h-1 ann $H 100000 0 '{}'
	log h-2 ann $H 100001 0 '{}'
	log h-3 ann $H 1 0 '{}' 100000 # the prompt is input and cache together
	call h-4 bob $H '' '"inputTokens":150000,"outputTokens":0'
	call h-5 eve $H '' '"inputTokens":60000,"outputTokens":0'
	call h-6 eve $H '' '"inputTokens":50000,"outputTokens":0'
	metric AWS/Bedrock ModelId $H InputTokenCount 460002
	metric AWS/Bedrock ModelId $H CacheReadInputTokenCount 100000
} >"$T/bands.ndjson"
apply "$T/bands.ndjson"
# 0.100000 x 0.11 + 0.100001 x 0.55 + 0.000001 x 0.55 + 0.1 x 0.055
is "each request in the band of its own prompt" "$(by principal /ann, 3)" "$(python3 -c 'print("%.9f" % (.1*.11 + .100001*.55 + .000001*.55 + .1*.055))')"
is "and that is no estimate" "$(by principal /ann, 6)" exact
is "a prompt that is long without its cache is long" "$(by principal /bob, 3,6)" 0.082500000,exact
is "what only the mean tells is marked" "$(by principal /eve, 3,6)" "0.012100000,exact; prompt band estimated"
has "in JSON" "$("$nowcast" report --redis "$REDIS_URL" --format json)" 'user/eve".*"usd_band_estimated":"0.012100000"'
"$nowcast" explain --redis "$REDIS_URL" --prices builtin "$(user eve)" $hour >"$T/out" 2>&1
has "in explain" "$(cat "$T/out")" 'goes by the length of the prompt, which is an estimate'
has "in price explain" "$(cat "$T/out")" 'rates are those of prompts up to 100000 tokens: an estimate'
"$nowcast" explain --redis "$REDIS_URL" --prices builtin "$(user ann)" $hour >"$T/out" 2>&1
has "and what is known is said to be known" "$(cat "$T/out")" "rates are those of long prompts: as each call's own prompt was"
free_port
start serve "$nowcast" serve --redis "$REDIS_URL" --prices builtin --listen "127.0.0.1:$port" --now 2026-11-02T06:00:00Z
wait_for 10 listens "$port" || bail "serve does not listen"
has "in the API" "$(curl -s "http://127.0.0.1:$port/api/v1/breakdown?by=principal&hours=24")" '"principal":"[^"]*user/eve".{0,300}"usd_band_estimated":"0.012100000"'
has "which groups by tier, and filters" "$(curl -s "http://127.0.0.1:$port/api/v1/breakdown?by=tier&tier=standard&hours=24")" '"tier":"standard"'
ok "repriced at the same rates" "$nowcast" reprice --redis "$REDIS_URL" --prices builtin --from 2026-11-01
has "nothing changes" "$(cat "$T/ok.out")" 'rows_changed +0$'
finish
