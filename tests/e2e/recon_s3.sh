#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The bill on S3: signed requests, every kind of credentials, downloads that break off, answers that refuse.
. "$(dirname "$0")/../lib.sh"

require "no libduckdb.so: run deploy/install-deps --duckdb" "$top/$B/tests/duck_sql" "SELECT 1"
make_world --hours 3 --scale 0.05
start_redis
"$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >/dev/null

mkdir -p "$T/s3/bill/with space" "$T/home"
cp -r "$world/cur2/nowcast" "$T/s3/bill/with space/"
start s3 python3 tests/support/s3.py "$T/s3" "$T/port" "$T/s3.requests"
wait_for 10 test -s "$T/port" || bail "the S3 of the tests does not start"

export HOME=$T/home AWS_EC2_METADATA_DISABLED=true AWS_REGION=us-east-1
export AWS_ENDPOINT_URL_S3=http://127.0.0.1:$(cat "$T/port")
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN NOWCAST_RECONCILE_SOURCE
export NOWCAST_LIBDUCKDB=${NOWCAST_LIBDUCKDB:-$(ls "${XDG_CACHE_HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)/.cache}"/nowcast/duckdb-*/libduckdb.so 2>/dev/null | head -n 1)}
reconcile() { "$nowcast" reconcile --redis "$REDIS_URL" --reconcile.cache "$T/cache" "s3://bill/with space/nowcast"; }
keys() { AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=topsecret AWS_SESSION_TOKEN=session "$@"; }
forget() { rm -rf "$T/cache"; : >"$T/s3.requests"; }
downloads() { grep -c 'GET .*gz' "$T/s3.requests"; }
total() { "$nowcast" report --redis "$REDIS_URL" --by region --format csv | md5sum; }

fails 2 "without credentials it says where it looked" reconcile
has "in one line" "$(cat "$T/err")" "no AWS credentials: looked at AWS_ACCESS_KEY_ID"
ok "keys in the environment" keys reconcile
figures=$(total)
is "fetched once" "$(downloads)" 1
keys reconcile >/dev/null
is "and then taken from the cache" "$(downloads)" 1

mkdir -p "$HOME/.aws"
printf '[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = topsecret\naws_session_token = session\n' >"$HOME/.aws/credentials"
ok "a profile's keys" reconcile
printf '[profile work]\nregion = us-east-1\ncredential_process = cat %s\n' "$T/process.json" >"$HOME/.aws/config"
echo '{"Version": 1, "AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "topsecret", "SessionToken": "session"}' >"$T/process.json"
rm "$HOME/.aws/credentials"
AWS_PROFILE=work ok "a profile's process" reconcile
rm "$HOME/.aws/config"
AWS_CONTAINER_CREDENTIALS_FULL_URI=$AWS_ENDPOINT_URL_S3/container AWS_CONTAINER_AUTHORIZATION_TOKEN=container-token ok "the container's role" reconcile
AWS_EC2_METADATA_DISABLED=false AWS_EC2_METADATA_SERVICE_ENDPOINT=$AWS_ENDPOINT_URL_S3 ok "the machine's role, by IMDSv2" reconcile

forget
echo 2 >"$T/s3/.fail503"
ok "S3 asks to slow down, twice" keys reconcile
rm "$T/s3/.fail503"
forget
touch "$T/s3/.cut"
ok "a download breaks off" keys reconcile
rm "$T/s3/.cut"
has "and goes on from where it stopped" "$(cat "$T/s3.requests")" "gz bytes=[1-9][0-9]*-"
forget
echo eu-west-1 >"$T/s3/.region"
ok "a bucket in another Region is found" keys reconcile
rm "$T/s3/.region"
is "the figures are the same" "$(total)" "$figures"

touch "$T/s3/.expired"
fails 2 "an expired token" keys reconcile
has "is named" "$(cat "$T/err")" "ExpiredToken.*environment"
rm "$T/s3/.expired"
AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=wrong AWS_SESSION_TOKEN=session fails 2 "a wrong secret" reconcile
has "is named" "$(cat "$T/err")" "SignatureDoesNotMatch"
mv "$T/s3/bill/with space/nowcast/data" "$T/away"
fails 1 "a manifest that names a missing object" keys reconcile
has "is named" "$(cat "$T/err")" "csv.gz is not there"
mv "$T/away" "$T/s3/bill/with space/nowcast/data"
is "and through all of it the figures stood" "$(total)" "$figures"

if openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$T/key.pem" -out "$T/ca.pem" 2>/dev/null; then
	cat "$T/key.pem" "$T/ca.pem" >"$T/both.pem"
	start s3tls python3 tests/support/s3.py "$T/s3" "$T/tlsport" "$T/s3.requests" "$T/both.pem"
	wait_for 10 test -s "$T/tlsport"
	export AWS_ENDPOINT_URL_S3=https://127.0.0.1:$(cat "$T/tlsport")
	forget
	fails 1 "over TLS, a certificate of nobody" keys reconcile
	AWS_CA_BUNDLE=$T/ca.pem ok "and one that AWS_CA_BUNDLE vouches for" keys reconcile
fi
finish
