#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# explain tells of the very figure that the report shows: its tokens, what taught the split, its band and its rates.
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.05
start_redis
who=arn:aws:sts::111122223333:assumed-role/llm-gateway/dave hour=2026-11-02T00:00:00Z
"$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >/dev/null || bail "replay failed"
"$nowcast" report --redis "$REDIS_URL" --by hour,principal --format csv | grep "^$hour,$who," >"$T/row.csv"
"$nowcast" explain --redis "$REDIS_URL" "$who" "$hour" >"$T/explained"
is "explain finds the hour" $? 0
usd=$(cut -d, -f4 "$T/row.csv")
is "its sum is the report's" "$(sed -n 's/^all together \([0-9.]*\) USD$/\1/p' "$T/explained" | cut -c-${#usd})" "$usd"
is "its tokens too" "$(sed -n 's/^  [a-z_0-9]*  *\([0-9]*\) tokens:.*/\1/p' "$T/explained" | awk '{ n += $1 } END { print n }')" "$(cut -d, -f3 "$T/row.csv")"
is "it says what taught the split of the input" "$(grep -c '^    input .* learned from ' "$T/explained")" 1
is "and how sure the figure is" "$(grep -c 'nine times in ten' "$T/explained")" 1
"$nowcast" explain --redis "$REDIS_URL" arn:aws:iam::111122223333:user/nobody "$hour" >/dev/null 2>"$T/err"
is "who has no figures is told so" "$? $(grep -c 'no figures of' "$T/err")" "2 1"
has "and how to find the hours that have some" "$(cat "$T/err")" 'report --by hour --principal .*user/nobody'
"$nowcast" explain --redis "$REDIS_URL" --now 2026-11-02T00:40:00Z DAVE 00:00 >"$T/short"
is "a part of a name and a time of day do" "$(cat "$T/short")" "$(cat "$T/explained")"
fails 2 "a part that several callers have" "$nowcast" explain --redis "$REDIS_URL" llm-gateway "$hour"
has "is answered by their names" "$(cat "$T/err")" "names: .*$who,"
# --- all weights, however many models a caller has

python3 - <<-'END' >"$T/many.ndjson"
	import json
	A = "111122223333"
	for i in range(100):
	    model = f"anthropic.claude-sonnet-4-6" if i < 2 else f"meta.llama{i}"
	    place = {"account_id": A, "region": f"us-east-{1 + i % 2}"} if i < 2 else {"account_id": A, "region": "us-east-1"}
	    print(json.dumps({"eventVersion": "1.11", "eventTime": "2026-11-03T05:10:00Z", "eventSource": "bedrock.amazonaws.com", "eventName": "Converse", "awsRegion": place["region"],
	        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{A}:user/ann", "accountId": A}, "requestParameters": {"modelId": model},
	        "requestID": f"many-{i}", "eventID": f"many-{i}", "recipientAccountId": A, "readOnly": True, "eventType": "AwsApiCall", "eventCategory": "Management"}))
	    print(json.dumps({"metric_stream_name": "s", **place, "namespace": "AWS/Bedrock", "metric_name": "InputTokenCount", "dimensions": {"ModelId": model},
	        "timestamp": 1793682600000, "value": {"count": 1, "sum": 500, "max": 500, "min": 500}, "unit": "Count"}))
	END
ok "a caller of very many models" "$nowcast" replay --models-max 200 --redis "$REDIS_URL" "$T/many.ndjson"
"$nowcast" explain --redis "$REDIS_URL" user/ann 2026-11-03T05:00:00Z >"$T/explained"
is "no weight is left out" "$(grep -c ': tokens that a call was assumed to use' "$T/explained")" 100
is "the figure comes first" "$(sed -n 2p "$T/explained" | grep -c 'nine times in ten')" 1
finish
