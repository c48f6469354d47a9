#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How good the estimate is, on worlds whose truth is known: make accuracy [LONG=1] [ONLY="few,heavy"] [SEED=1] [SEEDS="2 3 4"]

Makes each world with ../shared/world, replays it into a private Redis, and scores the reports against the truth. Four tables of
each: by hour and by day, of principals and of teams. Parts, which ONLY may name beside worlds:

  unbilled   before any bill, the first three hours and those after. The truth has all cache writes at the five-minute rate, and the
             reports are made with cache_ttl = 5m, so that only whose tokens they are counts
  billed     the day after a billed day: all dollars
  signals    which signals are on: all dollars, no bill, the hours after the third
  telemetry  four fifths of the developers have telemetry (tests/support/tell.py): as unbilled

Columns:

  off               sum |estimate - truth| / sum truth
  nnls, mean, equal the same of non-negative least squares, every caller's true mean, every call alike (tests/estimate_play.c)
  reach             what `off` should come to. With another seed than 1 where there is no bill: reach / nnls is that of seed 1
  bias, ten         estimate / truth - 1: of all; of the ten with the most dollars
  held, n, ten      how often the band holds the truth: by dollars, by count, of those ten by dollars; width: mean relative width
  short             `off` is beyond its reach; the band holds less than 0.85 (narrow) or more than 0.95 (wide) of the dollars, at the
                    hour or the day, of all principals or of the ten

