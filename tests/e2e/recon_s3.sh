#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The bill on S3, on a server that does what no real one does on demand: every kind of credentials, downloads that break off,
# answers that refuse. recon_s3_real.sh is the same on a real one.
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
forget
ok "on a terminal" keys script -qec "'$nowcast' reconcile --redis '$REDIS_URL' --reconcile.cache '$T/cache' 's3://bill/with space/nowcast'" "$T/tty"
has "it shows how much has come" "$(tr '\r' '\n' <"$T/tty")" 'fetching with space/nowcast/data/.*: [0-9]+ of [0-9]+ KiB'
has "and which bill is read" "$(tr '\r' '\n' <"$T/tty")" 'reading the bill of 2026-[0-9]+, 1 of [0-9]+'

# The cache is kept small: the longest unused goes, what is in use or somebody else's stays.
export_dir="$T/cache/bill/with space/nowcast/data/BILLING_PERIOD=2026-10"
mkdir -p "$export_dir/old" "$T/cache/photos"
for f in old/1 old/2 busy; do head -c 100000 /dev/zero >"$export_dir/$f.parquet"; done
head -c 100000 /dev/zero >"$T/cache/photos/cat.jpg"
touch -a -d '3 days ago' "$export_dir/old/1.parquet" "$T/cache/photos/cat.jpg"
touch -a -d '2 days ago' "$export_dir/old/2.parquet"
ok "a run with a bound on the cache" keys "$nowcast" reconcile --redis "$REDIS_URL" --reconcile.cache "$T/cache" --reconcile.cache.max 240KiB "s3://bill/with space/nowcast"
is "deletes what was not used for longest, and no more" "$(cd "$export_dir" && find . -type f | sort | tr '\n' ' ')" "./busy.parquet ./old/2.parquet "
keys "$nowcast" reconcile --redis "$REDIS_URL" --reconcile.cache "$T/cache" --reconcile.cache.max 0B "s3://bill/with space/nowcast" >/dev/null
is "and its own files if it must, but none that may be in use, nor of others" "$(cd "$T/cache" && find . -type f -printf '%f\n' | sort | tr '\n' ' ')" "busy.parquet cat.jpg "
is "empty folders go, too" "$(find "$T/cache" -type d -empty | wc -l)" 0

mkdir -p "$HOME/.aws"
printf '[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = topsecret\naws_session_token = session\n' >"$HOME/.aws/credentials"
ok "a profile's keys" reconcile
printf '[profile work]\nregion = us-east-1\ncredential_process = cat %s\n' "$T/process.json" >"$HOME/.aws/config"
echo '{"Version": 1, "AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "topsecret", "SessionToken": "session"}' >"$T/process.json"
rm "$HOME/.aws/credentials"
AWS_PROFILE=work ok "a profile's process" reconcile
echo 'no such thing' >"$T/process.json"
AWS_PROFILE=work fails 2 "a process that gives none" reconcile
has "is named" "$(cat "$T/err")" 'profile "work": its credential_process gives no credentials .*: cat'
AWS_PROFILE=wrok fails 2 "a profile that is not there" reconcile
has "is named, too" "$(cat "$T/err")" 'AWS_PROFILE is "wrok", and neither'

# Single sign-on: the token of `aws sso login`, by session and by start URL.
sso_cache() { # NAME TOKEN UNTIL
	mkdir -p "$HOME/.aws/sso/cache"
	echo "{\"startUrl\": \"https://example.awsapps.com/start\", \"accessToken\": \"$2\", \"expiresAt\": \"$3\"}" >"$HOME/.aws/sso/cache/$(printf %s "$1" | sha1sum | cut -d' ' -f1).json"
}
export AWS_ENDPOINT_URL_SSO=$AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL_STS=$AWS_ENDPOINT_URL_S3
cat >"$HOME/.aws/config" <<-END
	[profile sso]
	sso_session = corp
	sso_account_id = 111122223333
	sso_role_name = Billing
	[sso-session corp]
	sso_region = eu-central-1
	sso_start_url = https://example.awsapps.com/start
	[profile old]
	sso_start_url = https://example.awsapps.com/start
	sso_region = eu-central-1
	sso_account_id = 111122223333
	sso_role_name = Billing
	[profile other]
	sso_session = corp
	sso_account_id = 111122223333
	sso_role_name = Admin
	[profile keys]
	aws_access_key_id = AKIDEXAMPLE
	aws_secret_access_key = topsecret
	[profile role]
	role_arn = arn:aws:iam::111122223333:role/billing
	source_profile = keys
	external_id = right
	[profile distrusted]
	role_arn = arn:aws:iam::111122223333:role/billing
	source_profile = keys
	external_id = wrong
	[profile circle]
	role_arn = arn:aws:iam::111122223333:role/billing
	source_profile = circle2
	[profile circle2]
	role_arn = arn:aws:iam::111122223333:role/billing
	source_profile = circle
END
AWS_PROFILE=sso fails 2 "before anybody has signed on" reconcile
has "it says how to" "$(cat "$T/err")" 'nobody has signed on .*aws sso login --profile sso'
sso_cache corp sso-token 2999-01-01T00:00:00Z
AWS_PROFILE=sso ok "a session of single sign-on" reconcile
sso_cache https://example.awsapps.com/start sso-token 2999-01-01T00:00:00UTC
AWS_PROFILE=old ok "and one as it was before there were sessions" reconcile
AWS_PROFILE=other fails 2 "a role that is not assigned" reconcile
has "is named" "$(cat "$T/err")" 'does not give role Admin of account 111122223333 .status 403'
sso_cache corp sso-token 2020-01-01T00:00:00Z
AWS_PROFILE=sso fails 2 "a session that is over" reconcile
has "says when, and what to do" "$(cat "$T/err")" 'ended at 2020-01-01T00:00:00Z: run .aws sso login --profile sso'
sso_cache corp stale-token 2999-01-01T00:00:00Z
AWS_PROFILE=sso fails 2 "and one that only the portal knows to be over" reconcile
has "says so, too" "$(cat "$T/err")" 'is over .status 401.: run .aws sso login --profile sso'
has "no token is ever shown" "$(cat "$T/err" | grep -c 'stale-token\|sso-token')" "^0$"

AWS_PROFILE=role ok "a role over another profile, from STS" reconcile
AWS_PROFILE=distrusted fails 2 "a role that STS refuses" reconcile
has "is named" "$(cat "$T/err")" 'STS does not give the role arn:aws:iam::111122223333:role/billing .*AccessDenied'
AWS_PROFILE=circle fails 2 "roles in a circle are found out" reconcile
printf 'cluster-token\n' >"$T/token"
AWS_WEB_IDENTITY_TOKEN_FILE=$T/token AWS_ROLE_ARN=arn:aws:iam::111122223333:role/pod ok "a pod's role, by its token" reconcile
echo expired >"$T/token"
AWS_WEB_IDENTITY_TOKEN_FILE=$T/token AWS_ROLE_ARN=arn:aws:iam::111122223333:role/pod fails 2 "a token that STS refuses" reconcile
has "is told, and no other credentials are tried" "$(cat "$T/err")" 'STS does not give the role arn:aws:iam::111122223333:role/pod .*InvalidIdentityToken'
rm -r "$HOME/.aws/config" "$HOME/.aws/sso"
AWS_CONTAINER_CREDENTIALS_FULL_URI=$AWS_ENDPOINT_URL_S3/container AWS_CONTAINER_AUTHORIZATION_TOKEN=wrong fails 2 "a container that gives none" reconcile
has "is told" "$(cat "$T/err")" "the container's credentials are at .*gives none"
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
