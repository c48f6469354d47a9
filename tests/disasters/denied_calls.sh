#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Somebody invents names: calls that AWS refuses, each of another session and model, before anybody else calls that day. Limits
# are small, so that the invented names would take every place. Then a model without a price is summed up with others, gets a
# price, and is priced.
#
# Done: refused calls of 1,100 invented sessions, users and models take places before those who spend
# Compared: the report of those who spend with that of a replay without the refused calls
# In: make test
. "$(dirname "$0")/../lib.sh"

A=111122223333
trail() { # ID HOUR:MINUTE ROLE SESSION MODEL [FIELDS]
	printf '{"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::%s:assumed-role/%s/%s","accountId":"%s","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::%s:role/%s","accountId":"%s"}}},"eventTime":"2026-11-02T%s:00Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"%s"},"requestID":"%s","eventID":"e-%s","eventType":"AwsApiCall","recipientAccountId":"%s","eventCategory":"Management"%s}\n' \
		$A "$3" "$4" $A $A "$3" $A "$2" "$5" "$1" "$1" $A "${6:-}"
}
used() { echo ",\"additionalEventData\":{\"inputTokens\":$1,\"outputTokens\":10}"; }
replay() { "$nowcast" replay --redis "$REDIS_URL" --sessions-max 20 --models-max 4 "$@" >"$T/replay.out" 2>&1 || diag "$(cat "$T/replay.out")"; }
spend() { "$nowcast" report --redis "$REDIS_URL" --by hour,principal,model,token_type --format csv | awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "tokens") at = i } NR == 1 || $at > 0' >"$1"; }

for n in $(seq 1100); do trail "x-$n" "00:$(printf %02d $((n % 60)))" app "invented-$n" "vendor.no-such-model-$n" ',"errorCode":"AccessDenied"'; done >"$T/refused.ndjson"
{
	for n in $(seq 20); do trail "s-$n" "05:$(printf %02d "$n")" app "worker-$n" us.anthropic.claude-sonnet-4-6 "$(used $((1000 * n)))"; done
	for n in 1 2 3; do trail "m-$n" 05:30 app worker-1 "vendor.new-model-$n" "$(used $((100 * n)))"; done
} >"$T/spent.ndjson"

start_redis
replay "$T/spent.ndjson"
spend "$T/want.csv"
redis flushall >/dev/null
replay "$T/refused.ndjson"
replay "$T/spent.ndjson"
spend "$T/got.csv"
same_file "after refused calls those who spend have their names" "$T/got.csv" "$T/want.csv"
replay "$T/refused.ndjson" # they come again, and in the middle of the others
spend "$T/got.csv"
same_file "also when they come again" "$T/got.csv" "$T/want.csv"
cat "$T/refused.ndjson" "$T/spent.ndjson" | shuf --random-source=<(yes) >"$T/mixed.ndjson"
redis flushall >/dev/null
replay "$T/mixed.ndjson"
spend "$T/got.csv"
same_file "and in any order" "$T/got.csv" "$T/want.csv"

# --- a model too many: what is summed up keeps its model, and is priced once there is a price
for n in 4 5; do trail "m-$n" 05:40 app worker-2 "vendor.new-model-$n" "$(used $((100 * n)))"; done >"$T/more.ndjson"
replay "$T/more.ndjson"
models() { "$nowcast" report --redis "$REDIS_URL" --by model --format csv | python3 -c 'import csv, sys
print(*sorted(r["model"] + "=" + r["tokens"] + "/" + ("-" if r["usd"] in ("", "0.000000") else "priced") for r in csv.DictReader(sys.stdin) if "new-model" in r["model"] or "other" in r["model"]), sep=" ")'; }
has "two models are summed up" "$(models)" '^\(other models\)=920/-'
printf 'model,scope,region,from,to,input,output,cache_read,cache_write_5m,cache_write_1h,source\nvendor.new-model-5,any,,,,2,10,,,,test\n' >"$T/prices.csv"
redis keys '*:usage_meta:*' | while read -r key; do redis hgetall "$key" | sed "s|^|$key |"; done | grep -B 1 ' vendor.new-model-5$' | awk 'NR == 1 { print $1, $3 }' >"$T/part" # key of the sums, id of the model in them
read -r sums id <"$T/part"
redis pexpire "$(redis keys "*:part:*:$id")" 600000 >/dev/null # as if the others had been computed later
ok "one of them gets a price" "$nowcast" reprice --redis "$REDIS_URL" --from 2026-11-01 --prices user,builtin --prices-file "$T/prices.csv"
diag "$(cat "$T/ok.out")"
has "and is priced, under its own name" "$(models)" 'vendor.new-model-5=510/priced'
has "the other one stays" "$(models)" '^\(other models\)=410/-'
ok "priced again" "$nowcast" reprice --redis "$REDIS_URL" --from 2026-11-01 --prices user,builtin --prices-file "$T/prices.csv"
has "nothing changes" "$(models)" '^\(other models\)=410/-.*vendor.new-model-5=510/priced'
ok "the sums last as long as before" [ "$(redis pttl "$sums")" -gt 600000 ]
# as for a reprice that read the list of parts before the model got figures of its own: by another one, or by its own first try
redis hset "$sums" "part $id" vendor.new-model-5 >/dev/null
ok "priced once more, of a part that is gone" "$nowcast" reprice --redis "$REDIS_URL" --from 2026-11-01 --prices user,builtin --prices-file "$T/prices.csv"
has "its figures stay" "$(models)" '^\(other models\)=410/-.*vendor.new-model-5=510/priced'
finish