--seeds: the estimator alone, on several seeds: off, nnls and their ratio, below 1 if it is better than least squares; and how much of
the dollars the band holds: by hour, by hour of the ten, by day, by day of the ten. Of one seed few callers decide, above all of a
day, so that the last row of a world has the means over the seeds, and says which of these are narrow or wide.
"""
import argparse, collections, concurrent.futures, csv, glob, gzip, os, shutil, signal, subprocess, sys, tempfile, time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "support"))
import tell

WORLD = os.path.join(TOP, "..", "shared", "world")
FIRST = 1793577600 // 3600  # 2026-11-02T00:00:00Z, in hours since 1970
HELD, HOUR_MS, COLD = (.85, .95), 3600_000, 3
WRITE_5M, WRITE_1H = "cache_write_5m", "cache_write_1h"

# World: hours are those of the short form and of the long one. reach: of the first three hours, of those after; nnls: the same, of
# least squares on the world that the reach was stated for. After a bill, reach: by hour, by day.
World = collections.namedtuple("World", "name part arguments hours reach nnls", defaults=((None, None), (None, None)))

WORLDS = (
    World("world.py", "unbilled", ("world.py",), (5, 24), (.045, .032), (.118, .074)),
    World("world.py .05", "unbilled", ("world.py", "--scale", "0.05"), (12, 24), (.060, .062), (.186, .095)),
    World("few", "unbilled", ("families.py", "few"), (24, 24), (.080, .044), (.074, .051)),
    World("heavy", "unbilled", ("families.py", "heavy"), (24, 24), (.21, .14), (.326, .228)),
    World("drift", "unbilled", ("families.py", "drift"), (24, 24), (.22, .22), (.219, .252)),
    World("mix", "unbilled", ("families.py", "mix"), (12, 24), (.13, .080), (.133, .112)),
    World("hc 300", "unbilled", ("families.py", "hc", "--n", "300"), (24, 24), (.24, .16), (.250, .203)),
    World("hc 2000", "unbilled", ("families.py", "hc", "--n", "2000"), (8, 24), (.45, .30)),
    World("ent", "unbilled", ("families.py", "ent"), (10, 24), (.14, .17), (.195, .226)),
    World("ent billed", "billed", ("families.py", "ent"), (30, 48), (.14, .08)),
    World("hc 2000 billed", "billed", ("families.py", "hc", "--n", "2000"), (27, 48), (.23, .09)),
    World("rot billed", "billed", ("families.py", "rot"), (48, 48), (.11, .05)),
    World("stable billed", "billed", ("families.py", "stable"), (48, 48), (.12, .05)),
    World("world.py .05 billed", "billed", ("world.py", "--scale", "0.05"), (48, 48)),
    World("world.py billed", "billed", ("world.py",), (None, 48), (.037, .011)),
    World("metrics only", "signals", ("world.py", "--scale", "0.2"), (6, 24)),
    World("five minutes after the hour", "signals", ("world.py", "--scale", "0.2"), (6, 24)),
    World("CloudTrail has tokens of some", "signals", ("world.py", "--scale", "0.2", "--tokens-in-cloudtrail", "some"), (6, 24)),
    World("CloudTrail has tokens of all", "signals", ("world.py", "--scale", "0.2", "--tokens-in-cloudtrail", "all"), (6, 24)),
    World("logs of one call in ten", "signals", ("world.py", "--scale", "0.2", "--log-share", "0.1"), (6, 24)),
    World("logs of every second call", "signals", ("world.py", "--scale", "0.2", "--log-share", "0.5"), (6, 24)),
    World("logs of all calls", "signals", ("world.py", "--scale", "0.2", "--log-share", "1"), (6, 24)),
    World("every third message twice", "signals", ("world.py", "--scale", "0.2", "--duplicates", "0.33"), (None, 24)),
    World("two callers jump tenfold", "signals", ("world.py", "--scale", "0.2", "--spike", "bob:400:60:10", "--spike", "backend1:500:30:10"), (None, 24)),
    World("ent without telemetry", "telemetry", ("families.py", "ent", "--log-devs", "0.8"), (8, 10)),
    World("ent telemetry", "telemetry", ("families.py", "ent", "--log-devs", "0.8"), (8, 10)),
    World("ent telemetry by second", "telemetry", ("families.py", "ent", "--log-devs", "0.8"), (8, 10)),
    World("ent logs instead", "telemetry", ("families.py", "ent", "--log-devs", "0.8"), (8, 10)),
)
TELEMETRY = dict(zip(("ent without telemetry", "ent telemetry", "ent telemetry by second", "ent logs instead"), ("nothing", "telemetry", "second", "logs")))


def iso(hour):
    return time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(hour * 3600))


# ---- the program on a Redis of its own

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

    def memory(self):
        text = subprocess.run(["redis-cli", "-s", self.url[5:], "info", "memory"], stdout=subprocess.PIPE, check=True).stdout.decode()
        return int(next(line.split(":")[1] for line in text.splitlines() if line.startswith("used_memory:")))

    def report(self, grouping, lo, hi, flags):
        text = self.run("report", "--by", grouping, "--format", "csv", "--from", iso(lo), "--to", iso(hi), *flags)
        a, b = grouping.split(",")
        return {(r[a], r[b]): tuple(float(r[k] or 0) for k in ("usd", "usd_low", "usd_high")) for r in csv.DictReader(text.splitlines())}


def replay_as_of(bench, path, hours, grouping):
    """What was reported of each hour five minutes after it: the stream is replayed up to that moment, hour by hour."""
    est, batch, hour = {}, [], FIRST + 1
    for line in open(path):
        at = line.index('"ts":') + 5
        ts = int(line[at:line.index(",", at)])
        while ts > hour * HOUR_MS + 300_000 and hour <= FIRST + hours:
            bench.run("replay", "-", stdin="".join(batch).encode())
            est.update(bench.report(grouping, hour - 1, hour, ()))
            batch, hour = [], hour + 1
        if hour > FIRST + hours:
            break
        batch.append(line)
    return est


# ---- worlds

def make(out, world, hours, seed):
    shutil.rmtree(out, ignore_errors=True)
    generator, *arguments = world.arguments
    if "--tokens-in-cloudtrail" not in arguments:
        arguments += ["--tokens-in-cloudtrail", "none"]
    subprocess.run([sys.executable, os.path.join(WORLD, generator), *arguments, "--out", out, "--hours", str(hours), "--seed", str(seed)],
                   stdout=subprocess.DEVNULL, check=True)
    return out


def made(worlds, folder, long, seed):
    """Each world with its folder and hours. While the caller works on one, the next is made; neighbours that are alike share one."""
    groups = []
    for w in worlds:
        if groups and (w.arguments, w.hours[long]) == (groups[-1][0].arguments, groups[-1][0].hours[long]):
            groups[-1].append(w)
        else:
            groups.append([w])
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        def begin(i):
            return pool.submit(make, os.path.join(folder, f"world{i}"), groups[i][0], groups[i][0].hours[long], seed)
        next_one = begin(0)
        for i, group in enumerate(groups):
            out = next_one.result()
            next_one = begin(i + 1) if i + 1 < len(groups) else None
            for w in group:
                yield w, out, w.hours[long]
            shutil.rmtree(out, ignore_errors=True)


def truth_of(world, ttl):
    """Dollars by hour, principal and team; without ttl with all cache writes at the five-minute rate."""
    rates = {r["model"]: r for r in csv.DictReader(open(os.path.join(world, "prices.csv")))}
    usual, t = rates["us.anthropic.claude-sonnet-4-6"], collections.Counter()
    for r in csv.DictReader(open(os.path.join(world, "truth.csv"))):
        rate = rates.get(r["model"], usual)
        kind = WRITE_5M if r["token_type"] == WRITE_1H and not ttl else r["token_type"]
        t[r["hour"], r["principal"], r["team"]] += int(r["tokens"]) * float(rate[kind]) / 1e6
    return t


def cut_bill(world, hour):
    """The export with the hours before `hour` only."""
    for path in glob.glob(os.path.join(world, "cur2", "*", "data", "*", "*.csv.gz")):
        with gzip.open(path, "rt", newline="") as f:
            rows = list(csv.DictReader(f))
        with gzip.open(path, "wt", newline="") as f:
            w = csv.DictWriter(f, list(rows[0]))
            w.writeheader()
            w.writerows(r for r in rows if r["line_item_usage_start_date"] < iso(hour))


def yardsticks(play, world, billed, methods=4):
    """{method: [(off by hour, by day) of the first hours, of those after]}; after a bill only the latter. None: not computed. Of
    "estimate" what its band holds follows: by hour, by hour of the ten, by day, by day of the ten."""
    text = subprocess.run([play, world, "--methods", str(methods), *(["--billed", str(billed)] if billed else [])], stdout=subprocess.PIPE, check=True).stdout.decode()
    found = {}
    for line in text.splitlines()[1:]:
        name, *parts = line.split("|")
        words = [part.split() for part in parts]
        places = (1, 3, 7, 11, 15, 17) if name.strip() == "estimate" else (1, 3)
        found[name.strip()] = [tuple(None if w[i] == "-" else float(w[i]) for i in places) for w in words]
    return found


# ---- scores

TABLES = (("hour,principal", lambda h, p, t: (h, p)), ("day,principal", lambda h, p, t: (h[:10], p)),
          ("hour,team", lambda h, p, t: (h, t)), ("day,team", lambda h, p, t: (h[:10], t)))


def score(truth, est):
    none, total, of_who = (0, 0, 0), sum(truth.values()), collections.Counter()
    for k, v in truth.items():
        of_who[k[1]] += v
    top = sorted(of_who, key=of_who.get, reverse=True)[:10]
    held = {k for k, v in truth.items() if est.get(k, none)[1] - 1e-6 <= v <= est.get(k, none)[2] + 1e-6}
    of_top = {k: v for k, v in truth.items() if k[1] in top}
    all_top = sum(of_top.values()) or 1
    return {"off": sum(abs(truth.get(k, 0) - est.get(k, none)[0]) for k in set(truth) | set(est)) / total,
            "bias": sum(v[0] for v in est.values()) / total - 1, "bias10": sum(est.get(k, none)[0] for k in of_top) / all_top - 1,
            "held": sum(truth[k] for k in held) / total, "n": len(held) / len(truth), "ten": sum(v for k, v in of_top.items() if k in held) / all_top,
            "width": sum(est.get(k, none)[2] - est.get(k, none)[1] for k in truth) / total}


def misses(scores, reaches):
    """What falls short, in words."""
    short = [f"{name.split(',')[0]} off {scores[name]['off']:.3f}" for name, reach in reaches.items() if reach and scores[name]["off"] > reach + .0005]
    for name in ("hour,principal", "day,principal"):
        for part in ("held", "ten"):
            v = scores[name][part]
            if not HELD[0] - .005 <= v <= HELD[1] + .005:
                short.append(f"{name.split(',')[0]} {part} {'narrow' if v < HELD[0] else 'wide'} {v:.2f}")
    return short


HEAD = "%-34s %-14s  %5s  %5s %5s %5s  %5s  %6s %6s   %4s %4s %4s %5s   %s" % (
    "world", "by", "off", "nnls", "mean", "equal", "reach", "bias", "ten", "held", "n", "ten", "width", "short")


def number(v):
    return "%5.3f" % v if v is not None else "    -"


class Results:
    def __init__(self):
        self.rows, self.off, self.narrow, self.wide = 0, 0, 0, 0

    def add(self, name, truth, report, span, yard, reaches):
        """yard: of each method, by hour and by day of principals. Prints the four tables of a row."""
        within = {k: v for k, v in truth.items() if iso(span[0]) <= k[0] < iso(span[1])}
        scores = {}
        for grouping, key in TABLES:
            sums = collections.Counter()
            for k, v in within.items():
                sums[key(*k)] += v
            scores[grouping] = score(sums, report(grouping))
        short = misses(scores, reaches)
        for i, (grouping, _) in enumerate(TABLES):
            s, compared = scores[grouping], [yard[m][i] if yard and i < 2 else None for m in ("nnls", "mean", "equal")]
            print("%-34s %-14s  %5.3f  %s %s %s  %s  %+6.3f %+6.3f   %4.2f %4.2f %4.2f %5.2f   %s" % (
                "" if i else name, grouping.replace(",", " "), s["off"], *map(number, compared), number(reaches.get(grouping)), s["bias"], s["bias10"],
                s["held"], s["n"], s["ten"], s["width"], "" if i else "; ".join(short) or "-"), flush=True)
        self.rows += 1
        for kind in ("off", "narrow", "wide"):
            setattr(self, kind, getattr(self, kind) + any(kind in s for s in short))

    def print(self):
        print(f"of {self.rows} rows: {self.off} are off by more than their reach, {self.narrow} have a band that is too narrow, {self.wide} one that is too wide")


def score_unbilled(bench, results, play, w, world, hours, seed):
    truth, flags = truth_of(world, False), ("--cache-ttl", "5m")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        yard = pool.submit(yardsticks, play, world, 0)
        bench.run("replay", os.path.join(world, "stream.ndjson"))
        yard = yard.result()
    for i, (label, *span) in enumerate((("first 3 h", FIRST, FIRST + COLD), ("after", FIRST + COLD, FIRST + hours))):
        reach, nnls = w.reach[i], yard["nnls"][i][0]
        if seed != 1 and reach and w.nnls[i] and nnls:
            reach *= nnls / w.nnls[i]
        results.add(f"{w.name}, {label}", truth, lambda grouping: bench.report(grouping, *span, flags), span, {m: yard[m][i] for m in yard}, {"hour,principal": reach})


def score_billed(bench, results, play, w, world, hours, seed):
    span = (FIRST + 24, FIRST + hours)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        yard = pool.submit(yardsticks, play, world, 24)
        cut_bill(world, FIRST + 24)
        bench.run("replay", os.path.join(world, "stream.ndjson"))
        bench.run("reconcile", os.path.join(world, "cur2"))
        bench.run("replay", "-", stdin=b"")
        yard = yard.result()
    results.add(w.name, truth_of(world, True), lambda grouping: bench.report(grouping, *span, ()), span, {m: yard[m][0] for m in yard},
                {"hour,principal": w.reach[0], "day,principal": w.reach[1]})


def score_signals(bench, results, play, w, world, hours, seed):
    span, stream = (FIRST + COLD, FIRST + hours), os.path.join(world, "stream.ndjson")
    if w.name != "five minutes after the hour":
        bench.run("replay", stream)
        return results.add(w.name, truth_of(world, True), lambda grouping: bench.report(grouping, *span, ()), span, None, {})
    def report(grouping):
        bench.clear()
        found, out = replay_as_of(bench, stream, hours, "hour," + grouping.split(",")[1]), {}
        for (hour, who), v in found.items():
            if hour >= iso(span[0]):
                key = (hour[:10] if grouping.startswith("day") else hour, who)
                out[key] = tuple(map(sum, zip(out.get(key, (0, 0, 0)), v)))  # ends of bands are added: wider than those of the day
        return out
    results.add(w.name, truth_of(world, True), report, span, None, {})


def score_telemetry(bench, results, play, w, world, hours, seed):
    variant, truth = TELEMETRY[w.name], truth_of(world, False)
    conf = os.path.join(bench.folder, "nowcast.conf")
    with open(conf, "w") as f:
        f.write("trust.file:*aws* = cloudtrail, metrics, logs\ntrust.file:*told* = telemetry\n")
    done = bench.run("replay", "--config", conf, "--telemetry-roles", "AWSReservedSSO_*" if variant == "second" else "", *tell.streams(world, variant))
    counts = dict(line.split()[:2] for line in done.splitlines() if line.strip())
    for label, *span in (("first 3 h", FIRST, FIRST + COLD), ("after", FIRST + COLD, FIRST + hours)):
        results.add(f"{w.name}, {label}", truth, lambda grouping: bench.report(grouping, *span, ("--cache-ttl", "5m")), span, None, {})
    print("%-34s %s calls, %s of telemetry, %.1f MB in Redis" % ("", counts["calls"], counts["telemetry"], bench.memory() / 1e6), flush=True)


SCORES = {"unbilled": score_unbilled, "billed": score_billed, "signals": score_signals, "telemetry": score_telemetry}


def play_seeds(folder, play, worlds, seeds, long):
    head = "   %5s %5s %5s  %4s %4s  %4s %4s"
    print(("%-20s %5s" + head + head) % ("world", "seed", *(("off", "nnls", "ratio") + ("hour", "ten", "day", "ten")) * 2), flush=True)
    for w in worlds:
        billed, rows = 24 if w.part == "billed" else 0, []
        for seed in seeds:
            yard = yardsticks(play, make(os.path.join(folder, "world"), w, w.hours[long], seed), billed, 4)
            parts = [(off, nnls, *held) for (off, _, *held), (nnls, _) in zip(yard["estimate"], yard["nnls"])]
            rows.append(parts)
            print_seed(w.name, str(seed), parts)
        means = [[sum(column) / len(rows) if None not in column else None for column in zip(*part)] for part in zip(*rows)]
        print_seed(w.name, "mean", means)


def print_seed(name, seed, parts):
    """parts: of the first hours and of those after, or of the latter alone: off, nnls, and what the band holds."""
    cells, short = [" " * 40] * (2 - len(parts)), []
    for off, nnls, *held in parts:
        ratio = "%5.2f" % (off / nnls) if nnls else "    -"
        cells.append("   %s %s %s  %4.2f %4.2f  %4.2f %4.2f" % (number(off), number(nnls), ratio, *held))
        short += ["narrow %.2f" % v if v < HELD[0] else "wide %.2f" % v for v in held if not HELD[0] - .005 <= v <= HELD[1] + .005]
    print("%-20s %5s%s%s   %s" % (name, seed, *cells, ", ".join(short) if seed == "mean" else ""), flush=True)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--binary", default=os.path.join(TOP, "build", "nowcast"))
    ap.add_argument("--play", default=os.path.join(TOP, "build", "tests", "estimate_play"))
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--seeds", default="", help="the estimator alone, on these")
    ap.add_argument("--long", action="store_true", help="a day of every world, instead of what fits into ten minutes")
    ap.add_argument("--only", default="", help="names of worlds and parts, separated by commas")
    a = ap.parse_args()
    only = [x.strip() for x in a.only.split(",") if x.strip()]
    names = {w.name for w in WORLDS} | set(SCORES)
    for name in only:
        if name not in names:
            sys.exit(f"accuracy: --only {name}: expected some of {', '.join(sorted(names))}")
    worlds = [w for w in WORLDS if (not only or w.name in only or w.part in only) and w.hours[a.long]]
    if not os.path.exists(os.path.join(WORLD, "families.py")):
        sys.exit("accuracy: ../shared/world is not here")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder, bench = tempfile.mkdtemp(prefix="nowcast-accuracy-"), None
    try:
        if a.seeds:
            return play_seeds(folder, a.play, [w for w in worlds if w.part in ("unbilled", "billed")], [int(s) for s in a.seeds.split()], a.long)
        bench, results, began = Bench(folder, a.binary), Results(), time.time()
        print(HEAD)
        for w, world, hours in made(worlds, folder, a.long, a.seed):
            bench.clear()
            SCORES[w.part](bench, results, a.play, w, world, hours, a.seed)
        results.print()
        print("%.0f s" % (time.time() - began), file=sys.stderr)
    finally:
        if bench:
            bench.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
