#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sets the answers of two builds beside each other: byte for byte, but for what a file lists as meant to differ.

    compare_answers.py BASE PRESENT --allowed FILE --at-least N --states A,B [--table FILE]
    compare_answers.py --self-test BASE PRESENT      alters answers and sees that the comparison notices; prints TAP

BASE and PRESENT are files of tests/support/questions.py. FILE has a row a line, three words between tabs:

    PATTERN     a regular expression, found in the question
    RULE        base SED       the answer of the base is rewritten by sed -E: `base s/lane/rate class/g`
                present SED    that of the present build: `present /^note /d`
                only REGEX     nothing is compared but what fits, in its order: `only --[a-z]+`
                order WHAT     the order does not count: of `lines`; of `blocks`, lines with the deeper ones below them; of the
                               members and lists of each line of `json`; of the `members` and charges of a reconciliation
                ignore         nothing is compared
    REASON      what was mended or renamed, in words

All rows that fit a question are applied in their order, to answers that differ; each makes them the same or leaves the rest to
the next. A row that made no difference is reported as stale.

So that nothing passes by being silent, it fails as well when a question fails in both builds, when a state was not asked, when
fewer than N answers say something, and when too many say the same.
"""
import argparse
import collections
import difflib
import json
import re
import subprocess
import sys

SHOWN = 12  # lines of a difference


# --- answers in the order of a hash of Redis, which is another one in each server ---------------------------------------

def lines_sorted(text):
    return "\n".join(sorted(re.sub(r"[,\]}]+$", "", line) for line in text.split("\n")))


def blocks_sorted(text):
    """Lines that are deeper stay with the line above them."""
    blocks = []
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip())
        if blocks and depth > blocks[-1][0]:
            blocks[-1][1].append(line)
        else:
            blocks.append((depth, [line]))
    return "\n".join(sorted("\n".join([b[0], blocks_sorted("\n".join(b[1:]))] if len(b) > 1 else b) for _, b in blocks))


def sorted_json(value):
    if isinstance(value, list):
        return sorted(map(sorted_json, value), key=lambda v: json.dumps(v, sort_keys=True))
    return {k: sorted_json(v) for k, v in value.items()} if isinstance(value, dict) else value


def json_sorted(text):
    def one(line):
        try:
            return json.dumps(sorted_json(json.loads(line)), sort_keys=True)
        except ValueError:
            return line
    return "\n".join(map(one, text.split("\n")))


def members_sorted(text):
    """A reconciliation as JSON, behind the line of its status: rows and all else keep their order."""
    status, _, rest = text.partition("\n")
    try:
        report = json.loads(rest)
    except ValueError:
        return text
    if isinstance(report, dict):
        report["apart"] = sorted(report.get("apart", []), key=json.dumps)
        report = dict(sorted(report.items()))
    return status + "\n" + json.dumps(report, indent=1, ensure_ascii=False)


ORDERS = {"lines": lines_sorted, "blocks": blocks_sorted, "json": json_sorted, "members": members_sorted}


class Row:
    def __init__(self, line, number):
        parts = [p for p in line.rstrip("\n").split("\t") if p]
        if len(parts) != 3:
            sys.exit(f"compare_builds.allowed:{number}: expected PATTERN, RULE and REASON between tabs")
        self.pattern, self.rule, self.reason, self.number, self.used = re.compile(parts[0]), parts[1], parts[2], number, 0
        self.verb, _, self.what = self.rule.partition(" ")
        if self.rule != "ignore" and not (self.what and self.verb in ("base", "present", "only") or self.verb == "order" and self.what in ORDERS):
            sys.exit(f"compare_builds.allowed:{number}: RULE: expected base SED, present SED, only REGEX, order {'|'.join(ORDERS)} or ignore, got {self.rule!r}")

    def apply(self, base, present):
        if self.rule == "ignore":
            return base, base
        if self.verb == "only":
            return tuple("\n".join(m[0] for m in re.finditer(self.what, text, re.M)) for text in (base, present))
        if self.verb == "order":
            return ORDERS[self.what](base), ORDERS[self.what](present)
        text = base if self.verb == "base" else present
        sed = subprocess.run(["sed", "-E", "-e", self.what], input=text + "\n", capture_output=True, text=True)
        if sed.returncode:
            sys.exit(f"compare_builds.allowed:{self.number}: {sed.stderr.strip()}")
        text = sed.stdout.removesuffix("\n")
        return (text, present) if self.verb == "base" else (base, text)


def read_allowed(path):
    try:
        with open(path, encoding="utf-8") as f:
            return [Row(line, n) for n, line in enumerate(f, 1) if line.strip() and not line.startswith("#")]
    except FileNotFoundError:
        return []


def read_answers(path):
    """{question: answer}; one that was asked several times is numbered."""
    found, times = {}, collections.Counter()
    with open(path, encoding="utf-8") as f:
        for line in f:
            a = json.loads(line)
            times[a["question"]] += 1
            found[a["question"] + (f" ({times[a['question']]})" if times[a["question"]] > 1 else "")] = a
    return found


def judge(question, base, present, allowed):
    """`same`, `listed` with the rows that made it so, or `differs`; and the two texts as they are in the end."""
    if base is None or present is None:
        texts = [a["text"] if a else "(not asked)" for a in (base, present)]
    else:
        texts = [base["text"], present["text"]]
    if texts[0] == texts[1]:
        return "same", [], texts
    rows = []
    for row in allowed:
        if not row.pattern.search(question):
            continue
        now = list(row.apply(*texts))
        if now != texts:
            rows.append(row)
            texts = now
        if texts[0] == texts[1]:
            break
    if texts[0] != texts[1]:
        return "differs", rows, texts
    for row in rows:
        row.used += 1
    return "listed", rows, texts


def short_diff(texts):
    lines = list(difflib.unified_diff(texts[0].splitlines(), texts[1].splitlines(), "base", "present", n=0, lineterm=""))
    shown = [line[:300] for line in lines[2:2 + SHOWN]]
    return shown + ([f"... and {len(lines) - 2 - SHOWN} lines more"] if len(lines) > 2 + SHOWN else [])


def compare(base, present, allowed, at_least, states):
    """The table, as (question, verdict, rows, texts); and what is wrong with the whole."""
    table, wrong = [], []
    questions = list(base) + [q for q in present if q not in base]
    for q in questions:
        table.append((q, *judge(q, base.get(q), present.get(q), allowed)))
    for q in questions:
        b, p = base.get(q), present.get(q)
        if b and p and b["status"] not in b["expected"] and p["status"] not in p["expected"]:
            wrong.append(f"fails in both builds: {q}: status {b['status']}, expected {', '.join(map(str, b['expected']))}")
    for state in states:
        for name, side in (("base", base), ("present", present)):
            if not any(q.startswith((state + ":", state + " ")) for q in side):
                wrong.append(f"the {name} build was asked nothing about {state}")
    for name, side in (("base", base), ("present", present)):
        says = [a for a in side.values() if not a["empty"]]
        if len(says) < at_least:
            wrong.append(f"only {len(says)} answers of the {name} build say anything: expected {at_least} at least")
        distinct = len({a["text"] for a in says})
        if distinct * 3 < len(says):
            wrong.append(f"only {distinct} of the {len(says)} answers of the {name} build are different ones")
    return table, wrong


def group(question):
    state, _, what = question.partition(": ")
    words = what.split()
    if words[:1] == ["redis"] or words[:1] == ["GET"]:
        return state, "redis" if words[0] == "redis" else "serve"
    return state, words[0] if words else "-"


def tell(table, wrong, allowed, path):
    if path:
        with open(path, "w", encoding="utf-8") as f:
            for q, verdict, rows, _ in table:
                f.write(f"{verdict:<8}{q}{''.join(f'  [{r.reason}]' for r in rows)}\n")
    counts = collections.OrderedDict()
    for q, verdict, _, _ in table:
        counts.setdefault(group(q), collections.Counter())[verdict] += 1
    width = max([len(f"{s}: {w}") for s, w in counts] + [8])
    print(f"{'question':<{width}}  {'same':>5} {'listed':>6} {'differs':>7}")
    for (state, what), n in counts.items():
        print(f"{state + ': ' + what:<{width}}  {n['same']:>5} {n['listed'] or '-':>6} {n['differs'] or '-':>7}")
    total = collections.Counter(verdict for _, verdict, _, _ in table)
    print(f"{'all of them':<{width}}  {total['same']:>5} {total['listed']:>6} {total['differs']:>7}")
    for q, verdict, rows, texts in table:
        if verdict == "differs":
            print(f"\ndiffers: {q}")
            print(*("    " + line for line in short_diff(texts)), sep="\n")
    for row in allowed:
        if row.used:
            print(f"listed: row {row.number}, {row.used} answers: {row.reason}")
        else:
            print(f"stale: row {row.number} of the list made no difference: {row.reason}")
    for line in wrong[:40]:
        print(f"wrong: {line}")
    if len(wrong) > 40:
        print(f"wrong: and {len(wrong) - 40} more")
    return 1 if total["differs"] or wrong else 0


# --- does it notice? ---------------------------------------------------------------------------------------------------

def self_test(base, present):
    count = failed = 0

    def ok(good, name):
        nonlocal count, failed
        count += 1
        failed += not good
        print(f"{'ok' if good else 'not ok'} {count} - {name}")

    def verdicts(b, p, rows=(), at_least=10, states=()):
        allowed = [Row("\t".join(r), n) for n, r in enumerate(rows, 1)]
        table, wrong = compare(b, p, allowed, at_least, states)
        return [q for q, verdict, _, _ in table if verdict == "differs"], [q for q, verdict, _, _ in table if verdict == "listed"], wrong, allowed

    def altered(question, change):
        return {q: dict(a, text=change(a["text"])) if q == question else a for q, a in present.items()}

    def last_digit(text):
        at = max(i for i, c in enumerate(text) if c.isdigit())
        return text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1:]

    ok(verdicts(base, present)[:3] == ([], [], []), "as they were answered, nothing differs")
    kinds = {}
    for q, a in present.items():
        if not a["empty"] and any(c.isdigit() for c in a["text"][9:]):
            kinds.setdefault(group(q)[1], q)
    for kind, q in kinds.items():
        ok(verdicts(base, altered(q, last_digit))[0] == [q], f"one digit of one answer is noticed: {kind}")
    some = next(iter(kinds.values()))
    ok(verdicts(base, altered(some, lambda t: t + " "))[0] == [some], "so is a blank")
    ok(verdicts(base, altered(some, lambda t: t.replace("status 0", "status 1", 1)))[0] == [some], "and an exit status")
    ok(verdicts(base, {q: a for q, a in present.items() if q != some})[0] == [some], "a question that the present build was not asked")
    ok(verdicts({q: a for q, a in base.items() if q != some}, present)[0] == [some], "or the base")
    mark = lambda t: t + "\na new word"
    other = next(q for q in kinds.values() if q != some)
    pattern = "^" + re.escape(some) + "$"
    ok(verdicts(base, altered(some, mark), [(pattern, "ignore", "x")])[:2] == ([], [some]), "what is listed is no fault")
    ok(verdicts(base, altered(some, mark), [(pattern, "present $d", "x")])[:2] == ([], [some]), "nor what a rule makes the same")
    ok(verdicts(base, altered(some, mark), [(pattern, "present s/new/old/", "x")])[0] == [some], "but what a rule leaves different is")
    turned = lambda t: "\n".join(reversed(t.split("\n")))
    ok(verdicts(base, altered(some, turned), [(pattern, "order lines", "x")])[:2] == ([], [some]), "another order of lines is none where a rule says so")
    ok(verdicts(base, altered(some, mark), [(pattern, "order lines", "x")])[0] == [some], "but another line is")
    ok(verdicts(base, altered(some, mark), [(pattern, "only [0-9]+", "x")])[:2] == ([], [some]), "nor are words where numbers only are compared")
    ok(verdicts(base, altered(some, last_digit), [(pattern, "only [0-9]+", "x")])[0] == [some], "but a digit is")
    ok(verdicts(base, altered(other, mark), [(pattern, "ignore", "x")])[0] == [other], "a rule holds for its questions only")
    ok(not verdicts(base, present, [(pattern, "ignore", "x")])[3][0].used, "a row that nothing needs is stale")
    broken = lambda side: {q: dict(a, status=9) if q == some else a for q, a in side.items()}
    ok(any("fails in both" in w for w in verdicts(broken(base), broken(present))[2]), "a question that fails in both is a fault")
    ok(any("say anything" in w for w in verdicts(base, present, at_least=len(base) + 1)[2]), "too few answers are one")
    ok(any("say anything" in w for w in verdicts({}, {})[2]), "none are")
    empty = lambda side: {q: dict(a, text="status 0\n", empty=True) for q, a in side.items()}
    ok(any("say anything" in w for w in verdicts(empty(base), empty(present))[2]), "empty ones are")
    same = lambda side: {q: dict(a, text="status 0\n1", empty=False) for q, a in side.items()}
    ok(any("different ones" in w for w in verdicts(same(base), same(present))[2]), "answers that all say the same are")
    ok(any("nothing about" in w for w in verdicts(base, present, states=["nowhere"])[2]), "and a state that nobody asked about")
    print(f"1..{count}")
    return 1 if failed else 0


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("base")
    ap.add_argument("present")
    ap.add_argument("--allowed", default="tests/compare_builds.allowed")
    ap.add_argument("--at-least", type=int, default=10)
    ap.add_argument("--states", default="")
    ap.add_argument("--table")
    ap.add_argument("--self-test", action="store_true")
    a = ap.parse_args()
    base, present = read_answers(a.base), read_answers(a.present)
    if a.self_test:
        return self_test(base, present)
    allowed = read_allowed(a.allowed)
    table, wrong = compare(base, present, allowed, a.at_least, [s for s in a.states.split(",") if s])
    return tell(table, wrong, allowed, a.table)


sys.exit(main())
