#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a million calls a second would need, and how old its figures would be: the tables of docs/scale.md.

    scale_plan.py                              the plan, from the costs below
    scale_plan.py --hundredth SETTLE_US HOURS SECONDS
                                               what the simulation foretells for tests/bench/hundredth.sh

The costs are those that `make bench-hundredth` prints. Two things are simulated. How accounts spread over the masters of a Redis
Cluster: by the CRC16 of what is in the braces of a key, as Redis does. And how settling goes (store/claim.lua, store/engine.c): a
worker takes all hours that are due, computes one after the other for half a second, first those that have waited longest, and gives
the rest back; it then leaves settling alone for 19 times as long as it took. What it has computed is due again after settle.interval,
for calls come all the time.
"""
import binascii
import heapq
import os
import random
import re
import statistics
import sys

RATE = 1_000_000        # calls a second
ACCOUNTS = 1000         # with a Region each; the calls of the k-th are proportional to 1/k
MODELS = 4              # of each account
# What `make bench-hundredth` printed; microseconds of a core, bytes.
WORKER_US, REDIS_US = 6.88, 8.18
SETTLE_US, SETTLE_REDIS_US = 2300, 2404
LOOK_REDIS_US = 21
CALL_BYTES, WIRE_BYTES, KAFKA_BYTES = 129, 175, 357
PACKED_BYTES = 38       # docs/operations.md, Sizing
# Of the program.
LETTERS = "".join(re.findall(r'"([a-z]{64})"', open(os.path.dirname(__file__) + "/../../store/shards.c").read()))
assert len(LETTERS) == 128, "store/shards.c has another form: mend this"
TURN = 0.5              # seconds; then a turn of settling ends (store/engine.c)
SHARE = 20              # settling takes one part in so many of a worker's time (store/engine.c)
BUSY = 0.5              # how busy a core may be on average, so that a busy minute has room


def settle(workers, hours, cost, interval, seconds, rng, first=0):
    """Ages of figures, and the longest wait of an hour, in seconds, each second from the `first`; how long workers settled without
    a break. cost: of an hour, by the time."""
    due = [0.0] * hours
    lease = [0.0] * hours # until then nobody else gets it
    read = [0.0] * hours  # of when the facts are that its figures are of
    wakes = [(rng.random() * interval, w) for w in range(workers)]
    heapq.heapify(wakes)
    written = []          # (when, hour, of when)
    ages, waits, turns = [], [], []
    sample = first
    while wakes[0][0] < seconds:
        now, worker = heapq.heappop(wakes)
        while sample <= now:
            while written and written[0][0] <= sample:
                _, hour, of = heapq.heappop(written)
                read[hour] = max(read[hour], of)
            ages.extend(sample - r for r in read)
            waits.append(max(0, max(sample - d for d in due)))
            sample += 1
        taken = sorted((h for h in range(hours) if due[h] <= now and lease[h] <= now), key=lambda h: due[h])
        at, wait = now, interval
        for n, hour in enumerate(taken):
            if at - now >= TURN:
                for left in taken[n:]:
                    lease[left] = at
                wait = 0
                break
            due[hour] = now + interval
            heapq.heappush(written, (at + cost(at), hour, at))
            at += cost(at)
        turns.append(at - now)
        heapq.heappush(wakes, (max(now + wait, at + (at - now) * (SHARE - 1)), worker))
    return ages, waits, turns


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def spread(masters, shards, rng):
    """The part of the calls on the busiest master, as a multiple of an even share."""
    total = sum(1 / k for k in range(1, ACCOUNTS + 1))
    load = [0.0] * masters
    for k in range(1, ACCOUNTS + 1):
        account = "%012d/us-east-1" % rng.randrange(10 ** 12)
        for shard in range(shards):
            tag = account if shards == 1 else "%s~%02d%s" % (account, shard + 1, LETTERS[2 * shard:2 * shard + 2])
            slot = binascii.crc_hqx(tag.encode(), 0) % 16384
            load[slot * masters // 16384] += 1 / k / total / shards
    return max(load) * masters


def hundredth(cost_us, hours, seconds):
    for what, cost in (("an hour as costly as at the end", lambda at: cost_us / 1e6),
                       ("costlier as its sums grow", lambda at: cost_us / 1e6 * min(1, at / seconds))):
        _, waits, _ = settle(1, hours, cost, 1, seconds, random.Random(1))
        print("foretold, %s: it waits %.0f ms (median), at most %.0f ms" % (what, 1000 * statistics.median(waits), 1000 * max(waits)))


def plan():
    rng = random.Random(1)
    workers = -(-RATE * WORKER_US / 1e6 // BUSY)
    redis = RATE * REDIS_US / 1e6
    print("workers                %5.0f   cores at %d %% (%.1f us a record); as many partitions at least" % (workers, 100 * BUSY, WORKER_US))
    print("cores of Redis         %5.0f   likewise (%.1f us a record)" % (redis / BUSY, REDIS_US))
    print("from Kafka             %5.0f   MB/s" % (RATE * KAFKA_BYTES / 1e6))
    print("to Redis               %5.0f   MB/s" % (RATE * WIRE_BYTES / 1e6))
    print("\nmemory of Redis, TB       facts   packed   masters of 100 GB")
    for window, keep in ((24, 7 * 24), (24, 0), (6, 0), (1, 0)):
        facts, packed = RATE * (window + 7) * 3600 * CALL_BYTES / 1e12, RATE * keep * 3600 * PACKED_BYTES / 1e12
        print("window %2dh, reopen.keep %4s %5.1f %8.1f %8.0f" % (window, "%dd" % (keep // 24) if keep else "0s", facts, packed, -(-(facts + packed) // 0.1)))
    total = sum(1 / k for k in range(1, ACCOUNTS + 1))
    print("\nthe busiest of %d accounts has %.1f %% of the calls: %.1f cores of Redis; the tenth %.1f" %
          (ACCOUNTS, 100 / total, redis / total, redis / total / 10))
    print("\nbusiest master, as a multiple of an even share (median and worst of 100 draws)")
    print("masters     an account a key    8 keys an account")
    for masters in (16, 32, 64, 128):
        row = []
        for shards in (1, 8):
            draws = [spread(masters, shards, rng) for _ in range(100)]
            row += [statistics.median(draws), max(draws)]
        print("%7d     %6.1f %6.1f        %6.1f %6.1f" % (masters, *row))
    print("\nsettling %d hours of a model, %.1f ms each" % (ACCOUNTS * MODELS, (SETTLE_US + SETTLE_REDIS_US) / 1000))
    print("workers  interval   age of figures, s: median    99 %    most   longest turn, s")
    for interval in (1, 10, 60):
        ages, _, turns = settle(int(workers), ACCOUNTS * MODELS, lambda at: (SETTLE_US + SETTLE_REDIS_US) / 1e6, interval, 2400, rng, 600)
        print("%7d %8ds %28.0f %7.0f %7.0f %17.1f" %
              (workers, interval, statistics.median(ages), percentile(ages, 0.99), max(ages), max(turns)))
    print("\nlooking for due hours: %.2f cores of Redis while nothing is settled and settle.interval is 1 s" % (workers * ACCOUNTS * LOOK_REDIS_US / 1e6))


if sys.argv[1:2] == ["--hundredth"]:
    hundredth(*map(float, sys.argv[2:3]), *map(int, sys.argv[3:5]))
else:
    plan()
