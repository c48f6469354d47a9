#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What AWS refuses, delays and breaks, one account and Region at a time, while the others are read: throttling, a missing permission,
# expired credentials, a wrong clock, an answer cut short, a page that is gone, a Region that is off, a role that is refused. Doctor and
# /metrics name each with what to do, no request comes sooner than AWS asked, and in the end the figures are those of a replay.
. "$(dirname "$0")/../lib.sh"

start_redis
start_aws 150 --hours 1 --scale 0.03 --log-share 0.2
by=(--by hour,account,region,model,principal,token_type) # a replay of the records does not know the tags
aws_reference "$T/want.csv" "${by[@]}"
free_port
cat >"$T/conf" <<END
redis = $REDIS_URL
sources = aws
regions = us-east-1, us-west-2, ap-east-1
accounts = own, arn:aws:iam::444455556666:role/nowcast, arn:aws:iam::555566667777:role/closed
aws.since = 3h
aws.every = 2s
aws.cost_max = 0
alerts = false
listen = 127.0.0.1:$port
END
run() { start "$1" "$nowcast" run --config "$T/conf" "${@:2}"; }
doctor() { "$nowcast" doctor --config "$T/conf" >"$T/doctor"; cat "$T/doctor"; }
unlease() { redis keys 'nowcast:source_lease:*' | xargs -r -n 1 redis-cli -p "$redis_port" del >/dev/null; }

A=111122223333 B=444455556666
aws_faults '[
	{"operation": "LookupEvents", "account": "'$A'", "region": "us-east-1", "status": 400, "code": "ThrottlingException", "headers": {"Retry-After": "4"}},
	{"operation": "LookupEvents", "account": "'$A'", "region": "us-west-2", "status": 400, "code": "InvalidNextTokenException", "holds": "NextToken"},
	{"operation": "LookupEvents", "account": "'$B'", "region": "us-east-1", "status": 400, "code": "ExpiredTokenException"},
	{"operation": "GetMetricData", "account": "'$A'", "region": "us-west-2", "cut": 700},
	{"operation": "LookupEvents", "account": "'$B'", "region": "us-west-2", "cut": 90},
	{"operation": "LookupEvents", "account": "'$A'", "region": "us-east-1", "holds": "NextToken", "cut": 5000},
	{"operation": "ListMetrics", "account": "'$B'", "region": "us-west-2", "cut": 300},
	{"operation": "FilterLogEvents", "account": "'$A'", "region": "us-east-1", "cut": 700},
	{"operation": "GetAccountAuthorizationDetails", "account": "'$A'", "cut": 900},
	{"operation": "ListAccounts", "account": "'$A'", "cut": 60},
	{"operation": "ListTagsForResource", "account": "'$A'", "cut": 20},
	{"operation": "/inference-profiles", "account": "'$B'", "times": -1, "status": 403, "code": "ExpiredTokenException"},
	{"operation": "ListMetrics", "account": "'$A'", "region": "us-west-2", "holds": "BedrockMantle", "status": 400, "code": "Throttling"},
	{"operation": "GetMetricData", "account": "'$B'", "region": "us-east-1", "times": -1, "status": 400, "code": "Throttling"},
	{"operation": "FilterLogEvents", "account": "'$A'", "region": "us-west-2", "times": -1, "status": 400, "code": "AccessDeniedException", "message": "User is not authorized"},
	{"operation": "ListAccounts", "account": "'$B'", "times": -1, "status": 400, "code": "AccessDeniedException", "message": "You do not have permissions"},
	{"operation": "FilterLogEvents", "account": "'$B'", "region": "us-east-1", "times": -1, "status": 403, "code": "RequestTimeTooSkewed", "headers": {"Date": "Sun, 29 Nov 2020 10:00:00 GMT"}},
	{"region": "ap-east-1", "times": -1, "status": 403, "code": "UnrecognizedClientException", "message": "The security token included in the request is invalid."},
	{"operation": "AssumeRole", "holds": "closed", "times": -1, "status": 403, "code": "AccessDenied", "message": "is not authorized to perform: sts:AssumeRole"}]'
