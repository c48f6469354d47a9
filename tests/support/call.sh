#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Calls of one user and model, for tests that count them.

call() { # REQUEST-ID TIME: a record of CloudTrail, of 10 input and 10 output tokens
	printf '{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ann","accountId":"111122223333","userName":"ann"},"eventTime":"%s","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"us.anthropic.claude-sonnet-4-6"},"responseElements":null,"additionalEventData":{"inputTokens":10,"outputTokens":10},"requestID":"%s","eventID":"e-%s","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}\n' "$2" "$1" "$1"
}

minutes_after() { date -u -d "$1 + $2 minutes" +%Y-%m-%dT%H:%M:%SZ; } # TIME N
