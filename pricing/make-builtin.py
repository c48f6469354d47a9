#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes pricing/builtin.csv from the collected price sources: make-builtin.py FOLDER [--differences]

A developer runs it (make builtin-prices) when a source has changed, reads the difference, and commits it. The program
itself never needs it. Same input, same output: nothing here knows the time or the order of a dictionary.

The sources, the first that has a rate in a place is believed, token type by token type:

    prices_in_force.csv                    dated rows of the models that matter most, each with its own source
    pricelist_reduced_2026-08-20.json      AWS's price list: input and output by name and Region, on demand and in a batch
    litellm_bedrock_2026-11-29.json        LiteLLM's table: wide, with known errors; tiers, long prompts, cache rates, units
    litellm_bedrock_2026-08-01.json        the same three months earlier: what the later one no longer has

A rate holds where its source says, and nowhere else. AWS's list says it by Region. LiteLLM's plain ids and `us.` profiles are
the rates of three Regions (US, below); its profiles of other geographies have the rate of one Region and not of all. Only the
vendors in EVERYWHERE have one rate in every commercial Region, as their documentation says. What is not known stays empty, and
empty means unpriced. What a rule derives has the rule in its source.

--differences prints where a source contradicts what was believed instead; tests/price_disagreements.txt has the reasons.
"""
import collections
import csv
import io
import json
import re
import sys
from decimal import Decimal

TYPES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
CACHE = TYPES[2:]
FIELDS = {"input": "input_cost_per_token", "output": "output_cost_per_token", "cache_read": "cache_read_input_token_cost",
          "cache_write_5m": "cache_creation_input_token_cost", "cache_write_1h": "cache_creation_input_token_cost_above_1hr"}
COLUMNS = ("model", "scope", "region", "tier", "from", "to", "prompt_tokens_over", *TYPES, "unit", "per_unit", "source")
SUFFIXES = {"": "", "_batches": "batch", "_flex": "flex", "_priority": "priority", "_ultrafast": "ultrafast"}
BANDS = ("100", "128", "200", "256", "272")
TIERS = {"latency-optimized": "latency"}
MILLION = Decimal(1000000)
REGIONAL, GOVCLOUD = Decimal("1.1"), Decimal("1.2")

US = ("us-east-1", "us-east-2", "us-west-2")
INDIA = ("ap-south-1", "ap-south-2")
PROFILE = re.compile(r"^(global|us-gov|us|eu|apac|jp|au|ca|amer|in)\.(?=[a-z0-9]+\.)")
GEOGRAPHY = {"eu": "eu-", "apac": "ap-", "jp": "ap-northeast-", "au": "ap-southeast-", "ca": "ca-"}

# Vendors whose documentation has one rate for every commercial Region, and which documentation.
EVERYWHERE = (
    (re.compile(r"anthropic\.claude"), "Anthropic: one rate in all Regions"),
    (re.compile(r"openai\.gpt-(\d|daybreak)"), "AWS model cards: one rate in all commercial Regions"),
)
# The first source's rows of these models are of the Regions in US, though its scope column does not say so.
REGIONAL_VENDORS = re.compile(r"amazon\.|openai\.gpt-oss")

LIST, NOVEMBER, AUGUST = "AWS price list 2026-08-20", "LiteLLM 2026-11-29", "LiteLLM 2026-08-01"

# Entries of LiteLLM's tables that are wrong and are left out, each with the reason.
WRONG = {
    (AUGUST, "bedrock/moonshotai.kimi-k2-thinking"): "a Region's rate without its Region",
    (AUGUST, "bedrock/moonshotai.kimi-k2.5"): "disagrees with the model's own entry by a digit",
    (AUGUST, "bedrock/us-gov-east-1/amazon.titan-embed-text-v2:0"): "ten times the commercial rate",
    (AUGUST, "bedrock/us-gov-west-1/amazon.titan-embed-text-v2:0"): "ten times the commercial rate",
    (AUGUST, "eu.anthropic.claude-3-5-haiku-20241022-v1:0"): "at the rate of Claude 3 Haiku",
    (AUGUST, "anthropic.claude-3-7-sonnet-20240620-v1:0"): "a date no model has, at the GovCloud rate",
    (NOVEMBER, "anthropic.claude-3-7-sonnet-20240620-v1:0"): "a date no model has, at the GovCloud rate",
    (NOVEMBER, "bedrock/us-gov-west-1/amazon.titan-embed-text-v2:0"): "four times the rate of the other GovCloud Region",
}
WRONG_RATES = {
    (AUGUST, "bedrock/us-gov-east-1/meta.llama3-8b-instruct-v1:0", "output"): "the input rate of the 70B model",
    (AUGUST, "bedrock/us-gov-west-1/meta.llama3-8b-instruct-v1:0", "output"): "the input rate of the 70B model",
    (NOVEMBER, "bedrock/us-gov-east-1/meta.llama3-8b-instruct-v1:0", "output"): "the input rate of the 70B model",
}
# What one image costs goes by its size and quality there: one figure would be a guess.
BY_SIZE = ("amazon.nova-canvas", "amazon.titan-image-generator", "stability.stable-diffusion-xl")
PER_UNIT = {"image": "output_cost_per_image", "search unit": "input_cost_per_query", "second of video": "input_cost_per_video_per_second"}
# The same model under two names.
TWINS = (("moonshot.kimi-k2-thinking", "moonshotai.kimi-k2-thinking"), ("deepseek.v3", "deepseek.v3.1"))
# Rates that changed at a known date: from then on the second source is believed, before it what stands here.
CHANGED = {
    "openai.gpt-5.6-sol": ("2026-08-21", "AWS model card 2026-08-21, promotional at least up to 2026-11-21; still listed by " + NOVEMBER),
}
# Of GPT-5.6 Sol through its global profile, before the promotion: as on its model card of August 2026.
SOL_GLOBAL = {"input": Decimal(5), "output": Decimal(30), "cache_read": Decimal("0.5"), "cache_write_5m": Decimal("6.25")}


def canonical(model):
    """The name the catalogue is keyed by; the same rule as pricing/model_id.c."""
    if model.startswith("claude-"):
        model = "anthropic." + model
    name = re.split("[:@]", model)[0]
    if ":" in model and name.startswith("openai.") and name.endswith("-1"):
        name = name[:-2]
    name, version = re.fullmatch(r"(.*?)(-v\d+)?", name).groups()
    name = re.sub(r"-\d{8}$", "", name)
    return name + ("" if version in (None, "-v0", "-v1") else version)


def everywhere(model):
    return next((why for pattern, why in EVERYWHERE if pattern.match(model)), "")


def premium(model):
    """Claude from 4.5 on costs a tenth more outside global profiles, and can keep a cache for an hour."""
    m = re.fullmatch(r"anthropic\.claude-[a-z]+-(\d+)(?:-(\d+))?", model)
    return bool(m) and (int(m[1]), int(m[2] or 0)) >= (4, 5)


def plain_is_global(model):
    """LiteLLM's plain ids of these have the rate of the global profile."""
    return premium(model) or model.startswith(("amazon.nova-2-lite", "amazon.nova-2-pro")) or bool(re.match(r"openai\.gpt-\d", model))