curl -sf -d '{"'$A'": {"cost": "cc-1", "team": "core"}, "'$B'": {"team": "other"}}' "$aws_url/_organization" >"$T/out"
run faulty
daemon=$pid
read_on() { [ "$(aws_position "cloudtrail $A/us-east-1")" -gt "$(($(date +%s) - 60 * 60))000" ]; }
ok "one account and Region is read in spite of it all" wait_for 40 read_on
text=$(doctor)
has "a missing permission is named, with the account and Region" "$text" "warn +aws +logs of $A/us-west-2: nothing comes since 2.*permission logs:FilterLogEvents is missing"
has "a throttled one says so" "$text" "warn +aws +metrics of $B/us-east-1: nothing comes since .*AWS throttles GetMetricData"
has "a Region that is off" "$text" "warn +aws +cloudtrail of $A/ap-east-1: .*is the Region enabled"
has "a role that is refused, with the role" "$text" 'FAIL +aws +credentials of arn:aws:iam::555566667777:role/closed: .*trust policy'
has "while the others are read" "$text" "ok +aws +cloudtrail of $A/us-west-2"
has "a clock that is wrong, and by how much" "$text" "warn +aws +logs of $B/us-east-1: .*clock of this machine is [0-9]{9} s ahead of AWS's; run NTP"
has "who may not list the organisation is a note, with the permission" "$text" "note +aws +tags_accounts: the permission organizations:ListAccounts is missing"
is "in the log once" "$(grep -c "tags of accounts are not read by an account" "$T/faulty.log")" 1
has "credentials that have expired, and what to do" "$text" "warn +aws +profiles of $B/us-[a-z0-9-]+: nothing comes since .*the credentials \(from the assumed role\) have expired \(ExpiredTokenException\): renew them"
has "expired credentials were in the log" "$(cat "$T/faulty.log")" 'have expired \(ExpiredTokenException\)'
is "tags that are read from IAM are not missed" "$(grep -c 'tags of roles and users are unknown' <<<"$text")" 0
# the page shows what this says, a line a finding (web/page/panels.js)
findings=$(curl -s "http://127.0.0.1:$port/api/v1/findings" | python3 -c 'import json, sys; [print(f["level"], f["about"], f["text"]) for f in json.load(sys.stdin)["findings"]]')
has "the page: source, account, Region, since when, what to do" "$findings" "^warning aws logs of $A/us-west-2: nothing comes since 2.*permission logs:FilterLogEvents is missing"
has "the page: a role" "$findings" '^failure aws credentials of arn:aws:iam::555566667777:role/closed: nothing comes since 2.*trust policy'
metrics=$(curl -s "http://127.0.0.1:$port/metrics")
has "/metrics: what fails" "$metrics" "^nowcast_source_up\{source=\"logs\",account=\"$A\",region=\"us-west-2\"\} 0"
has "/metrics: what does not" "$metrics" "^nowcast_source_up\{source=\"cloudtrail\",account=\"$A\",region=\"us-west-2\"\} 1"
has "/metrics: since when" "$metrics" "^nowcast_source_failing_since_timestamp_seconds\{source=\"logs\",account=\"$A\",region=\"us-west-2\"\} 1[0-9]{9}"

aws_log >"$T/requests"
is "after Retry-After: 4 nothing is asked for 4 seconds" "$(awk -v a=$A '$2 == a && $3 == "us-east-1" && $4 == "LookupEvents" { if (refused) { print ($1 - refused >= 4) ? "waited" : $1 - refused; exit } if ($5 != 200) refused = $1 }' "$T/requests")" waited
is "each refusal of a throttled metric is waited for longer" "$(awk -v b=$B '$2 == b && $4 == "GetMetricData" && $3 == "us-east-1" { if (n++ && $1 - at < last / 3) print "too soon"; if (n > 1) last = $1 - at; at = $1 }' "$T/requests")" ""
is "a missing permission is not asked for again and again" "$(awk -v a=$A '$2 == a && $4 == "FilterLogEvents" && $3 == "us-west-2" { n++ } END { print n }' "$T/requests")" 1
is "new credentials were asked for when they had expired" "$(grep -c ' AssumeRole 200' "$T/requests" | awk '{ print ($1 >= 2) ? "yes" : $1 }')" yes
is "LookupEvents is asked twice a second at most" "$(awk '$4 == "LookupEvents" { k = $2 $3; if (k in at && $1 - at[k] < 0.45) print $1 - at[k]; at[k] = $1 }' "$T/requests")" ""

# --- all is well again

aws_faults '[]'
stop "$daemon"
unlease
run well --regions us-east-1,us-west-2 --accounts "own,arn:aws:iam::$B:role/nowcast"
ok "what was refused is read" wait_for 60 aws_is_read
stop "$pid"
settled_report "$T/got.csv" "${by[@]}"
same_file "nothing is lost and nothing doubled: the figures are those of the replay" "$T/got.csv" "$T/want.csv"
is "the tags of roles and users are known" "$("$nowcast" tags show --redis "$REDIS_URL" "arn:aws:iam::$A:user/alice" | grep -c 'team *platform')" 1
is "and those of accounts, which the account that manages the organisation lists" \
	"$("$nowcast" tags show --redis "$REDIS_URL" "arn:aws:iam::$B:user/nobody" | awk '{ print $1, $2, $3 }' | tail -n 1)" "team other account"
finish
