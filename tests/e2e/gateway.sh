#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One role calls for everybody: who it was is in the request metadata of logs, in the metadata of bedrock-mantle, and in what
# userIdentity has beside the principal. The records are of the shapes in AWS's "Per-request metadata tagging", LiteLLM's
# bedrock_request_metadata_fields and "CloudTrail userIdentity element".
. "$(dirname "$0")/../lib.sh"

A=111122223333
GW=arn:aws:sts::$A:assumed-role/llm-gateway/pod-1
trail() { # ID MINUTE [IDENTITY]
	printf '{"userIdentity":{"type":"AssumedRole","arn":"%s","accountId":"%s","accessKeyId":"ASIA1","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::%s:role/llm-gateway","accountId":"%s"}}%s},"eventTime":"2026-11-02T05:%s:00Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"global.anthropic.claude-sonnet-4-6"},"requestID":"%s","eventID":"e-%s","eventType":"AwsApiCall","recipientAccountId":"%s","eventCategory":"Management"}\n' \
		$GW $A $A $A "${3:-}" "$2" "$1" "$1" $A
}
log() { # ID MINUTE METADATA [ARN]
	printf '{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-11-02T05:%s:00Z","accountId":"%s","region":"us-east-1","requestId":"%s","operation":"Converse","modelId":"global.anthropic.claude-sonnet-4-6","identity":{"arn":"%s"},"requestMetadata":%s,"input":{"inputTokenCount":1000},"output":{"outputTokenCount":200}}\n' \
		"$2" $A "$1" "${4:-$GW}" "$3"
}
by() { # GROUPING [FLAG...]: its values, tokens and calls
	local by=$1
	shift
	"$nowcast" report --redis "$REDIS_URL" --by "$by" --format csv "$@" | python3 -c '
import csv, sys
by = sys.argv[1].split(",")
print(*sorted("|".join([r[k] or "-" for k in by] + [r["tokens"], r["calls"]]) for r in csv.DictReader(sys.stdin)), sep=" ")' "$by"
}
replay() { "$nowcast" replay --redis "$REDIS_URL" "$@" >"$T/replay.out" 2>&1 || diag "$(cat "$T/replay.out")"; }

start_redis
{
	trail r-1 01
	trail r-2 02
	trail r-3 03 ',"inScopeOf":{"issuerType":"AWS::Lambda::Function","credentialsIssuedTo":"arn:aws:lambda:us-east-1:111122223333:function:sum"}'
} >"$T/trail.ndjson"
{
	log r-1 01 '{"user_api_key_team_alias":"platform","user_api_key_end_user_id":"ann"}'
	log r-2 02 '{"user_api_key_team_alias":"search","user_api_key_end_user_id":"bob"}'
	log r-3 03 '{"user_api_key_team_alias":"search","user_api_key_end_user_id":"cia"}'
	log r-4 04 '{"user_api_key_team_alias":"search"}' # CloudTrail has not told of it
} >"$T/log.ndjson"
team=meta:user_api_key_team_alias
want="platform|1200|1 search|3600|3"
replay "$T/trail.ndjson"
is "before the logs no call has metadata" "$(by $team | cut -d'|' -f1,3)" "-|3"
replay "$T/log.ndjson"
is "the log of a call adds its metadata" "$(by $team)" "$want"
is "and a log alone attributes its call" "$(by principal)" "$GW|4800|4"
redis flushall >/dev/null
replay "$T/log.ndjson"
replay "$T/trail.ndjson"
is "the same when the log comes first" "$(by $team)" "$want"
replay "$T/log.ndjson" "$T/trail.ndjson"
is "and when all come again" "$(by $team)" "$want"
is "by several keys, with an empty value where there is none" "$(by meta:user_api_key_end_user_id,role)" \
	"-|llm-gateway|1200|1 ann|llm-gateway|1200|1 bob|llm-gateway|1200|1 cia|llm-gateway|1200|1"