def times(rates, factor):
    return {t: v * factor for t, v in rates.items()}


class Row:
    """Rates of one place as one source has them."""

    def __init__(self, rank, place, rates, source, since="", to="", unit="", per_unit=None):
        self.rank, self.place, self.rates, self.source = rank, place, dict(rates), source
        self.since, self.to, self.unit, self.per_unit = since, to, unit, per_unit


def place(model, scope, region, tier="", over=0):
    return (model, scope, region, tier, int(over))


# ---- the first source ---------------------------------------------------------------------------


def source_of(text):
    """The first source names its own sources tersely; users get a sentence."""
    for word, name in (("claudit v1.9", "Anthropic price list 2026-10, Bedrock premium assumed"), ("PromptFuel", "AWS price list 2026-10"), ("R1c", "AWS price list, autumn 2026"),
                       ("awslabs", "Bedrock pricing page 2026-07-24; the rise planned for 2026-09-01 was cancelled"), ("fixture", "AWS price list 2026-05"),
                       ("pricing page", "Bedrock pricing page 2026-07-24"), ("LiteLLM", AUGUST), ("genai-prices", "genai-prices 2026-08-21")):
        if word in text:
            return name
    raise SystemExit(f"no name for the source {text!r}: add it to source_of")


def in_force_places(model, scope, tier, over):
    scopes = ("global", "regional") if scope == "any" or scope.startswith("us ") else (scope,)
    regions = US if REGIONAL_VENDORS.match(model) and not everywhere(model) else ("",)
    return [place(model, s, r, tier, over or 0) for s in scopes for r in regions]


