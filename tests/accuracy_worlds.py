#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The estimate on many kinds of worlds: make accuracy [LONG=1] [ONLY="few heavy"] [SEED=1]

Makes each world with ../shared/world, replays it into a private Redis, and scores the reports against the truth, beside what
else could be done with the same facts (tests/estimate_play.c). Without a bill the truth has all cache writes at the five-minute
rate, and the reports are made with cache_ttl = 5m, so that only whose tokens they are counts; on the day after a billed day it has
all dollars.

  now, nnls, mean, equal   sum |estimate - truth| / sum truth, dollars by hour and principal: the estimate; non-negative least
                           squares; every caller's true mean; every call alike
  reach                    what the estimate should come to. After a bill: of hours / of days
  day, team                the estimate by day and principal, and by hour and team
  bias10                   of the ten principals with the most dollars: estimate / truth - 1
  held                     how often the band holds the truth: by dollars, by count, of those ten; width: mean relative width
  short                    what falls short of its reach, or of a band that holds 0.85 to 0.95 of the dollars
"""
import argparse, collections, csv, os, signal, shutil, subprocess, sys, tempfile
from accuracy import Bench, TOP, TYPES, WORLD, FIRST, cut_bill, iso

HELD = (.85, .95)

# name, generator, arguments, hours of the short form and of the long one, reach of the first three hours and of those after
WORLDS = (
    ("world.py", "world.py", (), 5, 24, .045, .032),
    ("world.py .05", "world.py", ("--scale", "0.05"), 12, 24, .060, .062),
    ("few", "families.py", ("few",), 24, 24, .080, .044),
    ("heavy", "families.py", ("heavy",), 24, 24, .21, .14),
    ("drift", "families.py", ("drift",), 24, 24, .22, .22),
    ("mix", "families.py", ("mix",), 12, 24, .13, .080),
    ("hc 300", "families.py", ("hc", "--n", "300"), 24, 24, .24, .16),
    ("hc 2000", "families.py", ("hc", "--n", "2000"), 8, 24, .45, .30),
    ("ent", "families.py", ("ent",), 10, 24, .14, .17),
)
# the day after one billed day: reach by hour and by day
BILLED = (
    ("ent, billed", "families.py", ("ent",), 30, 48, .14, .08),
    ("hc 2000, billed", "families.py", ("hc", "--n", "2000"), 27, 48, .23, .09),
    ("rot, billed", "families.py", ("rot",), 48, 48, .11, .05),
    ("stable, billed", "families.py", ("stable",), 48, 48, .12, .05),
    ("world.py .05, billed", "world.py", ("--scale", "0.05"), 48, 48, .037, .011),
)


def make(folder, generator, arguments, hours, seed):
    out = os.path.join(folder, "world")
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run([sys.executable, os.path.join(WORLD, generator), *arguments, "--out", out, "--hours", str(hours), "--seed", str(seed),
                    "--tokens-in-cloudtrail", "none"], stdout=subprocess.DEVNULL, check=True)
    return out


def truth_of(world, ttl):
    """Dollars by hour, principal and team."""
    rates = {r["model"]: r for r in csv.DictReader(open(os.path.join(world, "prices.csv")))}
    usual, t = rates["us.anthropic.claude-sonnet-4-6"], collections.Counter()
    for r in csv.DictReader(open(os.path.join(world, "truth.csv"))):
        rate = rates.get(r["model"], usual)
        kind = "cache_write_5m" if r["token_type"] == TYPES[4] and not ttl else r["token_type"]
        t[r["hour"], r["principal"], r["team"]] += int(r["tokens"]) * float(rate[kind]) / 1e6
    return t


def by(truth, key):
    out = collections.Counter()
    for k, v in truth.items():
        out[key(*k)] += v
    return out


def report(bench, grouping, lo, hi, ttl):
    """ttl: what is declared of cache writes, flags."""
    text = bench.run("report", "--by", grouping, "--format", "csv", "--from", iso(lo), "--to", iso(hi), *ttl)
    a, b = grouping.split(",")
    return {(r[a], r[b]): tuple(float(r[k] or 0) for k in ("usd", "usd_low", "usd_high")) for r in csv.DictReader(text.splitlines())}


def score(truth, est, top):
    none, total = (0, 0, 0), sum(truth.values())
    held = {k for k, v in truth.items() if est.get(k, none)[1] - 1e-6 <= v <= est.get(k, none)[2] + 1e-6}
    of_top = {k: v for k, v in truth.items() if k[1] in top}
    return {"off": sum(abs(truth.get(k, 0) - est.get(k, none)[0]) for k in set(truth) | set(est)) / total,
            "held": sum(truth[k] for k in held) / total, "count": len(held) / len(truth),
            "top": sum(v for k, v in of_top.items() if k in held) / (sum(of_top.values()) or 1),
            "bias": sum(est.get(k, none)[0] for k in of_top) / (sum(of_top.values()) or 1) - 1,
            "width": sum(est.get(k, none)[2] - est.get(k, none)[1] for k in truth) / total}


def yardsticks(play, world, billed):
    """{method: [of the first hours, of those after]}; after a bill only the latter."""
    text = subprocess.run([play, world, *(["--billed", str(billed)] if billed else [])], stdout=subprocess.PIPE, check=True).stdout.decode()
    return {line.split()[0]: [float(part.split()[1]) for part in line.split("|")[1:]] for line in text.splitlines()[1:]}


def row(name, bench, truth, span, yard, reach, reach_day=None, ttl=()):
    within = {k: v for k, v in truth.items() if iso(span[0]) <= k[0] < iso(span[1])}
    of_who = by(within, lambda h, p, t: p)
    top = sorted(of_who, key=of_who.get, reverse=True)[:10]
    hour = score(by(within, lambda h, p, t: (h, p)), report(bench, "hour,principal", *span, ttl), top)
    day = score(by(within, lambda h, p, t: (h[:10], p)), report(bench, "day,principal", *span, ttl), top)
    team = score(by(within, lambda h, p, t: (h, t)), report(bench, "hour,team", *span, ttl), [])
    short = [f"{k} {v:.3f}" for k, v, most in (("off", hour["off"], reach), ("day", day["off"], reach_day)) if most and v > most + .0005]
    short += [f"{k} {s[part]:.2f}" for k, s, part in (("held", hour, "held"), ("ten", hour, "top"), ("day held", day, "held"), ("day ten", day, "top"))
              if not HELD[0] - .005 <= s[part] <= HELD[1] + .005]
    print("%-28s %5.3f  %5.3f %5.3f %5.3f  %-9s  %5.3f %5.3f  %+5.2f   %4.2f %4.2f %4.2f %5.2f   %4.2f %4.2f %4.2f %5.2f   %s" % (
        name, hour["off"], *yard, f"{reach:.3f}" + (f"/{reach_day:.2f}" if reach_day else ""), day["off"], team["off"], hour["bias"],
        hour["held"], hour["count"], hour["top"], hour["width"], day["held"], day["count"], day["top"], day["width"], "; ".join(short) or "-"), flush=True)
    return bool(short)


def rows(bench, folder, play, seed, long, only):
    missed = count = 0
    for name, generator, arguments, *hours, first, after in WORLDS:
        if only and name not in only:
            continue
        world, end = make(folder, generator, arguments, hours[long], seed), FIRST + hours[long]
        truth, yard = truth_of(world, False), yardsticks(play, world, 0)
        bench.clear()
        bench.run("replay", os.path.join(world, "stream.ndjson"))
        for i, (label, span, reach) in enumerate((("first 3 h", (FIRST, FIRST + 3), first), ("after", (FIRST + 3, end), after))):
            missed += row(f"{name}, {label}", bench, truth, span, [yard[m][i] for m in ("nnls", "mean", "equal")], reach, ttl=("--cache-ttl", "5m"))
            count += 1
    for name, generator, arguments, *hours, by_hour, by_day in BILLED:
        if only and name not in only:
            continue
        world, span = make(folder, generator, arguments, hours[long], seed), (FIRST + 24, FIRST + hours[long])
        truth, yard = truth_of(world, True), yardsticks(play, world, 24)
        cut_bill(world, FIRST + 24)
        bench.clear()
        bench.run("replay", os.path.join(world, "stream.ndjson"))
        bench.run("reconcile", os.path.join(world, "cur2"))
        bench.run("replay", "-", stdin=b"")
        missed += row(name, bench, truth, span, [yard[m][0] for m in ("nnls", "mean", "equal")], by_hour, by_day)
        count += 1
    print(f"{missed} of {count} rows fall short")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--binary", default=os.path.join(TOP, "build", "nowcast"))
    ap.add_argument("--play", default=os.path.join(TOP, "build", "tests", "estimate_play"))
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--long", action="store_true", help="a day of every world, instead of what fits into ten minutes")
    ap.add_argument("--only", default="", help="names of worlds, separated by commas")
    a = ap.parse_args()
    if not os.path.exists(os.path.join(WORLD, "families.py")):
        sys.exit("accuracy: ../shared/world is not here")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = tempfile.mkdtemp(prefix="nowcast-accuracy-")
    bench = Bench(folder, a.binary)
    try:
        print("%-28s %5s  %5s %5s %5s  %-9s  %5s %5s  %5s   %-20s   %-20s   %s" % ("world", "now", "nnls", "mean", "equal", "reach", "day", "team", "bias10",
              "held  n   ten  width", "day: the same", "short"))
        rows(bench, folder, a.play, a.seed, a.long, [x.strip() for x in a.only.split(",") if x.strip()])
    finally:
        bench.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
