#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whoever can write to a carrier that is not AWS's own writes a perfect record of somebody else's call into it.
# Done: forged records of ann's calls in an application's topic, in a custom EventBridge event, in log groups of an application and
# Done: of another account, in a log group that imitates another one, of an account that is not allowed, and in a file; live and replayed
# Compared: with an undisturbed replay of the genuine records; what was refused is counted by reason, filed, and counts once it may
# In: make test
. "$(dirname "$0")/../lib.sh"

ours=111122223333 theirs=444455556666
call() { # ID USER ACCOUNT
	printf '{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::%s:user/%s","accountId":"%s","userName":"%s"},"eventTime":"2026-11-02T00:00:05Z","eventSource":"bedrock.amazonaws.com","eventName":"Converse","awsRegion":"us-east-1","requestParameters":{"modelId":"us.anthropic.claude-sonnet-4-6"},"responseElements":null,"additionalEventData":{"inputTokens":1000,"outputTokens":10},"requestID":"%s","eventID":"e-%s","readOnly":true,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"%s","eventCategory":"Management"}\n' "$3" "$2" "$3" "$2" "$1" "$1" "$3"
}
invoked() { # ID USER ACCOUNT
	printf '{"schemaType":"ModelInvocationLog","schemaVersion":"1.0","timestamp":"2026-11-02T00:00:06Z","accountId":"%s","region":"us-east-1","requestId":"%s","operation":"Converse","modelId":"us.anthropic.claude-sonnet-4-6","identity":{"arn":"arn:aws:iam::%s:user/%s"},"input":{"inputTokenCount":500},"output":{"outputTokenCount":5}}\n' "$3" "$1" "$3" "$2"
}
from_group() { # OWNER GROUP: of each line a message of a subscription
	python3 -c 'import json, sys
for line in sys.stdin:
	print(json.dumps({"messageType": "DATA_MESSAGE", "owner": sys.argv[1], "logGroup": sys.argv[2], "logStream": "s", "subscriptionFilters": ["f"],
		"logEvents": [{"id": "1", "timestamp": 1, "message": line.strip()}]}))' "$1" "$2"
}
event() { # SOURCE: of each line an event
	sed 's|.*|{"version":"0","id":"x","detail-type":"AWS API Call via CloudTrail","source":"'"$1"'","account":"'$ours'","region":"us-east-1","detail":&}|'
}

{
	call g-1 ann $ours
	call g-2 bob $ours | event aws.bedrock
	call g-3 bob $ours | from_group $ours aws-cloudtrail-logs
	invoked g-4 ann $ours | from_group $ours bedrock-invocations
} >"$T/genuine.ndjson"
invoked g-5 bob $ours >"$T/genuine-logs.ndjson"
{
	call f-1 ann $ours | event my.app
	call f-2 ann $ours | event awsome
	call f-3 ann $ours | event my.app | event aws.events
	call f-4 ann $ours | from_group $ours /aws/lambda/chat
	call f-5 ann $ours | from_group $theirs aws-cloudtrail-logs
	invoked f-6 ann $ours | from_group $theirs bedrock-invocations
	call f-7 ann $ours | from_group $ours aws-cloudtrail-logs | from_group $theirs bedrock
	call f-8 eve $theirs
	sed 's/"accountId":"'$ours'"/"accountId":"'$theirs'"/; s/"recipientAccountId":"'$ours'"/"recipientAccountId":"'$theirs'"/' <<<"$(call f-9 ann $ours)" | from_group $theirs trail
} >"$T/forged.ndjson"
{ call f-10 ann $ours; printf '2026-11-02T00:00:07Z INFO app[17]: %s\n' "$(call f-11 ann $ours)"; } >"$T/forged-app.ndjson"

start_redis
ok "the reference: one replay of what is genuine" "$nowcast" replay --redis "$REDIS_URL" "$T/genuine.ndjson" "$T/genuine-logs.ndjson"
report "$T/reference.csv"
is "it has figures" "$(tail -n +2 "$T/reference.csv" | wc -l)" 4
is "without a rule doctor says that everybody is believed" "$("$nowcast" doctor --redis "$REDIS_URL" | grep -c '^note  trust .*trust.TOPIC')" 1
kill_redis

start_redis
topics="trail app logs" mock_topics="trail app logs"
start_broker 1
write_config "$T/nowcast.conf" "dead_letter.file = $T/dead.ndjson" "trust.trail = cloudtrail, logs" "trust.app = telemetry" "trust.l* = logs" \
	"accounts.file = $T/accounts" "log.format = json"