def read_in_force(path):
    with open(path, encoding="utf-8", newline="") as f:
        lines = [x for x in f if not x.startswith("#")]
    for r in csv.DictReader(lines):
        extended = r["tier"] == "extended-access"
        rates = {t: Decimal(r[t]) for t in TYPES if r[t]}
        source = source_of(r["source"]) + (", extended access" if extended else "")
        to = r["effective_to"] or CHANGED.get(r["model"], ("",))[0]
        for tier in ("",) if extended or r["tier"] == "standard" else r["tier"].split("/"):
            for where in in_force_places(r["model"], r["scope"], TIERS.get(tier, tier), r["prompt_tokens_over"]):
                yield Row(0, where, rates, source, r["effective_from"], to)


# ---- AWS's price list ---------------------------------------------------------------------------

KIND = re.compile(r" \((クロスリージョン|バッチ)\)$")  # cross-Region, batch


def read_names(path):
    with open(path, encoding="utf-8", newline="") as f:
        lines = [x for x in f if not x.startswith("#")]
    return {r["name"]: (r["models"].split(), r["why not"]) for r in csv.DictReader(lines)}


def read_pricelist(path, names):
    """Cross-Region rows are those of global profiles: a profile of one geography has the rate of its source Region."""
    with open(path, encoding="utf-8") as f:
        entries = json.load(f, parse_float=Decimal)["rows"]
    for e in entries:
        kind = KIND.search(e["m"])
        models, why_not = names[KIND.sub("", e["m"])]
        if why_not:
            continue
        rates = {t: round(Decimal(e[k]), 6) for t, k in (("input", "i"), ("output", "o")) if e.get(k) is not None}
        for model in models:
            for region in e["r"]:
                scope, tier = ("global", "") if kind and kind[1] != "バッチ" else ("regional", "batch" if kind else "")
                yield Row(1, place(model, scope, region, tier), rates, LIST)


def join_regions(rows):
    """AWS's rows of vendors that have one rate everywhere, as one row a place: the rate that most of the Regions have."""
    places = collections.defaultdict(collections.Counter)
    for r in rows:
        model, scope, region, tier, over = r.place
        if not everywhere(model):
            yield r
            continue
        both = not premium(model) and scope == "regional" and not tier
        for s in ("global", "regional") if both else (scope,):
            places[(model, s, "", tier, over)][tuple(sorted(r.rates.items()))] += 1
    for where, found in sorted(places.items()):
        rates, n = max(found.items(), key=lambda x: (x[1], x[0]))
        yield Row(1, where, dict(rates), f"{LIST}: {n} Regions at one rate" if n > 1 else LIST)


# ---- LiteLLM's tables ---------------------------------------------------------------------------


