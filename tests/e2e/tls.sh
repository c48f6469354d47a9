#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# rediss://: the same figures as in the clear, and no word to a server that nobody vouches for.
. "$(dirname "$0")/../lib.sh"

make_world --hours 1 --scale 0.1
reference "$world/stream.ndjson" "$T/want.csv"

start_redis_tls
ok "replay over TLS" "$nowcast" replay --redis "$REDIS_URL" --redis-ca "$REDIS_CA" "$world/stream.ndjson"
ok "report over TLS" report "$T/got.csv" --redis-ca "$REDIS_CA"
same_file "gives what it gives in the clear" "$T/got.csv" "$T/want.csv"
fails 1 "a server whose authority is unknown is refused" "$nowcast" report --redis "$REDIS_URL"
has "with a word about its certificate" "$(cat "$T/err")" '[Cc]ertificate|CA'
REDIS_URL=${REDIS_URL/rediss:/redis:}
fails 1 "and TLS is not spoken to in the clear" timeout 20 "$nowcast" report --redis "$REDIS_URL"
finish
