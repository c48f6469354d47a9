#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the Grafana dashboard against a real Prometheus: every query of every panel is answered, and not with nothing.

    grafana_check.py PROMETHEUS-URL INSTANCE        prints TAP
"""
import json
import sys
import urllib.parse
import urllib.request

prometheus, instance = sys.argv[1:3]
board = json.load(open("deploy/grafana-dashboard.json"))
names = {v["name"] for v in board["templating"]["list"]}
count = failed = 0


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}" + (f"\n# {why}" if not good else ""))


def ask(query):
    return json.load(urllib.request.urlopen(f"{prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": query})))


panels = board["panels"]
ok(len({p["id"] for p in panels}) == len(panels), "panels have ids of their own")
cells = [(x, y) for p in panels for g in [p["gridPos"]] for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])]
ok(len(cells) == len(set(cells)) and max(x for x, _ in cells) < 24, "and lie beside each other, within 24 columns")
ok(names == {"source", "instance"}, "the source and the instance can be chosen", names)
for p in panels:
    ok(all(t.get("datasource", p.get("datasource", {})).get("uid") == "${source}" for t in p["targets"]), f"{p['title']}: asks the chosen source", p["targets"])
    for t in p["targets"]:
        answer = ask(t["expr"].replace("$instance", instance))
        ok(answer["status"] == "success" and answer["data"]["result"], f"{p['title']}: {t['expr']}", answer)
print(f"1..{count}")
sys.exit(failed > 0)
