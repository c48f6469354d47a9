#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The first look: nothing but credentials, and a table of who spent what. It says what it does not show, finds the Regions by itself,
# keeps its time, changes nothing and leaves nothing behind, however it ends.
. "$(dirname "$0")/../lib.sh"
require "no redis-server here" command -v redis-server

start_aws 120 --hours 1 --scale 0.012 --log-share 0.2
export TMPDIR=$T/tmp
mkdir "$TMPDIR"
export NOWCAST_REDIS=redis://127.0.0.1:1 NOWCAST_BROKERS=127.0.0.1:1 # neither is used
left() { find "$TMPDIR" -mindepth 1; pgrep -f "$TMPDIR/nowcast-look-" || true; }
nothing_left() { [ -z "$(left)" ]; }

aws_faults '[{"region": "eu-south-1", "times": -1, "status": 403, "code": "UnrecognizedClientException"}, {"region": "me-south-1", "times": -1, "status": 400, "code": "AccessDeniedException"}]'
fails 0 "it ends by itself" timeout 120 "$nowcast" look --hours 3
aws_faults '[]'
out=$(tee "$T/first" <"$T/out")
is "and says nothing on stderr" "$(cat "$T/err")" ""
is "and leaves nothing behind" "$(left)" ""
has "it names the account, and the Regions that it found" "$out" '^account 111122223333 \(credentials: environment\), used in us-east-1, us-west-2$'
has "Regions that nobody named, and that are not enabled or not allowed, are no failure" "$out" '^- 2 Regions are not enabled in the account, or not allowed: they were not looked at'
has "by team, from the tags of roles" "$out" '^payments +[0-9,]+ +[0-9.]+'
has "by principal" "$out" '^arn:aws:iam::111122223333:user/alice +[0-9,]+'
has "by model, with the band" "$out" '^us.anthropic.claude-sonnet-4-6 +[0-9,]+ +[0-9.]+ +[0-9.]+ +[0-9.]+ +exact'
has "who has no team, and what would tell" "$out" '^- \$[0-9.]+ have no team: tag the roles and users with `team`'
has "what it cost" "$out" 'Reading it cost \$0\.00'
has "and what to do next" "$out" '`nowcast run --sources aws`'
is "it changes nothing: each request reads" "$(aws_log | awk '{ print $4 }' | sort -u | grep -vE '^(LookupEvents|ListMetrics|GetMetricData|FilterLogEvents|GetAccountAuthorizationDetails|ListAccounts|ListTagsForResource|GetCallerIdentity|/logging/modelinvocations|/inference-profiles)$')" ""

# The same records, replayed.
unset NOWCAST_REDIS
start_redis
"$aws_python" tests/aws_server.py "$aws_world" --write "$T/records.ndjson"
"$nowcast" replay --redis "$REDIS_URL" "$T/records.ndjson" >/dev/null
is "its figures are those of a replay" "$(awk '/by model/ { m = 1 } m && /^total/ { print $2, $3; exit }' <<<"$out")" \
	"$("$nowcast" report --redis "$REDIS_URL" --by account --where account=111122223333 | awk '$1 == "111122223333" { print $2, $3 }')"

# An application inference profile of a global one costs less than one of which only the model is known.
profile=arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/k3v9q2m7x1tz
curl -sf -d '{"/inference-profiles": {"inferenceProfileSummaries": [{"inferenceProfileName": "bot", "createdAt": "2026-01-01T00:00:00Z", "inferenceProfileArn": "'$profile'",
	"inferenceProfileId": "k3v9q2m7x1tz", "status": "ACTIVE", "type": "APPLICATION", "models": [{"modelArn": "arn:aws:bedrock:::foundation-model/anthropic.claude-sonnet-4-6"},
	{"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-6"}]}]}}' "$aws_url/_answers" >/dev/null
