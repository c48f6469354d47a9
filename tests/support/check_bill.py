#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does every reader show the bill where it is final, and the estimate elsewhere?

    check_bill.py FOLDER NOWCAST REDIS_URL SERVER_URL BEFORE.json

FOLDER is random_bill.py's; BEFORE.json is the report of the estimate by hour, account and Region, from before the reconciliation.
Prints a line for each reader that differs; nothing if none does.
"""
import collections
import csv
import datetime
import decimal
import io
import json
import subprocess
import sys
import urllib.parse
import urllib.request

D = decimal.Decimal
folder, nowcast, redis_url, server, before_file = sys.argv[1:]
expected = json.load(open(folder + "/expected.json"))
FROM, TO = "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"
MICRO = D("0.000001")


def run(*args):
    return subprocess.run([nowcast, *args, "--redis", redis_url], check=True, capture_output=True, text=True).stdout


def redis(*args):
    port = urllib.parse.urlparse(redis_url).port
    return subprocess.run(["redis-cli", "-p", str(port), *args], check=True, capture_output=True, text=True).stdout.rstrip("\n").split("\n")


def api(path, **query):
    with urllib.request.urlopen(server + "/api/v1/" + path + "?" + urllib.parse.urlencode(query), timeout=30) as f:
        return json.load(f)


def number(hour):
    return int(datetime.datetime.strptime(hour, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc).timestamp()) // 3600


final_until = {}
for pair in redis("smembers", "nowcast:acct_regions"):
    flat = redis("hgetall", "nowcast:{%s}:billed" % pair)
    h = dict(zip(flat[::2], flat[1::2]))
    final_until[tuple(pair.split("/"))] = int(h.get("watermark", 0)) if "2026-10" in h else 0


def is_final(hour, account, region):
    return number(hour) < final_until.get((account, region), 0)


def step(hour, account, region):
    """The hour, or the day where only days can be compared."""
    return hour[:10] if expected["daily"] and is_final(hour, account, region) else hour


want = collections.defaultdict(lambda: [0, D(0)])
estimated = {(g["hour"], g["account"], g["region"]): g for g in json.load(open(before_file))}
bill = {(h, a, g): (t, D(u)) for h, a, g, t, u in expected["sums"]}
for key, (tokens, usd) in bill.items():
    if is_final(*key):
        want[(step(*key), *key[1:])][0] += tokens
        want[(step(*key), *key[1:])][1] += usd
for key, g in estimated.items():
    if not is_final(*key):
        want[key][0] += g["tokens"]
        want[key][1] += D(g["usd"] or 0)
waiting = [k for k in bill if not is_final(*k)]
final = sum(is_final(*k) for k in bill)
failed = False


def differ(reader, what):
    global failed
    failed = True
    print("%s: %s" % (reader, what))


def compare(reader, rows, tokens=True):
    """rows: hour, account, Region, tokens, dollars."""
    got = collections.defaultdict(lambda: [0, D(0)])
    for hour, account, region, n, usd in rows:
        sum_ = got[(step(hour, account, region), account, region)]
        sum_[0] += int(n or 0)
        sum_[1] += D(usd or 0)
    for key in sorted(set(got) | set(want)):
        if abs(got[key][1] - want[key][1]) > MICRO or (tokens and got[key][0] != want[key][0]):
            differ(reader, "%s: %s, not %s" % (" ".join(key), got[key], want[key]))
            return


def is_near(reader, got, wanted, slack=MICRO):
    if abs(D(got) - wanted) > slack:
        differ(reader, "%s, not %s" % (got, wanted))


by = "hour,account,region"
report = list(csv.DictReader(io.StringIO(run("report", "all", "--by", by, "--format", "csv"))))
compare("report csv", [(r["hour"], r["account"], r["region"], r["tokens"], r["usd"]) for r in report])
groups = json.loads(run("report", "all", "--by", by, "--format", "json"))
compare("report json", [(g["hour"], g["account"], g["region"], g["tokens"], g["usd"]) for g in groups])
for more in ("principal", "team", "model,token_type", "tag:env,role"):
    compare("report by " + more, [(g["hour"], g["account"], g["region"], g["tokens"], g["usd"])
                                  for g in json.loads(run("report", "all", "--by", by + "," + more, "--format", "json"))])
focus = list(csv.DictReader(io.StringIO(run("report", "all", "--format", "focus"))))
compare("focus", [(r["ChargePeriodStart"], r["SubAccountId"], r["RegionId"], r["ConsumedQuantity"],
                   r["BilledCost"] if is_final(r["ChargePeriodStart"], r["SubAccountId"], r["RegionId"]) else r["x_EstimatedCost"])
                  for r in focus if r["ChargeCategory"] == "Usage"])
shown = api("breakdown", **{"from": FROM, "to": TO, "by": by, "limit": 2000})
compare("api breakdown", [(*(g["keys"][k] for k in by.split(",")), g["tokens"], g["usd"]) for g in shown["groups"]])
rows = []
for account, region in final_until:
    for day in range(1, 31):
        start = "2026-10-%02dT00:00:00Z" % day
        if not any(k[0][:10] == start[:10] and k[1:] == (account, region) for k in want):
            continue
        s = api("series", **{"from": start, "to": "2026-10-%02dT00:00:00Z" % (day + 1), "step": "hour", "account": account, "region": region})
        rows += [(t, account, region, n, u) for t, n, u in zip(s["times"], s["total"]["tokens"], s["total"]["usd"])]
compare("api series", rows)
recon = json.loads(run("report", "--reconciliation", "--by", by, "--format", "json"))
compare("reconciliation", [(r["hour"], r["account"], r["region"], r["billed_tokens"], r["billed_usd"]) for r in recon["rows"]]
        + [(*k, g["tokens"], g["usd"]) for k, g in estimated.items() if not is_final(*k)])
PARTS = ("volume_usd", "price_usd", "ttl_usd", "attribution_usd", "unmetered_usd", "unbilled_usd")
if any(D(r["billed_usd"]) - D(r["estimated_usd"]) != sum(D(r[p]) for p in PARTS) for r in recon["rows"]):
    differ("reconciliation", "the parts do not add up")

# sums of the month
total = sum((u for _, u in want.values()), D(0))
lines = urllib.request.urlopen(server + "/metrics", timeout=30).read().decode().split("\n")
is_near("metrics", sum(D(l.split()[-1]) for l in lines if l.startswith('nowcast_spend_usd{span="month"')), total)
is_near("api summary", api("summary")["month"]["usd"], total)
budgets = {b["keys"]["account"]: D(b["usd"]) for b in api("budgets")["budgets"] if b["rule"] == "by_account"}
for account in {k[1] for k in want}:
    is_near("api budgets of " + account, budgets.get(account, 0), sum((u for k, (_, u) in want.items() if k[1] == account), D(0)))
if not waiting and all(is_final(*k) for k in estimated):
    for amount, rings in ((total.quantize(D("0.01"), decimal.ROUND_DOWN), True), (total + D("0.01"), False)):
        with open(folder + "/alerts.conf", "w") as f:
            f.write("[rule all]\nkind = budget\nby = all\nperiod = month\namount = %s\nat = 100\n" % amount.quantize(D("0.01"), decimal.ROUND_UP))
        held = run("alert", "check", "--now", "2026-10-31T00:00:00Z", "--alerts.file", folder + "/alerts.conf")
        if amount > 0 and held.startswith("all: ") != rings:
            differ("budget", "of %s, with %s spent: %s" % (amount, total, "rings" if not rings else "does not ring"))

# callers of the bill
if expected["principals"] and not waiting:
    spent = {(g["account"], g["principal"]): D(g["usd"]) for g in json.loads(run("report", "all", "--by", "account,principal", "--format", "json")) if g["usd"]}
    for account, caller, usd in expected["callers"]:
        if any(a == account and u for (a, _), u in final_until.items()):
            is_near("caller " + caller, spent.get((account, caller), 0), D(usd))

# what was estimated where the bill has nothing at all is unbilled, every token of it
unbilled = {(g["hour"], g["account"], g["region"]): g["tokens_unbilled"] for g in groups}
for key, g in estimated.items():
    hours = {key[0]} if not expected["daily"] else {key[0][:10] + "T00:00:00Z"}
    if is_final(*key) and not any((h, *key[1:]) in bill for h in hours) and unbilled.get(key, 0) != g["tokens"]:
        differ("unbilled", "%s: %s, not %s" % (key, unbilled.get(key), g["tokens"]))
    if is_final(*key) and unbilled.get(key, 0) > g["tokens"]:
        differ("unbilled", "%s: more than was estimated" % (key,))
    if not is_final(*key) and unbilled.get(key, 0):
        differ("unbilled", "%s: not final" % (key,))
print("# daily %(daily)s invoiced %(invoiced)s principals %(principals)s resources %(resources)s:" % expected,
      "%d of %d sums of the bill are final, %s USD, %d tokens unbilled" % (final, len(bill), total, sum(unbilled.values())))
sys.exit(failed)
