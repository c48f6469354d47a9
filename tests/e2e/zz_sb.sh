#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How good the estimate was: what it said five minutes, an hour and a day after each hour is kept, and compared when the bill comes.
. "$(dirname "$0")/../lib.sh"

require "no libduckdb.so: run deploy/install-deps --duckdb" "$top/$B/tests/duck_sql" "SELECT 1"
make_world --hours 3 --scale 0.05
start_redis

ms() { date -d "$1" +%s000; }
part() { # FROM TO: the records that came in [FROM, TO)
	awk -v from="$1" -v to="$2" '{ at = substr($0, index($0, "\"ts\":") + 5, 13); if (at >= from && at < to) print }' "$world/stream.ndjson"
}
snapshots() { "$B/tests/take_snapshots" "$REDIS_URL" "$1"; }
reconcile() { "$nowcast" reconcile --redis "$REDIS_URL" --scoreboard.keep 3650d "$1"; }
board() { "$nowcast" report --scoreboard --redis "$REDIS_URL" "$@"; }
kept() { # the horizons of each hour
	for hour in 00 01 02; do redis hkeys nowcast:asof:2026-11-02T$hour | sort | tr '\n' ' '; done
}

# Hour by hour as it was: the records that had come, then the snapshots that were due.
last=0
for at in 2026-11-02T01:05:30Z 2026-11-02T02:01:00Z 2026-11-02T02:05:30Z 2026-11-02T03:01:00Z 2026-11-02T03:05:30Z 2026-11-02T04:01:00Z 2026-11-03T01:01:00Z 2026-11-03T02:59:00Z; do
	part $last "$(ms "$at")" | "$nowcast" replay --redis "$REDIS_URL" - >/dev/null
	last=$(ms "$at")
	snapshots "$at" >/dev/null
	[ "$at" != 2026-11-02T01:05:30Z ] || "$nowcast" report --redis "$REDIS_URL" --by principal,region,account --to 2026-11-02T01:00:00Z --format csv >"$T/then.csv"
done
is "a snapshot is taken when it is due" "$(kept)" "1h 24h 5m 1h 24h 5m 1h 5m "
is "and once only" "$(snapshots 2026-11-03T02:59:30Z)" 0
is "it notes when" "$(redis hget nowcast:asof:2026-11-02T00 5m)" "$(ms 2026-11-02T01:05:30Z) 1000"
snapshots 2026-11-03T05:01:00Z >/dev/null
is "what was missed by too much is not made up" "$(kept)" "1h 24h 5m 1h 24h 5m 1h 5m "
has "all of them expire" "$(for k in $(redis --scan --pattern '*asof*'); do redis pttl "$k"; done | sort -n | head -n 1)" "^[1-9]"
# How wide bands are follows how often they held: the factor that the bill will teach, set by hand.
band_of() { # SCALE: the sums of low, usd and high
	redis set nowcast:band "$1" >/dev/null
	"$nowcast" report --redis "$REDIS_URL" --by principal --format csv >"$T/band.$1"
}
ok "bands as they are" band_of 1000
ok "and twice as wide" band_of 2000
is "are twice as wide, unless that is below what is sure" "$(python3 - "$T/band.1000" "$T/band.2000" <<'END'
import csv, sys
one, two = ({r["principal"]: [float(r[k] or 0) for k in ("usd_low", "usd", "usd_high")] for r in csv.DictReader(open(f))} for f in sys.argv[1:])
wide = sum(abs((b[2] - b[1]) - 2 * (a[2] - a[1])) < 1e-6 and (abs((b[1] - b[0]) - 2 * (a[1] - a[0])) < 1e-6 or b[0] >= 0) and b[1] == a[1] for a, b in ((one[k], two[k]) for k in one))
print(wide == len(one), any(a[2] > a[1] for a in one.values()))
END
)" "True True"
redis del nowcast:band >/dev/null
is "nothing is scored before the bill" "$(board --format csv 2>/dev/null | wc -l)" 1

# The first hour alone: the miss and the dollars in the band are those of the report of then.
python3 tests/support/cur.py "$world/cur2" "$T/cur" until 2026-11-02T01:00:00Z >/dev/null
ok "a bill of one hour" reconcile "$T/cur"
board --format csv >"$T/board.csv"
"$nowcast" report --reconciliation --redis "$REDIS_URL" --by account,region,principal --format csv >"$T/explained.csv"
is "is scored by what was said of it" "$(python3 - "$T/then.csv" "$T/board.csv" "$T/explained.csv" <<'END'
import collections, csv, decimal, sys
D = decimal.Decimal
then, board, explained = ([*csv.DictReader(open(f))] for f in sys.argv[1:])
key = lambda r: (r["account"], r["region"], r["principal"])
said = {key(r): r for r in then}
billed = collections.Counter({key(r): D(r["billed_usd"]) for r in explained})
zero = {"usd": "0", "usd_low": "0", "usd_high": "0"}
five = next(r for r in board if r["as_of"] == "5m")
figure = lambda k, name: D(said.get(k, zero)[name] or 0)
near = lambda a, b: "yes" if abs(D(a) - b) < D("1e-6") else f"{a} {b}"
cells = set(said) | set(billed)
slack = D("1e-9")
print(five["hours"], near(five["missed_usd"], sum(abs(figure(k, "usd") - billed[k]) for k in cells)),
      near(five["covered_usd"], sum(billed[k] for k in cells if figure(k, "usd_low") - slack <= billed[k] <= figure(k, "usd_high") + slack)),
      near(five["width_usd"], sum(figure(k, "usd_high") - figure(k, "usd_low") for k in cells)))
