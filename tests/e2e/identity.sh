#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everybody who can call Bedrock, through Kafka: users, the roles of applications, federation, a gateway that assumes its role
# anew for every user, API keys, other accounts, role chains, services, projects. Each caller's tokens stand at its name, role,
# account and tags, as a table written by hand has them; tags that come an hour late re-label what was counted; and a report of
# a past week shows the tags of that week.
. "$(dirname "$0")/../lib.sh"
topics="raw"
keys=account,principal,role,team,tag:email,tag:env,tag:aws:project

python3 tests/support/identity.py "$T" || bail "no records"
by() { # KEYS [ARGUMENT...]: the keys, tokens and dollars
	local keys=$1
	shift
	"$nowcast" report --redis "$REDIS_URL" --by "$keys" --format csv "$@" | sed -E 's/(,[^,]*){5}$//'
}
line() { grep "$1" "$T/early.csv" | cut -d, -f 4,8; } # PATTERN: team and tokens

start_redis
start_broker 4
write_config "$T/nowcast.conf" "dead_letter.file = $T/dead"
produce -p 4 -t raw "$T/calls.ndjson" >/dev/null
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "the worker reads to the end" wait_for 60 caught_up
all_there() { [ "$(by "" | tail -n 1 | cut -d, -f 1)" = 378000 ]; }
ok "and counts all there is" wait_for 30 all_there
by $keys >"$T/early.csv"
is "a session whose tags have come is one of its team" "$(line gateway/u-1)" search,7000
is "one whose tags have not is one of its role's team" "$(line gateway/u-2)" platform,8000
is "and of no team if the role has none" "$(line ci/build-77)" ,5000

produce -p 4 -t raw "$T/late.ndjson" >/dev/null
relabelled() { by $keys >"$T/got.csv"; cmp -s "$T/got.csv" tests/golden/identity.csv; }
wait_for 30 relabelled
same_file "once they come, what was counted bears their names: all as written by hand" "$T/got.csv" tests/golden/identity.csv
ok "the worker ends on SIGTERM" stop $worker
ok "nothing was a dead letter" test ! -s "$T/dead"

is "by account" "$(by account)" "account,tokens,usd
111122223333,333000,1.215500000
444455556666,45000,0.148500000"
is "by role: one role, many sessions" "$(by role | grep -E '^(gateway|saml|shared),')" "gateway,45000,0.148500000
saml,17000,0.056100000
shared,45000,0.148500000"
is "and that role by team" "$(by role,team | grep ^gateway)" "gateway,ads,18000,0.059400000
gateway,platform,9000,0.029700000
gateway,search,18000,0.059400000"
is "by a tag in another case" "$(by tag:TEAM | tail -n +2 | cut -d, -f 2- | sort)" "$(by team | tail -n +2 | cut -d, -f 2- | sort)"

# Tags before calls, and all in another order: the same figures.
start_redis
shuf --random-source=<(yes) "$T/calls.ndjson" >"$T/shuffled.ndjson"
ok "a replay with the late ones first" "$nowcast" replay --redis "$REDIS_URL" "$T/late.ndjson" "$T/shuffled.ndjson"
by $keys >"$T/got.csv"
same_file "gives the same" "$T/got.csv" tests/golden/identity.csv

# Sessions beyond the number that keeps their names lose those, not their teams; with more tags than names, these too. Who has
# none in one region or hour may have one in another: all of these called in the same minute, so the names decide.
others="arn:aws:sts::111122223333:assumed-role/gateway/(other sessions)"
start_redis
ok "a replay in which three sessions of a role keep their names" "$nowcast" replay --redis "$REDIS_URL" --sessions-max 3 "$T/calls.ndjson" "$T/late.ndjson"
is "counts the others together, by team" "$(by principal,team | grep gateway/)" "$others,ads,10000,0.033000000
$others,search,11000,0.036300000
arn:aws:sts::111122223333:assumed-role/gateway/u-1,search,7000,0.023100000
arn:aws:sts::111122223333:assumed-role/gateway/u-2,ads,8000,0.026400000
arn:aws:sts::111122223333:assumed-role/gateway/u-3,platform,9000,0.029700000"
is "the role and the teams are the same as ever" "$(by role,team | grep ^gateway)" "gateway,ads,18000,0.059400000
gateway,platform,9000,0.029700000
gateway,search,18000,0.059400000"
has "doctor tells of it" "$("$nowcast" doctor --redis "$REDIS_URL")" '^note +sessions +about 1 sessions of 111122223333 gateway in us-east-1 .*sessions\.max'
free_port
start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port" --now 2026-11-02T06:00:00Z
wait_for 10 listens "$port"
has "and /metrics" "$(curl -s "http://127.0.0.1:$port/metrics")" '^nowcast_folded_sessions [1-9]'
stop "$pid"
has "who knows them by that name, too" "$("$nowcast" who --redis "$REDIS_URL" --now 2026-11-02T06:00:00Z "$others" | tr -s ' ')" '^this month 0\.0693 '
fails 1 "a session without a name of its own is not known" "$nowcast" who --redis "$REDIS_URL" --now 2026-11-02T06:00:00Z arn:aws:sts::111122223333:assumed-role/gateway/u-4
has "but told where it may be" "$(cat "$T/err")" 'may be among the \(other sessions\) of its role'
start_redis
ok "a replay in which one keeps its name" "$nowcast" replay --redis "$REDIS_URL" --sessions-max 1 "$T/calls.ndjson" "$T/late.ndjson"
is "counts the others together, without their teams" "$(by principal,team | grep gateway/)" "$others,platform,38000,0.125400000
arn:aws:sts::111122223333:assumed-role/gateway/u-1,search,7000,0.023100000"

