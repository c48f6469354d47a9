#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks a build of the program what it knows, and keeps the answers for tests/support/compare_answers.py.

    questions.py ANSWERS run NAME STATUSES COMMAND...     one command: its exit status, output and complaints
    questions.py ANSWERS ask STATE PORT URL NOW BINARY [short|page|commands|all]
        what can be asked of the figures in the Redis at PORT, and of the server at URL (or -), as if it were NOW
    questions.py ANSWERS each STATE PORT BINARY FILE...   each file replayed by itself, then the report that ASK_EACH says

An answer is a line of JSON in the file ANSWERS. `expected` are the statuses that are no failure of the question itself.
COMPARE_MASK, lines of TEXT=NAME, lists what must differ between two builds: addresses, folders. Times around the present one
are masked too, in every answer; durations and ages are masked on the lines that print them.
ASK_FLAGS, a line each, are flags of every command that is asked.
"""
import csv
import io
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import redis_figures

KEYS = ("hour", "day", "account", "region", "model", "scope", "principal", "role", "team", "token_type", "tier", "tag:env", "tag:email", "tag:aws:project")
ALL = "hour,account,region,model,principal,role,team,token_type"
DAY_S = 86400

masks = [line.split("=", 1) for line in os.environ.get("COMPARE_MASK", "").splitlines() if "=" in line]
masks.sort(key=lambda m: -len(m[0]))
began = time.time()


def near(seconds):
    return abs(seconds - began) < 2 * DAY_S


# Days around the present one, and what the seconds since 1970 begin with then.
DAYS = "|".join(time.strftime("%Y-%m-%d", time.gmtime(began + n * DAY_S)) for n in range(-2, 3))
HEADS = "|".join(sorted({str(int(began + n * DAY_S))[:4] for n in range(-2, 3)}))


def epoch(match):
    return "NOW" if near(int(match[0]) / (1000 if len(match[0]) == 13 else 1)) else match[0]


# Where a span without a beginning begins: ten years before the present.
TEN_YEARS_AGO = "|".join(time.strftime("%Y-%m-%d", time.gmtime(began + (n - 3650) * DAY_S)) for n in range(-2, 3))

# What depends on the run and not on the figures: a word that such a line has, and a pattern as narrow as the line.
OF_THE_RUN = [(word, re.compile(p, re.M), by) for word, p, by in (
    (":", r"\b(?:" + DAYS + r")[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?", "NOW"),
    ("Made ", r"\bMade \d+ \w+ 20\d\d, \d\d:\d\d UTC", "Made NOW"),
    ("", r"(?:" + HEADS + r")(?<![\d.]....)\d{6}(\d{3})?(?![\d.])", epoch),
    ("s  ", r"^((seconds|duration_ms|records_per_s) +)[\d.]+$", r"\1N"),
    ("not observed", r"^(not observed of this span: ).*(, beside )", r"\1N\2"), # a span without --to ends now
    ("nothing was read", r"^  (?:" + TEN_YEARS_AGO + r") \d\d:\d\d( to .*: nothing was read)", r"  TEN YEARS AGO\1"),
    ("silence", r'("id":")[0-9a-f]{11}(","rule")', r"\1ID\2"),
    (" ago", r"\b(last (?:heard |received )?)\d+ \S+( ago)", r"\1N\2"),
    (" old)", r"\(\d+ (\S+) old\)", r"(N \1 old)"),
    ("_age_s", r'("arrived_age_s":)\d+', r"\1N"),
    (" MB used", r"\b\d+ MB used\b", "N MB used"),
    ("nowcast_http", r"^(nowcast_http_requests_total )\d+$", r"\1N"),
    ("nowcast_build", r'(commit=")[0-9a-z-]+', r"\1COMMIT"),
    ("silence ", r"^(silence )[0-9a-f]{11}\b", r"\1ID"),
    ("# TYPE", r"^(nowcast_\S*(_seconds|_bytes)(_sum|_bucket\{[^}]*\})? )[\d.e+-]+$", r"\1N"),
)]


def normal(text):
    for what, name in masks:
        text = text.replace(what, name)
    for word, pattern, by in OF_THE_RUN:
        if word in text:
            text = pattern.sub(by, text)
    return text


# --- forms -------------------------------------------------------------------------------------------------------------

def json_spread(text):
    """JSON with each object on a line of its own: blanks between its parts are no difference."""
    try:
        return json.dumps(json.loads(text, parse_float=str), ensure_ascii=False).replace("{", "\n{")
    except ValueError:
        return text


def normal_of(question, text):
    text = normal(text)
    return json_spread(text) if question.endswith("--format json") or "--format json " in question else text


# --- asking ------------------------------------------------------------------------------------------------------------


class Answers:
    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8")

    def add(self, question, status, expected, out, err=""):
        """`empty` is what has nothing to compare: no output, or a table of nothing but its header."""
        out, err = normal_of(question, out), normal_of(question, err)
        text = f"status {status}\n{out}" + (f"\n--- stderr\n{err}" if err else "")
        says = len(out.strip().splitlines()) > 1 or re.search(r"[1-9]", out) is not None
        self.file.write(json.dumps({"question": normal(question), "status": status, "expected": list(expected), "empty": not says, "text": text}) + "\n")

    def run(self, question, expected, command, stdin=None):
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL if stdin is None else None, input=stdin, capture_output=True, timeout=600)
            status, out, err = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired:
            status, out, err = "no end within 600 s", b"", b""
        except OSError as e:
            status, out, err = f"failed: {e}", b"", b""
        decode = lambda b: b.decode("utf-8", "backslashreplace")
        self.add(question, status, expected, decode(out), decode(err))
        return decode(out)


class Asker:
    def __init__(self, answers, state, port, url, now, binary):
        self.answers, self.state, self.port, self.url, self.now = answers, state, port, None if url == "-" else url, now
        self.command = [binary, "--redis", f"redis://127.0.0.1:{port}", *filter(None, os.environ.get("ASK_FLAGS", "").split("\n"))]

    def ask(self, *words, ok=(0,)):
        return self.answers.run(f"{self.state}: {' '.join(words)}", ok, self.command + list(words))

    def by_cost(self, by):
        """The rows of a grouping, the most expensive first: the other questions are about what this build names."""
        out = subprocess.run(self.command + ["report", "all", "--by", by, "--format", "csv"], capture_output=True, text=True, errors="replace").stdout
        rows = [r for r in csv.reader(io.StringIO(out))][1:]
        return sorted(rows, key=lambda r: (-float(r[-4]) if re.fullmatch(r"[\d.]+", r[-4]) else 0, r))

    def look(self):
        first = lambda by, n: [r[0] for r in self.by_cost(by) if r[0]][:n]
        self.principals, self.models, self.hours, self.roles, self.teams = first("principal", 8), first("model", 8), first("hour", 8), first("role", 4), first("team", 4)
        self.busy = {}
        for row in self.by_cost("principal,hour"):
            self.busy.setdefault(row[0], []).append(row[1])

    # --- the figures in Redis

    def figures(self):
        try:
            found = redis_figures.rows(self.port)
        except RuntimeError as e:
            self.answers.add(f"{self.state}: redis", f"failed: {e}", (0,), "")
            return
        for kind, rows in found.items():
            self.answers.add(f"{self.state}: redis {kind}", 0, (0,), "\n".join(rows))

    # --- commands

    def reports(self):
        for key in KEYS:
            for form in "csv", "json", "table":
                self.ask("report", "all", "--by", key, "--format", form)
        for by in ("hour,principal,model,token_type", "day,account,region", "model,scope,tier,token_type", "team,model,hour", "role,team,tag:env", "principal,token_type,tier"):
            for form in "csv", "json":
                self.ask("report", "all", "--by", by, "--format", form)
        self.ask("report")
        self.ask("report", "all", "--by", ALL, "--format", "csv")
        self.ask("report", "all", "--format", "focus")
        for hour in self.hours[:1]:
            self.ask("report", "--by", ALL, "--from", hour, "--format", "csv")
            self.ask("report", "--by", "principal", "--to", hour, "--format", "csv")

    def reconciliations(self):
        self.ask("report", "--reconciliation")
        for by in ("principal", "hour,account,region,model,principal,token_type", "day,account,region,model,scope,principal,token_type,tier", "team,role", "region", "tier", "model"):
            for form in "csv", "json":
                self.ask("report", "--reconciliation", "--by", by, "--format", form)
        for form in "table", "html":
            self.ask("report", "--reconciliation", "--by", "model,token_type", "--format", form)
        self.ask("report", "--reconciliation", "--period", "all", "--format", "csv")
        self.ask("report", "--reconciliation", "--threshold", "0.1%", ok=(0, 1, 3))
        for form in "table", "csv", "json":
            self.ask("report", "--scoreboard", "--format", form)
        self.ask("report", "--scoreboard", "--period", "all", "--format", "csv")

    def people(self):
        for principal in self.principals:
            for hour in dict.fromkeys([*self.busy.get(principal, self.hours)[:2], *self.hours[:1]]):
                self.ask("explain", principal, hour, ok=(0, 1, 2, 3))
                self.ask("price", "explain", "--principal", principal, "--hour", hour, ok=(0, 1, 2, 3))
            for form in "table", "json":
                self.ask("who", "--now", self.now, "--format", form, principal, ok=(0, 1))
            self.ask("who", "--now", self.now, principal.split("/")[-1], ok=(0, 1))
            self.ask("who", "--now", self.now, "--format", form, principal, "today", ok=(0, 1))
            self.ask("tags", "show", "--at", self.now, principal, ok=(0, 2))
            self.ask("tags", "show", "--at", self.now, "--format", "json", principal, ok=(0, 2))
        for role in self.roles:
            self.ask("who", "--now", self.now, role, ok=(0, 1))
            self.ask("who", "--now", self.now, "--sessions", "1", f"arn:aws:iam::111122223333:role/{role}", ok=(0, 1))
        for team in self.teams:
            self.ask("who", "--now", self.now, "--format", "json", team, ok=(0, 1))

    def rest(self):
        for by in "principal,model", "team", "role,tier", "hour", "account,region":
            self.ask("top", "--turns", "1", "--hours", "48", "--by", by)
        self.ask("doctor", ok=(0, 1, 3))
        self.ask("profiles", "list", "--from", "2026-10-01", ok=(0, 3))
        self.ask("reprice", "--from", "2026-10-01", "--dry-run")
        self.ask("reprice", "2026-11", "--dry-run")
        for model in self.models:
            self.ask("price", "show", model, "--time", self.now, ok=(0, 1, 3))
        self.ask("alert", "list", "--history", "1000")
        self.ask("alert", "list", "--dead")
        self.ask("alert", "backtest", "--from", "2026-10-01")
        self.ask("budget", "list", "--now", "2026-11-02T12:00:00Z")
        self.ask("budget", "status", "--now", "2026-11-02T12:00:00Z", "--json", ok=(0, 3))

    # --- the server

    def get(self, path, ok=(200,), headers=(), keep=None):
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=dict(headers)), timeout=60) as r:
                status, kind, body = r.status, r.headers.get("Content-Type"), r.read()
        except urllib.error.HTTPError as e:
            status, kind, body = e.code, e.headers.get("Content-Type"), e.read()
        except OSError as e:
            status, kind, body = f"failed: {e}", None, b""
        body = body.decode("utf-8", "backslashreplace")
        self.answers.add(f"{self.state}: GET {path}", status, ok, f"{kind}\n{keep(body) if keep else body}")
        return body

    def api(self):
        described = self.get("/api/v1/openapi.json")
        try:
            described = json.loads(described)
        except ValueError:
            return
        q = urllib.parse.quote
        first = lambda names, other: q(names[0]) if names else other
        hour_ago = self.now[:11] + "%02d" % max(0, int(self.now[11:13]) - 1) + self.now[13:]
        span = f"from={self.now[:10]}T00:00:00Z&to={self.now[:13]}:00:00Z"
        earlier = f"before_from={self.now[:8]}01T00:00:00Z&before_to={self.now[:10]}T00:00:00Z"
        examples = {"from": span, "to": span, "hours": "hours=3", "by": "by=model,tag:team", "now": "now=" + hour_ago, "account": "account=111122223333",
                    "region": "region=us-east-1", "model": "model=" + first(self.models, "x"), "principal": "principal=" + first(self.principals, "x"),
                    "role": "role=" + first(self.roles, "x"), "team": "team=" + first(self.teams, ""), "user": "user=", "token_type": "token_type=output", "tier": "tier=standard",
                    "tag:KEY": "tag:env=prod", "limit": "limit=2", "step": "step=hour", "search": "search=NOVA", "sort": "sort=-calls",
                    "family": "family=anthropic.claude-sonnet-4-6", "access_key": "access_key=ASIAEXAMPLE", "before_from": f"{earlier}&{span}", "before_to": f"{earlier}&{span}",
                    "hour": "hour=" + (self.busy.get(self.principals[0], self.hours) if self.principals else [self.now])[0]}
        needed = {"/api/v1/principal": ("principal",)} # or an access_key: what the description cannot say
        for path, item in sorted(described["paths"].items()):
            get = item["get"]
            if path == "/api/v1/openapi.json" or "text/event-stream" in get["responses"]["200"]["content"]:
                continue
            parameters = [described["components"]["parameters"][p["$ref"].rsplit("/", 1)[1]] if "$ref" in p else p for p in get.get("parameters", [])]
            always = [p["name"] for p in parameters if p.get("required")] or needed.get(path, ())
            if always:
                self.get(path, ok=(400,))
            self.get(path + query(examples, always))
            for p in parameters:
                if p["name"] not in always:
                    self.get(path + query(examples, [p["name"]] if p["name"] == "access_key" else [*always, p["name"]]), ok=(200, 400) if p["name"] == "access_key" else (200,))
        for by in KEYS:
            self.get(f"/api/v1/breakdown?by={by}&hours=48&limit=1000")
            self.get(f"/api/v1/movers?by={by}&hours=3")
            for step in "hour", "day":
                self.get(f"/api/v1/series?by={by}&step={step}&hours=48&limit=5", ok=(200, 400))
        for by in "model", "account,model", "region", "token_type", "tier", "scope", "team":
            self.get(f"/api/v1/series?by={by}&step=minute&hours=3&limit=4", ok=(200, 400))
        for team in self.teams[:3]:
            self.get(f"/api/v1/breakdown?by=principal,model&team={q(team)}&hours=24")
            self.get(f"/api/v1/series?by=model&team={q(team)}&{span}")
        for model in self.models[:3]:
            self.get(f"/api/v1/breakdown?by=principal&model={q(model)}&hours=24")
            self.get(f"/api/v1/cache?model={q(model)}&hours=24")
            self.get(f"/api/v1/forecast?model={q(model)}")
            self.get(f"/api/v1/series?step=minute&hours=2&model={q(model)}")
        for wrong in "breakdown?by=colour", "series?step=week", "series?step=minute&hours=7000", "breakdown?from=2001-01-01", "summary?colour=blue", "nothing":
            self.get("/api/v1/" + wrong, ok=(400, 404))
        self.event()

    def event(self):
        """The first event of the stream; a line that only keeps it open is none."""
        body = b""
        try:
            with urllib.request.urlopen(self.url + "/api/v1/events", timeout=10) as r:
                while not body.endswith(b"\n\n") and len(body) < 1 << 22:
                    line = r.readline()
                    if not line:
                        break
                    body += line if body or line.startswith(b"event:") else b""
                status = r.status
        except OSError as e:
            status = f"failed: {e}"
        self.answers.add(f"{self.state}: GET /api/v1/events", status, (200,), body.decode("utf-8", "backslashreplace"))

    def page(self):
        """The page and all that it names, without comments and the space that nobody sees."""
        todo, done = ["/"], set()
        while todo:
            path = todo.pop(0)
            done.add(path)
            body = self.get(path, keep=bare)
            names = re.findall(r'(?:src|href)="(/[^"#?]*)"', body) if path == "/" else re.findall(r'(?:from|import)\s*\(?"\.?(/[^"]+)"', body)
            todo += [n for n in dict.fromkeys(names) if n not in done and n not in todo]


def query(examples, names):
    for name in names:
        if name not in examples:
            sys.exit(f"questions.py: web/openapi.json has a parameter {name}: give it an example here")
    return "?" * bool(names) + "&".join(examples[name] for name in names)


def bare(text):
    text = re.sub(r"/\*.*?\*/|<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r"(?m)(^|\s)//.*$", "", text)
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def each(answers, state, port, binary, *files):
    for n, file in enumerate(files):
        name = "/".join(file.split("/")[-2:])
        command = [binary, "--redis", f"redis://127.0.0.1:{port}", "--redis-prefix", f"m{n}"]
        answers.run(f"{state}: replay {name}", (0, 1), command + ["replay", file])
        answers.run(f"{state}: report of {name}", (0,), command + os.environ["ASK_EACH"].split())


def main():
    answers, verb, rest = Answers(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if verb == "run":
        answers.run(rest[0], [int(s) for s in rest[1].split(",")], rest[2:])
        return
    if verb == "each":
        each(answers, *rest)
        return
    state, port, url, now, binary = rest[:5]
    a = Asker(answers, state, port, url, now, binary)
    a.look()
    a.figures()
    if "short" in rest:
        a.ask("report", "all", "--by", ALL, "--format", "csv")
        a.ask("report", "all", "--by", "principal")
        a.ask("report", "all", "--by", "tier,model", "--format", "json")
        a.reconciliations()
        return
    a.reports()
    a.reconciliations()
    a.people()
    a.rest()
    if a.url:
        a.api()
    if "page" in rest:
        a.page()


main()
