#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Records of calls that are not billed by token: images and search units, counted by logs, by a metric, or by nothing.

A=111122223333
hour=2026-11-02T05:00:00Z
call() { # ID USER MODEL
	printf '{"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%s:user/%s","accountId":"%s"},"eventTime":"2026-11-02T05:30:00Z","eventSource":"bedrock.amazonaws.com","eventName":"InvokeModel","awsRegion":"us-east-1","requestParameters":{"modelId":"%s"},"requestID":"%s","eventID":"e","eventType":"AwsApiCall","recipientAccountId":"%s","eventCategory":"Management"}\n' $A "$2" $A "$3" "$1" $A
}
log() { # ID USER MODEL BODY
	printf '{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-11-02T05:30:00Z","accountId":"%s","region":"us-east-1","requestId":"%s","modelId":"%s","operation":"InvokeModel","identity":{"arn":"arn:aws:iam::%s:user/%s"},"input":{},"output":{"outputBodyJson":%s}}\n' $A "$1" "$3" $A "$2" "$4"
}
images() { # MODEL COUNT
	printf '{"metric_stream_name":"m","account_id":"%s","region":"us-east-1","namespace":"AWS/Bedrock","metric_name":"OutputImageCount","dimensions":{"ModelId":"%s"},"timestamp":1793597400000,"value":{"max":1,"min":1,"sum":%d,"count":1},"unit":"Count"}\n' $A "$1" "$2"
}

unit_records() { # FOLDER: writes units.ndjson, and prices of some of them: ours.csv
	local folder=$1
	printf '%s\n%s\n%s\n' model,scope,region,account,tier,from,to,prompt_tokens_over,input,output,cache_read,cache_write_5m,cache_write_1h,unit,per_unit,source \
		amazon.nova-canvas,any,,,,,,,,,,,,image,0.04,ours cohere.rerank-v3-5,any,,,,,,,,,,,,'search unit',0.002,ours >"$folder/ours.csv"
	C=amazon.nova-canvas-v1:0
	{
		call c-1 ann $C; log c-1 ann $C '{"images":["a","b"]}'
		call c-2 bob $C; call c-3 bob $C
		images $C 5
		log r-1 eve cohere.rerank-v3-5:0 '{"results":[],"meta":{"billed_units":{"search_units":3}}}'
		call s-1 eve stability.sd3-5-large-v1:0
	} >"$folder/units.ndjson"
}