echo "$ours" >"$T/accounts"
ok "the rules are valid" "$nowcast" check-config --config "$T/nowcast.conf"
cat "$T/forged.ndjson" "$T/genuine.ndjson" >"$T/in.trail"
{ call f-12 ann $ours; cat "$T/genuine-logs.ndjson"; } >"$T/in.logs"
for topic in trail logs; do produce -t $topic "$T/in.$topic" >/dev/null; done
produce -t app "$T/forged-app.ndjson" >/dev/null
start worker "$nowcast" run --config "$T/nowcast.conf"
worker=$pid
ok "the worker reads all" wait_for 30 caught_up
ok "it ends on SIGTERM" stop $worker
report "$T/live.csv" --from 2026-11-01 --to 2026-12-01
same_file "live, only what is genuine counts" "$T/live.csv" "$T/reference.csv"
kinds() { sed 's/.*"kind":"\([a-z_]*\)".*/\1/' "$1" | sort | uniq -c | tr -s ' \n' ' '; }
is "what was refused is filed with its reason" "$(kinds "$T/dead.ndjson")" " 3 custom_event 5 foreign_account 4 untrusted "
has "the stats count it" "$(grep '"msg":"stats"' "$T/worker.log" | tail -n 1)" '"untrusted":4,"custom_events":3,"foreign_accounts":5'
"$nowcast" doctor --config "$T/nowcast.conf" >"$T/doctor"
for reason in untrusted custom_event foreign_account; do
	has "doctor counts $reason" "$(cat "$T/doctor")" "^warn  dead +[0-9]+ dead letters \`$reason\`"
done
free_port
start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port"
wait_for 10 listens "$port"
has "/metrics counts it" "$(curl -s "http://127.0.0.1:$port/metrics")" '^nowcast_dead_letters_total\{reason="foreign_account"\} 5$'
stop "$pid"

# The file of dead letters is no way around the rules: a letter knows its topic and has its wrappers.
again() { "$nowcast" replay --redis "$REDIS_URL" --dead-letter-file "$T/again.ndjson" "$@" "$T/dead.ndjson" >"$T/again.out" 2>&1; }
again --config "$T/nowcast.conf"
report "$T/again.csv" --from 2026-11-01 --to 2026-12-01
same_file "dead letters that are replayed are refused again" "$T/again.csv" "$T/reference.csv"
is "for the same reasons" "$(kinds "$T/again.ndjson")" " 3 custom_event 5 foreign_account 4 untrusted "

# Nor is a record that is broken, and mended by hand: its letter has all wrappers, once for a message.
{ call f-20 ann $ours; call f-21 ann $ours; call f-22 ann $ours; } | sed 's/us-east-1/US EAST/' | python3 -c 'import json, sys
print(json.dumps({"messageType": "DATA_MESSAGE", "owner": sys.argv[1], "logGroup": "g", "logEvents": [{"message": line} for line in sys.stdin]}))' $theirs >"$T/broken.ndjson"
"$nowcast" replay --redis "$REDIS_URL" --dead-letter-file "$T/broken-dead.ndjson" "$T/broken.ndjson" >"$T/out" 2>&1
is "one letter for three broken records" "$(kinds "$T/broken-dead.ndjson")" " 1 record "
python3 - "$T/broken-dead.ndjson" >"$T/mended.ndjson" <<'END'
import base64, json, sys
letter = json.load(open(sys.argv[1]))
data = base64.b64decode(letter["records"][0]["data"]).replace(b"US EAST", b"us-east-1")
letter["records"][0]["data"] = base64.b64encode(data).decode()
print(json.dumps(letter))
END
"$nowcast" replay --redis "$REDIS_URL" "$T/mended.ndjson" >"$T/out" 2>&1
has "which are refused once they are mended" "$(cat "$T/out")" '^foreign_account +3$'

# Replay of files counts as a source, too.
for rule in "trust.file:*forged-app* = telemetry" "trust.file:*/other/* = cloudtrail"; do
	printf '%s\n' "redis = $REDIS_URL" "$rule" >"$T/file.conf"
	"$nowcast" replay --config "$T/file.conf" "$T/forged-app.ndjson" >"$T/out" 2>&1
	has "a file that may not carry calls: ${rule%% =*}" "$(cat "$T/out")" '^untrusted +2$'
done
report "$T/file.csv" --from 2026-11-01 --to 2026-12-01
same_file "changes nothing" "$T/file.csv" "$T/reference.csv"

# What was refused wrongly counts once the rules say so: an organisation's trail, and an account that was added.
printf '%s\n' "redis = $REDIS_URL" "trust.trail = cloudtrail, logs" "trust.log_group:$theirs:aws-cloudtrail-* = cloudtrail" "accounts.allowed = $ours, $theirs" >"$T/wider.conf"
redis flushall >/dev/null
again --config "$T/wider.conf" --dead-letter-file "$T/rest.ndjson"
is "then the calls of the trail and of the account count" \
	"$("$nowcast" report --redis "$REDIS_URL" --by principal --format csv --from 2026-11-01 --to 2026-12-01 | tail -n +2 | cut -d, -f1,2 | tr '\n' ' ')" \
	"arn:aws:iam::$ours:user/ann,1010 arn:aws:iam::$theirs:user/eve,1010 "

# Rules that say nothing are no rules.
for line in "trust.trail = everything" "trust.trail = " "trust.trail = none, logs" "trust.log_group:x = logs" "trust.other = logs" "accounts.allowed = 12" \
	"accounts.file = $T/nothing"; do
	printf '%s\n' "redis = $REDIS_URL" "topics = trail" "$line" >"$T/bad.conf"
	fails 2 "refused: $line" "$nowcast" check-config --config "$T/bad.conf"
done
fails 2 "a rule in the environment is refused, not passed over" env NOWCAST_TRUST_TRAIL=logs "$nowcast" check-config
finish
