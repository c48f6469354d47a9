#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast and how rightly spikes ring, on a world whose jumps are known, through the whole program and a real Redis.

usage: alert_accuracy.py NOWCAST WORLD_DIR REDIS_URL FOLDER [--hours 12] [--scale 0.2] [--seed 1] [--every 180] [--floor USD]

Makes a world in which each principal's calls jump tenfold for 20 minutes now and then. Then plays it minute by minute, as
it arrived: what arrived in a minute is replayed, then `nowcast alert check --now` evaluates the built-in rules. Prints how
many jumps of principals that spend enough rang within 10 minutes of their start, and the false rings per 1,000 principal-days.
"""
import argparse, datetime as dt, importlib.util, json, os, subprocess, sys

ap = argparse.ArgumentParser()
ap.add_argument("nowcast"), ap.add_argument("world"), ap.add_argument("redis"), ap.add_argument("folder")
ap.add_argument("--hours", type=int, default=12)
ap.add_argument("--scale", default="0.2")
ap.add_argument("--seed", default="1")
ap.add_argument("--every", type=int, default=180)
ap.add_argument("--floor", type=float, default=0.05, help="dollars a minute below which a jump need not ring")
a = ap.parse_args()
LENGTH, FACTOR, SOON, AFTER = 20, 10, 10, 30  # minutes; a ring up to AFTER its end belongs to the jump

spec = importlib.util.spec_from_file_location("world", os.path.join(a.world, "world.py"))
world = importlib.util.module_from_spec(spec)
spec.loader.exec_module(world)
jumps = [(p, m) for i, p in enumerate(world.PEOPLE) for m in range(120 + 11 * i, a.hours * 60 - LENGTH - AFTER, a.every)]
subprocess.run([sys.executable, os.path.join(a.world, "world.py"), "--out", a.folder, "--hours", str(a.hours), "--scale", a.scale, "--seed", a.seed]
               + [x for p, m in jumps for x in ("--spike", f"{p[0]}:{m}:{LENGTH}:{FACTOR}")], check=True, stdout=subprocess.DEVNULL)

start = int(dt.datetime(2026, 11, 2, tzinfo=dt.timezone.utc).timestamp() * 1000)
slices = {}
with open(os.path.join(a.folder, "stream.ndjson")) as f:
    for line in f:
        at = line.index('"ts":') + 5
        slices.setdefault(max(-1, (int(line[at:line.index(",", at)]) - start) // 60000), []).append(line)

rings = []  # (minute, principal)
for minute in range(-1, a.hours * 60):
    subprocess.run([a.nowcast, "replay", "--redis", a.redis, "-"], input="".join(slices.get(minute, [])).encode(), check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    now = dt.datetime.fromtimestamp(start / 1000 + (minute + 1) * 60, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    said = subprocess.run([a.nowcast, "alert", "check", "--now", now, "--redis", a.redis, "--log-format", "json"], check=True, capture_output=True, text=True).stderr
    for line in said.splitlines():
        e = json.loads(line)
        if e.get("rule") == "spike" and e.get("event") == "firing":
            rings.append((minute + 1, e["group"], e["text"]))

dollars = {}
with open(os.path.join(a.folder, "truth.csv")) as f:
    keys = next(f).strip().split(",")
    for line in f:
        r = dict(zip(keys, line.strip().split(",")))
        at = (int(dt.datetime.fromisoformat(r["hour"].replace("Z", "+00:00")).timestamp() * 1000) - start) // 3600000
        dollars[r["principal"], at] = dollars.get((r["principal"], at), 0) + float(r["usd"])

cases, hits, small, taken = 0, 0, 0, set()
for p, m in jumps:
    who = world.arn_of(p)
    mine = [i for i, (at, group, _) in enumerate(rings) if group == who and m < at <= m + LENGTH + AFTER]
    taken.update(mine)
    # In the hour of a jump the principal spends (60 - 20) + 20 x 10 quiet minutes' worth.
    usual = dollars.get((who, m // 60), 0) / (60 - LENGTH + LENGTH * FACTOR)
    if usual * FACTOR < a.floor:
        small += 1
        continue
    cases += 1
    soon = [rings[i][0] - m for i in mine if rings[i][0] <= m + SOON]
    hits += bool(soon)
    print(f"# {p[0]:12} minute {m:4}: {'rang after %d min' % soon[0] if soon else 'MISSED'} (about ${usual * FACTOR:.2f} a minute)")
false = [r for i, r in enumerate(rings) if i not in taken]
for r in false:
    print(f"# false: minute {r[0]}: {r[2]}")
days = len(world.PEOPLE) * a.hours / 24
print(f"tenfold jumps that rang within {SOON} minutes: {hits} of {cases} ({100 * hits / max(cases, 1):.0f} %); {small} were below ${a.floor} a minute")
print(f"false rings: {len(false)} in {days:.1f} principal-days ({1000 * len(false) / days:.0f} per 1,000)")
