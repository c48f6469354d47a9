#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The daemon reconciles on a schedule, by itself: the bill comes in, one that is broken changes nothing and is told, two daemons
# do the work once. And it keeps what the estimate says of each hour, for the scoreboard.
. "$(dirname "$0")/../lib.sh"

require "no libduckdb.so: run deploy/install-deps --duckdb" "$top/$B/tests/duck_sql" "SELECT 1"
make_world --hours 3 --scale 0.05
start_redis
start_broker 1
"$nowcast" replay --redis "$REDIS_URL" "$world/stream.ndjson" >/dev/null

# Calls of yesterday: of the hours that end between 25 and 26 hours ago the snapshot of a day after is due, or was within the grace.
now=$(date +%s)
yesterday=$((now / 3600 * 3600 - 26 * 3600))
python3 tests/many_principals.py 20 2 "$(date -u -d "@$yesterday" +%Y-%m-%dT%H:%M:%SZ)" | "$nowcast" replay --redis "$REDIS_URL" --window 3d - >/dev/null

dollars=$(python3 tests/support/cur.py "$world/cur2" "$T/cur" same)
daemon() { # NAME
	start "$1" "$nowcast" run --config "$T/nowcast.conf"
}
runs() { redis hget nowcast:reconcile run; }
runs_are() { [ "$(runs)" = "$1" ]; }
total() {
	"$nowcast" report --redis "$REDIS_URL" --by region --from 2026-11-02 --to 2026-11-04 --format csv | python3 -c '
import csv, decimal, sys
rows = list(csv.DictReader(sys.stdin))
print(sum((decimal.Decimal(r["usd"]) for r in rows), decimal.Decimal(0)).quantize(decimal.Decimal("1e-9")), *sorted({r["basis"] for r in rows}))'
}
write_config "$T/nowcast.conf" "reconcile.source = $T/cur" "reconcile.every = 1m" "scoreboard.keep = 3650d" "window = 3d"

daemon one
one=$pid
ok "a snapshot of a day ago is taken" wait_for 60 eval '[ -n "$(redis --scan --pattern "nowcast:{*:asof:*")" ]'
is "of hours of which it is due" "$(for k in $(redis --scan --pattern 'nowcast:{111122223333/us-east-1}:asof:*'); do redis hkeys "$k"; done | sort -u)" 24h
ok "some seconds after the start, the bill is read" wait_for 60 runs_are 1
is "and stands" "$(total)" "$dollars billed"
ok "that is logged" wait_for 20 grep -q 'reconciled with the bill' "$T/one.log"
has "the status says how it went, and how often it will" "$(redis hmget nowcast:reconcile source periods files billed every_ms | tr '\n' ' ')" "^$T/cur 1 1 [0-9]+ 60000 "

# Another daemon finds that a run has ended lately. The first one's next finds a bill that is not whole.
daemon two
two=$pid
rm "$T"/cur/test/data/*/*.gz
ok "a bill that is not complete is reported in the log" wait_for 120 grep -q 'the reconciliation failed' "$T/one.log" "$T/two.log"
has "with its own words" "$(cat "$T/one.log" "$T/two.log")" "nowcast reconcile: .*csv.gz, which is not there"
is "and what stood stays" "$(total)" "$dollars billed"
is "the second daemon did none while the first was fresh" "$(runs)" 1

dollars=$(python3 tests/support/cur.py "$world/cur2" "$T/cur" halve)
ok "a restated bill comes in by itself, too" wait_for 130 eval '[ "$(runs)" -gt 1 ]'
is "and replaces what stood" "$(total)" "$dollars billed"
ok "a daemon ends" stop "$one"
ok "and the other" stop "$two"
is "no run is left behind" "$(pgrep -f "reconcile --unless-fresh --config $T/nowcast.conf" | wc -l)" 0
finish
