#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What cannot be decoded goes to the dead-letter topic, byte for byte, with the reason and its origin, and can be replayed. And, on
# the same broker: time in which nothing came was observed, if all that Kafka holds was read.
. "$(dirname "$0")/../lib.sh"
topics="raw" readers=0

call() { # REQUEST-ID
	printf '{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ann","accountId":"111122223333","userName":"ann"},"eventTime":"2026-11-02T00:00:05Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"us.anthropic.claude-sonnet-4-6"},"responseElements":null,"additionalEventData":{"inputTokens":100,"outputTokens":10},"requestID":"%s","eventID":"e-%s","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}\n' "$1" "$1"
}
broken=$(call r-broken | cut -c 1-300) # cut off in the middle

start_redis
start_broker 1
write_config "$T/nowcast.conf" "dead_letter.topic = dead" "dead_letter.file = $T/dead.ndjson"
{ call r-1; echo "$broken"; call r-2; } >"$T/in"
is "three messages, the second broken" "$(produce -t raw "$T/in")" 3
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "the worker goes on behind the broken one" wait_for 30 caught_up

timeout 30 kcat -C -e -q -b "$BOOTSTRAP" -t dead -o beginning -f '%h\n' >"$T/headers" 2>/dev/null
timeout 30 kcat -C -e -q -b "$BOOTSTRAP" -t dead -o beginning >"$T/dead" 2>/dev/null
is "one dead letter" "$(wc -l <"$T/dead")" 1
is "is the message as it came" "$(cat "$T/dead")" "$broken"
has "with the reason" "$(cat "$T/headers")" 'reason=[^,]+'
has "its topic" "$(cat "$T/headers")" 'topic=raw'
has "its partition" "$(cat "$T/headers")" 'partition=0'
has "its offset" "$(cat "$T/headers")" 'offset=1'
has "and the record's index" "$(cat "$T/headers")" 'index=-?[0-9]+'
told_lag() { redis hget nowcast:lag "raw 0 $(redis --scan --pattern 'nowcast:positions:*:raw' | cut -d: -f3) test" | grep -qE "^$(date +%s | cut -c 1-6)[0-9]{7} 0 0$"; }
ok "it tells Redis how far it is behind" wait_for 10 told_lag
ok "the worker ends on SIGTERM" stop $worker
settled_report "$T/csv"
has "the whole messages count" "$(grep user/ann "$T/csv" | grep ',input,')" ',input,200,'

# A replay of which the rules let nothing count has failed.
call r-app >"$T/app.ndjson"
fails 1 "a file that no rule allows" "$nowcast" replay --redis "$REDIS_URL" --dead-letter-file "$T/refused.ndjson" --trust.file:other cloudtrail "$T/app.ndjson"
has "the replay says why" "$(cat "$T/err")" 'none of 1 records was counted: where they come from may not say so \(the keys trust'
has "its letter is refused as well" "$("$nowcast" replay --redis "$REDIS_URL" --trust.file:other cloudtrail "$T/refused.ndjson" 2>&1)" '^untrusted +1$'

# A file of dead letters is a source like any other: here the fault is mended by hand, as a fix of the decoder would.
: >"$T/replay.ndjson"
echo "$broken" >"$T/bad.ndjson"
call r-2 >>"$T/bad.ndjson"
fails 0 "replay goes on behind a broken line" "$nowcast" replay --redis "$REDIS_URL" --dead-letter-file "$T/dead.ndjson" "$T/bad.ndjson"
is "and files it" "$(wc -l <"$T/dead.ndjson")" 1
is "what is filed holds the bytes that came" "$(python3 -c 'import base64, json, sys; print(base64.b64decode(json.load(open(sys.argv[1]))["records"][0]["data"]).decode())' "$T/dead.ndjson")" "$broken"
python3 - "$T/dead.ndjson" "$(call r-broken)" >"$T/mended.ndjson" <<'END'
import base64, json, sys
letter = json.load(open(sys.argv[1]))
letter["records"][0]["data"] = base64.b64encode(sys.argv[2].encode()).decode()
print(json.dumps(letter))
END
fails 0 "the mended file is replayed" "$nowcast" replay --redis "$REDIS_URL" "$T/mended.ndjson"
fails 2 "a file is not replayed into itself" timeout 30 "$nowcast" replay --redis "$REDIS_URL" --dead-letter-file "$T/dead.ndjson" "$T"
has "and what to do is said" "$(cat "$T/err")" "dead.ndjson is dead_letter.file, .*rename it"
# A signal ends it even while nothing comes, or nothing that is a message.
mkfifo "$T/silence"
exec 9<>"$T/silence"
for input in "$T/silence" /dev/zero; do
	start "reading$((++readers))" "$nowcast" replay --redis "$REDIS_URL" "$input"
	sleep 1
	ok "a replay of $(basename "$input") ends on a signal" stop "$pid" INT
	has "and says so" "$(cat "$T/reading$readers.log")" "interrupted; run it again"