curl -sf -d '{"111122223333": {"team": "core"}, "999900001111": {"team": "another"}}' "$aws_url/_organization" >/dev/null
aws_log >/dev/null
"$nowcast" look --hours 3 --region us-east-1 >"$T/out2" 2>&1
has "whose role or user has no team has that of the account" "$(cat "$T/out2")" '^core +[0-9,]+ +[0-9.]+'
is "the tags of accounts that are not looked at are not asked for" "$(aws_log | grep -c ListTagsForResource)" 1
usd_of() { awk -v p=$profile '/by model/ { m = 1 } m && $1 == p { print $3; exit }' "$1"; }
is "an inference profile is priced as what it was made of" "$(awk -v a="$(usd_of "$T/first")" -v b="$(usd_of "$T/out2")" 'BEGIN { r = a / b; print (r > 1.09 && r < 1.11) ? "a tenth less" : r }')" "a tenth less"

# What is refused is a line of what is not shown.
aws_faults '[{"operation": "LookupEvents", "times": -1, "status": 400, "code": "AccessDeniedException", "message": "not authorized"},
	{"operation": "GetAccountAuthorizationDetails", "times": -1, "status": 403, "code": "AccessDenied", "message": "not authorized"},
	{"operation": "ListAccounts", "times": -1, "status": 400, "code": "AccessDeniedException", "message": "not authorized"},
	{"operation": "/logging/modelinvocations", "times": -1, "status": 403, "code": "AccessDeniedException", "message": "not authorized"}]'
fails 0 "with the permission for metrics alone" "$nowcast" look --hours 3 --region us-east-1
out=$(cat "$T/out")
has "the dollars are there, without a caller" "$out" '^\(unattributed\) +[0-9,]+ +[0-9.]+'
has "and it says why: CloudTrail" "$out" '^- cloudtrail: .*permission cloudtrail:LookupEvents is missing'
has "tags" "$out" '^- tags: .*permission iam:GetAccountAuthorizationDetails is missing'
has "tags of accounts" "$out" '^- tags_accounts: the permission organizations:ListAccounts is missing'
has "logs" "$out" '^- logs: .*permission bedrock:GetModelInvocationLoggingConfiguration is missing'
has "no caller is named as such" "$out" '^- [0-9]+ tokens \(\$[0-9.]+\) have no caller'
aws_faults '[{"operation": "AssumeRole", "holds": "closed", "times": -1, "status": 403, "code": "AccessDenied", "message": "not authorized"}]'
fails 0 "of three accounts one is refused" "$nowcast" look --hours 3 --region us-east-1 \
	--accounts own,arn:aws:iam::444455556666:role/nowcast,arn:aws:iam::555566667777:role/closed
out=$(cat "$T/out")
has "the others are read" "$out" '^account 444455556666 \(credentials: assumed role\), used in us-east-1$'
has "and it is said" "$out" "^account 555566667777: no credentials$"
has "with what to do" "$out" "^- .*does not give the role arn:aws:iam::555566667777:role/closed.*trust policy"
aws_faults '[]'

AWS_ACCESS_KEY_ID=AKIANOBODY fails 2 "keys of nobody" "$nowcast" look
has "are refused with AWS's words" "$(cat "$T/err")" 'STS does not take the credentials from the environment \(status 403\)'
env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY "$nowcast" look >"$T/out" 2>"$T/err"
is "no credentials at all" $? 2
has "says where it looked" "$(cat "$T/err")" 'no AWS credentials: looked at AWS_ACCESS_KEY_ID'
fails 2 "a profile that is not there" "$nowcast" look --profile nowhere
has "is named" "$(cat "$T/err")" 'AWS_PROFILE is "nowhere"'
fails 2 "too long a span" "$nowcast" look --hours 9999
has "says what is right" "$(cat "$T/err")" 'from 1 to 360'

# --- setup

