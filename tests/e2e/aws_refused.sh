#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A refusal is of one signal, and the others of its Region are read: one namespace of metrics, one metric, one inference profile.
. "$(dirname "$0")/../lib.sh"

start_redis
tests/support/aws_world.py "$T/world" 200 20
start_aws_of "$T/world"
cat >"$T/conf" <<END
redis = $REDIS_URL
sources = metrics
regions = us-east-1
aws.since = 4h
aws.every = 1s
aws.cost_max = 0
alerts = false
END
run() { start "$1" "$nowcast" run --config "$T/conf" "${@:2}"; }
minutes_ago() { echo "$((($(date +%s) - 60 * $1) * 1000))"; }
doctor() { "$nowcast" doctor --config "$T/conf" "$@"; }
A=111122223333/us-east-1
reads() { [ "$(aws_position "$1 $A")" -gt "$(minutes_ago 70)" ]; }

# --- a namespace that may not be listed

aws_faults '[{"operation": "ListMetrics", "holds": "BedrockMantle", "times": -1, "status": 400, "code": "AccessDenied", "message": "not authorized"}]'
run one
ok "the other namespace is read" wait_for 30 reads metrics
has "the refused one is named" "$(doctor)" "warn +aws +metrics_mantle of $A: nothing comes since .*permission cloudwatch:ListMetrics is missing"
has "the other is well" "$(doctor)" "ok +aws +metrics of $A: all before "
fails 0 "setup" "$nowcast" setup --region us-east-1
has "names both" "$(cat "$T/out")" '^green +metrics .*us-east-1$'
has "each by itself" "$(cat "$T/out")" '^amber +metrics +some are not known: .*cloudwatch:ListMetrics is missing'
stop "$pid"

# --- metrics whose values are refused, or do not come

redis del nowcast:sources nowcast:source_lease:111122223333 >"$T/out"
aws_faults '[{"operation": "GetMetricData", "times": -1, "results": "Forbidden", "of": 99}]'
run forbidden
refused() { doctor | grep -q "warn *aws *metrics of $A: .*GetMetricData is missing for metrics of AWS/Bedrock (Forbidden)"; }
ok "values that may not be read are a refusal, with the permission" wait_for 20 refused
is "and nothing is taken as read" "$(aws_position "metrics $A")" 0
stop "$pid"
redis del nowcast:sources nowcast:source_lease:111122223333 >"$T/out"
aws_faults '[{"operation": "GetMetricData", "times": -1, "results": "InternalError"}]'
run broken
ok "a metric that CloudWatch never gives holds the Region back for a time only" wait_for 60 reads metrics
has "of which time it lacks is said" "$(doctor)" "warn +missing +metrics of $A from .* is not whole: CloudWatch did not give the values"
stop "$pid"
redis del nowcast:sources nowcast:source_lease:111122223333 nowcast:missing >"$T/out"
aws_faults '[{"operation": "GetMetricData", "times": -1, "results": "Forbidden"}]'
run some
ok "nor does one that is forbidden for ever" wait_for 60 reads metrics
has "and that is said as well" "$(doctor)" "warn +missing +metrics of $A from .* is not whole"
has "with the permission" "$(doctor)" "note +aws +metrics of $A: .*permission cloudwatch:GetMetricData is missing for some metrics"
aws_faults '[]'
stop "$pid"

# --- profiles, one of which is none

p='{"inferenceProfileArn": "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/%s", "inferenceProfileName": "bot", "createdAt": "2026-01-01T00:00:00Z",
	"status": "ACTIVE", "type": "APPLICATION", "models": [%s]}'
m='{"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/%s"}'
curl -sf -d '{"/inference-profiles": {"inferenceProfileSummaries": ['"$(printf "$p" aaaabbbbcccc "$(printf "$m" anthropic.claude-sonnet-4-6)")"',
	'"$(printf "$p" two000000000 "$(printf "$m,$m" anthropic.claude-sonnet-4-6 amazon.nova-pro-v1:0)")"', '"$(printf "$p" ddddeeeeffff "$(printf "$m" amazon.nova-pro-v1:0)")"']}}' \
	"$aws_url/_answers" >"$T/out"
run profiles --sources profiles
all_but_one() { [ "$(redis scard nowcast:profiles)" = 2 ]; }
ok "a profile that is refused does not keep the others out" wait_for 20 all_but_one
noted() { doctor --sources profiles | grep -q 'note *aws *profiles of .*1 inference profile is not taken: .*two000000000: models: two different ones'; }
ok "doctor names it, and why" wait_for 10 noted
stop "$pid"
settled_report "$T/got.csv"
has "the other metrics of that time count" "$(cat "$T/got.csv")" ',output,[0-9]+'
finish
