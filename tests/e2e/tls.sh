#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# rediss://: the same figures as in the clear, of a Redis Cluster as well, and no word to a server that nobody vouches for; a login by
# IAM of AWS.
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.1
reference "$world/stream.ndjson" "$T/want.csv"

start_redis_tls
ok "replay over TLS" "$nowcast" replay --redis "$REDIS_URL" --redis-ca "$REDIS_CA" "$world/stream.ndjson"
ok "report over TLS" report "$T/got.csv" --redis-ca "$REDIS_CA"
same_file "gives what it gives in the clear" "$T/got.csv" "$T/want.csv"
fails 1 "a server whose authority is unknown is refused" "$nowcast" report --redis "$REDIS_URL"
has "with a word about its certificate" "$(cat "$T/err")" '[Cc]ertificate|CA'
# IAM of ElastiCache: Redis takes the passwords that botocore would make in the next minute, and no others.
require "no moto: run deploy/install-deps --test" moto_python
export AWS_ACCESS_KEY_ID=AKIAEXAMPLE AWS_SECRET_ACCESS_KEY=topsecret AWS_SESSION_TOKEN=IQo/a+b== AWS_EC2_METADATA_DISABLED=true
mapfile -t tokens < <("$(moto_python)" tests/support/iam_tokens.py eu-central-1 orders now-cast 60)
{ printf 'ACL SETUSER now-cast on ~* +@all'; printf ' ">%s"' "${tokens[@]}"; echo; } | redis >"$T/acl"
is "a user with a minute of passwords" "$(cat "$T/acl")" OK
by_iam() { report "$T/iam.csv" --redis "${REDIS_URL/:\/\//://now-cast@}" --redis-ca "$REDIS_CA" --redis.iam elasticache:eu-central-1:Orders "$@"; }
ok "the token of IAM is the password" by_iam
same_file "and gives the same figures" "$T/iam.csv" "$T/want.csv"
AWS_SECRET_ACCESS_KEY=other fails 1 "another secret key is refused" by_iam
has "with what to look at" "$(cat "$T/report.err")" 'WRONGPASS.*redis.iam'

plain_url=${REDIS_URL/rediss:/redis:}
tls=1 start_redis_cluster
ok "replay into three masters, over TLS" "$nowcast" replay --redis "$REDIS_URL" --redis-ca "$REDIS_CA" "$world/stream.ndjson"
ok "report of them" report "$T/cluster.csv" --redis-ca "$REDIS_CA"
same_file "gives the same" "$T/cluster.csv" "$T/want.csv"
is "each of them has keys" "$(on_all_nodes info keyspace | grep -c keys=)" 3

REDIS_URL=$plain_url
fails 1 "and TLS is not spoken to in the clear" timeout 20 "$nowcast" report --redis "$REDIS_URL"
finish
