#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `nowcast who`: by ARN with and without its path, by the access key of a session, by a name or an address in a tag: whose it is,
# what it spent, on which models, and its tags with where each comes from, from when to when. What is not known says so.
. "$(dirname "$0")/../lib.sh"

who() { "$nowcast" who --redis "$REDIS_URL" --now 2026-11-02T06:30:00Z "$@"; }
field() { who --format json "${@:2}" | python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }

python3 tests/support/identity.py "$T" || bail "no records"
start_redis
ok "calls, and the tags of their callers" "$nowcast" replay --redis "$REDIS_URL" "$T/calls.ndjson" "$T/late.ndjson" "$T/history.ndjson"
sessions=arn:aws:sts::111122223333:assumed-role

is "a session: its tags over those of its role, each with its span and event" "$(who $sessions/gateway/u-2 | sed -n '/^tag/,/^$/p' | tr -s ' ')" \
	"tag value of from until event
email u2@example.com session 2026-11-02T05:00:00Z 2026-11-02T05:58:00Z seen with it
team ads session 2026-11-02T05:00:00Z 2026-11-02T05:58:00Z seen with it
env prod role 2026-10-01T00:00:00Z - 00000014-1111-4000-8000-000000000000
team platform role, overridden 2026-10-01T00:00:00Z - 00000014-1111-4000-8000-000000000000"
is "its role and account" "$(field 'd["role"], d["account"]' $sessions/gateway/u-2)" "('arn:aws:iam::111122223333:role/gateway', '111122223333')"
has "its spend, with the band and how it is known" "$(who $sessions/gateway/u-2 | tr -s ' ')" '^this month 0\.0264 0\.0264 0\.0264 1 8,000 exact$'
has "its model" "$(who $sessions/gateway/u-2 | tr -s ' ')" '^us\.anthropic\.claude-sonnet-4-6 0\.0264 0\.0264 1 8,000 exact$'
has "and when it was seen" "$(who $sessions/gateway/u-2)" '^last seen +in the hour of 2026-11-02T05:00:00Z$'
is "the month is not the day" "$("$nowcast" who --redis "$REDIS_URL" --now 2026-11-03T00:00:00Z $sessions/gateway/u-2 | grep -E '^(today|this)' | tr -s ' ' | cut -d' ' -f -3)" \
	"today 0.0000 0.0000
this month 0.0264"

team_of() { "$nowcast" report --redis "$REDIS_URL" --from 2026-11-02 --by team --principal gateway/u-2 --team-from "$1" --format csv | sed -n '2s/,.*//p'; }
is "a team by several tags: that of the session comes before that of the role; else the first source" "$(team_of tag:env,tag:email) $(team_of tag:env,session) $(team_of session,tag:email)" "u2@example.com prod u-2"
has "explain names the tags it came with" "$("$nowcast" explain --redis "$REDIS_URL" $sessions/gateway/u-2 2026-11-02T05:00:00Z)" "^$sessions/gateway/u-2, tags email=u2@example.com, team=ads: us"

has "a span has a sum of its own" "$(who $sessions/gateway/u-2 2026-11-02 | tr -s ' ')" '^2026-11-02 00:00 to 2026-11-02 07:00 0\.0264 0\.0264 0\.0264 1 8,000 exact$'
is "behind flags, too" "$(field 'd["span"]["usd"]' --sessions 3 $sessions/gateway/u-2 2026-11-02)" 0.026400000
is "and no other that it does not have" "$(who $sessions/gateway/u-2 2026-11-02 | grep -cE '^(today|this)')" 0
is "of an hour, in JSON" "$(field '[s["span"]["usd"] for s in d["sessions"]], "month" in d, d["looked_at_to"]' --from 2026-11-02T05:00:00Z --to 06:00 arn:aws:iam::111122223333:role/gateway)" \
	"(['0.069300000', '0.029700000', '0.026400000', '0.023100000'], False, '2026-11-02T06:00:00Z')"
is "what was before this month beside it" "$(field 'd["span"]["usd"], d["month"]["usd"], d["today"]["usd"]' --from 2026-10-01 $sessions/gateway/u-2)" "('0.026400000', '0.026400000', '0.026400000')"
fails 1 "nothing is known of other hours" who $sessions/gateway/u-2 2026-11-01
has "which are named" "$(cat "$T/err")" "no figures from 2026-11-01T00:00:00Z to 2026-11-02T00:00:00Z"

is "a role stands for its sessions, the dearest first" "$(field '[(s["principal"].split("/")[-1], s["month"]["usd"]) for s in d["sessions"]]' arn:aws:iam::111122223333:role/any/path/gateway)" \
	"[('u-4', '0.069300000'), ('u-3', '0.029700000'), ('u-2', '0.026400000'), ('u-1', '0.023100000')]"
