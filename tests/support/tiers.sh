#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Records of calls in every service tier and on both sides of a limit of prompts: logs, CloudTrail records and metrics.

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

tier_records() { # FOLDER: writes tiers, mantle, told, nobody and bands.ndjson
	local folder=$1
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
	} >"$folder/tiers.ndjson"
	G=openai.gpt-oss-120b
	{
		for i in 1 2 3; do mantle m-$i ann $G flex; done
		mantle m-4 ann $G default
		metric AWS/BedrockMantle Model $G TotalInputTokens 4000000
		metric AWS/BedrockMantle Model $G TotalOutputTokens 0
	} >"$folder/mantle.ndjson"
	{
		call x-1 ann $M '' '"inputTokens":3000000,"outputTokens":0'
		call x-2 bob $M '' ''
		metric AWS/Bedrock ModelId $M InputTokenCount 4000000
		metric AWS/Bedrock ModelId $M OutputTokenCount 0
		metric AWS/Bedrock ModelId $M InputTokenCount 2000000 | sed 's/"ModelId"/"ServiceTier":"flex","ResolvedServiceTier":"flex",&/'
		metric AWS/Bedrock ModelId $M InputTokenCount 1000000 | sed 's/"ModelId"/"ServiceTier":"priority","ResolvedServiceTier":"default",&/'
	} >"$folder/told.ndjson"
	{
		metric AWS/Bedrock ModelId $M InputTokenCount 4000000
		metric AWS/Bedrock ModelId $M InputTokenCount 1000000 | sed 's/"ModelId"/"ServiceTier":"flex","ResolvedServiceTier":"flex",&/'
	} >"$folder/nobody.ndjson"
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
	} >"$folder/bands.ndjson"
}
