#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does what the documents name exist? tests/check.sh, rule `documents`. Needs no build.

    documents.py                 README.md, CONTRIBUTING.md and docs/*.md
    documents.py --self-test     checks that wrong names are found

Looked at is what stands in backquotes or in an indented line:

    path            of a file or folder in this repository; * and ? are patterns
    nowcast ...     subcommand, verb and flags: the table in nowcast.c and the keys in base/conf_keys.c
    make ...        target in Makefile
    a.b, NOWCAST_A  configuration key: base/conf_keys.c
    /api/v1/...     path and parameters: web/openapi.json
    nowcast_x       metric: in the sources
    struct x, x()   in the sources, as is NAME_IN_CAPITALS in CONTRIBUTING.md
    | `word` ...    first column of a table: a string literal in the sources, if it is a plain word
    [text](target)  a file, and the heading behind a #

docs/redis-keys.md has a rule of its own for its keys. Prints a line a fault; silence is success.
"""
import glob
import json
import os
import re
import subprocess
import sys

ROOMS = "base aws pricing ingest estimator store reconcile query alert web cli run demo tests deploy docs .ci".split()
# Endings of names of files: what has one is no configuration key.
ENDINGS = "c h cc lua csv json ndjson md sh py js css txt conf service bash yml html so webp redis log 1 5 xml gz".split()


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def tracked():
    out = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True, check=True).stdout
    return [f for f in out.splitlines() if os.path.exists(f)]


class Truth:
    """What there is, from the sources."""

    def __init__(self):
        self.files = tracked()
        self.sources = "\n".join(read(f) for f in self.files if re.search(r"\.(c|h|cc|lua|sh|py)$|^Makefile$", f) and f != "tests/documents.py")
        self.keys = set(re.findall(r'^\t\{"([a-z_.]+)", CONF_', read("base/conf_keys.c"), re.M))
        self.targets = set(re.findall(r"^([a-z][a-z-]*):(?!=)", read("Makefile"), re.M))
        table = read("nowcast.c")
        table = table[table.index("subcommands[] = {"):]
        self.subcommands = {m[1]: m[0] for m in re.finditer(r'^\t\{"([a-z-]+)",.*?(?=^\t\{"|^\};)', table, re.M | re.S)}
        api = json.loads(read("web/openapi.json"))
        self.paths = set(api["paths"])
        self.parameters = {p["name"] for p in api["components"]["parameters"].values()}
        assert self.keys and self.targets and self.subcommands and self.paths, "the sources have another form: mend tests/documents.py"

    def has_path(self, path):
        path = path.rstrip("/")
        return os.path.exists(path) if not re.search(r"[*?]", path) else bool(glob.glob(path))

    def has_flag(self, subcommand, flag):
        name = flag[2:]
        if name in ("config", "help", "version") or name.startswith(("kafka.", "trust.")) or name.replace("-", ".") in {k.replace("_", ".") for k in self.keys}:
            return True
        row = self.subcommands.get(subcommand)
        return bool(row) and re.search(re.escape(flag) + r"(?![a-z-])", row) is not None


def check_command(truth, text):
    """A command line that begins with nowcast."""
    words = re.split(r"\s+", re.sub(r"\s#.*", "", text).strip())[1:]
    while words and words[0].startswith("--"):
        if not truth.has_flag(None, words[0]):
            yield f"flag {words[0]}"
        words = words[2:]
    if not words or not re.fullmatch(r"[a-z-]+", words[0]):
        return
    name, rest = words[0], words[1:]
    if name not in truth.subcommands:
        yield f"subcommand {name}"
        return
    row = truth.subcommands[name]
    verbs = name in ("alert", "price", "tags", "profiles") and rest and re.fullmatch(r"[a-z-]+", rest[0])
    if verbs and not re.search(r'(^|["|\s])' + re.escape(rest[0]) + r'(?![a-z-])', row, re.M):
        yield f"verb {name} {rest[0]}"
    for word in rest:
        flag = re.match(r"--[a-z][a-z_.-]*", word)
        if flag and not truth.has_flag(name, flag[0]):
            yield f"flag {flag[0]} of nowcast {name}"


def check_make(truth, text):
    for target in re.findall(r"(?:^|\s)make((?:\s+[a-z][a-z-]*(?=\s|$))+)", re.sub(r"\s#.*", "", text)):
        for word in target.split():
            if word not in truth.targets:
                yield f"make target {word}"


def check_api(truth, text):
    path, _, query = text.partition("?")
    if path.rstrip("/") != "/api/v1" and path not in truth.paths:
        yield f"API path {path}"
    for parameter in re.findall(r"(?:^|&)([a-z_:]+)=", query):
        if parameter not in truth.parameters and not parameter.startswith("tag:"):
            yield f"parameter {parameter} of {path}"


def is_path(word):
    return "//" not in word and (re.match(r"(%s)/" % "|".join(map(re.escape, ROOMS)), word) or re.fullmatch(r"(nowcast\.c|Makefile|LICENSE|[A-Z]+\.md)", word))


def check_quoted(truth, text, doc):
    word = text.strip()
    if word.startswith("nowcast ") or word.startswith("build/nowcast "):
        yield from check_command(truth, word)
    elif re.search(r"(^|\s)make(\s|$)", word):
        yield from check_make(truth, word)
    elif re.match(r"/(api/|metrics$|healthz$|readyz$)", word):
        yield from check_api(truth, word)
    elif re.fullmatch(r"(struct|enum) [a-z_]+", word) or re.fullmatch(r"[a-z_]+\(\)", word):
        if not re.search(r"\b" + word.replace("()", r"\(") + (r"" if word.endswith(")") else r"\b"), truth.sources):
            yield word
    elif re.fullmatch(r"nowcast_[a-z_]+", word):
        if f'"{word}' not in truth.sources:
            yield f"metric {word}"
    elif re.fullmatch(r"--[a-z.-]+( [A-Z]+)?", word):
        if not any(truth.has_flag(name, word.split()[0]) for name in truth.subcommands):
            yield f"flag {word}"
    elif re.match(r"NOWCAST_[A-Z_]+$", word):
        if word[8:].lower().replace("_", ".") not in {k.replace("_", ".") for k in truth.keys} and not re.search(rf"\b{word}\b", truth.sources):
            yield f"variable {word}"
    elif is_path(word):
        if not truth.has_path(word.split()[0]):
            yield f"path {word}"
    elif re.fullmatch(r"[a-z_]+(\.[a-z_]+)+( = .*)?", word) and word.split(" ")[0].rsplit(".", 1)[1] not in ENDINGS:
        key = word.split(" ")[0]
        if key not in truth.keys and not key.startswith(("kafka.", "trust.")):
            yield f"configuration key {key}"
    elif doc == "CONTRIBUTING.md" and re.fullmatch(r"[A-Z]+(_[A-Z]+)+", word) and not re.search(rf"\b{word}\b", truth.sources):
        yield word


def check_line(truth, line, doc):
    """An indented line: commands, and paths on them."""
    line = line.strip()
    if re.match(r"(build/)?nowcast ", line):
        yield from check_command(truth, line)
    elif re.match(r"([A-Z_]+=\S+ )*make(\s|$)", line):
        yield from check_make(truth, line)
    for path in re.findall(r"(?<![\w/.-])((?:%s)/[A-Za-z0-9_./-]*[A-Za-z0-9])" % "|".join(map(re.escape, ROOMS)), line):
        if not truth.has_path(path):
            yield f"path {path}"


def check_row(truth, line):
    """The first column of a table."""
    for word in re.findall(r"`([a-z0-9_]+)`", line.split("|")[1]):
        if f'"{word}"' not in truth.sources:
            yield f"word {word}"


def slug(heading):
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", heading.strip().lower()))


def check_links(doc, text):
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = os.path.normpath(os.path.join(os.path.dirname(doc), path)) if path else doc
        if not os.path.exists(file):
            yield f"link to {target}"
        elif anchor and anchor not in {slug(h) for h in re.findall(r"^#+ (.*)", read(file), re.M)}:
            yield f"heading behind {target}"


def check_document(truth, doc, text):
    prose = []
    for line in text.splitlines():
        indented = line.startswith("    ") or line.startswith("\t")
        if indented:
            for fault in check_line(truth, line, doc):
                yield f"{doc} names {fault}, which does not exist"
        else:
            prose.append(line)
        if line.startswith("|"):
            for fault in check_row(truth, line):
                yield f"{doc} names {fault}, which no source has"
    for quoted in re.findall(r"`([^`]+)`", "\n".join(prose)):
        for fault in check_quoted(truth, quoted.replace("\n", " "), doc):
            yield f"{doc} names {fault}, which does not exist"
    for fault in check_links(doc, text):
        yield f"{doc}: {fault}, which does not exist"


def check_all(truth):
    docs = ["README.md", "CONTRIBUTING.md"] + sorted(glob.glob("docs/*.md"))
    texts = {doc: read(doc) for doc in docs}
    for doc, text in texts.items():
        yield from check_document(truth, doc, text)
    for picture in glob.glob("docs/*.webp") + glob.glob("docs/*.png"):
        if os.path.getsize(picture) >= 150000:
            yield f"{picture} has {os.path.getsize(picture)} bytes: less than 150,000, so that README.md loads fast"
    lines = texts["README.md"].count("\n")
    if lines > 150:
        yield f"README.md has {lines} lines: 150 at most, the rest belongs into docs/"
    for doc in docs[2:]:
        if not re.search(r"^Code: \S", texts[doc], re.M):
            yield f"{doc} has no line \"Code:\" with its owners"
        if f"]({doc})" not in texts["README.md"]:
            yield f"README.md does not link to {doc}"
    everything = "\n".join(texts.values())
    for name in set(truth.subcommands) - {"help", "version"}:
        if not re.search(rf"nowcast {name}(?![a-z-])", everything):
            yield f"no document names nowcast {name}"
    for path in truth.paths:
        if path not in texts.get("docs/api.md", ""):
            yield f"docs/api.md does not name {path}"


WRONG = """`store/nothing.c` `tests/decode/*.nothing` `nowcast nothing` `nowcast report --nothing 1` `nowcast price nothing`
`nowcast --nothing 1 report` `make nothing` `sessions.nothing` `NOWCAST_NOTHING` `/api/v1/nothing` `/api/v1/series?nothing=1` `--nothing`
`nowcast_nothing` `struct nothing_at_all` `nothing_at_all()` [a link](nothing.md) [a heading](README.md#nothing)

    nowcast nothing
    make nothing
    deploy/nothing --now

| `nothing_at_all` | in a table |
"""
RIGHT = """`store/engine.h` `tests/decode/*.txt` `nowcast report --by hour,team` `nowcast price import litellm FILE` `nowcast --redis URL top`
`make accuracy SEEDS=2` `WORKERS=1 make bench` `sessions.max` `names.csv` `kafka.client.id` `nowcast_up` `NOWCAST_BATCH_RECORDS` `/api/v1/series?step=day`
`struct call` `assert()` [a link](README.md)

    nowcast run --workers 2    # with --anything in a comment

| `budget` | in a table |
"""


def self_test(truth):
    faults = list(check_document(truth, "SELF.md", WRONG))
    if len(faults) != 21:
        yield f"of 21 wrong names {len(faults)} are found: " + "; ".join(faults)
    for fault in check_document(truth, "SELF.md", RIGHT):
        yield "a right name is taken for a wrong one: " + fault


if __name__ == "__main__":
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    there_is = Truth()
    for line in (self_test if "--self-test" in sys.argv else check_all)(there_is):
        print(line)