is "and for their sum" "$(field 'd["month"]["usd"]' arn:aws:iam::111122223333:role/gateway)" 0.148500000
has "of which as many are shown as one wants" "$(who --sessions 1 arn:aws:iam::111122223333:role/gateway)" '^and 3 more'
is "a session by its name and the same session by its ARN" "$(who u-2)" "$(who $sessions/gateway/u-2)"
is "and by an address in its tags, in any case" "$(who U2@Example.com)" "$(who $sessions/gateway/u-2)"
is "and by its role and name, as reports print it" "$(who gateway/u-2)" "$(who $sessions/gateway/u-2)"
is "a name that two bear lists them" "$(field '[(s["principal"], s["why"], s["month"]["usd"]) for s in d["seen"]]' ann)" \
	"[('arn:aws:iam::111122223333:user/ann', 'user', '0.301400000'), ('arn:aws:sts::444455556666:assumed-role/shared/ann', 'session', '0.046200000')]"
has "also as a table" "$(who ann | tr -s ' ')" '^arn:aws:sts::444455556666:assumed-role/shared/ann session 2026'
is "a team lists its members" "$(field 'len(d["seen"])' search)" 7

has "an access key that STS handed out" "$(who ASIADEE)" '^access key +ASIADEE, handed out by STS$'
has "is its session's" "$(who ASIADEE)" "^$sessions/saml/dee@example\.com$"
has "one that a service handed out is known by its calls" "$(who ASIAINDEXER)" "^$sessions/indexer/i-0abc$"
has "with the path of its role" "$(who ASIAINDEXER)" '^role +arn:aws:iam::111122223333:role/app/indexer$'

is "the keys of a session, to six hours, the one used last first" "$(field '[(k["id"], k["since"], k["used_from"], k["used_to"]) for k in d["access_keys"]], d["access_keys_more"]' $sessions/indexer/i-0abc)" \
	"([('ASIAINDEXER', '2026-11-02T05:00:00Z', '2026-11-02T05:00:00Z', '2026-11-02T05:58:00Z')], False)"
has "and in the table" "$(who $sessions/indexer/i-0abc | sed -n '/^access key/,$p' | tr -s ' ')" '^ASIAINDEXER 2026-11-02T05:00:00Z 2026-11-02T05:00:00Z 2026-11-02T05:58:00Z$'
is "of a moment before, neither a key nor a tag of a session was seen after it" "$(field '{k["used_to"] for k in d["access_keys"]}, {t["until"] for t in d["tags"] if t["of"] == "session"}' --now 2026-11-02T05:40:00Z $sessions/saml/dee@example.com)" \
	"({'2026-11-02T05:40:00Z'}, {'2026-11-02T05:40:00Z'})"
is "no other principal has it" "$(field '[k["id"] for k in d["access_keys"]]' $sessions/saml/dee@example.com)" "['ASIADEE']"

is "the tags of a role from week to week" "$(field '[(t["key"], t["value"], t["since"][:10], (t["until"] or "")[:10]) for t in d["tags"]]' --from 2026-10-01 app)" \
	"[('Team', 'new', '2026-10-12', '2026-10-26'), ('env', 'prod', '2026-10-05', '2026-10-19'), ('env', 'dev', '2026-10-29', ''), ('team', 'old', '2026-10-05', '2026-10-12'), ('team', 'again', '2026-10-29', '')]"
echo '{"Arn": "arn:aws:iam::111122223333:role/quiet", "Tags": {"team": "night"}}' >"$T/tags.json"
"$nowcast" tags import --redis "$REDIS_URL" --from 2026-11-01 "$T/tags.json" >/dev/null
has "a role that never called, by the tags that were imported" "$(who arn:aws:iam::111122223333:role/quiet | tr -s ' ')" '^team night role 2026-11-01T00:00:00Z - import$'

fails 1 "nobody" who nobody@example.com
has "is told as such, with where was looked" "$(cat "$T/err")" 'nothing is known of nobody@example\.com.* since 2026-10-01'
has "and how a part of a name is found" "$(cat "$T/err")" 'nowcast report --principal'
fails 1 "a session that nobody knows" who $sessions/gateway/u-99
fails 1 "a key that nobody knows" who ASIANOBODY
has "says how long keys are known" "$(cat "$T/err")" 'window'
fails 1 "a long-term key" who AKIAANN
has "says what tells more" "$(cat "$T/err")" 'aws iam get-access-key-last-used --access-key-id AKIAANN'
fails 2 "no argument" who
fails 2 "a format that there is not" who --format xml ann
finish
