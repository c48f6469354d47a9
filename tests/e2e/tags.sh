#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `nowcast tags`: what the AWS command line lists is brought in with its date, and shown with where it comes from. And tags as
# bad as can be (control characters, commas, braces, markup, NUL, 256 characters of emoji) come through Redis into CSV and JSON
# as they were.
. "$(dirname "$0")/../lib.sh"

A=111122223333
call() { # ID HOUR ARN KEY
	printf '{"userIdentity":{"type":"AssumedRole","arn":"%s","accountId":"%s","accessKeyId":"%s"},"eventTime":"2026-11-02T%02d:30:00Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"us.anthropic.claude-sonnet-4-6"},"additionalEventData":{"inputTokens":100,"outputTokens":10},"requestID":"%s","eventID":"e","eventType":"AwsApiCall","recipientAccountId":"%s","eventCategory":"Management"}\n' "$3" $A "$4" "$2" "$1" $A
}
tags() { "$nowcast" tags --redis "$REDIS_URL" "$@"; }
teams() { "$nowcast" report --redis "$REDIS_URL" --by "${1:-hour,principal,team}" --format csv | tail -n +2 | sed -E 's/(,[^,]*){7}$//'; }

start_redis
for hour in 3 5; do
	call r-$hour $hour arn:aws:sts::$A:assumed-role/app/i-1 ASIAAPP
	call u-$hour $hour arn:aws:iam::$A:user/eng/ann AKIAANN
done >"$T/calls.ndjson"
ok "calls" "$nowcast" replay --redis "$REDIS_URL" "$T/calls.ndjson"

# --- shapes
cat >"$T/details.json" <<END
{"UserDetailList": [{"UserName": "ann", "Arn": "arn:aws:iam::$A:user/eng/ann", "Tags": [{"Key": "team", "Value": "search"}]},
                    {"UserName": "bob", "Arn": "arn:aws:iam::$A:user/bob"}],
 "RoleDetailList": [{"RoleName": "app", "Arn": "arn:aws:iam::$A:role/x/y/app", "Tags": [{"Key": "team", "Value": "ingest"}, {"Key": "env", "Value": "prod"}]}],
 "GroupDetailList": [], "Policies": [{"Arn": "arn:aws:iam::$A:policy/p", "Tags": []}], "IsTruncated": false}
END
ok "get-account-authorization-details" tags import --from 2026-11-02T05:00:00Z "$T/details.json"
has "says what it took" "$(cat "$T/ok.out")" '^2 roles and users, 3 tags, from 2026-11-02T05:00:00Z on$'
has "and what told nothing" "$(cat "$T/ok.out")" '^1 were listed without their tags'
want="2026-11-02T03:00:00Z,arn:aws:iam::$A:user/ann,
2026-11-02T03:00:00Z,arn:aws:sts::$A:assumed-role/app/i-1,
2026-11-02T05:00:00Z,arn:aws:iam::$A:user/ann,search
2026-11-02T05:00:00Z,arn:aws:sts::$A:assumed-role/app/i-1,ingest"
is "they count from then on, and not before" "$(teams)" "$want"
redis --raw hgetall "nowcast:tags:$A:role/app" >"$T/before"
ok "imported again" tags import --from 2026-11-02T05:00:00Z "$T/details.json"
redis --raw hgetall "nowcast:tags:$A:role/app" >"$T/after"
same_file "nothing changes" "$T/after" "$T/before"
ok "imported again, as of later" tags import --from 2026-11-02T05:30:00Z "$T/details.json"
redis --raw hgetall "nowcast:tags:$A:role/app" >"$T/after"
same_file "what is known is not kept twice" "$T/after" "$T/before"

echo '{"Tags": [{"Key": "team", "Value": "ads"}], "IsTruncated": false}' >"$T/list.json"
fails 2 "list-role-tags does not say whose they are" tags import "$T/list.json"
has "and is asked" "$(cat "$T/err")" 'list\.json: .*--principal'
ok "list-role-tags --principal" tags import --principal arn:aws:iam::$A:role/app --from 2026-11-02T06:00:00Z "$T/list.json"
{ echo "{\"Role\": {\"Arn\": \"arn:aws:iam::$A:role/get\", \"Tags\": [{\"Key\": \"team\", \"Value\": \"a\"}]}}"
	echo "{\"ResourceTagMappingList\": [{\"ResourceARN\": \"arn:aws:iam::$A:role/rg\", \"Tags\": [{\"Key\": \"team\", \"Value\": \"b\"}]}]}"
	echo "[{\"Arn\": \"arn:aws:iam::$A:user/map\", \"Tags\": {\"team\": \"c\"}}]"; } >"$T/many.json"
ok "get-role, get-resources, and whatever has both, back to back" tags import --from 2026-11-01 - <"$T/many.json"
has "all three" "$(cat "$T/ok.out")" '^3 roles and users, 3 tags'

