#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The mapping file: a team, an environment and a cost centre for accounts, roles, users, sessions and inference profiles that have
# no tags. It is applied when figures are read, so a change of the file changes the past at once, in every reader, to what a replay
# under the new file gives.
. "$(dirname "$0")/../lib.sh"

A=111122223333
ROLE=arn:aws:sts::$A:assumed-role
PROFILE=arn:aws:bedrock:us-east-1:$A:application-inference-profile/k3v9q2m7x1tz
log() { # ID HOUR ARN [MODEL [METADATA]]
	printf '{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-11-%s:01:00Z","accountId":"%s","region":"us-east-1","requestId":"%s","operation":"Converse","modelId":"%s","identity":{"arn":"%s"},"requestMetadata":%s,"input":{"inputTokenCount":1000},"output":{"outputTokenCount":200}}\n' \
		"$2" $A "$1" "${4:-global.anthropic.claude-sonnet-4-6}" "$3" "${5:-{\}}"
}
by() { # GROUPING [FLAG...]: its values and tokens
	local by=$1
	shift
	"$nowcast" report --redis "$REDIS_URL" --by "$by" --format csv "${map[@]}" "$@" | python3 -c '
import csv, sys
by = sys.argv[1].split(",")
print(*sorted("|".join([r[k] or "-" for k in by] + [r["tokens"]]) for r in csv.DictReader(sys.stdin)), sep=" ")' "$by"
}
replay() { "$nowcast" replay --redis "$REDIS_URL" "$@" >"$T/replay.out" 2>&1 || diag "$(cat "$T/replay.out")"; }
figures() { "$nowcast" report --redis "$REDIS_URL" --by hour,principal,map:team,map:cost_centre,user --format csv "${map[@]}" >"$1"; }

{
	log g-1 02T05 $ROLE/gateway/pod-1 "" '{"team":"search"}'
	log g-2 03T05 $ROLE/gateway/pod-1
	log g-3 02T05 $ROLE/gateway/batch-7
	log g-4 02T05 $ROLE/app/i-1 $PROFILE
	log g-5 02T05 arn:aws:iam::$A:user/ann
	log g-6 02T05 $ROLE/nobody/s-1
} | sed 's/"modelId":""/"modelId":"global.anthropic.claude-sonnet-4-6"/' >"$T/log.ndjson"
cat >"$T/map.csv" <<END
kind,name,account,from,team,environment,cost_centre,user,note
account,$A,,,,,cc-100,,
role,gateway,,,shop,prod,,,
role,gateway,,2026-11-03,"Search, more",prod,cc-7,,moved on Tuesday
session,gateway/batch-*,,,reports,,,,
profile,$PROFILE,,,mobile,,,,
user,ann,,,,dev,,Ann,
END
map=(--map-file "$T/map.csv")

start_redis
replay "$T/log.ndjson"
is "by team: a pattern before its role, a profile before a role, each from its date" "$(by map:team)" \
	"-|2400 Search, more|1200 mobile|1200 reports|1200 shop|1200"
is "what the most specific line does not say, a wider one does" "$(by map:environment,map:cost_centre)" \
	"-|cc-100|2400 dev|cc-100|1200 prod|cc-100|2400 prod|cc-7|1200"
is "a team may come from it, after metadata" "$(by team --team-from meta:team,map)" "-|2400 Search, more|1200 mobile|1200 reports|1200 search|1200"
is "and what is said of the account alone comes last" "$(by team --team-from map:cost_centre,map)" "cc-100|2400 cc-7|1200 mobile|1200 reports|1200 shop|1200"
is "and a user, by default from the identity only" "$(by user --user-from map,session) $(by user)" \
	"Ann|1200 batch-7|1200 i-1|1200 pod-1|2400 s-1|1200 -|7200"
has "FOCUS has it among the tags" "$("$nowcast" report --format focus --redis "$REDIS_URL" "${map[@]}")" '""map:team"":""mobile"",""map:cost_centre"":""cc-100""'
now=(--now 2026-11-03T06:00:00Z --redis "$REDIS_URL" "${map[@]}")
"$nowcast" who "${now[@]}" $ROLE/gateway/pod-1 >"$T/who"
has "who shows what is mapped, and by which line" "$(cat "$T/who")" 'map:team +shop +map +2026-11-02T05:00:00Z +2026-11-02T06:00:00Z +.*/map\.csv:3, role gateway'
has "with the line of the later hours" "$(cat "$T/who")" 'map:cost_centre +cc-7 +map +2026-11-03T05:00:00Z +2026-11-03T06:00:00Z +.*/map\.csv:4, role gateway'
has "in JSON, too" "$("$nowcast" who --format json "${now[@]}" $ROLE/app/i-1)" '"key":"map:team","value":"mobile","of":"map".*map\.csv:6, profile k3v9q2m7x1tz"'
has "and finds a caller by a value" "$("$nowcast" who "${now[@]}" reports)" 'gateway/batch-7'
printf '[rule shop]\nkind = budget\nby = map:team\nonly = shop\nperiod = month\namount = 0.001\nat = 100\n' >"$T/alerts.conf"
has "a budget may be that of a team" "$("$nowcast" alert check --redis "$REDIS_URL" --now 2026-11-03T06:00:00Z --alerts.file "$T/alerts.conf" "${map[@]}" 2>&1)" 'shop'