class Entry:
    """One entry: which model, called how and where."""

    def __init__(self, key, value, source):
        self.key, self.value, self.source = key, value, source
        self.region = self.profile = ""
        rest = key
        self.mantle = rest.startswith("bedrock_mantle/")
        if rest.startswith(("bedrock/", "bedrock_mantle/")):
            self.region, slash, rest = rest.partition("/")[2].partition("/")
            if not slash:
                self.region, rest = "", self.region
            if self.region in ("invoke", "*"):
                self.region = ""
        rest = rest.rpartition("/")[2]
        found = PROFILE.match(rest)
        if found:
            self.profile, rest = found[1], rest[found.end():]
        self.model = canonical(rest)
        mode = value.get("mode")
        self.unit = {"image_generation": "image", "image_edit": "image", "rerank": "search unit", "realtime": "token of text or speech"}.get(mode, "")
        if self.model.startswith("twelvelabs."):
            self.unit = "second of video"
        figure = value.get(PER_UNIT.get(self.unit))
        self.per_unit = None if figure is None or self.model.startswith(BY_SIZE) else Decimal(str(figure))
        self.by_token = not self.unit or mode == "chat"
        rates = self.rates("", 0)
        # $0 for reading and writing means that nobody knew; $0 for what an embedding returns is what it costs.
        self.unknown = not self.unit and not any(rates.values()) or mode == "chat" and not rates.get("input") and not self.unit

    def rates(self, suffix, band):
        above = f"_above_{band}k_tokens" if band else ""
        found = {}
        for t, field in FIELDS.items():
            figure = self.value.get(field + above + suffix)
            if figure is not None and self.by_token and (self.source, self.key, t) not in WRONG_RATES:
                found[t] = Decimal(str(figure)) * MILLION
        return found

    def tables(self):
        """(tier, prompt_tokens_over, rates) of all tiers and bands. The bands of the earlier table are not to be relied on."""
        for suffix, tier in SUFFIXES.items():
            for band in ("", *BANDS) if self.source == NOVEMBER else ("",):
                rates = self.rates(suffix, band)
                if any(rates.values()) or not tier and not band:
                    yield tier, int(band or 0) * 1000, rates


def geography_regions(e, listed):
    """A profile of a geography has the rate of one of its Regions: those in which AWS's list has the same."""
    rates = e.rates("", 0)
    return [region for (model, scope, region, tier, _), r in listed.items()
            if model == e.model and scope == "regional" and not tier and region.startswith(GEOGRAPHY.get(e.profile, "?"))
            and all(r.get(t) == rates.get(t) for t in ("input", "output"))]


def entry_places(e, listed):
    """(rank, scope, region, factor, note)"""
    rank = 2 if e.source == NOVEMBER else 6
    if e.region.startswith("us-gov-") or e.profile == "us-gov":
        return [(rank, "regional", e.region or "us-gov-*", 1, "")]
    if everywhere(e.model):
        if e.profile == "global":
            return [(rank, "global", "", 1, "")]
        if e.region:
            return [(rank + 3, "regional", "", 1, "")]
        if (e.profile or e.mantle) and not e.model.startswith("anthropic."):
            return [(rank, "regional", "", 1, "")]
        if e.profile or e.mantle:
            # these are sometimes at the global rate: the rule below is safer
            return [(rank + 2, "regional", "", 1, "")]
        if premium(e.model):
            return [(rank + 1, "global", "", 1, ""), (rank + 1, "regional", "", REGIONAL, ", regional x1.1")]
        if plain_is_global(e.model):
            return [(rank + 1, "global", "", 1, "")]
        return [(rank + 1, s, "", 1, "") for s in ("regional", "global")]
    if e.region:
        return [(rank, "regional", e.region, 1, "")]
    if e.profile == "global":
        return [(rank, "global", r, 1, "") for r in (US if e.model.startswith("amazon.") else ("",))]
    if e.profile in ("us", "in"):
        return [(rank, "regional", r, 1, "") for r in (US if e.profile == "us" else INDIA)]
    if e.profile:
        return [(rank, "regional", r, 1, "") for r in geography_regions(e, listed)]
    return [(rank + 1, "global" if plain_is_global(e.model) else "regional", r, 1, "") for r in US]


