#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The bill on a real S3 server, which checks signatures: listings of many pages, names that must be encoded, path-style, TLS.
. "$(dirname "$0")/../lib.sh"

require "no libduckdb.so: run deploy/install-deps --duckdb" "$top/$B/tests/duck_sql" "SELECT 1"
require "no S3Proxy: run deploy/install-deps --test" s3_libs
make_world --hours 3 --scale 0.05
start_redis
start_s3
: >"$T/empty"
"$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >/dev/null
total() { "$nowcast" report --redis "$REDIS_URL" --by region --format csv | md5sum; }
"$nowcast" reconcile --redis "$REDIS_URL" "$world/cur2" >"$T/out"
figures=$(total)
redis flushall >/dev/null
"$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >/dev/null

prefix='team a/exports+more (2026)~é'
encoded='team%20a/exports%2Bmore%20%282026%29~%C3%A9'
s3_curl -X PUT "$s3_url/bill" && s3_curl -X PUT "$s3_url/empty" && s3_put "$world/cur2" "bill/$encoded"
result $? "an export of $(find "$world/cur2" -type f | wc -l) files is put there"
# Another one, listed behind 1,100 other objects. (S3Proxy encodes what it says the next page begins with, and S3 does not: its
# pages must begin with plain names.)
s3_curl -T "$T/empty" "$s3_url/bill/many/aside/[1001-2100]" >"$T/put" && s3_put "$world/cur2" bill/many || bail "$(tail -n 1 "$T/put")"

export NOWCAST_LIBDUCKDB=${NOWCAST_LIBDUCKDB:-$(ls "${XDG_CACHE_HOME:-$HOME/.cache}"/nowcast/duckdb-*/libduckdb.so 2>/dev/null | head -n 1)}
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_REGION AWS_DEFAULT_REGION
export HOME=$T AWS_EC2_METADATA_DISABLED=true AWS_ENDPOINT_URL_S3=$s3_url AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=topsecret
reconcile() { "$nowcast" reconcile --redis "$REDIS_URL" --reconcile.cache "$T/cache" "${1:-s3://bill/$prefix/nowcast}"; }

ok "it is read" reconcile
is "with the figures of the files themselves" "$(total)" "$figures"
rm -r "$T/cache"
ok "so is one behind a listing of more than one page" reconcile s3://bill/many
is "of which nothing else is fetched" "$(find "$T/cache" -type f | wc -l)" 2
rm -r "$T/cache"
AWS_REGION=eu-west-1 ok "signed for another Region" reconcile
AWS_SECRET_ACCESS_KEY=wrong fails 2 "a wrong secret" reconcile
has "is refused by the server, which is named" "$(cat "$T/err")" "S3 refuses the listing: SignatureDoesNotMatch.*environment"
AWS_ACCESS_KEY_ID=nobody fails 2 "keys of nobody" reconcile
has "are refused" "$(cat "$T/err")" "InvalidAccessKeyId"
fails 2 "a bucket that is not there" reconcile s3://nowhere/x
has "is named" "$(cat "$T/err")" "s3://nowhere: there is no such bucket"
fails 2 "a bucket without an export" reconcile s3://empty/x
has "is told from one that has" "$(cat "$T/err")" "no export: expected"

report() { "$nowcast" report --redis "$REDIS_URL" --by team,model --format csv "$@"; }
report >"$T/report.csv"
put='out/a b+c (é).csv'
ok "a report is written to S3" report --out "s3://bill/$put"
s3_curl -D "$T/head" "$s3_url/bill/out/a%20b%2Bc%20%28%C3%A9%29.csv" >"$T/put.csv"
same_file "as it would have been printed" "$T/put.csv" "$T/report.csv"
has "with its type" "$(tr -d '\r' <"$T/head")" "Content-Type: text/csv"
AWS_REGION=eu-west-1 ok "another takes its place, signed for another Region" report --top 1 --out "s3://bill/$put"
is "whole" "$(s3_curl "$s3_url/bill/out/a%20b%2Bc%20%28%C3%A9%29.csv" | wc -l)" 2
fails 2 "a bucket that is not there" report --out s3://nowhere/x.csv
has "is named" "$(cat "$T/err")" "report: --out: s3://nowhere: there is no such bucket"
AWS_SECRET_ACCESS_KEY=wrong fails 2 "a wrong secret" report --out "s3://bill/$put"
has "is refused, with the permission that is needed" "$(cat "$T/err")" "S3 refuses to write: SignatureDoesNotMatch.*s3:PutObject is needed"

export AWS_ENDPOINT_URL_S3=$s3_tls_url
rm -r "$T/cache"
fails 1 "over TLS, a certificate of nobody" reconcile
AWS_CA_BUNDLE=$T/ca.pem ok "and one that AWS_CA_BUNDLE vouches for" reconcile
is "the figures are the same" "$(total)" "$figures"

cached=$(find "$T/cache" -name '*.gz' -printf '%s\n')
find "$T/cache" -name '*.gz' -exec truncate -s 100 {} +
export AWS_ENDPOINT_URL_S3=$s3_url
ok "a file of the cache that is not whole" reconcile
is "is fetched again" "$(find "$T/cache" -name '*.gz' -printf '%s\n')" "$cached"

stop "$s3_pid" KILL
fails 1 "a server that is away" reconcile
has "is named" "$(cat "$T/err")" "${s3_url#http://}|Connection refused|connect"
is "and the figures stand" "$(total)" "$figures"
finish