for bad in "{\"Arn\": \"arn:aws:iam::$A:role/app\", \"Tags\": [{\"Key\": 7, \"Value\": \"x\"}]}" '{"Arn": "arn:aws:s3:::bucket", "Tags": []}' \
	"{\"Tags\": [], \"IsTruncated\": true}" '{"Roles": 7}' '{"a": 1}' 'tags' "{\"Arn\": \"arn:aws:iam::$A:role/app\", \"Tags\": {\"a\\u0000b\": \"c\"}}"; do
	printf '{"Arn": "arn:aws:iam::%s:role/app", "Tags": {"team": "wrong"}}\n%s\n' $A "$bad" >"$T/bad.json"
	fails 2 "refused whole: $bad" tags import --from 2026-11-02 "$T/bad.json"
	has "with its file" "$(cat "$T/err")" 'bad\.json'
done
is "and nothing of it is there" "$(redis --raw hgetall "nowcast:tags:$A:role/app" | grep -c wrong)" 0

# --- show
is "show: who had which tag, since when, by which event" "$(tags show arn:aws:sts::$A:assumed-role/app/i-1 --at 2026-11-02T05:30:00Z)" \
	"tag   value   of    since, or session tags  event
env   prod    role  2026-11-02T05:00:00Z    import
team  ingest  role  2026-11-02T05:00:00Z    import"
has "at another time" "$(tags show arn:aws:iam::$A:role/any/path/app --at 2026-11-02T06:00:00Z)" '^team  ads    role'
fails 0 "and none before" tags show arn:aws:iam::$A:role/app --at 2026-11-01
has "which is said" "$(cat "$T/err")" 'no tags of .*role/app'
fails 2 "of what is no ARN" tags show app
fails 2 "no verb" tags

# --- as bad as can be
python3 - "$T" $A <<'END'
import json, sys
folder, account = sys.argv[1:]
bad = {"plain": "x", "comma, and \"quotes\"": "a,b;\"c\"\r\nd", "{brace}": "{\"a\":[1]}", "<b>": "<script>alert('&')</script>", "\x01\x1b[31m": "\x07\x1b]0;t\x07\x7f",
       "\\": "\\,\\", "e" + "\U0001f4b8" * 255: "\U0001f9fe" * 256, "nul value": "a\0b", "empty": "", "line\nbreak": "tab\tend", "-": "'; FLUSHALL; --", "%s%n": "%s%n%x"}
record = {"eventTime": "2026-11-02T07:00:00Z", "eventSource": "sts.amazonaws.com", "eventName": "AssumeRole", "awsRegion": "us-east-1", "eventType": "AwsApiCall",
          "recipientAccountId": account, "eventID": "e", "requestID": "q",
          "requestParameters": {"roleArn": f"arn:aws:iam::{account}:role/bad", "roleSessionName": "s",
                                "tags": [{"key": k, "value": v} for k, v in bad.items()] + [{"key": "nul\0key", "value": "kept"}]},
          "responseElements": {"credentials": {"accessKeyId": "ASIABAD"}, "assumedRoleUser": {"arn": f"arn:aws:sts::{account}:assumed-role/bad/s"}}}
json.dump(record, open(folder + "/bad_sts.json", "w"))
json.dump(bad, open(folder + "/bad_tags.json", "w"))
by = ",".join("tag:" + k.replace("\\", "\\\\").replace(",", "\\,") for k in list(bad)[:7])
open(folder + "/by", "w").write(by)
json.dump({"Arn": f"arn:aws:iam::{account}:role/bad2", "Tags": bad}, open(folder + "/bad_list.json", "w"))
END
call bad 7 arn:aws:sts::$A:assumed-role/bad/s ASIABAD >"$T/bad_call.json"
ok "a session with tags as bad as can be" "$nowcast" replay --redis "$REDIS_URL" "$T/bad_call.json" "$T/bad_sts.json"
has "none is a dead letter" "$(cat "$T/ok.out")" '^dead_letters +0'
"$nowcast" report --redis "$REDIS_URL" --by "role,$(cat "$T/by")" --format csv >"$T/bad.csv"
"$nowcast" report --redis "$REDIS_URL" --by "role,$(cat "$T/by")" --format json >"$T/bad_report.json"
"$nowcast" report --redis "$REDIS_URL" --by "role,tag:nul value" --format json >"$T/bad_nul.json"
tags show arn:aws:sts::$A:assumed-role/bad/s --at 2026-11-02T07:59:00Z --format json >"$T/bad_show.json"
tags show arn:aws:sts::$A:assumed-role/bad/s --at 2026-11-02T07:59:00Z >"$T/bad_show.txt"
redis --raw hvals nowcast:tagsets >"$T/bad_redis"
ok "an import of such tags" tags import --from 2026-11-02 "$T/bad_list.json"
tags show arn:aws:iam::$A:role/bad2 --at 2026-11-03 --format json >"$T/bad_import.json"
cat >"$T/came.py" <<'END'
import csv, json, sys
folder, expression = sys.argv[1:]
text = lambda name: open(f"{folder}/{name}", newline="", encoding="utf-8").read()
load = lambda name: json.loads(text(name))
bad = load("bad_tags.json")
kept = {**bad, "nul\u2400key": "kept"}
first = list(bad.values())[:7]
rows = lambda: [r[1:8] for r in csv.reader(open(f"{folder}/bad.csv", newline="", encoding="utf-8")) if r[0] == "bad"]
report = lambda: [list(r.values())[1:8] for r in load("bad_report.json") if r["role"] == "bad"]
shown = lambda name: {t["key"]: t["value"] for t in load(name)}
print(eval(expression))
END
came() { # WHAT EXPRESSION
	is "they come through: $1" "$(python3 "$T/came.py" "$T" "$2")" True
}
came "CSV" 'rows() == [first]'
came "JSON" 'report() == [first]'
came "a NUL, in JSON" '["a\0b"] == [r["tag:nul value"] for r in load("bad_nul.json") if r["role"] == "bad"]'
came "Redis" 'kept in [json.loads(line) for line in text("bad_redis").split("\n") if line]'
came "tags show, a NUL in a key as its symbol" 'shown("bad_show.json") == kept'
came "tags import" 'shown("bad_import.json") == bad'
came "and on a terminal none of them steers it" 'not any(c < " " and c != "\n" or c == "\x7f" for c in text("bad_show.txt"))'
python3 -c 'import os, pty, sys; sys.stdout.flush(); sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' \
	"$nowcast" report --redis "$REDIS_URL" --by "role,$(cat "$T/by")" --format csv </dev/null >"$T/bad_screen.txt"