is "a team may come from metadata" "$(by team --team-from tag:team,$team)" "$want"
is "and is a tag by default" "$(by team)" "-|4800|4"
fails 2 "a source that is none is refused" "$nowcast" check-config --team-from metadata
has "which says what there is" "$(cat "$T/err")" 'team.from: expected tag:KEY, meta:KEY, identity:KEY, map:KEY, map or session'
is "which workload has the credentials" "$(by identity:workload)" "-|3600|3 arn:aws:lambda:us-east-1:$A:function:sum|1200|1"
has "who shows the metadata" "$("$nowcast" who --redis "$REDIS_URL" --now 2026-11-02T06:00:00Z "$GW")" "$team +search +call"
has "and finds a user by it" "$("$nowcast" who --redis "$REDIS_URL" --now 2026-11-02T06:00:00Z cia)" "llm-gateway/pod-1"
has "FOCUS has it among the tags" "$("$nowcast" report --format focus --redis "$REDIS_URL")" '""meta:user_api_key_team_alias"":""search""'

# Limits: of the values of a key the first ones to come keep their names; another role's are not pushed out.
redis flushall >/dev/null
OTHER=arn:aws:sts::$A:assumed-role/batch/job
for i in 10 11 12 13 14 15; do log "v-$i" $i "{\"team\":\"search\",\"request_id\":\"id-$i\"}"; done >"$T/ids.ndjson"
log o-1 30 '{"request_id":"mine"}' "$OTHER" >>"$T/ids.ndjson"
replay --meta-values-max 2 "$T/ids.ndjson"
is "values beyond the limit are counted together" "$(by meta:request_id)" "(other values)|4800|4 id-10|1200|1 id-11|1200|1 mine|1200|1"
is "the other key keeps its value" "$(by meta:team)" "-|1200|1 search|7200|6"
has "doctor says so" "$("$nowcast" doctor --redis "$REDIS_URL" 2>&1)" 'about 4 values of meta:request_id of .*meta.values.max'
redis flushall >/dev/null
replay --meta-keys '!*request_id, *' "$T/ids.ndjson"
is "a key can be left out" "$(by meta:request_id) $(by meta:team)" "-|8400|7 -|1200|1 search|7200|6"
redis flushall >/dev/null
replay --meta-keys-max 1 "$T/ids.ndjson"
is "of keys beyond the limit the value is unknown, and not absent" "$(by meta:team)" "(other values)|7200|6 -|1200|1"
redis flushall >/dev/null
replay --sessions-max 1 "$T/ids.ndjson"
is "of more sets of labels than rows the labels go first" "$(by principal) $(by meta:team)" \
	"$OTHER|1200|1 $GW|7200|6 (other values)|7200|6 -|1200|1"

# bedrock-mantle records the metadata itself.
redis flushall >/dev/null
printf '{"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%s:user/gw","accountId":"%s"},"eventTime":"2026-11-02T05:01:00Z","eventSource":"bedrock-mantle.amazonaws.com","eventName":"CreateInference","awsRegion":"us-east-1","requestParameters":{"model":"openai.gpt-oss-120b","stream":false,"metadata":{"user_id":"u-7"}},"requestID":"m-1","eventID":"e","eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"%s","eventCategory":"Data"}\n' $A $A $A >"$T/mantle.ndjson"
replay "$T/mantle.ndjson"
is "metadata of bedrock-mantle" "$(by meta:user_id | cut -d'|' -f1,3)" "u-7|1"

# Values can be hashed.
redis flushall >/dev/null
head -c 32 /dev/zero | tr '\0' k >"$T/key"
replay --names-hash meta:user_api_key_end_user_id --names-hash-key "$T/key" "$T/log.ndjson"
has "hashed values" "$(by meta:user_api_key_end_user_id,$team)" '^-\|search\|1200\|1 h_[0-9a-f]{20}\|'
is "are in Redis in no other form" "$(redis hgetall nowcast:tagsets | grep -c '"ann"')" 0
finish
