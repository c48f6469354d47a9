#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Done: records of 300 accounts that there are not come before and among those of an account, with a limit of ten pairs of account
# and Region
# Compared: the report of the account with that of a replay of its records alone
# In: make test
. "$(dirname "$0")/../lib.sh"

call() { # ID ACCOUNT
	printf '{"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%s:user/ann","accountId":"%s"},"eventTime":"2026-11-02T05:01:00Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"us.anthropic.claude-sonnet-4-6"},"requestID":"%s","eventID":"e-%s","eventType":"AwsApiCall","recipientAccountId":"%s","eventCategory":"Management","additionalEventData":{"inputTokens":1000,"outputTokens":100}}\n' "$2" "$2" "$1" "$1" "$2"
}
replay() { "$nowcast" replay --redis "$REDIS_URL" --acct-regions-max 10 --dead-letter-file "$T/dead" "$@" >"$T/replay.out" 2>&1 || diag "$(cat "$T/replay.out")"; }
spent_by_us() { "$nowcast" report --redis "$REDIS_URL" --by account,principal,hour --format csv | grep -E "^account|^111122223333" >"$1"; }
for n in $(seq 20); do call "c-$n" 111122223333; done >"$T/ours.ndjson"
for n in $(seq 300); do call "x-$n" "$((900000000000 + n))"; done >"$T/theirs.ndjson"

start_redis
replay "$T/ours.ndjson"
spent_by_us "$T/want.csv"
replay "$T/theirs.ndjson"
is "there are as many pairs as may be" "$(redis scard nowcast:acct_regions)" 10
is "the others are dead letters" "$(grep -c 'acct_regions.max' "$T/dead")" 291
spent_by_us "$T/got.csv"
same_file "the account has what it had" "$T/got.csv" "$T/want.csv"
replay "$T/theirs.ndjson" "$T/ours.ndjson"
spent_by_us "$T/got.csv"
same_file "also when all come again" "$T/got.csv" "$T/want.csv"
redis flushall >/dev/null
head -n 9 "$T/theirs.ndjson" >"$T/nine.ndjson"
cat "$T/nine.ndjson" "$T/ours.ndjson" | shuf --random-source=<(yes) >"$T/mixed.ndjson"
rm -f "$T/dead"
replay "$T/mixed.ndjson"
spent_by_us "$T/got.csv"
same_file "a limit that is not exceeded costs nothing" "$T/got.csv" "$T/want.csv"
ok "and makes no dead letter" test ! -e "$T/dead"
finish
