#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Calls through application inference profiles, and lists of these by the AWS command line and as a map.

A=111122223333
arn() { echo "arn:aws:bedrock:us-east-1:$A:application-inference-profile/$1"; }
call() { # ID HOUR MODEL: a call of a million input tokens
	printf '{"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%s:user/ann","accountId":"%s"},"eventTime":"2026-11-02T%02d:30:00Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"%s"},"additionalEventData":{"inputTokens":1000000,"outputTokens":0},"requestID":"%s","eventID":"e","eventType":"AwsApiCall","recipientAccountId":"%s","eventCategory":"Management"%s}\n' $A $A "$2" "$3" "$1" $A "${4:-}"
}
model() { echo "{\"modelArn\": \"arn:aws:bedrock:$1::foundation-model/anthropic.claude-sonnet-4-6\"}"; }
profile=$(arn aaaa1111bbbb)

profile_records() { # FOLDER: writes calls.ndjson, profiles.json and map.csv
	local folder=$1
	{
		call r-1 3 "$profile"
		call g-1 3 "$(arn cccc2222dddd)"
		call s-1 3 eeee3333ffff ',"resources":[{"ARN":"arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-6"}]'
		call n-1 3 "$(arn 999900001111)"
	} >"$folder/calls.ndjson"
	cat >"$folder/profiles.json" <<END
{"inferenceProfileSummaries": [
 {"inferenceProfileName": "search", "createdAt": "2026-11-02T03:10:00.123456+00:00", "updatedAt": "2026-11-02T03:10:00.123456+00:00",
  "inferenceProfileArn": "$profile", "inferenceProfileId": "aaaa1111bbbb", "status": "ACTIVE", "type": "APPLICATION",
  "models": [$(model us-east-1), $(model us-west-2)]},
 {"inferenceProfileName": "anywhere", "createdAt": "2026-10-01T00:00:00Z", "inferenceProfileArn": "$(arn cccc2222dddd)", "inferenceProfileId": "cccc2222dddd",
  "status": "ACTIVE", "type": "APPLICATION", "models": [$(model us-east-1), $(model "")]},
 {"inferenceProfileName": "US Sonnet", "inferenceProfileArn": "arn:aws:bedrock:us-east-1:$A:inference-profile/us.anthropic.claude-sonnet-4-6", "type": "SYSTEM_DEFINED",
  "models": [$(model us-east-1)]}]}
END
	printf 'profile,model\n# mine\n%s,global.anthropic.claude-sonnet-4-6\r\neeee3333ffff , us.anthropic.claude-sonnet-4-6\n' "$(arn 999900001111)" >"$folder/map.csv"
}
