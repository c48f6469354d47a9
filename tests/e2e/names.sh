#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Names of people as keyed hashes: nothing in Redis, in logs, or beside dead letters has them in clear; roles, teams and sums are
# what they are without; sessions still find their tags and the bill its callers; who knows the key can ask by name.
. "$(dirname "$0")/../lib.sh"
topics="raw"
hashing=(--names-hash "sessions,users,tag:Email" --names-hash-key "$T/key")
names='dee@example|eve@example|u2@example|z@example|ann|u-[1-4]|build-77|i-0abc|pod-1|fay|bob|BedrockAPIKey'

printf 'a key of thirty-two bytes or more, no less\n' >"$T/key"
printf 'another key of thirty-two bytes or more.\n' >"$T/key2"
replay() { "$nowcast" replay --redis "$REDIS_URL" "$@"; }
by() { "$nowcast" report --redis "$REDIS_URL" --by "$1" --format csv; }
everything() { # every key of Redis, and all it holds
	redis --scan | sort | while read -r key; do
		echo "$key"
		case $(redis type "$key") in
		string) redis get "$key" ;;
		hash) redis hgetall "$key" ;;
		set) redis smembers "$key" ;;
		zset) redis zrange "$key" 0 -1 ;;
		list) redis lrange "$key" 0 -1 ;;
		esac
	done
}

python3 tests/support/identity.py "$T" || bail "no records"
start_redis
replay "$T/calls.ndjson" "$T/late.ndjson" >/dev/null
by account,role,team,tag:env,model >"$T/clear.csv"
by principal | cut -d, -f2- | sort >"$T/clear_sums"
ok "without hashing, the names are there" grep -Eq "$names" <(everything)

# --- through Kafka, with a record that cannot be used
start_redis
start_broker 2
write_config "$T/nowcast.conf" "dead_letter.file = $T/dead" "names.hash = sessions, users, tag:Email" "names.hash.key = $T/key"
{ cat "$T/calls.ndjson" "$T/late.ndjson"; sed -n 's/"eventTime":"[^"]*"/"eventTime":"soon"/; /assumed-role.saml.dee/{p;q}' <(grep Converse "$T/calls.ndjson"); } >"$T/all.ndjson"
produce -p 2 -t raw "$T/all.ndjson" >/dev/null
start worker "$nowcast" run --config "$T/nowcast.conf" --log-level debug
worker=$pid
wait_for 60 caught_up
same() { by account,role,team,tag:env,model >"$T/hashed.csv"; cmp -s "$T/hashed.csv" "$T/clear.csv"; }
wait_for 30 same
same_file "by role, team and tag the figures are the same" "$T/hashed.csv" "$T/clear.csv"
is "each caller has the figures that it had" "$(by principal | cut -d, -f2- | sort)" "$(cat "$T/clear_sums")"
ok "the worker ends" stop $worker
everything >"$T/all"
is "no name is in Redis" "$(grep -E "$names" "$T/all")" ""
is "nor in the log" "$(grep -E "$names" "$T/worker.log")" ""
is "the dead letter is kept" "$(wc -l <"$T/dead")" 1
is "and what stands beside it holds no name: only the message does, as it came" \
	"$(python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); print(*(str(v) for k, v in d.items() if k not in ("payload", "message", "data", "value", "payload_base64")))' "$T/dead" | grep -E "$names")" ""
has "names are hashes" "$(cut -d, -f1 <(by principal))" '^arn:aws:sts::111122223333:assumed-role/gateway/h_[0-9a-f]{20}$'
is "that anybody with the key can make" "$(by principal | grep -c "gateway/h_$(printf u-2 | openssl dgst -sha256 -hmac "$(cat "$T/key")" | sed 's/.*= //' | cut -c-20),")" 1
has "of users too" "$(by principal)" '^arn:aws:iam::111122223333:user/h_[0-9a-f]{20},'
has "and of the tag that was named" "$(by tag:email)" '^h_[0-9a-f]{20},'