def read_litellm(path, source, listed):
    with open(path, encoding="utf-8") as f:
        entries = sorted(json.load(f, parse_float=Decimal).items())
    for key, value in entries:
        if (source, key) in WRONG or "-commitment/" in key or "/claude_platform/" in key or value.get("mode") == "guardrail":
            continue
        e = Entry(key, value, source)
        if e.unknown:
            continue
        for rank, scope, region, factor, note in entry_places(e, listed):
            for tier, over, rates in e.tables():
                unit = "" if tier or over else e.unit
                since = CHANGED[e.model][0] if e.model in CHANGED else ""
                if since and source == AUGUST:
                    continue
                yield Row(rank, place(e.model, scope, region, tier, over), times(rates, factor), CHANGED[e.model][1] if since else source + note, since,
                          unit=unit, per_unit=e.per_unit if unit else None)


# ---- rules --------------------------------------------------------------------------------------


def complete(model, rates):
    """Rates that follow from the others by a documented multiple: (the rates, what to say of it)."""
    rates, notes = dict(rates), []
    if "embed" in model and "input" in rates:
        rates.setdefault("output", Decimal(0))
    if model.startswith("amazon.nova-") and rates.get("output"):
        if "input" in rates and "cache_read" not in rates:
            rates["cache_read"] = rates["input"] / 4
            notes.append("cache reads a quarter of input")
        if "cache_read" in rates:
            rates["cache_write_5m"] = rates["cache_write_1h"] = Decimal(0)
    if premium(model) and "input" in rates and "cache_write_1h" not in rates:
        rates["cache_write_1h"] = rates["input"] * 2
        notes.append("1-hour writes twice input")
    return rates, notes


def twins(rows):
    for r in list(rows):
        for pair in TWINS:
            if r.place[0] in pair:
                other = pair[1 - pair.index(r.place[0])]
                rows.append(Row(r.rank + 0.5, (other, *r.place[1:]), r.rates, r.source, r.since, r.to, r.unit, r.per_unit))


def long_prompts(rows):
    """GPT from 5.4 on: over 272,000 tokens a request costs twice for what it reads and one and a half times for what it writes."""
    have = {r.place for r in rows}
    for r in list(rows):
        model, scope, region, tier, over = r.place
        m = re.match(r"openai\.gpt-(?:daybreak-[a-z]+-)?(\d+)(?:\.(\d+))?", model)
        if not m or (int(m[1]), int(m[2] or 0)) < (5, 4) or over or (model, scope, region, tier, 272000) in have:
            continue
        rates = {t: v * (Decimal("1.5") if t == "output" else 2) for t, v in r.rates.items()}
        rows.append(Row(r.rank, place(model, scope, region, tier, 272000), rates, r.source + ", x2 and x1.5 over 272K", r.since, r.to))


def without_copies(rows):
    """One row where an entry and its copy for bedrock-mantle say the same."""
    seen = {}
    for r in rows:
        seen.setdefault((r.place, r.rank, r.source, r.since, r.to, r.unit, r.per_unit, tuple(sorted(r.rates.items()))), r)
    rows[:] = seen.values()


def band_begins(rows):
    """The band of long prompts begins with the rates that it belongs to."""
    began = {}
    for r in rows:
        if r.rank == 0 and not r.place[4]:
            began[r.place[:4]] = max(r.since, began.get(r.place[:4], ""))
    for r in rows:
        if r.place[4] and r.rank and not r.since:
            r.since = began.get(r.place[:4], "")


def govcloud_regions(rows):
    """Both GovCloud Regions at one rate are one row."""
    by_place = collections.defaultdict(dict)
    for r in sorted(rows, key=lambda r: (r.rank, r.source), reverse=True):
        if r.place[2].startswith("us-gov-"):
            by_place[(r.place[0], r.place[1], r.place[3], r.place[4], r.rank)][r.place[2]] = r
    for (model, scope, tier, over, _), found in by_place.items():
        east, west, both = found.get("us-gov-east-1"), found.get("us-gov-west-1"), found.get("us-gov-*")
        if east and west and east.rates == west.rates and (not both or both.rates == east.rates):
            east.place = (model, scope, "us-gov-*", tier, over)
            rows.remove(west)
            if both:
                rows.remove(both)
        elif both:
            for one in (east, west):
                if one and one.rates == both.rates:
                    rows.remove(one)


