#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Deliveries by Amazon Data Firehose, in the documented form, over HTTPS: twice, given up, tried again, through kill -9 and while Redis is away,
# come to the figures of one replay. What is broken in one record is a dead letter, what is broken in a delivery is refused. The key
# writes and does not read; a viewer's token reads and does not write.
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.1
reference "$world/stream.ndjson" "$T/want.csv"
start_redis durable
make_certificates || bail "openssl could not make certificates"
key=write-$(openssl rand -hex 16) token=read-$(openssl rand -hex 16) both=both-$(openssl rand -hex 16)
printf '# keys\nbedrock %s\nold %s\n' "$key" "$both" >"$T/keys"
printf 'anna %s\nshared %s\n' "$token" "$both" >"$T/tokens"
chmod 600 "$T/keys" "$T/tokens"
free_port
cat >"$T/conf" <<-END
	sources = firehose
	redis = $REDIS_URL
	listen = 127.0.0.1:$port
	listen.tls.cert = $T/server.pem
	listen.tls.key = $T/server.key
	auth.tokens.file = $T/tokens
	firehose.keys.file = $T/keys
	dead_letter.file = $T/dead
	alerts = false
	stats.interval = 1s
END
url=https://localhost:$port/firehose
run() { start run "$nowcast" run --config "$T/conf" "$@"; daemon=$pid; wait_for 20 listens "$port" || { tail -n 20 "$T/run.log" | sed 's/^/# /'; bail "run does not listen"; }; }
deliver() { # FILE [KEY [HEADER...]]: one try of a delivery with that body; prints status, type and answer
	local file=$1 with=${2-$key}
	shift $(($# < 2 ? 1 : 2))
	curl -s -m 60 --cacert "$T/ca.pem" --data-binary @"$file" -H 'Content-Type: application/json' -H 'Expect:' -H 'Accept-Encoding: gzip' \
		-H "X-Amz-Firehose-Access-Key: $with" -H "X-Amz-Firehose-Request-Id: 00000000-0000-0000-0000-000000000007" \
		-H "X-Amz-Firehose-Protocol-Version: ${version:-1.0}" -H 'X-Amz-Firehose-Source-Arn: arn:aws:firehose:us-east-1:111122223333:deliverystream/bedrock' \
		"${@/#/-H}" -w '\n%{http_code} %{content_type} retry=%header{retry-after} ' "$url" | tac | tr '\n' ' '
}
code() { curl -s -m 20 --cacert "$T/ca.pem" -o "$T/body" -w '%{http_code}' "$@"; }
ok "check-config takes it" "$nowcast" check-config --config "$T/conf"
run
has "doctor says that nothing has come" "$("$nowcast" doctor --config "$T/conf")" 'warn +aws +firehose: no stream has delivered yet'

# --- who may
sed -n 1p "$world/stream.ndjson" >"$T/one"
python3 tests/support/firehose.py --wrap "$T/one" >"$T/one.json"
has "a wrong key" "$(deliver "$T/one.json" wrong-wrong-wrong-wrong)" '^401 application/json retry= .*"requestId":"00000000-0000-0000-0000-000000000007","timestamp":[0-9]{13},"errorMessage":"this access key is not in firehose.keys.file"'
has "no key" "$(deliver "$T/one.json" "")" '^401 .*an access key is needed'
has "a viewer's token" "$(deliver "$T/one.json" $token)" '^401 '
has "as a bearer token too" "$(deliver "$T/one.json" "" "Authorization: Bearer $token")" '^401 '
has "a key that is also a viewer's token" "$(deliver "$T/one.json" $both)" '^403 .*make another one'
is "the key does not read" "$(code -H "Authorization: Bearer $key" "${url%/firehose}/api/v1/summary")" 401
is "nor in its own header" "$(code -H "X-Amz-Firehose-Access-Key: $key" "${url%/firehose}/api/v1/summary")" 401
is "the token reads" "$(code -H "Authorization: Bearer $token" "${url%/firehose}/api/v1/summary")" 200
is "nothing else is written" "$(code -H "X-Amz-Firehose-Access-Key: $key" -d x "${url%/firehose}/api/v1/summary")" 405
is "only POST delivers" "$(code -H "X-Amz-Firehose-Access-Key: $key" "$url")" 405
is "nothing was stored" "$(redis keys 'nowcast:*:usage:*')" ""

# --- what is refused, and tried again by Firehose
head -c 60 "$T/one.json" >"$T/cut.json"
has "a body that is cut off" "$(deliver "$T/cut.json")" '^400 .*cut off'
gzip -c "$T/one.json" | head -c 90 >"$T/cut.gz"
has "a gzip cut short" "$(deliver "$T/cut.gz" "$key" "Content-Encoding: gzip")" '^400 .*truncated'
has "no gzip at all" "$(deliver "$T/one.json" "$key" "Content-Encoding: gzip")" '^400 .*not gzip'
sed 's/0007/0008/' "$T/one.json" >"$T/other.json"
has "another request id" "$(deliver "$T/other.json")" '^400 .*is not the requestId'
has "another version of the protocol" "$(version=2.0 deliver "$T/one.json")" '^400 .*only 1.0'
head -c 101000000 /dev/zero >"$T/huge"
has "a body beyond 96 MiB, never with the 413 that ends all tries" "$(deliver "$T/huge")" '^400 .*larger than 96 MiB'
head -c 200000 "$T/huge" >"$T/large"
has "nor with a wrong key" "$(deliver "$T/large" wrong-wrong-wrong-wrong)" '^401 '
has "and one that inflates to more" "$(gzip -1 "$T/huge"; deliver "$T/huge.gz" "$key" "Content-Encoding: gzip")" '^400 .*inflates to more than 96 MiB'
rm "$T/huge.gz"
status() { redis hget nowcast:sources 'firehose 111122223333/us-east-1/bedrock'; }
refusing() { status | grep -q '96 MiB'; }
ok "the source's state says so" wait_for 10 refusing
has "and doctor, with the stream" "$("$nowcast" doctor --config "$T/conf")" 'warn +aws +firehose, stream 111122223333/us-east-1/bedrock: refused since .*96 MiB'
has "and the key that was wrong" "$("$nowcast" doctor --config "$T/conf")" 'warn +aws +firehose, refused-keys: refused since .*not in firehose.keys.file'

# --- a key that is added, and what CloudWatch Logs sends to try a destination
late=late-$(openssl rand -hex 16)
echo "late $late" >>"$T/keys"
printf '{"requestId":"00000000-0000-0000-0000-000000000007","timestamp":1,"records":[{"data":"%s"}]}' "$(printf '%s' '{"messageType":"CONTROL_MESSAGE",
	"owner":"CloudwatchLogs","logGroup":"bedrock","logEvents":[{"id":"","timestamp":1,"message":"CWL CONTROL MESSAGE: Checking health"}]}' | gzip | base64 -w 0)" >"$T/control.json"
is_known() { deliver "$T/control.json" "$late" | grep -q '^200 '; }
ok "a key that is added counts within seconds; a control message is taken" wait_for 10 is_known
is "and is no dead letter" "$(cat "$T/dead" 2>/dev/null)" ""

# --- a poison record among others
{ echo '{"eventVersion":"1.11","eventSource":"bedrock.amazonaws.com","eventName"'; sed -n 2,3p "$world/stream.ndjson"; } >"$T/poison"
python3 tests/support/firehose.py --wrap "$T/poison" | sed 's/"records": \[/&{"data":"***"},{"data":7},{},17,/' >"$T/poison.json"
has "records that cannot be read do not spoil the others" "$(gzip -k "$T/poison.json"; deliver "$T/poison.json.gz" "$key" "Content-Encoding: gzip")" '^200 '
is "they are dead letters, by the key and the delivery" "$(grep -c '"file":"firehose arn:aws:firehose:us-east-1:111122223333:deliverystream/bedrock request 00000000-.*,"firehose":"bedrock","index"' "$T/dead")" 5
has "with a reason" "$(cat "$T/dead")" '"kind":"broken","reason":"a record of Firehose without data in base64".*"line":4'
is "an empty delivery is one" "$(printf '{"requestId":"00000000-0000-0000-0000-000000000007","records":[]}' >"$T/empty.json"; deliver "$T/empty.json" | cut -c1-3)" 200

# --- all of it, through what goes wrong
python3 tests/support/firehose.py "$url" "$key" --ca "$T/ca.pem" --twice --hang-up --seconds 100 --batch 15 "$world/stream.ndjson" >"$T/sent" 2>&1 &
sender=$!
for _ in 1 2 3; do
	sleep 0.7
	stop "$daemon" KILL
	run
done
hang_redis
sleep 0.5
kill_redis
sleep 0.5
has "without Redis Firehose is told to try again" "$(deliver "$T/one.json")" '^503 .*'
restart_redis
wait $sender
is "every delivery was taken in the end" $? 0
diag "$(cat "$T/sent")"
ok "and what is delivered last" wait_for 10 is_known
ok "the state of the stream is up to date" wait_for 10 sh -c "redis-cli -p $redis_port hget nowcast:sources 'firehose 111122223333/us-east-1/bedrock' | grep -Eq '^[1-9][0-9]* [1-9][0-9]* 0 reads 0 \$'"
has "doctor" "$("$nowcast" doctor --config "$T/conf")" 'ok +aws +firehose, stream 111122223333/us-east-1/bedrock: the last delivery is safe since'
has "/metrics" "$(curl -s --cacert "$T/ca.pem" -H "Authorization: Bearer $token" "${url%/firehose}/metrics")" 'nowcast_source_up\{source="firehose",account="111122223333",region="us-east-1",stream="bedrock"\} 1'
has "the log says what runs" "$(cat "$T/run.log")" 'started.*firehose=yes'
ok "SIGTERM drains" stop "$daemon"
has "and says so" "$(tail -n 3 "$T/run.log")" 'ended; everything read is committed'
settled_report "$T/got.csv"
same_file "the figures are those of one replay" "$T/got.csv" "$T/want.csv"

# --- trust rules, by the name of the key
redis flushall >/dev/null
run --trust.firehose:bedrock metrics
is_taken() { deliver "$T/one.json" | grep -q '^200 '; }
ok "a key that may carry metrics only" wait_for 10 is_taken
has "makes dead letters of calls" "$(tail -n 1 "$T/dead")" '"kind":"untrusted","reason":"Firehose key ..?bedrock..? may not carry'
stop "$daemon"

# --- no place for dead letters: Firehose keeps what it has, and its bucket gets it in the end
run --dead_letter.file "$T/no/such/folder/dead" --firehose.memory 96MiB
ok "a daemon without a place for dead letters takes what has none" wait_for 10 is_taken
start hold python3 tests/support/firehose.py "$url" "$key" --ca "$T/ca.pem" --hold
wait_for 10 grep -qx sent "$T/hold.log" # before another delivery is on its way: it would be the one that is told to try again
no_room() { deliver "$T/one.json" | grep -q '^503 .*retry=5 .*firehose.memory'; }
ok "one that takes long to come holds its memory, and others are told to try again" wait_for 10 no_room
is "whoever reads is not hindered" "$(code -H "Authorization: Bearer $token" "${url%/firehose}/api/v1/summary")" 200
stop "$pid" KILL
ok "until it is gone" wait_for 10 is_taken
has "a dead letter that is not safe is not acknowledged" "$(deliver "$T/poison.json")" '^503 '
stop "$daemon" KILL
fails 2 "without a file of keys" "$nowcast" run --config "$T/conf" --firehose.keys.file ""
has "the key is named" "$(cat "$T/err")" 'sources has firehose: set firehose.keys.file'
fails 2 "without a place for dead letters" "$nowcast" check-config --config "$T/conf" --dead_letter.file ""
has "says why" "$(cat "$T/err")" 'set dead_letter.file'
finish
