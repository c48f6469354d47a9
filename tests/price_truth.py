#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""price_truth.py TRUTH.CSV REPORT.CSV: where every call's tokens are known, are the dollars by hour and team the true ones?

The report is by hour,team,token_type. Tokens must be equal, and dollars within a microdollar, by token type and for a team's
hour as a whole. The TTL of a cache write is told by nobody: both sides are held to the price of 5-minute writes (a 1-hour write
costs 1.6 times as much), and what the true TTL would have cost is printed.
"""
import collections
import csv
import sys
from decimal import Decimal

MICRO, ZERO = Decimal("0.000001"), Decimal(0)


def rows(path):
    with open(path, encoding="utf-8", newline="") as f:
        yield from csv.DictReader(f)


def kind_of(row):
    return "cache_write" if row["token_type"].startswith("cache_write") else row["token_type"]


truth, report = {}, {}
ttl = ZERO
for row in rows(sys.argv[1]):
    cell = truth.setdefault((row["hour"], row["team"], kind_of(row)), [0, ZERO])
    usd = Decimal(row["usd"])
    if row["token_type"] == "cache_write_1h":
        ttl += usd - usd / Decimal("1.6")
        usd /= Decimal("1.6")
    cell[0] += int(row["tokens"])
    cell[1] += usd
for row in rows(sys.argv[2]):
    cell = report.setdefault((row["hour"], row["team"], kind_of(row)), [0, ZERO])
    cell[0] += int(row["tokens"])
    usd = Decimal(row["usd"])
    cell[1] += usd / Decimal("1.6") if row["token_type"] == "cache_write_1h" else usd

wrong = 0
teams = collections.defaultdict(lambda: [ZERO, ZERO])
for key in sorted(truth.keys() | report.keys()):
    tokens, usd = truth.get(key, (0, ZERO))
    got_tokens, got = report.get(key, (0, ZERO))
    teams[key[:2]][0] += usd
    teams[key[:2]][1] += got
    if tokens != got_tokens or abs(usd - got) > MICRO:
        print(*key, "truth", tokens, usd, "report", got_tokens, got)
        wrong += 1
for key, (usd, got) in sorted(teams.items()):
    if abs(usd - got) > MICRO:
        print(*key, "truth", usd, "report", got)
        wrong += 1
whole = sum((usd for usd, _ in teams.values()), ZERO)
print(len(truth), "sums by hour, team and token type,", len(teams), "by hour and team,", wrong, "wrong; the TTL of cache writes, told by nobody:",
      round(ttl, 6), "of", round(whole + ttl, 6), "USD")
sys.exit(wrong > 0 or not truth)
