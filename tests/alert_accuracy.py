#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast and how rightly spikes ring, on worlds whose jumps are known.

usage: alert_accuracy.py BUILD WORLD_DIR REDIS_URL FOLDER [--worlds 4] [--program 2] [--seed 101] [--floor USD] [--factor N] [--scales 0.2,0.5]

Every principal's calls jump tenfold for 20 minutes about once a day; half of the worlds are left without jumps. The first
three days, while little is known of this hour on other days, are told apart. Two ways, on different seeds:

  the rule     many principal-days, cheaply: world.py's calls, each arriving when world.py has its CloudTrail record arrive,
               minute by minute through alert/rate_baseline.c; dollars are the true ones of the calls that have arrived
  the program  world.py's whole stream as it arrives, through decoder, Redis, estimate and rule, looked at every minute;
               five days, with jumps in the last two that are three to nine hours apart

A jump counts where it takes more than the floor of the rule; it is in time if the rule rings within 10 minutes of its start.
A ring belongs to a jump from its start to 45 minutes after its end (records arrive up to 20 minutes late, and an alert ends
15 minutes after its condition); every other one is false, those of hours that are busy by themselves as well (world.py
makes one in 25 three times as busy). Some jumps are not there to be seen: tenfold of a lull, or right after a busy hour, is
less than a busy hour's worth. So jumps that came to seven times the hour before are told apart.
"""
import argparse, collections, datetime as dt, importlib.util, json, os, random, subprocess, sys, types

ap = argparse.ArgumentParser()
ap.add_argument("build"), ap.add_argument("world"), ap.add_argument("redis"), ap.add_argument("folder")
ap.add_argument("--worlds", type=int, default=4, help="pairs of worlds for the rule, at each scale; 240 principal-days a pair")
ap.add_argument("--program", type=int, default=2, help="worlds for the whole program, 75 principal-days each")
ap.add_argument("--seed", type=int, default=101)
ap.add_argument("--factor", type=float, default=4.3, help="of the built-in rule; the program has its own")
ap.add_argument("--floor", type=float, default=0.05, help="of the built-in rule, dollars a minute")
ap.add_argument("--scales", default="0.2,0.5")
a = ap.parse_args()
LENGTH, FACTOR, SOON, AFTER, YOUNG, CLEAR, DAY = 20, 10, 10, 45, 200, 15, 1440  # minutes
KNOWN = 3 * DAY + 60  # from here on three other days are known, the first hour not counted
PROGRAM_SCALE = 0.2
START = "2026-11-02T00:00:00Z"
START_MS = int(dt.datetime.fromisoformat(START.replace("Z", "+00:00")).timestamp() * 1000)

spec = importlib.util.spec_from_file_location("world", os.path.join(a.world, "world.py"))
world = importlib.util.module_from_spec(spec)
spec.loader.exec_module(world)

# world.py draws anew for the same conversation of the same hour in every world: drawn once, it is ten times as fast.
drawn = {}
Random = random.Random


class Drawn:
    def __init__(self, value):
        self.value = value

    def random(self):
        return self.value


def quick_random(seed=None):
    if not (isinstance(seed, str) and seed.count("/") == 2):
        return Random(seed)
    if seed not in drawn:
        drawn[seed] = Random(seed).random()
    return Drawn(drawn[seed])


def make_jumps(seed, hours, start, apart):
    """(name, minute) from minute `start` on, `apart` to thrice as many minutes between two of the same name."""
    r, jumps = Random(f"jumps of {seed}"), []
    for p in world.PEOPLE:
        m = start + r.randrange(2 * apart)
        while m < hours * 60 - LENGTH - AFTER:
            jumps.append((p[0], m))
            m += apart + r.randrange(2 * apart)
    return jumps


class Score:
    """Of the minutes lo..hi - 1 of every world."""

    def __init__(self, title, lo, hi=10**9):
        self.title, self.lo, self.hi = title, lo, hi
        self.delays, self.cases, self.clear_cases, self.clear_hits, self.small, self.false, self.days = [], 0, 0, 0, 0, 0, 0.0
        self.missed, self.wrong = [], []

    def add(self, what, name, rings, jumps, calls, cost, minutes):
        """rings: minutes at whose end the condition held. calls: by minute of arrival. cost: dollars a call."""
        self.days += max(0, min(minutes, self.hi) - self.lo) / DAY
        of = lambda lo, hi: sum(calls.get(m, 0) for m in range(lo, hi))
        episodes = [t for i, t in enumerate(rings) if i == 0 or t - rings[i - 1] > CLEAR]
        for m in jumps:
            mine = [t for t in rings if m <= t < m + LENGTH + AFTER]
            episodes = [t for t in episodes if t not in mine]
            if not self.lo <= m < self.hi:
                continue
            full = of(m + 4, m + 4 + LENGTH) / LENGTH  # calls come some four minutes after they were made
            if full * cost < a.floor:
                self.small += 1
                continue
            delay = mine[0] + 1 - m if mine else None
            hit = delay is not None and delay <= SOON
            clear = full >= 7 * of(m - 60, m) / 60
            self.cases += 1
            self.clear_cases += clear
            self.clear_hits += clear and hit
            self.delays.append(delay)
            if not hit:
                self.missed.append(f"{what} {name} minute {m}: {'after %d min' % delay if mine else 'never'}, {full * 60 / max(1, of(m - 60, m)):.1f} times the hour before")
        episodes = [t for t in episodes if self.lo <= t < self.hi]
        self.false += len(episodes)
        self.wrong += [f"{what} {name} minute {t}" for t in episodes]

    def tell(self):
        hits = sum(d is not None and d <= SOON for d in self.delays)
        percent = lambda n, of: f"{n} of {of} ({100 * n / max(1, of):.1f} %)"
        print(f"{self.title}: {self.days:.0f} principal-days")
        print(f"  tenfold jumps that rang within {SOON} minutes: {percent(hits, self.cases)}; {self.small} took less than the floor")
        print(f"  of those that came to seven times the hour before: {percent(self.clear_hits, self.clear_cases)}")
        count = collections.Counter("never" if d is None else min(d, SOON + 10) for d in self.delays)
        print("  minutes until it rang: " + ", ".join(f"{k}: {n}" for k, n in sorted(count.items(), key=lambda x: (x[0] == "never", str(x[0]).zfill(3)))))
        print(f"  false rings: {self.false}, {1000 * self.false / self.days:.1f} per 1,000 principal-days")
        for line in self.missed[:8]:
            print("  # missed: " + line)
        for line in self.wrong[:8]:
            print("  # false: " + line)
        sys.stdout.flush()


# ---- the rule alone ---------------------------------------------------------------------------------------------------


def arrivals(seed, hours, scale, jumps):
    """name -> minute -> [calls, micro-dollars], as the calls' records arrive."""
    world.random = types.SimpleNamespace(Random=quick_random)
    w = world.World(types.SimpleNamespace(seed=seed, start=START, traces=os.path.join(a.world, "..", "traces"), hours=hours, scale=scale,
                                          spike=[f"{n}:{m}:{LENGTH}:{FACTOR}" for n, m in jumps]))
    w.uuid = lambda: ""
    w.make_calls()
    out = {p[0]: {} for p in world.PEOPLE}
    for c in w.calls:
        minute = int((c["end"] + w.trail_delay() - w.start) // 60000)
        if c["error"] or minute >= hours * 60:
            continue
        rates = w.rates(c["p"][8])[0]
        cell = out[c["p"][0]].setdefault(minute, [0, 0])
        cell[0] += 1
        cell[1] += sum(c["tok"][t] * r for t, r in zip(world.TYPES, rates))  # dollars per million tokens: micro-dollars
    return out


def rule(scores, seed, hours, scale, jumps):
    by_name = arrivals(seed, hours, scale, jumps)
    shift = 60  # rate_play's minutes begin at 1
    text = "".join(name + "".join(f" {m + shift}:{c}:{int(usd)}" for m, (c, usd) in sorted(cells.items())) + "\n" for name, cells in by_name.items())
    said = subprocess.run([os.path.join(a.build, "tests", "rate_play"), str(round(a.factor * 10)), str(round(a.floor * 1e6))], input=text, capture_output=True,
                          text=True, check=True).stdout
    for line in said.splitlines():
        name, *rings = line.split()
        cells = by_name[name]
        cost = sum(c[1] for c in cells.values()) / 1e6 / max(1, sum(c[0] for c in cells.values()))
        for score in scores:
            score.add(f"seed {seed} scale {scale}", name, [int(r[:-1]) - shift for r in rings], [m for n, m in jumps if n == name],
                      {m: c[0] for m, c in cells.items()}, cost, hours * 60)


# ---- the whole program ------------------------------------------------------------------------------------------------


def program(scores, seed, hours, scale, jumps):
    subprocess.run([sys.executable, os.path.join(a.world, "world.py"), "--out", a.folder, "--hours", str(hours), "--scale", str(scale), "--seed", str(seed), "--start", START]
                   + [x for n, m in jumps for x in ("--spike", f"{n}:{m}:{LENGTH}:{FACTOR}")], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["redis-cli", "-u", a.redis, "flushall"], check=True, stdout=subprocess.DEVNULL)
    said = subprocess.run([os.path.join(a.build, "tests", "alert_play"), a.redis, os.path.join(a.folder, "stream.ndjson")], capture_output=True, text=True, check=True).stdout
    rings = collections.defaultdict(list)
    for line in said.splitlines():
        at, arn, _ = line.split(" ", 2)
        minute = (int(at) - START_MS) // 60000
        if minute < hours * 60:
            rings[arn].append(minute)
    calls, usd = collections.defaultdict(collections.Counter), collections.Counter()
    with open(os.path.join(a.folder, "calls.csv")) as f:
        keys = next(f).strip().split(",")
        for line in f:
            r = dict(zip(keys, line.strip().split(",")))
            if not r["error"]:
                calls[r["principal"]][(int(r["end_ms"]) - START_MS) // 60000 + 4] += 1
    with open(os.path.join(a.folder, "truth.csv")) as f:
        keys = next(f).strip().split(",")
        for line in f:
            r = dict(zip(keys, line.strip().split(",")))
            usd[r["principal"]] += float(r["usd"])
    for p in world.PEOPLE:
        arn = world.arn_of(p)
        cost = usd[arn] / max(1, sum(calls[arn].values()))
        mine = rings.pop(arn, [])
        for score in scores:
            score.add(f"seed {seed} scale {scale}", p[0], mine, [m for n, m in jumps if n == p[0]], calls[arn], cost, hours * 60)
    for who, at in rings.items():  # (unattributed), say
        for score in scores:
            score.add(f"seed {seed} scale {scale}", who, at, [], {}, 0, 0)


def two_scores(title):
    return [Score(f"{title}, first three days", YOUNG, KNOWN), Score(f"{title}, from the fourth day", KNOWN)]


seed = a.seed
for scale in map(float, a.scales.split(",")):
    scores, hours = two_scores(f"the rule at scale {scale:g}"), 192
    for _ in range(a.worlds):
        rule(scores, seed, hours, scale, [])
        rule(scores, seed + 1, hours, scale, make_jumps(seed + 1, hours, YOUNG, DAY // 2))
        seed += 2
    for score in scores if a.worlds else []:
        score.tell()
drawn.clear()
world.random = random
scores = two_scores(f"the program at scale {PROGRAM_SCALE:g}")
for k in range(a.program):
    program(scores, seed, 120, PROGRAM_SCALE, make_jumps(seed, 120, KNOWN, 180) if k % 2 == 0 else [])
    seed += 1
for score in scores if a.program else []:
    score.tell()
