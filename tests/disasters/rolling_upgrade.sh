#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From the last commit of schema 2 to this one, in the middle of an hour, with Kafka. The commit is built, or OLD_NOWCAST names
# its program.
#
# Done: nowcast migrate runs while a nowcast of schema 2 is running and has half of an hour's records; then a new one starts
# Compared: the report with that of an undisturbed replay by the new one
. "$(dirname "$0")/../lib.sh"
skip_on_cluster "no nowcast of schema 2 knows several masters"

if [ -z "${OLD_NOWCAST:-}" ]; then
	new=$(git log --reverse --format=%H -G'SCHEMA_VERSION = 3' -- store/schema.h 2>/dev/null | head -n 1)
	[ -n "$new" ] || skip_all "no git history, and no OLD_NOWCAST"
	git archive --prefix=old/ "$new^" | tar -x -C "$T" || bail "cannot read $new^"
	make -C "$T/old" -j2 CC="${CC:-cc}" CXX="${CXX:-c++}" all >"$T/make.log" 2>&1 || bail "the old commit does not build: $(tail -n 3 "$T/make.log")"
	OLD_NOWCAST=$T/old/build/nowcast
fi
day=$(date -u -d '6 hours ago' +%F) # the hour 05 of that day is over, and within the window
python3 tests/support/upgrade_records.py "$T" "$day" || bail "no records"
cat "$T/before.ndjson" "$T/after.ndjson" >"$T/all.ndjson"
reference "$T/all.ndjson" "$T/want.csv"

start_redis
start_broker 4
write_config "$T/nowcast.conf"
calls() { redis --scan --pattern '*:calls:*' | while read -r key; do redis hlen "$key"; done | awk '{ n += $1 } END { print n + 0 }'; }
knows() { [ "$(calls)" = "$1" ]; }
ids() { cat "$@" | grep -oE '[0-9]{8}-0000-4000-8000-0{12}' | sort -u | wc -l; }
produce -p 4 -t cloudtrail "$T/before.ndjson" >"$T/produced" 2>&1
start old "$OLD_NOWCAST" run --config "$T/nowcast.conf"
old=$pid
ok "the old one reads the first half" wait_for 30 knows "$(ids "$T/before.ndjson")"
ok "the migration runs while it runs" "$nowcast" migrate --redis "$REDIS_URL"
produce -p 4 -t cloudtrail "$T/after.ndjson" >>"$T/produced" 2>&1
ok "the old one ends by itself" wait_for 30 gone $old
has "and says why" "$(grep -v level=info "$T/old.log")" 'schema 3, which a newer nowcast has written'
fails 2 "it does not start again" timeout 20 "$OLD_NOWCAST" report --redis "$REDIS_URL"
start new "$nowcast" run --config "$T/nowcast.conf"
new=$pid
ok "the new one reads the other half" wait_for 30 knows "$(ids "$T/all.ndjson")"
wait_for 30 caught_up
ok "it ends on SIGTERM" stop $new
settled_report "$T/got.csv"
same_file "the figures are those of an undisturbed replay" "$T/got.csv" "$T/want.csv"
is "of each model and hour once" "$(redis --scan --pattern '*:cells:*' | wc -l)" 3
finish
