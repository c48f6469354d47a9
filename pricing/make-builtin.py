#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes pricing/builtin.csv from two collected price sources: make-builtin.py PRICES_IN_FORCE.csv LITELLM.json

A developer runs it (make builtin-prices) when a source has changed, reads the difference, and commits it. The program
itself never needs it. Same input, same output: nothing here knows the time or the order of a dictionary.

Rows of the first source win; its empty cells are filled from the second, which is wide but has known errors. Each error
is put right by a rule below that says so, and never by a figure invented here: what is not known stays empty, and empty
means unpriced.
"""
import csv
import io
import json
import re
import sys
from decimal import Decimal

TYPES = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
FIELDS = {"input": "input_cost_per_token", "output": "output_cost_per_token", "cache_read": "cache_read_input_token_cost",
          "cache_write_5m": "cache_creation_input_token_cost", "cache_write_1h": "cache_creation_input_token_cost_above_1hr"}
COLUMNS = ("model", "scope", "region", "tier", "from", "to", "prompt_tokens_over", *TYPES, "unit", "per_unit", "source")
GEOGRAPHY = {"us": "us-*", "eu": "eu-*", "apac": "ap-*", "us-gov": "us-gov-*"}
PROFILE = re.compile(r"^(global|us-gov|us|eu|apac|jp|au|ca|amer)\.")
REGIONAL, GOVCLOUD = Decimal("1.1"), Decimal("1.2")

TIERS = {"latency-optimized": "latency"}

# Entries of the second source that are wrong and are left out, each with the reason.
WRONG = {
    "bedrock/moonshotai.kimi-k2-thinking": "a Region's rate without its Region",
    "bedrock/moonshotai.kimi-k2.5": "disagrees with the model's own entry by a digit",
    "bedrock/us-gov-east-1/amazon.titan-embed-text-v2:0": "ten times the commercial rate",
    "bedrock/us-gov-west-1/amazon.titan-embed-text-v2:0": "ten times the commercial rate",
    "anthropic.claude-3-7-sonnet-20240620-v1:0": "a date no model has, at the GovCloud rate",
    "eu.anthropic.claude-3-5-haiku-20241022-v1:0": "at the rate of Claude 3 Haiku",
}
WRONG_RATES = {
    ("bedrock/us-gov-east-1/meta.llama3-8b-instruct-v1:0", "output"): "the input rate of the 70B model",
    ("bedrock/us-gov-west-1/meta.llama3-8b-instruct-v1:0", "output"): "the input rate of the 70B model",
}
# What one image costs goes by its size and quality there: one figure would be a guess.
BY_SIZE = ("amazon.nova-canvas", "amazon.titan-image-generator", "stability.stable-diffusion-xl")
PER_UNIT = {"image": "output_cost_per_image", "search unit": "input_cost_per_query", "second of video": "input_cost_per_video_per_second"}
# The same model under two names.
TWINS = {"moonshot.kimi-k2-thinking": "moonshotai.kimi-k2-thinking", "deepseek.v3": "deepseek.v3.1"}
# Input and output where the second source has a rate that Bedrock's pricing page of 2026-07-24 no longer has (the larger
# Llamas became cheaper), or never had.
PAGE = {
    "meta.llama3-1-405b-instruct": ("2.4", "2.4"),
    "meta.llama3-1-70b-instruct": ("0.72", "0.72"),
    "meta.llama3-2-11b-instruct": ("0.16", "0.16"),
    "meta.llama3-2-90b-instruct": ("0.72", "0.72"),
    "qwen.qwen3-coder-480b-a35b": ("0.45", "1.8"),
}


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


def premium(model):
    """Claude from 4.5 on costs a tenth more outside global profiles, and can keep a cache for an hour."""
    m = re.fullmatch(r"anthropic\.claude-[a-z]+-(\d+)(?:-(\d+))?", model)
    return bool(m) and (int(m[1]), int(m[2] or 0)) >= (4, 5)


def times(rates, factor):
    return {t: v * factor for t, v in rates.items()}


def complete(model, rates):
    """Rates that follow from the others by a rule of the price list."""
    rates = dict(rates)
    if model.startswith("amazon.nova-") and "output" in rates and rates["output"]:
        if "-2-" not in model:
            rates.setdefault("cache_read", rates["input"] / 4)
        if "cache_read" in rates:
            rates["cache_write_5m"] = rates["cache_write_1h"] = Decimal(0)
    if premium(model):
        rates.setdefault("cache_write_1h", rates["input"] * 2)
    return rates


class Entry:
    """One entry of the second source, undressed."""

    def __init__(self, key, value):
        self.region = self.profile = ""
        rest = key
        if rest.startswith("bedrock/"):
            self.region, slash, rest = rest[8:].partition("/")
            if not slash:
                self.region, rest = "", self.region
            if self.region in ("invoke", "*"):
                self.region = ""
        rest = rest.rpartition("/")[2]
        found = PROFILE.match(rest)
        if found:
            self.profile, rest = found[1], rest[found.end():]
        self.mantle = key.startswith("bedrock_mantle/")
        self.model = canonical(rest)
        mode = value.get("mode")
        self.unit = {"image_generation": "image", "image_edit": "image", "rerank": "search unit"}.get(mode, "")
        if self.model.startswith("twelvelabs."):
            self.unit = "second of video"
        figure = value.get(PER_UNIT.get(self.unit))
        self.per_unit = None if figure is None or self.model.startswith(BY_SIZE) else Decimal(str(figure))
        self.rates = {}
        for t, field in FIELDS.items():
            if field in value and (key, t) not in WRONG_RATES:
                self.rates[t] = Decimal(str(value[field])) * 1000000
        if self.unit and mode != "chat":
            self.rates = {}
        # $0 for reading and writing means that nobody knew; $0 for what an embedding returns is what it costs.
        self.unknown = not self.unit and not any(self.rates.values())
        if mode == "chat" and not self.rates.get("input") and not self.unit:
            self.unknown = True


def read_litellm(path):
    """model -> {"base": Entry, (region): Entry}; base is the entry that stands for every Region."""
    models = {}
    with open(path, encoding="utf-8") as f:
        entries = sorted(json.load(f, parse_float=Decimal).items())
    for key, value in entries:
        if key in WRONG or "-commitment/" in key:
            continue
        e = Entry(key, value)
        if e.unknown:
            continue
        m = models.setdefault(e.model, {"bases": [], "regions": {}, "geographies": {}})
        if e.region:
            m["regions"].setdefault(e.region, e)
        elif e.profile and e.profile != "global":
            m["geographies"].setdefault(e.profile, e)
        else:
            m["bases"].append((e.mantle, bool(e.profile), key, e))
    return models


def litellm_rows(model, m):
    """Rows of one model as the second source has them, its errors put right."""
    claude, unit, per_unit = model.startswith("anthropic.claude-"), "", None
    source = "LiteLLM 2026-08-01"
    geographies, regions = dict(m["geographies"]), dict(m["regions"])
    rows = []

    def row(scope, region, rates, note=""):
        rows.append({"model": model, "scope": scope, "region": region, "rates": complete(model, rates), "unit": unit, "per_unit": per_unit,
                     "source": source + note})

    if model in PAGE:
        rates = dict(zip(TYPES, map(Decimal, PAGE[model])))
        return [{"model": model, "scope": "any", "region": "", "rates": rates, "unit": "", "source": "Bedrock pricing page 2026-07-24"}]
    if m["bases"]:
        base, where = min(m["bases"], key=lambda b: b[:3])[3], ""
    elif geographies:
        profile = "us" if "us" in geographies else min(geographies)
        base = geographies[profile]
        where = "" if len({tuple(sorted(e.rates.items())) for e in geographies.values()}) == 1 and len(geographies) > 1 else GEOGRAPHY[profile]
    else:
        base, where = None, None
    regional = base.rates if base else {}
    if base:
        unit, per_unit = base.unit, base.per_unit
        if premium(model):
            # Plain ids stand at the global rate there; a profile of one geography is sometimes right, sometimes not.
            regional = times(base.rates, REGIONAL)
            row("global", where, base.rates)
            row("regional", where, regional, ", regional x1.1")
        elif model.startswith("amazon.nova-2-lite"):
            regional = geographies["us"].rates
            row("global", where, base.rates)
            row("regional", where, regional)
        else:
            row("regional" if base.mantle else "any", where, base.rates)  # bedrock-mantle has no global profiles
    if not claude:
        for profile, e in sorted(geographies.items()):
            if e.rates != regional and GEOGRAPHY[profile] != where:
                row("regional", GEOGRAPHY[profile], e.rates)
    for region, e in sorted(regions.items()):
        if region.startswith("us-gov-"):
            if geographies.setdefault("us-gov", e).rates != e.rates:
                raise SystemExit(f"{model}: the GovCloud Regions differ: they share one row")
        elif e.rates != regional:
            row("regional", region, e.rates)
    if "us-gov" in geographies:
        row("regional", "us-gov-*", geographies["us-gov"].rates)
    return rows


def source_of(text):
    """The first source names its own sources tersely; users get a sentence."""
    for word, name in (("claudit v1.9", "Anthropic price list 2026-10, Bedrock premium assumed"), ("PromptFuel", "AWS price list 2026-10"), ("R1c", "AWS price list, autumn 2026"),
                       ("awslabs", "Bedrock pricing page 2026-07-24; the rise planned for 2026-09-01 was cancelled"), ("fixture", "AWS price list 2026-05"),
                       ("pricing page", "Bedrock pricing page 2026-07-24"), ("LiteLLM", "LiteLLM 2026-08-01"), ("genai-prices", "genai-prices 2026-08-21")):
        if word in text:
            return name + ("; without the promotion up to 2026-11-21, whose beginning is not known" if "promo" in text else "")
    raise SystemExit(f"no name for the source {text!r}: add it to source_of")


def read_in_force(path):
    with open(path, encoding="utf-8", newline="") as f:
        lines = [x for x in f if not x.startswith("#")]
    rows = []
    for r in csv.DictReader(lines):
        scope, region = (r["scope"], "") if r["scope"] in ("global", "regional", "any") else ("any", "us-*")
        rows.append({"model": r["model"], "scope": scope, "region": region, "from": r["effective_from"], "to": r["effective_to"], "prompt_tokens_over": r["prompt_tokens_over"],
                     "rates": {t: Decimal(r[t]) for t in TYPES if r[t]}, "unit": "", "source": source_of(r["source"]), "extended": r["tier"] == "extended-access", "tier": ""})
        if r["tier"] not in ("standard", "extended-access"):
            rows[-1:] = [{**rows[-1], "tier": TIERS.get(t, t)} for t in r["tier"].split("/")]
    return rows


def merge(force, models):
    rows, standing = [], {}
    for model, m in sorted(models.items()):
        for r in litellm_rows(model, m):
            standing[(model, r["scope"], r["region"])] = r
    everywhere = {r["model"] for r in force if not r["region"] and not r["tier"]}
    for (model, scope, region), r in sorted(standing.items()):
        if model not in everywhere or region:
            rows.append(r)
    for r in force:
        model = r["model"]
        if r["tier"]:
            rows.append(r)
            continue
        if not r["prompt_tokens_over"] and not r.get("extended"):
            for scope in (r["scope"], "any"):
                under = standing.get((model, scope, r["region"]))
                if under:
                    if set(under["rates"]) - set(complete(model, r["rates"])):
                        r["source"] += "; cache rates " + under["source"]
                    r["rates"] = {**under["rates"], **r["rates"]}
                    break
        r["rates"] = complete(model, r["rates"])
        if not r.get("extended"):
            rows.append(r)
    return rows


def extend(force, rows):
    """Extended access, past a model's end of life, has its own rate: it ends the standard one."""
    for late in [r for r in force if r.get("extended")]:
        for r in rows:
            if r["model"] == late["model"] and r["scope"] == late["scope"] and r["region"] == late["region"] and not r["tier"] and not r["to"]:
                r["to"] = late["from"]
        rows.append({**late, "source": late["source"] + ", extended access"})