done
exec 9>&-
report "$T/csv"
has "and its call counts" "$(grep user/ann "$T/csv" | grep ',input,')" ',input,300,'

# --- letters of what was read from AWS's APIs: in the topic as well, and from there back

if moto_python >/dev/null; then
	redis flushall >/dev/null
	tests/support/aws_world.py "$T/aws_world" 100 4
	start_aws_of "$T/aws_world"
	aws_conf() { # FILE LINE...
		printf '%s\n' "redis = $REDIS_URL" "brokers = $BOOTSTRAP" "dead_letter.topic = letters" "regions = us-east-1" "aws.since = 3h" "alerts = false" \
			"trust.raw = cloudtrail" "${@:2}" >"$1"
	}
	aws_conf "$T/wrong.conf" "sources = cloudtrail, logs" "accounts.allowed = 999900001111"
	aws_conf "$T/right.conf" "accounts.allowed = 111122223333"
	start refusing "$nowcast" run --config "$T/wrong.conf"
	refusing=$pid
	letters() { timeout 30 kcat -C -J -e -q -b "$BOOTSTRAP" -t letters -o beginning 2>"$T/kcat.err" >"$T/letters"; grep -q aws:cloudtrail/ "$T/letters" && grep -q aws:logs/ "$T/letters"; }
	ok "answers of AWS that are refused become letters of the topic" wait_for 30 letters
	ok "whose headers say of which source they are" grep -q '"file","aws:cloudtrail/111122223333/us-east-1"' "$T/letters"
	stop "$refusing"
	fails 0 "once the accounts are mended, they are replayed from there" "$nowcast" replay --config "$T/right.conf" "$T/letters"
	is "nothing of them is refused, although no rule names the topic of letters" "$(awk '$1 == "untrusted" || $1 == "foreign_account" { print }' "$T/out")" ""
	ok "what was due is settled" "$nowcast" replay --redis "$REDIS_URL" - </dev/null
	is "and their calls count" "$("$nowcast" report --redis "$REDIS_URL" --by principal,token_type --format csv 2>"$T/err" | grep 'user/ann,input,' | cut -d, -f3)" 400
fi

# --- a quiet night: a call of three hours ago and one of now

topics=night
start_redis
write_config "$T/night.conf"
now=$(date +%s)
for ago in 180 3; do
	call "n-$ago" | sed "s/2026-11-02T00:00:05Z/$(date -ud "@$((now - ago * 60))" +%FT%TZ)/" | jq -c --argjson ts $(((now - ago * 60) * 1000)) '{topic: "night", ts: $ts, payload: tojson}'
done >"$T/in"
is "two messages" "$(produce "$T/in")" 2
start night "$nowcast" run --config "$T/night.conf"
noted() { [ "$(redis --raw keys 'nowcast:observed:*' | while read -r key; do redis bitcount "$key"; done | awk '{ n += $1 } END { print (n > 160 && n < 166) }')" = 1 ]; }
ok "once all is read, the minutes up to a quarter of an hour ago were observed" wait_for 30 noted
ok "the worker ends" stop "$pid"
"$nowcast" report --redis "$REDIS_URL" --from "$(date -ud "@$((now - 7200))" +%FT%H:00:00Z)" --to "$(date -ud "@$((now - 3600))" +%FT%H:00:00Z)" 2>"$T/err"
has "of them a report says that nothing was spent" "$(cat "$T/err")" 'it was observed, and nothing was spent'
finish
