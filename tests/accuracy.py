#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How good the estimate is, on worlds whose truth is known: make accuracy [SEEDS="1 2"] [HOURS=24] [SCALE=1.0]

Makes worlds with ../shared/world, replays each into a private Redis, and scores the report: those that the reach is stated for,
for each seed, then smaller ones that differ in what CloudTrail and the logs tell, in hours, size and prices. Beside each figure
stand the yardsticks computed on the same world: every minute split equally by calls, and every principal's true mean known in
advance with all cache writes priced at five minutes, or with each principal's true share of one-hour writes; where CloudTrail
tells all tokens, they know input and output of every call as well.

  wape      sum |estimate - truth| / sum truth, dollars by hour and principal; then by principal, by hour and team, by hour
  coverage  share of the dollars whose hour and principal lie inside the band; width: mean relative width of the band
"""
import argparse, collections, csv, gzip, glob, json, os, shutil, signal, subprocess, sys, tempfile, time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WORLD = os.path.join(TOP, "..", "shared", "world")
TYPES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
DAY, HOUR_MS = "2026-11-02T00:00:00Z", 3600_000


def iso(hour):
    return time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(hour * 3600))


FIRST = 1793577600 // 3600  # DAY, in hours since 1970


class Bench:
    def __init__(self, folder, binary):
        self.folder, self.binary = folder, binary
        sock = os.path.join(folder, "redis.sock")
        self.redis = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", sock, "--save", ""], stdout=subprocess.DEVNULL)
        self.url = "unix:" + sock
        while not os.path.exists(sock):
            time.sleep(.05)

    def close(self):
        self.redis.kill()
        self.redis.wait()

    def run(self, *args, stdin=None):
        done = subprocess.run([self.binary, *args, "--redis", self.url], input=stdin, stdout=subprocess.PIPE, check=True)
        return done.stdout.decode()

    def clear(self):
        subprocess.run(["redis-cli", "-s", self.url[5:], "flushall"], stdout=subprocess.DEVNULL, check=True)

    def estimate(self, lo, hi):
        text = self.run("report", "--by", "hour,principal", "--format", "csv", "--from", iso(lo), "--to", iso(hi))
        return {(r["hour"], r["principal"]): tuple(float(r[k] or 0) for k in ("usd", "usd_low", "usd_high")) for r in csv.DictReader(text.splitlines())}

    def teams(self, lo, hi):
        text = self.run("report", "--by", "hour,team", "--format", "csv", "--from", iso(lo), "--to", iso(hi))
        return {(r["hour"], r["team"]): float(r["usd"] or 0) for r in csv.DictReader(text.splitlines())}


def make_world(folder, hours, seed, scale, *more):
    out = os.path.join(folder, "world")
    shutil.rmtree(out, ignore_errors=True)
    subprocess.run([sys.executable, os.path.join(WORLD, "world.py"), "--out", out, "--hours", str(hours), "--seed", str(seed), "--scale", str(scale), *more],
                   stdout=subprocess.DEVNULL, check=True)
    return out


def truth_of(world):
    t = collections.Counter()
    for r in csv.DictReader(open(os.path.join(world, "truth.csv"))):
        t[(r["hour"], r["principal"])] += float(r["usd"])
    return t


def team_truth(world):
    t = collections.Counter()
    for r in csv.DictReader(open(os.path.join(world, "truth.csv"))):
        t[(r["hour"], r["team"])] += float(r["usd"])
    return t


def distance(t, e, key=lambda k: k):
    """Of two tables by hour and something, once both are summed by key(hour, something)."""
    a, b = collections.Counter(), collections.Counter()
    for k, v in t.items():
        a[key(k)] += v
    for k, v in e.items():
        b[key(k)] += v
    return sum(abs(a[k] - b[k]) for k in set(a) | set(b)) / sum(a.values())


def score(truth, est, lo, hi, teams=None):
    span = [iso(h) for h in range(lo, hi)]
    t = {k: v for k, v in truth.items() if k[0] in span}
    e = {k: v for k, v in est.items() if k[0] in span}
    total, none = sum(t.values()), (0, 0, 0)
    usd = {k: v[0] for k, v in e.items()}
    by_team = distance(*({k: v for k, v in x.items() if k[0] in span} for x in teams)) if teams else None
    return {"wape": distance(t, usd), "principal": distance(t, usd, lambda k: k[1]), "hour": distance(t, usd, lambda k: k[0]), "team": by_team,
            "bias": sum(v[0] for v in e.values()) / total - 1,
            "coverage": sum(v for k, v in t.items() if e.get(k, none)[1] - 1e-9 <= v <= e.get(k, none)[2] + 1e-9) / total,
            "width": sum(e.get(k, none)[2] - e.get(k, none)[1] for k in t) / total}


def yardsticks(world, truth, spans, told=False):
    """WAPE of the equal split, of true means at 5 minutes, and of true means with true TTL shares, for each span. told: input and
    output are known of every call, so only the cache is split."""
    rates = {r["model"]: [float(r[t]) for t in TYPES] for r in csv.DictReader(open(os.path.join(world, "prices.csv")))}
    series, calls, tokens = collections.defaultdict(lambda: ({}, {})), collections.Counter(), collections.Counter()
    for r in csv.DictReader(open(os.path.join(world, "calls.csv"))):
        if r["error"]:
            continue
        key, who, end = (r["account"], r["region"], r["model"]), r["principal"], int(r["end_ms"]) // 60_000
        n, t = series[key]
        minute = n.setdefault(end, collections.Counter())
        minute[who] += 1
        calls[(key, who)] += 1
        used = t.setdefault(end, [0] * 4)
        five = [int(r[x]) for x in TYPES]
        for k in range(4):
            v = five[k] + (five[4] if k == 3 else 0)
            used[k] += v
            tokens[(key, who, k)] += v
        tokens[(key, who, "1h")] += five[4]
    out, exact = [], collections.Counter()
    for r in csv.DictReader(open(os.path.join(world, "truth.csv"))) if told else ():
        if r["token_type"] in TYPES[:2]:
            exact[(r["hour"], r["principal"])] += float(r["usd"])
    for kind in ("equal", "mean", "ttl"):
        est = collections.Counter(exact)
        for key, (n, t) in series.items():
            rate = rates.get(key[2]) or rates["us.anthropic.claude-sonnet-4-6"]
            for minute, used in t.items():
                hour = iso(minute // 60)
                for k in range(2 if told else 0, 4):
                    weights = {p: c * (1 if kind == "equal" else tokens[(key, p, k)] / calls[(key, p)]) for p, c in n[minute].items()}
                    whole = sum(weights.values())
                    for p, w in weights.items():
                        share = used[k] * w / whole if whole else 0
                        long = tokens[(key, p, "1h")] / tokens[(key, p, 3)] if kind == "ttl" and k == 3 and tokens[(key, p, 3)] else 0
                        est[(hour, p)] += share * (rate[k] * (1 - long) + rate[4] * long) / 1e6
        out.append([score(truth, {k: (v, v, v) for k, v in est.items()}, *s)["wape"] for s in spans])
    return out


HEAD = "%-46s %6s %6s %6s %6s  %7s  %6s %6s   %6s %6s %6s  %s" % ("world", "wape", "princ", "team", "hour", "bias", "cover", "width", "equal", "mean5m", "mean", "reach")


def row(name, s, yard=None, reach=""):
    team = "%6.4f" % s["team"] if s["team"] is not None else "     -"
    print("%-46s %6.4f %6.4f %s %6.4f  %+7.4f  %6.4f %6.4f   %s  %s" % (name, s["wape"], s["principal"], team, s["hour"], s["bias"], s["coverage"], s["width"],
          " ".join("%6.4f" % y for y in yard) if yard else "     -      -      -", reach), flush=True)


def as_of(bench, world, truth, hours):
    """The estimate of each hour as it stood five minutes after it: the stream is replayed up to that moment, hour by hour."""
    bench.clear()
    est, batch, hour = {}, [], FIRST + 1
    def look():
        nonlocal batch
        bench.run("replay", "-", stdin="".join(batch).encode())
        est.update(bench.estimate(hour - 1, hour))
        batch = []
    for line in open(os.path.join(world, "stream.ndjson")):
        at = line.index('"ts":') + 5
        ts = int(line[at:line.index(",", at)])
        while ts > hour * HOUR_MS + 300_000 and hour <= FIRST + hours:
            look()
            hour += 1
        if hour > FIRST + hours:
            break
        batch.append(line)
    return score(truth, est, FIRST + 3, FIRST + hours)


def cut_bill(world, hour):
    """The export with the hours before `hour` only."""
    for path in glob.glob(os.path.join(world, "cur2", "*", "data", "*", "*.csv.gz")):
        with gzip.open(path, "rt", newline="") as f:
            rows = list(csv.DictReader(f))
        with gzip.open(path, "wt", newline="") as f:
            w = csv.DictWriter(f, list(rows[0]))
            w.writeheader()
            w.writerows(r for r in rows if r["line_item_usage_start_date"] < iso(hour))


def day_after(bench, folder, seed, scale, tokens, hours, *more):
    """The day after a reconciled one: score and yardsticks. The truth is at list prices, whatever discount the bill has: one day of it teaches no rate."""
    world = make_world(folder, 24 + hours, seed, scale, "--tokens-in-cloudtrail", tokens, *more)
    truth, teams, span = truth_of(world), team_truth(world), (FIRST + 24, FIRST + 24 + hours)
    cut_bill(world, FIRST + 24)
    bench.clear()
    bench.run("replay", os.path.join(world, "stream.ndjson"))
    bench.run("reconcile", os.path.join(world, "cur2"))
    bench.run("replay", "-", stdin=b"")
    s = score(truth, bench.estimate(*span), *span, (teams, bench.teams(*span)))
    return s, [y[0] for y in yardsticks(world, truth, [span], tokens == "all")]


def replayed(bench, world, *span):
    """A world replayed whole, scored over the span."""
    truth = truth_of(world)
    bench.clear()
    bench.run("replay", os.path.join(world, "stream.ndjson"))
    return score(truth, bench.estimate(*span), *span, (team_truth(world), bench.teams(*span)))


# Worlds that differ from those of the reach: hours, scale, the rest of world.py's arguments.
SWEEP = (
    ("a fifth of the traffic", 24, .2, "--tokens-in-cloudtrail", "none"),
    ("a twentieth of the traffic", 24, .05, "--tokens-in-cloudtrail", "none"),
    ("tokens of some calls in CloudTrail", 12, .3, "--tokens-in-cloudtrail", "some"),
    ("tokens of all calls in CloudTrail", 12, .3, "--tokens-in-cloudtrail", "all"),
    ("logs of one call in ten", 12, .3, "--tokens-in-cloudtrail", "none", "--log-share", "0.1"),
    ("logs of every second call", 12, .3, "--tokens-in-cloudtrail", "none", "--log-share", "0.5"),
    ("every third message twice", 12, .3, "--tokens-in-cloudtrail", "none", "--duplicates", "0.33"),
    ("two callers jump tenfold", 12, .3, "--tokens-in-cloudtrail", "none", "--spike", "bob:400:60:10", "--spike", "backend1:500:30:10"),
)


def reach_rows(bench, folder, seed, a):
    world = make_world(folder, a.hours, seed, a.scale, "--tokens-in-cloudtrail", "none")
    end = FIRST + a.hours
    truth, teams, spans = truth_of(world), team_truth(world), [(FIRST, FIRST + 3), (FIRST + 3, end)]
    yard = yardsticks(world, truth, spans)
    bench.clear()
    bench.run("replay", os.path.join(world, "stream.ndjson"))
    est, est_teams = bench.estimate(FIRST, end), bench.teams(FIRST, end)
    row(f"seed {seed}, first three hours", score(truth, est, *spans[0], (teams, est_teams)), [y[0] for y in yard], "wape 0.15")
    row(f"seed {seed}, from the third hour", score(truth, est, *spans[1], (teams, est_teams)), [y[1] for y in yard], "wape 0.09, cover 0.85-0.95, width 0.30")
    row(f"seed {seed}, as of five minutes after the hour", as_of(bench, world, truth, a.hours), None, "wape 0.11")
    for tokens, reach in (("none", 0.025), ("all", 0.02)):
        row(f"seed {seed}, day after the bill, tokens {tokens}", *day_after(bench, folder, seed, a.scale, tokens, a.hours), f"wape {reach}")
    world = make_world(folder, 6, seed, a.scale, "--log-share", "1.0")
    row(f"seed {seed}, invocation logs of every call", replayed(bench, world, FIRST, FIRST + 6), None, "0 but for the TTL")


def sweep_rows(bench, folder, seed):
    for name, hours, scale, *more in SWEEP:
        world = make_world(folder, hours, seed, scale, *more)
        span = (FIRST + 3, FIRST + hours)
        row(f"seed {seed}, {name}", replayed(bench, world, *span), [y[0] for y in yardsticks(world, truth_of(world), [span], "all" in more)])
    s, yard = day_after(bench, folder, seed, .3, "none", 12, "--discount", "0.12")
    row(f"seed {seed}, day after a bill 12 % off list", s, yard)
    s, yard = day_after(bench, folder, seed, .3, "none", 12, "--log-share", "0.1")
    row(f"seed {seed}, day after the bill, logs of one in ten", s, yard)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--seeds", default="1 2")
    ap.add_argument("--hours", type=int, default=24)
    ap.add_argument("--scale", type=float, default=1.0)
    ap.add_argument("--binary", default=os.path.join(TOP, "build", "nowcast"))
    ap.add_argument("--sweep-only", action="store_true", help="only the worlds that no reach is stated for")
    a = ap.parse_args()
    if not os.path.exists(os.path.join(WORLD, "world.py")):
        sys.exit("accuracy: ../shared/world is not here")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = tempfile.mkdtemp(prefix="nowcast-accuracy-")
    bench = Bench(folder, a.binary)
    try:
        print(HEAD)
        for seed in a.seeds.split():
            if not a.sweep_only:
                reach_rows(bench, folder, seed, a)
        sweep_rows(bench, folder, a.seeds.split()[-1])
    finally:
        bench.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
