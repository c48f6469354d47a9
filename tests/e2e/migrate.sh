#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A Redis that a nowcast of schema 1 or 2 has filled: every program refuses it and says what to do; `nowcast migrate` rewrites it, also
# when it is killed and run again; then the figures are what they were. A newer schema is refused, an empty Redis gets the
# present one.
. "$(dirname "$0")/../lib.sh"

old_names=':(slots$|guests:seen$|pace:|roster:|crowded:|folded:|lesson:|taught:|groups:)'
migrate() { "$nowcast" migrate --redis "$REDIS_URL"; }
old_keys() { redis --scan | grep -E "$old_names" | wc -l; }
load() { # [SCHEMA]: the fixture, into an empty Redis
	redis flushall >/dev/null
	redis <tests/schema${1:-1}/redis.txt >"$T/load.out"
	! grep -iE '^\(error\)|^ERR|CROSSSLOT' "$T/load.out"
}
everything() { # every key, and a digest of what it holds
	redis --scan | sort | while read -r key; do echo "$key $(redis --no-raw dump "$key" | md5sum)"; done
}
dollars() { # FIELDS: of all usage hashes, of fields that match
	redis --scan --pattern '*:usage:20*' | sed 's/.*/HGETALL "&"/' | redis |
		awk -v fields="$1" 'NR % 2 { field = $0; next } field ~ fields && $2 != "-" { sum += $2 } END { printf "%d %.0f\n", (sum > 0), sum }'
}
is_migrated() { # WHAT
	is "$1: no old name is left" "$(old_keys)" 0
	is "$1: the version is set" "$(redis get nowcast:schema)" 3
	report "$T/got.csv"
	same_file "$1: the report is the same" "$T/got.csv" tests/schema1/expected.csv
}

start_redis
ok "a Redis of schema 1" load
keys=$(redis dbsize)
before=$(dollars '^[^#].* (input|output|cache)')
lesson=$(redis --scan --pattern '*:lesson:*' | head -n 1)
everything >"$T/before"
python3 tests/support/identity.py "$T" || bail "no records"
echo 'profile,model' >"$T/profiles.csv"
echo '{"Arn":"arn:aws:iam::111122223333:role/r","Tags":{"team":"x"}}' >"$T/tags.json"
while read -r status arguments; do
	# shellcheck disable=SC2086 # they are words
	fails $status "${arguments%% *} refuses it" "$nowcast" $arguments --redis "$REDIS_URL"
	has "and says what to do" "$(cat "$T/out" "$T/err")" 'figures of schema 1, this program needs schema 3: stop every nowcast .* run `nowcast migrate`'
done <<END
2 replay $T/calls.ndjson
2 report
2 report --scoreboard
2 top --turns 1
2 reprice --from 2026-11-01
2 tags import $T/tags.json
2 profiles list
2 alert check
1 doctor
END
everything >"$T/after"
same_file "none of them has changed anything" "$T/after" "$T/before"

ok "it is migrated" migrate
has "which says how far it is" "$(cat "$T/ok.out")" '^[0-9]+ keys looked at, [1-9][0-9]* renamed: schema 3$'
is_migrated "migrated"
is "no key was lost, and what was split is in keys of its own" "$(redis dbsize)" $((keys + 3 + $(redis --scan | grep -cE ':(usage_meta|part_meta):|:actual:called$')))
has "and it is noted since when it is known what was observed" "$(redis get nowcast:observed_since)" '^[0-9]{13}$'
has "there are dollars" "$before" "^1 [1-9]"
is "the second numbers of all fields of usage hashes are the dollars that were there" "$(dollars .)" "$before"
new_lesson() { lesson=${lesson/:lesson:/:hour_stats:}; redis --scan --pattern "${lesson%:*}:*" | head -n 1; } # the id in it is another
ok "keys expire when they would have" test "$(redis pttl "$(new_lesson)")" -gt 0
has "doctor says so" "$("$nowcast" doctor --redis "$REDIS_URL")" '^ok +schema +keys and values have schema 3'
ok "a second time" migrate
has "there is nothing to do" "$(cat "$T/ok.out")" 'nothing to do'
ok "the same records are replayed" "$nowcast" replay --redis "$REDIS_URL" --sessions-max 2 --users-max 1 --models-max 1 "$T/guest.ndjson"
is_migrated "replayed"