END
)" "1 yes yes yes"

ok "the bill comes" reconcile "$world/cur2"
board --format csv >"$T/board.csv"
board --format json >"$T/board.json"
"$nowcast" report --reconciliation --redis "$REDIS_URL" --by hour,account,region,principal --format csv >"$T/explained.csv"
cat >"$T/check.py" <<'END'
import collections, csv, decimal, json, sys
D = decimal.Decimal
then, board, text, explained = sys.argv[1:]
rows = {r["as_of"]: r for r in csv.DictReader(open(board))}
print("horizons", *rows)
print("hours", *(r["hours"] for r in rows.values()))
causes = ("late_usd", "volume_usd", "price_usd", "ttl_usd", "attribution_usd", "unmetered_usd", "unbilled_usd")
print("causes add up", all(abs(D(r["missed_usd"]) - sum(D(r[c]) for c in causes)) < D("1e-7") for r in rows.values()))
said, first, last, final = (collections.Counter() for _ in range(4))
for r in csv.DictReader(open(then)):
    said[(r["account"], r["region"], r["principal"])] += D(r["usd"] or 0)
for r in csv.DictReader(open(explained)):
    cell = (r["account"], r["region"], r["principal"])
    final[(r["hour"], *cell)] += D(r["billed_usd"])
    last[(r["hour"], *cell)] += D(r["estimated_usd"])
    if r["hour"] == "2026-11-02T00:00:00Z":
        first[cell] += D(r["billed_usd"])
def close(a, b): return abs(D(a) - b) < D("1e-6")
print("billed", close(rows["5m"]["billed_usd"], sum(final.values())))
print("missed at last", close(rows["last"]["missed_usd"], sum(abs(last[k] - final[k]) for k in set(last) | set(final))))
miss = sum(abs(said[k] - first[k]) for k in set(said) | set(first))
print("the first hour's part", D(0) < miss <= D(rows["5m"]["missed_usd"]) + D("1e-6"))
days = json.load(open(text))["days"]
five = days[0]["as_of"]["5m"]
print("json", days[0]["day"], abs(five["wape"] - float(D(five["missed"]) / D(five["billed"]))) < 1e-4, 0 <= five["coverage"] <= 1, days[0]["as_of"]["last"]["coverage"],
      abs(sum(c["share"] for c in five["causes"]) - 1) < 0.001, five["causes"] == sorted(five["causes"], key=lambda c: -D(c["usd"])), bool(five["worst"][0]["principal"]))
END
is "each horizon is scored" "$(python3 "$T/check.py" "$T/then.csv" "$T/board.csv" "$T/board.json" "$T/explained.csv")" "horizons 5m 1h 24h last
hours 3 3 2 3
causes add up True
billed True
missed at last True
the first hour's part True
json 2026-11-02 True True None True True True"
diag "$(board)"
has "the report tells it" "$("$nowcast" report --reconciliation --redis "$REDIS_URL")" "2026-11-02 +5 minutes +3 .*%.*%"
free_port
start serve "$nowcast" serve --redis "$REDIS_URL" --listen "127.0.0.1:$port"
wait_for 10 listens "$port"
curl -s "http://127.0.0.1:$port/api/v1/scoreboard" >"$T/api.json"
is "the API says the same" "$(cat "$T/api.json")" "$(cat "$T/board.json")"
python3 tests/api_check.py "http://127.0.0.1:$port" >/tmp/apick 2>&1; curl -s "http://127.0.0.1:$port/api/v1/breakdown?by=principal&limit=1&from=2026-11-01T00:00:00Z" | head -c 600 >/tmp/apibr; is "as it is described" "$(python3 tests/api_check.py "http://127.0.0.1:$port" | grep 'scoreboard' | sed 's/ok [0-9]*/ok/')" "ok - /api/v1/scoreboard
ok - /api/v1/scoreboard with now
ok - /api/v1/scoreboard refuses what it does not know"
stop "$pid"
has "its page too" "$("$nowcast" report --reconciliation --redis "$REDIS_URL" --format html)" "How good the estimates were"


has "the bill calibrates the bands" "$(redis get nowcast:band)" "^[0-9]+$"
ok "the same bill again" reconcile "$world/cur2"
board --format csv >"$T/again.csv"
same_file "gives the same scores" "$T/again.csv" "$T/board.csv"
for k in $(redis --scan --pattern '*asof*'); do redis del "$k" >/dev/null; done
ok "and when the snapshots have expired" reconcile "$world/cur2"
board --format csv >"$T/again.csv"
same_file "what was scored stays" "$T/again.csv" "$T/board.csv"
finish
