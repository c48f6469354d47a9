#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The figures that stand in a Redis, as rows that do not depend on how the keys are laid out.

    redis_figures.py PORT [KIND...]     KIND: usage, actual, asof, scores, state (all)

Two builds whose keys differ hold the same figures if these rows are the same. A layout is a class below. What is in a Redis
decides which layout reads it (`stands`). A new layout is a new class in LAYOUTS: its functions yield rows of the same words.
Most of them it can inherit.

A row is words between tabs, sorted:

    usage   ACCOUNT/REGION HOUR MODEL PRINCIPAL SESSION-TAGS RATE-CLASS KIND name=number...
    actual  ACCOUNT/REGION HOUR MODEL PRINCIPAL TIER KIND name=number...
    asof    ACCOUNT/REGION HOUR HORIZON CALLER name=number...     dollars in billionths, as they are kept
    scores  MONTH FIELD value
    state   what the figures are read by: spans that are billed, tags, profiles, models without a price

KIND is a token type, or `units`, `calls`, `weights TYPE`; of the metrics `metered TYPE`; of the model `called`, `foundation`.
RATE-CLASS is the service tier and the limits of the prompt. What a layout does not know is a row `unknown`: nothing is passed over.
"""
import collections
import json
import re
import socket
import sys

FIGURE = ("tokens", "picodollars", "exact", "allocated", "provisional", "assumed", "more", "spread", "noise")
WEIGHTS = ("input", "output", "cache_read", "cache_write")  # in the order of a row
BILL = ("tokens", "picodollars", "list")


class Redis:
    """As much of a client as reading takes. Bytes that are no UTF-8 come through."""

    def __init__(self, port):
        self.file = socket.create_connection(("127.0.0.1", int(port)), timeout=30).makefile("rwb")

    def __call__(self, *words):
        words = [str(w).encode("utf-8", "surrogateescape") for w in words]
        self.file.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        self.file.flush()
        return self.answer()

    def answer(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:].strip()
        if kind == b"*":
            return [self.answer() for _ in range(int(rest))]
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2].decode("utf-8", "surrogateescape")
        if kind in b":+" and kind:
            return rest.decode()
        raise RuntimeError("redis: " + (line.decode() or "closed"))

    def hash(self, key):
        flat = self("HGETALL", key)
        return dict(zip(flat[::2], flat[1::2]))

    def keys(self, pattern):
        found, cursor = set(), "0"
        while True:
            cursor, some = self("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
            found.update(some)
            if cursor == "0":
                return sorted(found)


def numbers(names, words):
    """name=word each; words beyond the names stand for themselves."""
    return [f"{n}={w}" for n, w in zip(names, words)] + sorted(words[len(names):])


def compact(text):
    """A JSON object in one spelling."""
    try:
        return json.dumps(json.loads(text), sort_keys=True, ensure_ascii=True)
    except ValueError:
        return "not JSON: " + repr(text)


class FieldsOfOneHash:
    """Figures, calls, weights and what is no usage are fields of one hash an hour and model. Their first words differ."""

    def __init__(self, redis, prefix):
        self.redis, self.prefix = redis, prefix
        self.tagsets = redis.hash(prefix + ":tagsets")

    @staticmethod
    def stands(redis, prefix):
        return redis("EXISTS", prefix + ":schema") == "0"

    def slots(self):
        return sorted(self.redis("SMEMBERS", self.prefix + ":slots"))

    def sheets(self, slot, what):
        """(hour, model, fields) of every hash; a row `unknown` where the index and the hashes do not agree."""
        head = f"{self.prefix}:{{{slot}}}:{what}"
        index = set(self.redis("ZRANGE", head, 0, -1))
        there = {k[len(head) + 1:]: k for k in self.redis.keys(head.replace("{", "\\{") + ":20*")}
        for name in sorted(index | set(there)):
            fields = self.redis.hash(there[name]) if name in there else {}
            hour, model = name[:13], name[14:]
            yield hour, model, fields, name in index and name in there

    def usage(self):
        for slot in self.slots():
            for hour, model, fields, indexed in self.sheets(slot, "usage"):
                head = ["usage", slot, hour, model]
                if not indexed:
                    yield head + ["unknown", "the index and the hashes do not agree"]
                for field, value in fields.items():
                    for row in self.field(field, value):
                        yield head + row

    def field(self, field, value):
        words, parts = value.split(" "), field.split(" ")
        if parts[0] == "#" and len(parts) == 2:
            if parts[1] in ("model", "foundation"):
                yield ["-", "-", "-", {"model": "called"}.get(parts[1], parts[1]), value]
            elif parts[1] != "digest":  # how it is summed up follows the layout
                yield ["-", "-", "-", "metered " + parts[1], *numbers(("metered", "excess"), words)]
        elif len(parts) == 3:
            arn, tagset, name = parts
            kind, _, lane = name.partition("@")
            tags = "{}" if tagset == "-" else compact(self.tagsets.get(tagset, "no tagset " + tagset))
            caller = [arn, tags, lane or "standard"]
            if kind == "weights":
                for i, of in enumerate(WEIGHTS):
                    yield caller + ["weights " + of, *numbers(("millitokens", "sd", "source"), words[3 * i:3 * i + 3])]
                if len(words) > 3 * len(WEIGHTS):
                    yield caller + ["unknown", field, value]
            elif kind == "calls":
                yield caller + [kind, *numbers(("charged", "failed"), words)]
            elif lane.startswith("units"):
                yield [arn, tags, "standard", "units", *numbers(FIGURE, words), *(["of calls: nothing counts them"] if lane == "units+" else [])]
            else:
                yield caller + [kind, *numbers(FIGURE, words)]
        else:
            yield ["unknown", field, value]

    def actual(self):
        for slot in self.slots():
            for hour, model, fields, indexed in self.sheets(slot, "actual"):
                head = ["actual", slot, hour, model]
                if not indexed:
                    yield head + ["unknown", "the index and the hashes do not agree"]
                for field, value in fields.items():
                    parts = field.split(" ")
                    if parts[0] == "#":
                        yield head + ["-", "-", {"model": "called"}.get(parts[1], parts[1]), value]
                    elif len(parts) == 2:
                        kind, _, tier = parts[1].partition("@")
                        yield head + [parts[0], tier or "standard", kind, *numbers(BILL, value.split(" "))]
                    else:
                        yield head + ["unknown", field, value]

    def asof(self):
        for slot in ["", *self.slots()]:
            head = f"{self.prefix}:{{{slot}}}:asof:" if slot else f"{self.prefix}:asof:"
            for key in self.redis.keys(head.replace("{", "\\{") + "*"):
                for horizon, value in self.redis.hash(key).items():
                    row = ["asof", slot or "-", key[len(head):], horizon]
                    if slot:
                        yield from (row + entry for entry in snapshot(value.encode("utf-8", "surrogateescape")))
                    else:
                        yield row + ["taken", *numbers(("at_ms", "scale"), value.split(" "))]

    def scores(self):
        for key in self.redis.keys(self.prefix + ":scores:*"):
            for field, value in self.redis.hash(key).items():
                yield ["scores", key.rsplit(":", 1)[1], field, *value.split("\n")]

    def state(self):
        p = self.prefix
        for slot in self.slots():
            yield ["state", "slot", slot]
            for field, value in self.redis.hash(f"{p}:{{{slot}}}:billed").items():
                yield ["state", "billed", slot, field, value]
            for model in self.redis("SMEMBERS", f"{p}:{{{slot}}}:actual:models"):
                yield ["state", "billed model", slot, model]
        for key in self.redis.keys(p + ":tags:*"):
            for field, value in self.redis.hash(key).items():
                yield ["state", "tags", key[len(p) + 6:], field, compact(value)]
        for id in self.redis("SMEMBERS", p + ":profiles"):
            for field, value in self.redis.hash(f"{p}:profile:{id}").items():
                yield ["state", "profile", id, field, compact(value)]
        for model, why in self.redis.hash(p + ":unpriced").items():
            yield ["state", "unpriced", model, why]
        for period in self.redis("SMEMBERS", p + ":reconcile:periods"):
            yield ["state", "reconciled", period]
        for name in ("names", "band"):
            yield ["state", name, self.redis("GET", f"{p}:{name}") or "-"]


class UsageAndMeta(FieldsOfOneHash):
    """Schemas 2 and 3: a usage hash, of which every field is added up, and beside it a meta hash of what is no usage."""

    @staticmethod
    def stands(redis, prefix):
        return redis("GET", prefix + ":schema") in ("2", "3")

    def slots(self):
        return sorted(self.redis("SMEMBERS", self.prefix + ":acct_regions"))

    def usage(self):
        for slot in self.slots():
            head = f"{self.prefix}:{{{slot}}}:usage"
            index = set(self.redis("ZRANGE", head, 0, -1))
            pattern = head.replace("{", "\\{")
            there = {k[len(head) + 1:] for k in self.redis.keys(pattern + ":20*")} | {k[len(head) + 6:] for k in self.redis.keys(pattern + "_meta:20*")}
            for name in sorted(index | there):
                row = ["usage", slot, name[:13], name[14:]]
                if name not in index or name not in there:
                    yield row + ["unknown", "the index and the hashes do not agree"]
                for field, value in self.redis.hash(f"{head}:{name}").items():
                    yield from (row + r for r in self.usage_field(field, value))
                for field, value in self.redis.hash(f"{head}_meta:{name}").items():
                    yield from (row + r for r in self.meta_field(field, value))

    def caller(self, arn, tagset, lane):
        return [arn, "{}" if tagset == "-" else compact(self.tagsets.get(tagset, "no tagset " + tagset)), lane or "standard"]

    def usage_field(self, field, value):
        if len(field.split(" ")) != 3 or field.split(" ")[2].partition("@")[0] in ("calls", "weights"):
            yield ["unknown", field, value]
            return
        arn, tagset, name = field.split(" ")
        kind, _, lane = name.partition("@")
        uncounted = ["of calls: nothing counts them"] if kind == "uncounted" else []
        yield [*self.caller(arn, tagset, lane), "units" if uncounted else kind, *numbers(FIGURE, value.split(" ")), *uncounted]

    def meta_field(self, field, value):
        words, parts = value.split(" "), field.split(" ")
        if field in ("model", "foundation"):
            yield ["-", "-", "-", {"model": "called"}.get(field, field), value]
        elif parts[0] == "metric" and len(parts) == 2:
            yield ["-", "-", "-", "metered " + parts[1], *numbers(("metered", "excess"), words)]
        elif field == "telemetry":
            yield ["-", "-", "-", field, *numbers(("used", "refused", "unjoined"), words)]
        elif len(parts) == 3 and parts[2].partition("@")[0] in ("calls", "weights"):
            yield from self.field(field, value)
        elif field != "digest":
            yield ["unknown", field, value]

    def actual(self):
        called = {slot: self.redis.hash(f"{self.prefix}:{{{slot}}}:actual:called") for slot in self.slots()}
        models = set()
        for row in super().actual():
            place = tuple(row[1:4])
            if place not in models and row[3] in called[row[1]]:
                yield row[:4] + ["-", "-", "called", called[row[1]][row[3]]]
            models.add(place)
            yield row


LAYOUTS = (FieldsOfOneHash, UsageAndMeta)
KINDS = ("usage", "actual", "asof", "scores", "state")


def snapshot(packed):
    """Entries of estimator or bill by caller: 8 bytes of caller, then three numbers of seven bits a byte, the lowest first."""
    while packed:
        row, at = [packed[7::-1].hex()], 8
        for name in ("usd", "below", "above"):
            value = shift = 0
            while True:
                if at >= len(packed):
                    yield ["unknown", packed.hex()]
                    return
                value |= (packed[at] & 0x7f) << shift
                shift, at = shift + 7, at + 1
                if packed[at - 1] < 0x80:
                    break
            row.append(f"{name}={value}")
        yield row
        packed = packed[at:]


def line_of(row):
    line = "\t".join(map(str, row)).encode("utf-8", "backslashreplace").decode()
    if line.count("\t") == len(row) - 1 and "\n" not in line and "\r" not in line:
        return line
    return "\t".join(re.sub(r"[\t\n\r]", " ", str(w)) for w in row).encode("utf-8", "backslashreplace").decode()


def rows(port, kinds=KINDS, prefix="nowcast"):
    """The rows of each kind, as text, sorted: {kind: [row...]}."""
    redis = Redis(port)
    layout = [l for l in LAYOUTS if l.stands(redis, prefix)]
    if len(layout) != 1:
        raise RuntimeError(f"{len(layout)} layouts of tests/support/redis_figures.py fit what stands in this Redis")
    layout = layout[0](redis, prefix)
    found = collections.defaultdict(list)
    for kind in kinds:
        found[kind] = sorted(map(line_of, getattr(layout, kind)()))
    return found


if __name__ == "__main__":
    for texts in rows(sys.argv[1], sys.argv[2:] or KINDS).values():
        sys.stdout.writelines(t + "\n" for t in texts)