came "nor does a CSV that is printed there" '"<script>" in text("bad_screen.txt") and not any(c < " " and c not in "\r\n" or c == "\x7f" for c in text("bad_screen.txt"))'

# --- of accounts, beneath those of roles and users
M=arn:aws:organizations::999988887777:account/o-abc/$A
echo "{\"Tags\": [{\"Key\": \"Team\", \"Value\": \"core\"}, {\"Key\": \"cost\", \"Value\": \"cc-1\"}]}" >"$T/account.json"
call n 6 arn:aws:sts::$A:assumed-role/plain/s ASIAPLAIN >"$T/more.ndjson"
call root 6 arn:aws:iam::$A:root ASIAROOT >>"$T/more.ndjson"
call a 6 arn:aws:sts::$A:assumed-role/app/i-1 ASIAAPP >>"$T/more.ndjson"
ok "further calls" "$nowcast" replay --redis "$REDIS_URL" "$T/more.ndjson"
ok "list-tags-for-resource --principal ARN of an account" tags import --principal "$M" --from 2026-11-02T06:00:00Z "$T/account.json"
has "which is said" "$(cat "$T/ok.out")" '^1 account, 2 tags, from 2026-11-02T06:00:00Z on$'
is "every principal has them, but for what its role or user has; not before" "$(teams hour,role,team,tag:cost | grep -v 'T0[37]')" \
	"2026-11-02T05:00:00Z,,search,
2026-11-02T05:00:00Z,app,ingest,
2026-11-02T06:00:00Z,,core,cc-1
2026-11-02T06:00:00Z,app,ads,cc-1
2026-11-02T06:00:00Z,plain,core,cc-1"
is "a team by several tags: that of the role comes before that of the account, whatever their order" "$(NOWCAST_TEAM_FROM="tag:cost, tag:team" teams hour,role,team | grep T06)" \
	"2026-11-02T06:00:00Z,,cc-1
2026-11-02T06:00:00Z,app,ads
2026-11-02T06:00:00Z,plain,cc-1"
is "show says whose they are" "$(tags show arn:aws:sts::$A:assumed-role/app/i-1 --at 2026-11-02T06:30:00Z)" \
	"tag   value  of       since, or session tags  event
cost  cc-1   account  2026-11-02T06:00:00Z    import
team  ads    role     2026-11-02T06:00:00Z    import"
has "of the account itself" "$(tags show "$M" --at 2026-11-02T06:30:00Z)" '^Team  core   account  2026-11-02T06:00:00Z'
has "who: what is overridden" "$("$nowcast" who --redis "$REDIS_URL" --now 2026-11-02T08:00:00Z arn:aws:sts::$A:assumed-role/app/i-1)" '^ *Team +core +account, overridden +2026-11-02T06'
has "FOCUS: as AWS names them" "$("$nowcast" report --redis "$REDIS_URL" --format focus)" 'accountTag/cost'
for u in 1 2 3; do call o$u 8 arn:aws:iam::$A:user/u$u AKIAU$u; done >"$T/users.ndjson"
ok "more users than keep their names" "$nowcast" replay --redis "$REDIS_URL" --users.max 1 "$T/users.ndjson"
is "who are counted together have no tags of the account: some may have their own" "$(teams hour,principal,team | grep 'T08')" \
	"2026-11-02T08:00:00Z,arn:aws:iam::$A:user/(other users),"
fails 1 "a principal of the account that never called is not known by them" "$nowcast" who --redis "$REDIS_URL" --now 2026-11-02T08:00:00Z arn:aws:iam::$A:role/nobody
finish
