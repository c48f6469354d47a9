#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""price_truth.py TRUTH.CSV REPORT.CSV: where every call's tokens are known, are the dollars by hour and team the true ones?

The report is by hour,team,token_type. Tokens must be equal, dollars within a microdollar. The TTL of a cache write is told by
nobody, so the two kinds of writes are taken together: their tokens must be equal, and their dollars lie between all of them
at the 5-minute rate, which is what is reported, and all at the 1-hour rate, 1.6 times that.
"""
import csv
import sys
from decimal import Decimal


def read(path):
    sums = {}
    with open(path, encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            kind = "cache_write" if row["token_type"].startswith("cache_write") else row["token_type"]
            cell = sums.setdefault((row["hour"], row["team"], kind), [0, Decimal(0)])
            cell[0] += int(row["tokens"])
            cell[1] += Decimal(row["usd"])
    return sums


truth, report = read(sys.argv[1]), read(sys.argv[2])
micro, wrong = Decimal("0.000001"), 0
for key in sorted(truth.keys() | report.keys()):
    tokens, usd = truth.get(key, (0, Decimal(0)))
    got_tokens, got = report.get(key, (0, Decimal(0)))
    most = got * Decimal("1.6") if key[2] == "cache_write" else got
    if tokens != got_tokens or not got - micro <= usd <= most + micro:
        print(*key, "truth", tokens, usd, "report", got_tokens, got)
        wrong += 1
print(len(truth), "sums by hour, team and token type,", wrong, "wrong")
sys.exit(wrong > 0 or not truth)