aws_log >/dev/null
fails 0 "setup: an account with nothing but the records that are always there" "$nowcast" setup
out=$(cat "$T/out")
has "metrics, in the Regions that it found" "$out" '^green +metrics +[0-9]+ metrics of Bedrock in us-east-1, us-west-2$'
has "calls" "$out" "^green +calls +CloudTrail's event history answers"
has "tags" "$out" '^green +tags '
has "tags of accounts" "$out" '^green +account tags '
has "logs of each Region" "$out" '^green +logs +us-west-2: invocation logs go to the log group /aws/bedrock/invocations$'
has "no trail, and what it is good for" "$out" '^amber +trail +off; needed for bedrock-mantle'
has "with the command" "$out" '^ +aws cloudtrail create-trail --region us-east-1 '
has "no bill" "$out" '^amber +bill +off; '
has "with the setting of principals" "$out" '"INCLUDE_IAM_PRINCIPAL_DATA":"TRUE"'
has "no cost allocation tag" "$out" '^ +aws ce update-cost-allocation-tags-status .*TagKey=iamPrincipal/team,Status=Active$'
ok "the policy is JSON" python3 -c 'import json, sys; json.loads(open(sys.argv[1]).read().split("reads:")[1].rsplit("\n\n", 1)[0])' "$T/out"
is "it changes nothing: each request reads" "$(aws_log | awk '{ print $4 }' | sort -u | grep -vE '^(List|Get|Describe|LookupEvents|/logging/modelinvocations)')" ""

curl -sf -d '{"ListMetricStreams": {"Entries": [{"Name": "bedrock", "State": "running"}]}, "ListExports": {"Exports": [{"ExportArn": "arn:aws:x", "ExportName": "costs"}]},
	"GetExport": {"Export": {"Name": "costs", "DataQuery": {"TableConfigurations": {"COST_AND_USAGE_REPORT": {"TIME_GRANULARITY": "HOURLY", "INCLUDE_RESOURCES": "TRUE"}}}}},
	"ListCostAllocationTags": {"CostAllocationTags": [{"TagKey": "iamPrincipal/team", "Type": "UserDefined", "Status": "Active"}]}}' "$aws_url/_answers" >/dev/null
aws_faults '[{"operation": "LookupEvents", "times": -1, "status": 400, "code": "AccessDeniedException", "message": "not authorized"}]'
fails 3 "a permission without which callers are not seen" "$nowcast" setup --region us-east-1
out=$(cat "$T/out")
has "is red, and named" "$out" '^red +calls +who calls is not known: .*permission cloudtrail:LookupEvents is missing'
has "a metric stream that runs" "$out" '^green +metric stream +bedrock$'
has "an export without principals" "$out" '^amber +bill +costs, without INCLUDE_IAM_PRINCIPAL_DATA = TRUE: '
has "an active tag" "$out" '^green +cost tag +iamPrincipal/team: Active$'
aws_faults '[]'

# --serve shows the page, until it is told to end.
"$nowcast" look --hours 3 --region us-west-2 --serve --listen 127.0.0.1:0 >"$T/serve.out" 2>"$T/err" &
look=$!
ok "the page" wait_for 60 grep -q 'page is at' "$T/serve.out"
url=$(grep -o 'http://127.0.0.1:[0-9]*/' "$T/serve.out" | tail -n 1)
has "has the figures" "$(curl -s "${url}api/v1/breakdown?by=region&hours=4")" '"us-west-2"'
kill -INT $look
wait $look
is "ends on ^C, which is no failure" $? 0
"$nowcast" look --hours 3 >"$T/out2" 2>&1 &
look=$!
sleep 2
kill -KILL $look
wait $look 2>/dev/null
ok "even kill -9 leaves nothing behind" wait_for 5 nothing_left
fails 1 "without redis-server it cannot run" env PATH=/nonexistent "$nowcast" look
has "and says what to install" "$(cat "$T/err")" 'apt-get install redis-server'
finish