sed -i.was 's/map:team/map:crew/' "$T/alerts.conf"
fails 2 "but not of a column that does not exist" "$nowcast" alert check --redis "$REDIS_URL" --alerts.file "$T/alerts.conf" "${map[@]}"
has "which is named" "$(cat "$T/err")" 'rule shop: .*no column crew'

# What is wrong is refused, with the place.
fails 0 "check-config reads it" "$nowcast" check-config "${map[@]}"
has "and says how much it has" "$(cat "$T/err")" 'map\.csv has 6 lines and 4 keys'
fails 2 "a column that does not exist" "$nowcast" report --redis "$REDIS_URL" --by map:cost_center "${map[@]}"
has "is named, with those that do" "$(cat "$T/err")" 'no column cost_center; there are team, environment, cost_centre, user'
fails 2 "in the reconciliation, too" "$nowcast" report --reconciliation --redis "$REDIS_URL" --by map:cost_center "${map[@]}"
has "it is named" "$(cat "$T/err")" 'no column cost_center'
fails 2 "nor can a team come from it" "$nowcast" check-config "${map[@]}" --team-from map:squad
has "which says why" "$(cat "$T/err")" 'team\.from: .*map\.csv has no column squad'
fails 2 "a grouping without a file" "$nowcast" report --redis "$REDIS_URL" --by map:team
has "says what is missing" "$(cat "$T/err")" 'map\.file is not set'
fails 2 "a source without a file" "$nowcast" check-config --team-from map
sed 's/2026-11-03/tuesday/' "$T/map.csv" >"$T/bad.csv"
fails 2 "a bad line" "$nowcast" check-config --map-file "$T/bad.csv"
has "has its line and column" "$(cat "$T/err")" 'map\.file: .*bad\.csv:4:15: from: expected a whole hour.*"tuesday"'

tr , ';' <"$T/map.csv" >"$T/semi.csv"
fails 2 "a file with semicolons" "$nowcast" check-config --map-file "$T/semi.csv"
has "is told that they are commas" "$(cat "$T/err")" 'semi\.csv:1:1: columns are separated by commas'

# A page that is open follows the file. While it is not good, the former one holds and doctor says so.
free_port
start serve "$nowcast" serve "${now[@]}" --listen "127.0.0.1:$port"
wait_for 10 listens "$port" || bail "nowcast serve does not listen"
# shellcheck disable=SC2317 # wait_for calls it
teams() { curl -s "http://127.0.0.1:$port/api/v1/breakdown?by=map:team&hours=48&map:team=$1" | grep -q "$2"; }
ok "the API groups and filters by it" teams shop '"tokens":1200'
has "and refuses a column that does not exist" "$(curl -s "http://127.0.0.1:$port/api/v1/breakdown?by=map:x")" 'by: map\.file has no column x'
cp "$T/map.csv" "$T/first.csv"
cp "$T/bad.csv" "$T/map.csv"
has "doctor says that the file is not good" "$("$nowcast" doctor --redis "$REDIS_URL" "${map[@]}" 2>&1)" '^FAIL +map +map\.file: .*map\.csv:4:15: .*keeps what the file said before'
# shellcheck disable=SC2317 # wait_for calls it
is_logged() { teams shop x; grep -q 'level=error.*what map.file said before stays in force.*map.csv:4:15' "$T/serve.log"; }
ok "and so does the log of the page" wait_for 10 is_logged
sed 's/,shop,/,store,/' "$T/first.csv" >"$T/map.csv"
ok "a change is seen without a restart" wait_for 15 teams store '"tokens":1200'
is "of the past, too: the former name is nowhere" "$(by map:team)" "-|2400 Search, more|1200 mobile|1200 reports|1200 store|1200"
figures "$T/changed.csv"
redis flushall >/dev/null
replay "$T/log.ndjson"
figures "$T/replayed.csv"
same_file "a replay under the new file gives the same" "$T/changed.csv" "$T/replayed.csv"

# Sessions that were counted together: what one of them may have is not known of the others.
redis flushall >/dev/null
replay --sessions-max 1 "$T/log.ndjson"
is "a row of many sessions has no team that only some have" "$(by principal,map:team | tr ' ' '\n' | grep -c 'sessions)|(other values)')" 0
log g-7 02T05 $ROLE/gateway/pod-9 >>"$T/log.ndjson"
redis flushall >/dev/null
replay --sessions-max 1 "$T/log.ndjson"
has "and says so" "$(by principal,map:team)" 'gateway/\(other sessions\)\|\(other values\)\|'
finish
