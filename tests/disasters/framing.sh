#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A session whose name and time were chosen so that its unkeyed id is that of another caller, found in seconds (tests/frame.c).
#
# Done: calls of both come in one batch, in two, and in either order
# Compared: what the victim used with a replay of the victim's calls alone
# In: make test
. "$(dirname "$0")/../lib.sh"

A=111122223333
call() { # ID SESSION CREATED TOKENS
	printf '{"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::%s:assumed-role/app/%s","accountId":"%s","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::%s:role/app","accountId":"%s"},"attributes":{"creationDate":"%s"}}},"eventTime":"2026-11-02T05:01:00Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"us.anthropic.claude-sonnet-4-6"},"requestID":"%s","eventID":"e-%s","eventType":"AwsApiCall","recipientAccountId":"%s","eventCategory":"Management","additionalEventData":{"inputTokens":%s,"outputTokens":100}}\n' \
		$A "$2" $A $A $A "$3" "$1" "$1" $A "$4"
}
replay() { "$nowcast" replay --redis "$REDIS_URL" "$@" >"$T/replay.out" 2>&1 || diag "$(cat "$T/replay.out")"; }
used() { report "$T/all.csv" && grep -E "^hour|/$1," "$T/all.csv" >"$2"; }

ok "a session with the unkeyed id of the victim is found" "$top/$B/tests/frame" 19635000
read -r session created <"$T/ok.out"
for n in 1 2 3; do call "v-$n" victim 2026-11-02T05:00:00Z 1000; done >"$T/victim.ndjson"
for n in 1 2 3; do call "a-$n" "$session" "$created" 120000; done >"$T/other.ndjson"

start_redis
replay "$T/victim.ndjson"
used victim "$T/want.csv"
redis flushall >/dev/null
replay "$T/other.ndjson"
used "$session" "$T/other.csv"
replay "$T/victim.ndjson"
used victim "$T/got.csv"
same_file "the victim has what it used, after the other" "$T/got.csv" "$T/want.csv"
used "$session" "$T/got.csv"
same_file "and the other has its own" "$T/got.csv" "$T/other.csv"
redis flushall >/dev/null
cat "$T/victim.ndjson" "$T/other.ndjson" | shuf --random-source=<(yes) >"$T/mixed.ndjson"
replay "$T/mixed.ndjson"
used victim "$T/got.csv"
same_file "also when both come in one batch" "$T/got.csv" "$T/want.csv"
replay "$T/other.ndjson" "$T/victim.ndjson"
used victim "$T/got.csv"
same_file "and again" "$T/got.csv" "$T/want.csv"
finish
