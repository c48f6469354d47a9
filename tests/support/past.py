#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Weeks of figures as they stand in Redis (store/usage_rows.h, reconcile/run.h), for tests of what looks far back.

    past.py --days 45 --now 2026-11-19T14:40:00Z | redis-cli --pipe

A dozen callers of five teams, with a season of day and week; the bill up to three days ago, then estimates that are less and less
sure; tokens without a price and without a caller; scores of the billed days. What a budget file may ask for is spent.
"""
import argparse
import datetime as dt
import math
import random

ap = argparse.ArgumentParser()
ap.add_argument("--days", type=int, default=45)
ap.add_argument("--now", default="2026-11-19T14:40:00Z")
ap.add_argument("--seed", type=int, default=1)
a = ap.parse_args()
rnd = random.Random(a.seed)
now = dt.datetime.fromisoformat(a.now.replace("Z", "+00:00"))
hour = dt.timedelta(hours=1)
account, slot = "111122223333", "111122223333/us-east-1"
roles = {"checkout": "payments", "fraud": "payments", "search-api": "search", "indexer": "search", "etl-enrich": "analytics", "notebooks": "analytics",
         "support-bot": "support", "llm-gateway": "platform"}
callers = [("checkout", "i-0a1b2c3d", 1.0), ("checkout", "i-0e4f5a6b", .9), ("fraud", "scoring", .7), ("search-api", "rank", 1.6), ("indexer", "nightly", 2.2),
           ("etl-enrich", "etl", 3.5), ("notebooks", "erin@example.com", .4), ("notebooks", "bob@example.com", .2), ("support-bot", "chat", 1.3),
           ("llm-gateway", "alice", .5), ("llm-gateway", "dave", .3), ("llm-gateway", "frank", .1)]
rates = {"us.anthropic.claude-sonnet-4-6": (3300000, 16500000, 330000, 4125000, 6600000), "amazon.nova-pro-v1:0": (800000, 3200000, 200000, 0, 0),
         "global.anthropic.claude-haiku-4-5-20251001-v1:0": (1000000, 5000000, 100000, 1250000, 2000000)}
BINS = [0] * 15  # of misses, by how far off: reconcile/band.h
types = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")


def put(*words):
    words = [str(w).encode() for w in words]
    print(f"*{len(words)}\r")
    for w in words:
        print(f"${len(w)}\r\n{w.decode()}\r")


def stamp(t):
    return t.strftime("%Y-%m-%dT%H")


def level(t):
    season = .35 + .65 * (1 + math.cos((t.hour - 15) / 24 * 2 * math.pi)) / 2
    return season * (.45 if t.weekday() >= 5 else 1) * rnd.lognormvariate(0, .12)


def tokens_of(model, size):
    calls = max(1, int(size * 30))
    out = [int(calls * rnd.uniform(600, 1400)), int(calls * rnd.uniform(120, 420)), 0, 0, 0]
    if "anthropic" in model:
        out[2], out[3], out[4] = int(out[0] * 1.8), int(out[0] * .25), int(out[0] * .1)
    return calls, out


def model_hour(t, model, age_h):
    key, estimate, meta, bill = f"nowcast:{{{slot}}}:usage:{stamp(t)}:{model}", [], [], []
    whole = level(t)
    for i, (role, session, size) in enumerate(callers):
        if (i + list(rates).index(model)) % 3 == 2 or (role == "indexer" and not 1 <= t.hour <= 5):
            continue
        arn = f"arn:aws:sts::{account}:assumed-role/{role}/{session}"
        calls, tokens = tokens_of(model, size * whole * (3 if (role, t.date(), t.hour // 3) == ("etl-enrich", now.date(), 3) else 1))
        meta += [f"{arn} - calls", f"{calls} {calls // 50}"]
        for k, n in enumerate(tokens):
            if not n:
                continue
            exact, provisional = int(n * (.3 if role == "llm-gateway" else .05)), n // 3 if age_h == 0 else 0
            off = int(n * rnd.gauss(0, .06))
            estimate += [f"{arn} - {types[k]}", f"{n + off} {(n + off) * rates[model][k]} {exact} {n + off - exact - provisional} {provisional} 0 0 {n // 12} {n * n // 900}"]
            bill += [f"{arn} {types[k]}", f"{n} {n * rates[model][k]} {n * rates[model][k]}"]
    if age_h < 30 and "nova" in model:
        estimate += ["(unattributed) - input", f"9000 {9000 * rates[model][0]} 0 9000 0 0 0 0 0"]
    put("HSET", key, *estimate)
    put("HSET", key.replace(":usage:", ":usage_meta:"), *meta)
    put("ZADD", f"nowcast:{{{slot}}}:usage", int(t.timestamp() // 3600), f"{stamp(t)}:{model}")
    if age_h >= 72:
        put("HSET", key.replace(":usage:", ":actual:"), *bill)
        put("ZADD", f"nowcast:{{{slot}}}:actual", int(t.timestamp() // 3600), f"{stamp(t)}:{model}")


put("SET", "nowcast:schema", 3)
put("SADD", "nowcast:acct_regions", slot)
begin = now.replace(minute=0, second=0) - dt.timedelta(days=a.days)
for role, team in roles.items():
    put("HSET", f"nowcast:tags:{account}:role/{role}", f"{int(begin.timestamp() * 1000) - 3600000} e-{role}", '{"op":"set","tags":{"team":"%s"}}' % team)
t = begin
while t <= now:
    for model in rates:
        model_hour(t, model, int((now - t) / hour))
    minutes = min(60, int((now - t) / dt.timedelta(minutes=1)))
    put("BITFIELD", f"nowcast:{{{slot}}}:observed:{int(t.timestamp() // 86400)}:calls", "SET", f"u{minutes}", t.hour * 60, 2**minutes - 1)
    t += hour
t = now.replace(minute=0, second=0) - 3 * hour
put("HSET", f"nowcast:{{{slot}}}:usage:{stamp(t)}:writer.palmyra-x9", f"arn:aws:sts::{account}:assumed-role/notebooks/bob@example.com - input", "410000 - 0 410000 0 0 0 0 0")
put("HSET", f"nowcast:{{{slot}}}:usage_meta:{stamp(t)}:writer.palmyra-x9", f"arn:aws:sts::{account}:assumed-role/notebooks/bob@example.com - calls", "37 0")
put("ZADD", f"nowcast:{{{slot}}}:usage", int(t.timestamp() // 3600), f"{stamp(t)}:writer.palmyra-x9")
put("HSET", "nowcast:unpriced", "writer.palmyra-x9", "no source knows the model")
put("SADD", f"nowcast:{{{slot}}}:actual:models", *rates)
final = int(now.timestamp() // 3600) - 72
put("HSET", f"nowcast:{{{slot}}}:billed", "since", int(begin.timestamp() // 3600), "watermark", final, "2026-10", 4, "2026-11", 4)
ms = int((now - dt.timedelta(hours=5)).timestamp() * 1000)
put("HSET", "nowcast:reconcile", "run", 4, "finished_ms", ms, "billed", 10**15, "files", 6, "rows", 184220)
put("SADD", "nowcast:reconcile:periods", "2026-11")
put("HSET", "nowcast:reconcile:2026-11", "run", 4, "finished_ms", ms, "inference", 10**15, "delivered_ms", ms - 3600000, "principals", "yes", f"watermark {account}", final)
day = now.replace(hour=0, minute=0, second=0) - dt.timedelta(days=4)
for back in range(9):
    for horizon, off in (("5m", .11), ("1h", .08), ("24h", .07), ("last", .06)):
        billed, miss = 9 * 10**13, int(9 * 10**13 * off * rnd.uniform(.7, 1.3))
        parts = [miss // 2 if horizon == "5m" else 0, miss // 8, 0, miss // 4, 0, 0]
        parts[1] += miss - sum(parts)
        put("HSET", f"nowcast:scores:{day:%Y-%m}", f"{day:%Y-%m-%d} {horizon}",
            " ".join(map(str, [24, 288, billed, billed - miss // 3, miss, int(billed * .86), int(billed * .3), *parts, *BINS])))
    day -= dt.timedelta(days=1)
put("ZADD", "nowcast:signals", int(now.timestamp() * 1000) - 200000, "call", ms, "metric", int(now.timestamp() * 1000) - 60000, "session_tags")
fresh = int(dt.datetime.now().timestamp() * 1000)
put("ZADD", "nowcast:signals", fresh, "call:arrived", fresh - 4 * 3600000, "metric:arrived", fresh, "session_tags:arrived")
rung = int((now - dt.timedelta(minutes=12)).timestamp() * 1000)
put("HSET", "nowcast:alerts", "spikes|x|", '{"rule":"spikes","kind":"spike","group":"etl-enrich","period":"","severity":"warning","state":"firing","since":%d,'
    '"text":"etl-enrich spends $2.31 a minute, 6 times its usual $0.38","contributors":"etl $2.31","link":"https://nowcast.example.com/?by=principal&role=etl-enrich"}' % rung)
for event, minutes, more in ("firing", 12, ""), ("resolved", 400, ',"ended":"below its usual for an hour"'), ("firing", 460, ""):
    put("RPUSH", "{nowcast:alerts}:history", '{"event":"%s","rule":"spikes","kind":"spike","group":"etl-enrich","period":"","severity":"warning","at":%d,"since":%d,'
        '"text":"etl-enrich spends $2.31 a minute, 6 times its usual $0.38"%s}' % (event, int((now - dt.timedelta(minutes=minutes)).timestamp() * 1000), rung, more))
bob = f"arn:aws:sts::{account}:assumed-role/notebooks/bob@example.com"
for i in range(7):
    put("HSET", "nowcast:alerts", f"news-{i}|{bob}|", '{"rule":"news-%d","kind":"new","group":"%s","period":"","severity":"info","state":"firing","since":%d,'
        '"text":"%s is new: $0.41 in the last day","contributors":"","link":"https://nowcast.example.com/?by=model&principal=x"}' % (i, bob, rung - 3600000, bob))