# --- killed in the middle: many keys, so that there is a middle
load || bail "the fixture does not load"
redis eval 'for i = 1, 60000 do redis.call("SET", "nowcast:{999988887777/eu-west-1}:lesson:" .. i .. ":00", i) end' 0 >/dev/null
: >"$T/killed.out"
"$nowcast" migrate --redis "$REDIS_URL" >"$T/killed.out" 2>&1 &
migrating=$!
until grep -q 'keys looked at' "$T/killed.out" || ! kill -0 $migrating 2>/dev/null; do :; done
kill -KILL $migrating
wait $migrating 2>/dev/null
ok "killed in the middle, some keys have old names" test "$(old_keys)" -gt 0
ok "and some have new ones" test "$(redis --scan --pattern '*:hour_stats:*' | wc -l)" -gt 0
is "it has no version yet" "$(redis get nowcast:schema)" ''
fails 2 "so a report is refused" "$nowcast" report --redis "$REDIS_URL"
ok "it is run again" migrate
is_migrated "run again"
is "of all keys" "$(redis --scan --pattern '*:hour_stats:*:00' | wc -l)" 60000
redis eval 'for i = 1, 60000 do redis.call("DEL", "nowcast:{999988887777/eu-west-1}:hour_stats:" .. i .. ":00") end' 0 >/dev/null

# --- a program of schema 1 that was not stopped
redis sadd nowcast:slots 111122223333/us-east-1 >/dev/null
redis set "$lesson" late >/dev/null
has "doctor sees that an older nowcast writes" "$("$nowcast" doctor --redis "$REDIS_URL")" '^warn +schema +a nowcast of schema 1 has written'
ok "it is migrated once more" migrate
is_migrated "once more"
ok "and what is newer stays" test "$(redis strlen "$(new_lesson)")" -gt 10

# --- from schema 2: facts get other ids, in the middle of an hour
half() { "$nowcast" replay --redis "$REDIS_URL" "$T/$1.ndjson" >"$T/half.out" 2>&1; }
old_ids() { # names whose id is not that of their text are known by it: those of the fixture
	redis --scan | grep -E ':[0-9a-f]{16}$' | grep -Fc -f <(grep -oE ':[0-9a-f]{16}"' tests/schema2/redis.txt | tr -d '":' | sort -u)
}
python3 tests/support/upgrade_records.py "$T" || bail "no records"
redis flushall >/dev/null
ok "both halves are replayed in a Redis of their own" half before
half after
report "$T/whole.csv"
ok "a Redis of schema 2 with one half" load 2
fails 2 "is refused" "$nowcast" report --redis "$REDIS_URL"
has "which says what to do" "$(cat "$T/err")" 'figures of schema 2, this program needs schema 3: stop every nowcast .* run `nowcast migrate`'
redis set nowcast:migrating 3 >/dev/null
redis set nowcast:schema 3 >/dev/null
fails 2 "so is one in the middle of a migration" "$nowcast" report --redis "$REDIS_URL"
has "which says so" "$(cat "$T/err")" 'is being migrated to schema 3, or that was interrupted'
ok "it is migrated" migrate
is "no key has an id of the old kind" "$(old_ids)" 0
is "and the migration has ended" "$(redis exists nowcast:migrating)" 0
ok "the same half again" half before
has "is known, every call of it" "$(redis hlen 'nowcast:{111122223333/us-east-1}:calls:83036')" "^$(grep -oE '"[0-9]{8}-0000-4000-[0-9a-f-]*"' "$T/before.ndjson" | sort -u | wc -l)\$"
ok "and the other half" half after
report "$T/got.csv"
same_file "the report is that of an undisturbed replay" "$T/got.csv" "$T/whole.csv"
is "of each model and hour once" "$(redis --scan --pattern '*:cells:*' | wc -l)" 3

# --- newer, and none
redis set nowcast:schema 4 >/dev/null
for command in report migrate; do
	fails 2 "$command refuses a newer schema" "$nowcast" "$command" --redis "$REDIS_URL"
	has "and says so" "$(cat "$T/err")" 'schema 4, which a newer nowcast has written'
done
redis flushall >/dev/null
"$nowcast" report --redis "$REDIS_URL" >/dev/null 2>&1
ok "an empty Redis needs no migration" migrate
is "readers leave it empty" "$(redis dbsize)" 0
ok "records are replayed into it" "$nowcast" replay --redis "$REDIS_URL" "$T/guest.ndjson"
is "which sets the version" "$(redis get nowcast:schema)" 3

# --- a Redis Cluster renames within one slot only
REDIS_CLUSTER=1 start_redis
ok "a Redis Cluster of schema 1" load
ok "it is migrated there" migrate
is_migrated "a cluster"
finish
