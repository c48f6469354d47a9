#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How good the forecast of the day is: asks a running server at 6, 12 and 18 o'clock of each day what the day will come to.

    forecast_score.py series NAB-FOLDER | world TRUTH.CSV     writes hourly figures for redis-cli --pipe, and ./truth.json
    forecast_score.py score URL                               asks, and prints a table

Beside it stand two who need no program: the hours so far times 24 over their number, and today so far plus yesterday's rest.
Off: the mean over days of |foretold - came| / came. Held: how often the band held what came.
"""
import collections
import csv
import datetime as dt
import json
import pathlib
import sys
import urllib.parse
import urllib.request

SLOT = "111122223333/us-east-1"
HISTORY = 8  # days before the first one that is foretold


def put(*words):
    words = [str(w).encode() for w in words]
    sys.stdout.write(f"*{len(words)}\r\n" + "".join(f"${len(w)}\r\n{w.decode()}\r\n" for w in words))


def arn(name):
    return f"arn:aws:iam::111122223333:user/{name}"


def write(series):
    """series: name -> {hour: micro-dollars}"""
    put("SADD", "nowcast:acct_regions", SLOT)
    for hour in sorted({h for s in series.values() for h in s}):
        t = dt.datetime.fromtimestamp(hour * 3600, dt.timezone.utc).strftime("%Y-%m-%dT%H")
        key = f"nowcast:{{{SLOT}}}:usage:{t}:m"
        rows = [x for name, s in series.items() if s.get(hour) for x in (f"{arn(name)} - input", f"{s[hour]} {s[hour] * 10**6} {s[hour]} 0 0 0 0 0 0")]
        put("BITFIELD", f"nowcast:{{{SLOT}}}:observed:{hour // 24}:calls", "SET", "u60", hour % 24 * 60, 2**60 - 1)
        if rows:
            put("HSET", key, *rows)
            put("ZADD", f"nowcast:{{{SLOT}}}:usage", hour, f"{t}:m")
    json.dump(series, open("truth.json", "w"))


def from_series(folder):
    series = {}
    names = ["realKnownCause/nyc_taxi"] + sorted("realTweets/" + f.stem for f in (pathlib.Path(folder) / "data/realTweets").glob("*.csv"))
    for name in names:
        hours = collections.Counter()
        for row in csv.DictReader(open(f"{folder}/data/{name}.csv")):
            t = dt.datetime.fromisoformat(row["timestamp"]).replace(tzinfo=dt.timezone.utc)
            hours[int(t.timestamp() // 3600)] += round(float(row["value"]) * 1000)
        series[name.split("/")[1]] = hours
    write(series)


def from_world(truth):
    series = collections.defaultdict(collections.Counter)
    for row in csv.DictReader(open(truth)):
        hour = int(dt.datetime.fromisoformat(row["hour"].replace("Z", "+00:00")).timestamp() // 3600)
        usd = round(float(row["usd"] or 0) * 10**6)
        series["everybody"][hour] += usd
    write(series)


def score(base):
    series = {name: {int(h): v for h, v in s.items()} for name, s in json.load(open("truth.json")).items()}
    print(f"{'series':<22}{'at':>6}{'days':>6}{'off':>9}{'held':>7}{'evenly':>10}{'as yesterday':>14}{'says itself':>13}")
    total = collections.defaultdict(list)
    for name, hours in series.items():
        first, last = -(-min(hours) // 24), (max(hours) + 1) // 24
        for at in 6, 12, 18:
            rows = []
            for day in range(first + min(HISTORY, (last - first) // 2), last):
                of = lambda d, a, b: sum(hours.get(d * 24 + h, 0) for h in range(a, b))
                came, so_far = of(day, 0, 24), of(day, 0, at)
                # the hour that begins is not known yet: asked at its first second, of figures without it
                now = dt.datetime.fromtimestamp((day * 24 + at) * 3600, dt.timezone.utc).strftime("%Y-%m-%dT%H:00:00Z")
                q = urllib.parse.urlencode({"now": now, "principal": arn(name)})
                a = json.load(urllib.request.urlopen(f"{base}/api/v1/forecast?{q}"))["day"]
                said, low, high = (float(a[k]) * 10**6 for k in ("usd", "usd_low", "usd_high"))
                if came:
                    rows.append((abs(said - came) / came, low <= came <= high, abs(so_far * 24 / at - came) / came, abs(so_far + of(day - 1, at, 24) - came) / came, a["off"]))
            mean = lambda i: sum(r[i] for r in rows) / len(rows)
            own = [r[4] for r in rows if r[4] is not None]
            print(f"{name:<22}{at:>4} h{len(rows):>6}{mean(0):>9.3f}{mean(1):>7.2f}{mean(2):>10.3f}{mean(3):>14.3f}{(sum(own) / len(own) if own else 0):>13.3f}")
            total[at].append((mean(0), mean(1), mean(2), mean(3)))
    for at, rows in total.items():
        print(f"{'mean of the series':<22}{at:>4} h{'':>6}{sum(r[0] for r in rows) / len(rows):>9.3f}{sum(r[1] for r in rows) / len(rows):>7.2f}"
              f"{sum(r[2] for r in rows) / len(rows):>10.3f}{sum(r[3] for r in rows) / len(rows):>14.3f}")


{"series": from_series, "world": from_world, "score": score}[sys.argv[1]](sys.argv[2])