def govcloud(out):
    """Claude costs a fifth more in GovCloud; those the tables do not have there follow the rule."""
    listed = {(r["model"], r["prompt_tokens_over"]) for r in out if r["region"].startswith("us-gov")}
    for r in list(out):
        model = r["model"]
        if not model.startswith("anthropic.claude-") or r["tier"] or r["region"] or r["scope"] == "regional" or (model, r["prompt_tokens_over"]) in listed or "extended" in r["source"]:
            continue
        if re.match(r"anthropic\.claude-(instant|v\d|\d-opus|mythos)", model):
            continue
        out.append({**r, "scope": "regional", "region": "us-gov-*", "rates": times(r["rates"], GOVCLOUD), "source": r["source"] + ", GovCloud x1.2"})


# ---- merging ------------------------------------------------------------------------------------


def end_before_extended(rows):
    """Extended access, past a model's end of life, has its own rate: it ends the standard one."""
    late = {r.place: r.since for r in rows if r.rank == 0 and r.source.endswith("extended access")}
    for r in rows:
        if r.rank == 0 and r.place in late and not r.since:
            r.to = late[r.place]


def merge_place(where, rows, differences):
    """The rows of the best source in their intervals, their empty cells filled from the others."""
    rows.sort(key=lambda r: (r.rank, r.since, r.source))
    dated = [r for r in rows if r.rank == rows[0].rank and r.source.split(",")[0] == rows[0].source.split(",")[0] or r.rank == 0]
    first = [r for r in dated if r.rank == 0 and (r.since or r.to)] or dated[:1]
    if where[0] in CHANGED and first[0].since != CHANGED[where[0]][0]:
        first += [r for r in rows if r.since == CHANGED[where[0]][0] and r.rank > 0 and r not in first][:1]
    for base in first:
        rates, said = dict(base.rates), []
        for r in rows:
            if r is base or r.since and r.since != base.since and r.rank == 0 or (where[0] in CHANGED and r not in first and r.since != base.since):
                continue
            if r in first:
                continue
            new = {t: v for t, v in r.rates.items() if t not in rates}
            for t, v in r.rates.items():
                if t in rates and rates[t] != v and not base.to:
                    differences.append((r.source, where, t, v, rates[t], base.source))
            if new:
                rates.update(new)
                what = "cache rates " if set(new) <= set(CACHE) else ""
                if what + r.source not in said:
                    said.append(what + r.source)
        notes = []
        if not where[3]:
            rates, notes = complete(where[0], rates)
        unit = next((r.unit for r in rows if r.unit), "")
        per_unit = next((r.per_unit for r in rows if r.per_unit is not None), None)
        source = "; ".join([base.source, *said[:2]]) + "".join(", " + n for n in notes)
        why = everywhere(where[0])
        if why and not where[2] and LIST not in source and where[1] == "regional":
            source += "; " + why
        yield {"model": where[0], "scope": where[1], "region": where[2], "tier": where[3], "prompt_tokens_over": str(where[4] or ""), "from": base.since, "to": base.to,
               "rates": rates, "unit": unit, "per_unit": per_unit, "source": source}


def name_units(out):
    """What a model is billed by is the same everywhere, though what one costs may not be known there."""
    units = {r["model"]: r["unit"] for r in out if r["unit"]}
    for r in out:
        if not r["tier"] and not r["prompt_tokens_over"]:
            r["unit"] = units.get(r["model"], "")


