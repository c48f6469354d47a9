#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a bulk offer as large as AWS's own grow to, in its shape, and what a reader should make of it.

    pricelist.py OFFER EXPECTED [--models N]     prints products, rates to be taken, others, in doubt

A product is a rate of one model, Region, token type, scope and tier, under a usage type of the grammar in which AWS writes new
models, and of the older ones; between them stand what is no rate of text tokens (reserved capacity, custom models, images) and
what nobody should believe (a unit that contradicts, two rates for one thing). EXPECTED: model,scope,region,tier,type,USD per million.
"""
import argparse, csv, hashlib, json

REGIONS = {"USE1": "us-east-1", "USE2": "us-east-2", "USW1": "us-west-1", "USW2": "us-west-2", "UGW1": "us-gov-west-1", "CAN1": "ca-central-1",
           "EUC1": "eu-central-1", "EUN1": "eu-north-1", "EUW1": "eu-west-1", "EUW3": "eu-west-3", "APN1": "ap-northeast-1", "APN2": "ap-northeast-2",
           "APS1": "ap-southeast-1", "APS2": "ap-southeast-2", "APS3": "ap-south-1", "SAE1": "sa-east-1"}
NAMES = {r: f"Region {r}" for r in REGIONS.values()}
TYPES = {"input-tokens": "input", "output-tokens": "output", "cache-read-tokens": "cache_read", "cache-write-tokens-5m": "cache_write_5m",
         "cache-write-tokens-1h": "cache_write_1h"}
TIERS = ["standard", "flex", "priority", "batch"]
COLUMNS = ["input", "output", "cache_read", "cache_write_5m", "cache_write_1h"]


def code(*parts):
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:16].upper()


class Offer:
    def __init__(self):
        self.products, self.terms, self.expected, self.counts = {}, {}, {}, {"taken": 0, "other": 0, "doubt": 0}

    def add(self, usage, region, unit, usd, date="2026-09-01", again="", **attributes):
        sku = code(usage, region, date, again)
        term, rate = f"{sku}.JRTCKXETXF", f"{sku}.JRTCKXETXF.6YS6EN2CT7"
        self.products[sku] = {"sku": sku, "productFamily": "Amazon Bedrock", "attributes": {
            "servicecode": "AmazonBedrock", "location": NAMES[region], "locationType": "AWS Region", "usagetype": usage, "operation": "",
            "regionCode": region, "servicename": "Amazon Bedrock", **attributes}}
        self.terms[sku] = {term: {"offerTermCode": "JRTCKXETXF", "sku": sku, "effectiveDate": f"{date}T00:00:00Z", "priceDimensions": {rate: {
            "rateCode": rate, "description": f"${usd} per {unit} for {usage} in {NAMES[region]}", "beginRange": "0", "endRange": "Inf", "unit": unit,
            "pricePerUnit": {"USD": f"{usd:.10f}"}, "appliesTo": []}}, "termAttributes": {}}}

    def rate(self, model, scope, region, tier, what, per_million, **kind):
        prefix = next(p for p, r in REGIONS.items() if r == region)
        mark = "-global" if scope == "global" else ""
        self.add(f"{prefix}-{model}-mantle-{what}{mark}-{tier}", region, "1K tokens", per_million / 1000, model=model, inferenceType=what, **kind)
        self.expected[model, scope, region, tier, TYPES[what]] = f"{per_million:.6f}".rstrip("0").rstrip(".")
        self.counts["taken"] += 1


def main():
    p = argparse.ArgumentParser()
    p.add_argument("offer")
    p.add_argument("expected")
    p.add_argument("--models", type=int, default=70)
    a = p.parse_args()
    o = Offer()
    for m in range(a.models):
        model = f"vendor{m % 9}.model-{m}-{'abcdefgh'[m % 8]}"
        for r, (prefix, region) in enumerate(REGIONS.items()):
            for t, tier in enumerate(TIERS):
                for i, what in enumerate(TYPES):
                    # Whole millionths of a dollar per thousand, no two alike.
                    o.rate(model, "regional", region, tier, what, (1000 + 37 * m + 11 * r + 5 * t + i) / 1000)
            o.rate(model, "global", region, "standard", "input-tokens", (900 + m) / 1000)
            o.add(f"{prefix}-{model}-reserved-1-month-input-tokens-per-minute", region, "1K TPM Hour", 0.198)
            o.add(f"{prefix}-{model}-Customization-Training", region, "1K tokens", 0.008)
            o.counts["other"] += 2
        # What is not to be believed.
        o.add(f"USE1-{model}-mantle-input-tokens-nonsense", "us-east-1", "1K tokens", 0.001)
        o.add(f"USE2-{model}x-mantle-input-tokens-standard", "us-east-2", "1M tokens", 0.001)
        o.add(f"USW2-{model}y-mantle-input-tokens-standard", "us-west-2", "1K tokens", 0.001)
        o.add(f"USW2-{model}y-mantle-input-tokens-standard", "us-west-2", "1K tokens", 0.002, again="2")
        o.counts["doubt"] += 3
        o.counts["taken"] += 1 # the first of the two, until the second contradicts it
    with open(a.offer, "w") as f:
        json.dump({"formatVersion": "v1.0", "disclaimer": "This is no price list of anybody's.", "offerCode": "AmazonBedrock", "version": "20260911124410",
                   "publicationDate": "2026-09-11T12:44:10Z", "products": o.products, "terms": {"OnDemand": o.terms}, "attributesList": {}}, f, indent=1)
    with open(a.expected, "w", newline="") as f:
        w = csv.writer(f)
        for key, usd in sorted(o.expected.items()):
            w.writerow([*key, usd])
    print(len(o.products), o.counts["taken"], o.counts["other"], o.counts["doubt"])


main()