# So do users and models that there are not, of which a stream may name any number. A model that there is stays what it is.
start_redis
head -n 1 "$T/guest.ndjson" >"$T/guest_call.ndjson"
for i in 1 2 3; do
	head -n 1 "$T/guest_call.ndjson" | python3 -c 'import json, sys
r, i = json.load(sys.stdin), sys.argv[1]
r["userIdentity"] = {"type": "IAMUser", "arn": "arn:aws:iam::777788889999:user/u-" + i, "accountId": "777788889999", "userName": "u-" + i}
r["requestID"], r["requestParameters"] = "garbage-" + i, {"modelId": "acme.no-such-model-" + i}
print(json.dumps(r))' $i
done >"$T/garbage.ndjson"
ok "a replay in which one user and one model keep their names" "$nowcast" replay --redis "$REDIS_URL" --users-max 1 --models-max 1 "$T/garbage.ndjson" "$T/guest_call.ndjson"
is "counts the other users together" "$(by principal | tail -n +2)" "arn:aws:iam::777788889999:user/(other users),2000,
arn:aws:iam::777788889999:user/u-1,1000,
arn:aws:sts::444455556666:assumed-role/shared/dan,1000,0.003300000"
is "and the other models" "$(by model | tail -n +2)" "(other models),2000,
acme.no-such-model-1,1000,
us.anthropic.claude-sonnet-4-6,1000,0.003300000"
doctor=$("$nowcast" doctor --redis "$REDIS_URL")
has "doctor tells of users" "$doctor" '^note +users +about 2 users of 777788889999 in us-east-1 .*users\.max \(5000\)'
has "of models" "$doctor" '^note +models +about [23] models of 777788889999 in us-east-1 .*models\.max'
has "and that they have no price" "$doctor" '\(other models\) is unpriced'
free_port
start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port" --now 2026-11-02T06:00:00Z
wait_for 10 listens "$port"
curl -s "http://127.0.0.1:$port/metrics" >"$T/metrics"
has "and /metrics, too" "$(cat "$T/metrics")" '^nowcast_folded_users 2'
has "of both" "$(cat "$T/metrics")" '^nowcast_folded_models [23]'
stop "$pid"
fails 1 "a user without a name of its own is not known" "$nowcast" who --redis "$REDIS_URL" --now 2026-11-02T06:00:00Z arn:aws:iam::777788889999:user/u-2
has "but told where it may be" "$(cat "$T/err")" 'may be among the \(other users\) of the account'
ok "repricing leaves them as they are" "$nowcast" reprice --redis "$REDIS_URL" --from 2026-11-01
is "and their sums" "$(by model | grep other)" "(other models),2000,"

# A call that another account recorded, and the tags of its session an hour later from the account of its role.
start_redis
tail -n 1 "$T/guest.ndjson" >"$T/guest_tags.ndjson"
ok "a call of a session in another account's trail" "$nowcast" replay --redis "$REDIS_URL" "$T/guest_call.ndjson"
is "counts there, without a team" "$(by account,principal,team | tail -n +2)" "777788889999,arn:aws:sts::444455556666:assumed-role/shared/dan,,1000,0.003300000"
ok "its tags, from the account of its role" "$nowcast" replay --redis "$REDIS_URL" "$T/guest_tags.ndjson"
is "re-label it there" "$(by account,principal,team | tail -n +2)" "777788889999,arn:aws:sts::444455556666:assumed-role/shared/dan,search,1000,0.003300000"

# Last week's report shows last week's tags.
start_redis
ok "a role whose tags change from week to week" "$nowcast" replay --redis "$REDIS_URL" "$T/history.ndjson"
is "has in each week those of that week" "$(by hour,team,tag:env all | tail -n +2 | cut -d, -f -4)" "2026-10-05T07:00:00Z,,,1000
2026-10-05T09:00:00Z,old,prod,1000
2026-10-12T10:00:00Z,new,prod,2000
2026-10-19T11:00:00Z,new,,3000
2026-10-26T12:00:00Z,,,4000
2026-10-29T13:00:00Z,again,dev,5000
2026-10-29T14:00:00Z,again,dev,6000"

# A caller whose name is no ARN is a dead letter: it might be one of the names that are ours.
start_redis
for name in '#' '(unattributed)' '# foundation' ann; do
	head -n 1 "$T/guest_call.ndjson" | python3 -c 'import json, sys; r = json.load(sys.stdin); r["userIdentity"]["arn"] = r["requestID"] = sys.argv[1]; print(json.dumps(r))' "$name"
done >"$T/no_arn.ndjson"
"$nowcast" replay --redis "$REDIS_URL" "$T/guest_call.ndjson" "$T/no_arn.ndjson" >"$T/out" 2>&1
has "callers whose names are no ARNs are refused" "$(cat "$T/out")" '^dead_letters +4 '
is "and nothing of them is counted" "$(by principal | tail -n +2)" "arn:aws:sts::444455556666:assumed-role/shared/dan,1000,0.003300000"
finish