def without_repeats(out):
    """A row of one Region that says what the row of every Region says is not needed; nor are two scopes that are alike."""
    key = lambda r, scope, region=None: (r["model"], scope, r["region"] if region is None else region, r["tier"], r["prompt_tokens_over"], r["from"], r["to"])
    value = lambda r: (tuple(sorted(r["rates"].items())), r["unit"], r["per_unit"])
    by = {key(r, r["scope"]): r for r in out}
    for r in out:
        wide = by.get(key(r, r["scope"], "")) if r["region"] and not r["region"].startswith("us-gov") else None
        if wide and all(wide["rates"].get(t) == v for t, v in r["rates"].items()):
            by.pop(key(r, r["scope"]))
    out = [r for r in out if key(r, r["scope"]) in by]
    for r in out:
        other = by.get(key(r, "regional")) if r["scope"] == "global" else None
        if other and value(other) == value(r):
            other["scope"] = "any"
            if len(r["source"]) < len(other["source"]):
                other["source"] = r["source"]
            continue
        yield r


def text(v):
    return format(v.normalize(), "f")


HEAD = """\
# The built-in price catalogue: one row a model, scope, Region and interval. Made by pricing/make-builtin.py: do not edit.
#
# model               name without date and without version 0 or 1 (pricing/model_id.h)
# scope               global: called through a global. profile; regional: everything else; any: both
# region              a Region, a geography (eu-*, us-gov-*), or empty: every commercial Region. The narrowest row counts
# tier                empty: standard; or batch, flex, priority, latency, ultrafast
# from, to            in force in [from, to), UTC, on whole hours; empty is open
# prompt_tokens_over  empty, or: the rate of a whole request whose prompt (input + cache read + cache write) is longer
# input ... cache_write_1h   USD per million tokens; 0 is free, empty is not known and shows as unpriced
# unit, per_unit      empty, or what the model is billed by where it is not billed by token, and USD for one
# source              where the figures are from, with a date
"""


def sort_key(r):
    return (r["model"], r["scope"], r["tier"], r["region"], int(r["prompt_tokens_over"] or 0), r["from"])


def collect(folder):
    names = read_names("pricing/pricelist_names.csv")
    listed_rows = list(read_pricelist(f"{folder}/pricelist_reduced_2026-08-20.json", names))
    listed = {r.place: r.rates for r in listed_rows}
    rows = [*read_in_force(f"{folder}/prices_in_force.csv"), *join_regions(listed_rows),
            *read_litellm(f"{folder}/litellm_bedrock_2026-11-29.json", NOVEMBER, listed), *read_litellm(f"{folder}/litellm_bedrock_2026-08-01.json", AUGUST, listed)]
    rows.append(Row(1, place("openai.gpt-5.6-sol", "global", ""), SOL_GLOBAL, "AWS model card, August 2026", "", CHANGED["openai.gpt-5.6-sol"][0]))
    end_before_extended(rows)
    twins(rows)
    without_copies(rows)
    govcloud_regions(rows)
    long_prompts(rows)
    band_begins(rows)
    return rows


def main():
    rows, differences, out = collect(sys.argv[1]), [], []
    places = collections.defaultdict(list)
    for r in rows:
        places[r.place].append(r)
    for where, found in sorted(places.items()):
        out += merge_place(where, found, differences)
    name_units(out)
    out = list(without_repeats(out))
    govcloud(out)
    out.sort(key=sort_key)
    if "--differences" in sys.argv:
        for source, where, t, theirs, ours, why in sorted(set(differences)):
            print(source, *where, t, text(theirs), "ours", text(ours), "from", why, sep=" | ")
        return
    csv_text = io.StringIO()
    w = csv.writer(csv_text, lineterminator="\n")
    w.writerow(COLUMNS)
    for r in out:
        r["per_unit"] = text(r["per_unit"]) if r.get("per_unit") is not None else ""
        w.writerow([r[c] if c not in TYPES else text(r["rates"][c]) if c in r["rates"] else "" for c in COLUMNS])
    sys.stdout.write(HEAD + csv_text.getvalue())


main()