def govcloud(rows):
    """GovCloud costs a fifth more for Claude; the models the second source does not list there follow the rule."""
    listed = {(r["model"], r["prompt_tokens_over"]) for r in rows if r["region"].startswith("us-gov") or r.get("extended")}
    for r in list(rows):
        if r["model"].startswith("anthropic.claude-") and not r["tier"] and (r["model"], r["prompt_tokens_over"]) not in listed and not r["region"] and r["scope"] != "regional":
            if re.match(r"anthropic\.claude-(instant|v\d|v\b|\d-opus|claude$)|anthropic\.claude$", r["model"]):
                continue
            rows.append({**r, "scope": "regional", "region": "us-gov-*", "rates": times(r["rates"], GOVCLOUD), "source": r["source"] + ", GovCloud x1.2"})


def twins(rows):
    for r in list(rows):
        for a, b in (*TWINS.items(), *((b, a) for a, b in TWINS.items())):
            if r["model"] == a and not any(x["model"] == b and (x["scope"], x["region"]) == (r["scope"], r["region"]) for x in rows):
                rows.append({**r, "model": b})


def text(v):
    return format(v.normalize(), "f")


HEAD = """\
# The built-in price catalogue: one row a model, scope, Region and interval. Made by pricing/make-builtin.py: do not edit.
#
# model               name without date and without version 0 or 1 (pricing/model_id.h)
# scope               global: called through a global. profile; regional: everything else; any: both
# region              a Region, a geography (eu-*, us-gov-*), or empty: every commercial Region. The narrowest row counts
# tier                empty: standard; or batch, flex, priority, latency
# from, to            in force in [from, to), UTC, on whole hours; empty is open
# prompt_tokens_over  empty, or: the rate of a whole request whose prompt (input + cache read + cache write) is longer
# input ... cache_write_1h   USD per million tokens; 0 is free, empty is not known and shows as unpriced
# unit, per_unit      empty, or what the model is billed by where it is not billed by token, and USD for one
# source              where the figures are from, with a date
"""


def main():
    force = read_in_force(sys.argv[1])
    rows = merge(force, read_litellm(sys.argv[2]))
    for r in rows:
        r.setdefault("from", "")
        r.setdefault("to", "")
        r.setdefault("prompt_tokens_over", "")
        r.setdefault("tier", "")
    extend(force, rows)
    twins(rows)
    govcloud(rows)
    rows.sort(key=lambda r: (r["model"], r["scope"], r["tier"], r["region"], int(r["prompt_tokens_over"] or 0), r["from"]))
    out = io.StringIO()
    w = csv.writer(out, lineterminator="\n")
    w.writerow(COLUMNS)
    for r in rows:
        r["per_unit"] = text(r["per_unit"]) if r.get("per_unit") else ""
        w.writerow([r[c] if c not in TYPES else text(r["rates"][c]) if c in r["rates"] else "" for c in COLUMNS])
    sys.stdout.write(HEAD + out.getvalue())


main()
