#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Application inference profiles, whose ids name no model: unpriced and told as such until `nowcast profiles import` brings in what
# is behind them, from lists of the AWS command line or a map; then priced at the regional or the global rate, from their date on,
# the hours counted before by `reprice`, and the later ones by themselves.
. "$(dirname "$0")/../lib.sh"

. tests/support/profiles.sh
profile_records "$T"
profiles() { "$nowcast" profiles --redis "$REDIS_URL" "$@"; }
usd() { "$nowcast" report --redis "$REDIS_URL" --by hour,model --format csv | tail -n +2 | sed -E 's/(,[^,]*){5}$//; s/^2026-11-02T//; s/[^,]*application-inference-profile.//'; }

start_redis
ok "calls through profiles" "$nowcast" replay --redis "$REDIS_URL" "$T/calls.ndjson"
is "those that nobody tells of are unpriced" "$(usd)" "03:00:00Z,999900001111,1000000,
03:00:00Z,aaaa1111bbbb,1000000,
03:00:00Z,cccc2222dddd,1000000,
03:00:00Z,eeee3333ffff,1000000,3.300000000"
has "a model that records alone name may have been called through a global profile" \
	"$("$nowcast" report --redis "$REDIS_URL" --by model --format csv | grep eeee3333ffff)" ',1000000,3\.300000000,3\.000000000,3\.300000000,exact; regional or global rate,'
has "explain says so" "$("$nowcast" explain --redis "$REDIS_URL" arn:aws:iam::$A:user/ann 2026-11-02T03:00:00Z)" 'at the global one it would be \$3\.000000'
fails 3 "list asks for them" profiles list --from 2026-11-01
is "and says who tells of which" "$(tail -n +2 "$T/out" | tr -s ' ' | sed 's/.*profile.//' | cut -d' ' -f 1-4)" "999900001111 unresolved - unknown
aaaa1111bbbb unresolved - unknown
cccc2222dddd unresolved - unknown
eeee3333ffff anthropic.claude-sonnet-4-6 - records"
has "with what to do" "$(cat "$T/err")" '^nowcast profiles: 3 unresolved: `aws bedrock list-inference-profiles'
"$nowcast" doctor --redis "$REDIS_URL" >"$T/doctor"
has "so does doctor" "$(cat "$T/doctor")" '^warn +prices +aaaa1111bbbb is unpriced: .*nowcast profiles import'

ok "list-inference-profiles" profiles import "$T/profiles.json"
is "says what it took" "$(head -n 2 "$T/ok.out")" "2 application inference profiles, 1 of them made from global ones
1 of AWS's own were left out: they name their model"
redis --raw hgetall nowcast:profile:aaaa1111bbbb >"$T/before"
ok "imported again" profiles import "$T/profiles.json"
redis --raw hgetall nowcast:profile:aaaa1111bbbb >"$T/after"
same_file "nothing changes" "$T/after" "$T/before"

call r-2 4 "$profile" >"$T/more.ndjson"
ok "a later call through one of them" "$nowcast" replay --redis "$REDIS_URL" "$T/more.ndjson"
has "is priced by itself" "$(usd)" '^04:00:00Z,aaaa1111bbbb,1000000,3\.300000000$'
ok "reprice brings it to the hours before" "$nowcast" reprice --redis "$REDIS_URL" --from 2026-11-01
want="03:00:00Z,999900001111,1000000,
03:00:00Z,aaaa1111bbbb,1000000,3.300000000
03:00:00Z,cccc2222dddd,1000000,3.000000000
03:00:00Z,eeee3333ffff,1000000,3.300000000
04:00:00Z,aaaa1111bbbb,1000000,3.300000000"
is "at the regional rate, and at the global one where it was made of that" "$(usd)" "$want"
has "again there is nothing to do" "$("$nowcast" reprice --redis "$REDIS_URL" --from 2026-11-01)" '^model_hours +0 of 5 changed$'
is "what was imported is certain" "$("$nowcast" report --redis "$REDIS_URL" --by model --format csv | grep aaaa1111bbbb | cut -d, -f 3-6)" "6.600000000,6.600000000,6.600000000,exact"
is "doctor no longer lists them" "$("$nowcast" doctor --redis "$REDIS_URL" | grep -c 'is unpriced')" 1
has "explain names the model" "$("$nowcast" explain --redis "$REDIS_URL" arn:aws:iam::$A:user/ann 2026-11-02T03:00:00Z)" 'cccc2222dddd, which is global\.anthropic\.claude-sonnet-4-6 in us-east-1'

ok "a map" profiles import --from 2026-11-02T04:00:00Z "$T/map.csv"
call n-2 5 "$(arn 999900001111)" >"$T/more.ndjson"
"$nowcast" replay --redis "$REDIS_URL" "$T/more.ndjson" >/dev/null
"$nowcast" reprice --redis "$REDIS_URL" --from 2026-11-01 >/dev/null
is "holds from its date on, not before" "$(usd | grep 9999)" "03:00:00Z,999900001111,1000000,
05:00:00Z,999900001111,1000000,3.000000000"

# The same in another order: profiles first, then the calls, shuffled.
"$nowcast" report --redis "$REDIS_URL" --by hour,principal,model,token_type --format csv >"$T/want.csv"
start_redis
profiles import --from 2026-11-02T04:00:00Z "$T/map.csv" >/dev/null
profiles import "$T/profiles.json" >/dev/null
cat "$T/more.ndjson" <(call r-2 4 "$profile") "$T/calls.ndjson" >"$T/all.ndjson"
ok "profiles before the calls" "$nowcast" replay --redis "$REDIS_URL" "$T/all.ndjson"
"$nowcast" report --redis "$REDIS_URL" --by hour,principal,model,token_type --format csv >"$T/got.csv"
same_file "give the same" "$T/got.csv" "$T/want.csv"

while IFS= read -r bad; do
	printf '%s\n' "$bad" >"$T/bad.json"
	fails 2 "refused: $bad" profiles import "$T/profiles.json" "$T/bad.json"
	has "with its file" "$(cat "$T/err")" 'bad\.json'
done <<END
{"inferenceProfileArn": "$profile", "models": []}
{"inferenceProfileArn": "$profile", "models": [$(model us-east-1), {"modelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"}]}
{"inferenceProfileArn": "arn:aws:bedrock:us-east-1:$A:provisioned-model/x", "models": [$(model us-east-1)]}
{"inferenceProfileArn": "$(arn 'a b')", "models": [$(model us-east-1)]}
{"inferenceProfileSummaries": 7}
{"Tags": []}
{"inferenceProfileArn":
model,profile
END
printf 'profile,model\n%s,x y\n' "$profile" >"$T/bad.json"
fails 2 "a map with no model in it" profiles import "$T/bad.json"
has "names the line" "$(cat "$T/err")" 'bad\.json: line 2: '
fails 2 "no verb" profiles
finish