# --- the same again
by principal,tag:email >"$T/first.csv"
start_redis
ok "a replay" replay "${hashing[@]}" "$T/late.ndjson" "$T/calls.ndjson"
by principal,tag:email >"$T/second.csv"
same_file "with the same key, the same hashes" "$T/second.csv" "$T/first.csv"
fails 2 "another key where there are hashes is refused" replay --names-hash "sessions,users,tag:Email" --names-hash-key "$T/key2" "$T/calls.ndjson"
has "with what to do" "$(cat "$T/err")" 'names\.hash\.key'
fails 2 "and so is none" replay "$T/calls.ndjson"
fails 2 "and tags" "$nowcast" tags import --redis "$REDIS_URL" <(echo '{"Arn": "arn:aws:iam::111122223333:user/ann", "Tags": {"team": "x"}}')
by principal,tag:email >"$T/second.csv"
same_file "nothing was written" "$T/second.csv" "$T/first.csv"

# --- asked by name
who() { "$nowcast" who --redis "$REDIS_URL" "${hashing[@]}" --now 2026-11-02T06:00:00Z "$@"; }
month() { sed -n 's/^this month *\([0-9.]*\).*/\1/p'; }
is "who NAME, with the key" "$(who u-2 | month)" 0.0264
is "who ROLE/NAME" "$(who gateway/u-2 | month)" 0.0264
is "who by an address in the tags" "$(who u2@example.com | month)" 0.0264
is "who ARN" "$(who arn:aws:sts::111122223333:assumed-role/gateway/u-2 | month)" 0.0264
is "who by the hash" "$(who "$(who u-2 | sed 1q)" | month)" 0.0264
is "who by the access key" "$(who ASIADEE | month)" 0.0561
has "explain" "$("$nowcast" explain --redis "$REDIS_URL" "${hashing[@]}" arn:aws:sts::111122223333:assumed-role/gateway/u-2 2026-11-02T05:00:00Z)" '^\$0\.026400, '
has "price explain" "$("$nowcast" price explain --redis "$REDIS_URL" "${hashing[@]}" --principal arn:aws:sts::111122223333:assumed-role/gateway/u-2 --hour 2026-11-02T05:00:00Z)" '^all together 0\.0264'
fails 1 "without the key nobody is known by that name" "$nowcast" who --redis "$REDIS_URL" --now 2026-11-02T06:00:00Z u-2
echo '{"Arn": "arn:aws:iam::111122223333:user/eng/ann", "Tags": {"team": "imported", "email": "ann@example.com"}}' >"$T/tags.json"
ok "tags that are imported" "$nowcast" tags import --redis "$REDIS_URL" "${hashing[@]}" --from 2026-11-02T05:59:00Z "$T/tags.json"
has "count for the user" "$("$nowcast" tags show --redis "$REDIS_URL" "${hashing[@]}" --at 2026-11-02T06:00:00Z arn:aws:iam::111122223333:user/ann | tr -s ' ')" '^team imported user'
is "and hold no name either" "$(everything | grep -E "$names")" ""

# --- what is wrong
fails 2 "no key" replay --names-hash sessions "$T/calls.ndjson"
has "is told with how to make one" "$(cat "$T/err")" 'openssl rand'
echo short >"$T/short"
fails 2 "a short key" replay --names-hash sessions --names-hash-key "$T/short" "$T/calls.ndjson"
fails 2 "a word that there is not" replay --names-hash roles --names-hash-key "$T/key" "$T/calls.ndjson"

# --- the bill
if "$top/$B/tests/duck_sql" "SELECT 1" >/dev/null 2>&1 && [ -x "$shared/world/world.py" ]; then
	make_world --hours 2 --scale 0.02
	start_redis
	hashing=(--names-hash "sessions,users,tag:user" --names-hash-key "$T/key")
	replay "${hashing[@]}" "$world/stream.ndjson" >/dev/null
	by hour,principal,model >"$T/estimate.csv"
	fails 2 "a bill without the key is refused" "$nowcast" reconcile --redis "$REDIS_URL" "$world/cur2"
	ok "a bill" "$nowcast" reconcile --redis "$REDIS_URL" "${hashing[@]}" "$world/cur2"
	by hour,principal,model >"$T/billed.csv"
	has "is read" "$(cat "$T/billed.csv")" ',billed,[0-9]+,[0-9]+$'
	is "its callers are those of the estimate" "$(cut -d, -f1-3 "$T/billed.csv" | sort -u)" "$(cut -d, -f1-3 "$T/estimate.csv" | sort -u)"
	is "no name of the bill is in Redis" "$(everything | grep -E "alice|bob|carol|$(cut -d, -f5 "$world/truth.csv" | grep -o 'assumed-role/.*' | cut -d/ -f3 | sort -u | paste -sd'|')")" ""
else
	diag "no libduckdb.so or no ../shared/world/world.py: the bill is not tested here"
fi
finish
