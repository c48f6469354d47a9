#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Is everything there, to the token and to the dollar?

    conserve.py TRUTH.csv REPORT.csv

TRUTH is a world's truth.csv, REPORT what `nowcast report --by hour,account,region,model,principal,role,team,token_type
--format csv` said of it. Tokens must be equal in each hour, account, region and token type, and dollars too, whoever they
were given to. Cache writes count as one type, and in tokens only: how long a write lives is in no signal but the bill.

Prints what differs, and exits 1 if anything does.
"""
import collections, csv, decimal, sys


def fold(path):
    tokens, usd = collections.Counter(), collections.Counter()
    with open(path, newline="") as f:
        for r in csv.DictReader(f):
            kind = "cache_write" if r["token_type"].startswith("cache_write") else r["token_type"]
            key = (r["hour"], r["account"], r["region"], kind)
            tokens[key] += int(r["tokens"])
            if kind != "cache_write":
                usd[key] += decimal.Decimal(r["usd"] or 0)
    return tokens, usd


def main():
    truth, report = fold(sys.argv[1]), fold(sys.argv[2])
    differs = 0
    # A report rounds each of its rows; a whole cell may be off by its rows' last places, no more.
    for what, t, r, slack in (("tokens", truth[0], report[0], 0), ("usd", truth[1], report[1], decimal.Decimal("0.0001"))):
        for key in sorted(set(t) | set(r)):
            if abs(t[key] - r[key]) > slack:
                print(" ".join(key), what + ":", "truth", t[key], "report", r[key])
                differs += 1
    if not truth[0]:
        print("the truth is empty: nothing was compared")
    sys.exit(1 if differs or not truth[0] else 0)


if __name__ == "__main__":
    main()
