#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A random month of calls and a random bill of it: what a reader must show of each hour that is final.

    random_bill.py SEED FOLDER

Writes FOLDER/signals.ndjson (CloudTrail records, metrics), FOLDER/cur (a CUR 2.0 export) and FOLDER/expected.json: per hour (or
day), account and Region the tokens and dollars of the bill's inference rows, by caller where the bill names them.

The bill has the calls in every shape, names them by profile, by project, by product or not at all, leaves some out, invents
others, has units that are no tokens and words nobody has heard of, and charges that are no inference.
"""
import collections
import decimal
import json
import random
import sys

import made_bill

D = decimal.Decimal
MONTH, START_MS = "2026-10", 1790812800000
ACCOUNTS = ["111122223333", "444455556666"]
REGIONS = {"us-east-1": "USE1", "eu-west-1": "EUW1", "ap-south-1": "APS3"}
# what is called | the model in a usage type of its own shape, the product of the Marketplace; None: there is no such shape
MODELS = [
    ("anthropic.claude-sonnet-4-6", "Claude4.6Sonnet", "Claude Sonnet 4.6"),
    ("us.anthropic.claude-sonnet-4-6", "Claude4.6Sonnet", "Claude Sonnet 4.6"),
    ("in.anthropic.claude-haiku-4-5-20251001-v1:0", "Claude4.5Haiku", "Claude Haiku 4.5"),
    ("global.anthropic.claude-opus-5", "anthropic.claude-opus-5-mantle", "Claude Opus 5"),
    ("meta.llama3-3-70b-instruct-v1:0", "Llama3-3-70B", None),
    ("eu.meta.llama3-3-70b-instruct-v1:0", "Llama3-3-70B", None),
    ("qwen.qwen3-32b-v1:0", "Qwen3-32B", None),
    ("openai.gpt-5.6-sol", "openai.gpt-5.6-sol-mantle", "OpenAI GPT-5.6 Sol"),
    ("acme.saga-9", None, "Acme Saga Nine"),  # which nobody can match
]
CALLERS = ["assumed-role/app/one", "assumed-role/app/two", "assumed-role/voice/line-7", "user/ann", "user/bob"]
UNITS = [  # usage type, unit, product
    ("{p}-NovaCanvas-T2I-1024-Premium", "image", ""),
    ("{p}-MP:{p}_created_image-Units", "Units", "Stable Diffusion 3.5 Large v1.0 (Amazon Bedrock Edition)"),
    ("{p}-NovaReel-T2V-Medfps-HDRes", "video", ""),
    ("{p}-MP:{p}_search_units-Units", "Units", "Cohere Rerank v3.5 (Amazon Bedrock Edition)"),
    ("{p}-Guardrail-ContentPolicyUnitsConsumed", "TextUnit", ""),
    ("{p}-OSS-CustomModelImport-Inference-v1:0", "Custom Model Unit per Min", ""),
    ("{p}-WebGrounding-Requests", "Requests", ""),
    ("{p}-Something-nobody-has-heard-of", "Flurbs", ""),
]
TOKENS = {  # a token type in the shapes "camel", "mantle" and of the Marketplace
    "input": ("input-tokens", "input-tokens-standard", "input_tokens_standard"),
    "output": ("output-tokens", "output-tokens-standard", "OutputTokenCount"),
    "read": ("cache-read-input-token-count", "cache-read-tokens-standard", "cached_input_tokens_standard"),
    "write": ("cache-write-input-token-count", "cache-write-tokens-30m-standard", "cache_write_tokens_30m_standard"),
    "hour": ("cache-write-input-token-count-1-hour", "cache-write-tokens-1h-standard", "CacheWrite1hInputTokenCount"),
    "speech": ("speech-understanding-input-token", "input-tokens-hyperspeed", "input_tokens_hyperspeed"),
}
RATES = {"input": "1", "output": "5", "read": "0.1", "write": "1.25", "hour": "2", "speech": "3.4"}  # dollars a million
APART = [("Tax", "", ""), ("Credit", "{p}-NovaPro-input-tokens", "1K tokens"), ("Refund", "{p}-NovaPro-input-tokens", "1K tokens"),
         ("Usage", "{p}-NovaMicro-ProvisionedThroughput-6months-ModelUnits", "hour"),
         ("Usage", "{p}-MP:{p}_Reserved_1Month_InputTPM_Geo-Units", "Units"), ("Usage", "{p}-NovaMicro-Customization-Training", "1K tokens"),
         ("Tribute", "", "")]


def stamp(hour, minute=0):
    return "%s-%02dT%02d:%02d:00Z" % (MONTH, 1 + hour // 24, hour % 24, minute)


class Bill:
    def __init__(self, r):
        self.r, self.rows, self.expected = r, [], collections.defaultdict(lambda: [0, D(0)])
        self.by_caller = collections.defaultdict(D)
        self.daily = r.random() < .25
        self.invoiced = r.random() < .6
        self.principals = r.random() < .8
        self.resources = r.random() < .6

    def add(self, account, region, hour, caller, usage, unit, amount, cost, inference, **more):
        start = hour // 24 * 24 if self.daily else hour
        row = made_bill.row(account, region, stamp(start), stamp(start + (24 if self.daily else 1)), caller, usage.format(p=REGIONS[region]),
                            unit, amount, cost, bill_invoice_id="1" if self.invoiced else "", **more)
        self.rows.append(row)
        if not inference:
            return
        sum_ = self.expected[(start, account, region)]
        per = 1000 if unit == "1K tokens" else 1000000 if unit == "1M tokens" or (unit == "Units" and "oken" in usage) else 1
        sum_[0] += int(amount * per)
        sum_[1] += cost
        if caller and self.principals:
            self.by_caller[(account, made_bill.arn(account, caller))] += cost

    def cost(self):
        return D(self.r.randrange(1, 10 ** 11)) / 10 ** 10

    def tokens(self, account, region, hour, caller, model, count):
        """One usage of tokens, in any of the shapes that AWS writes."""
        r, (key, written, product) = self.r, model
        kind = r.choice(["input", "output"] * 4 + list(TOKENS))
        camel, mantle, market = TOKENS[kind]
        glob = key.startswith("global.")
        more = {}
        if r.random() < .7:
            more["line_item_resource_id"] = "arn:aws:bedrock:%s:%s:%s/%s" % (
                region, "" if key.count(".") < 2 else account, "inference-profile" if key.split(".")[0] in ("us", "eu", "in", "global") else "foundation-model", key)
            if key == "openai.gpt-5.6-sol":
                more["line_item_resource_id"] = "arn:aws:bedrock-mantle:%s:%s:project/default" % (region, account)
        if product and (not written or r.random() < .4):
            more["product"] = product + " (Amazon Bedrock Edition)"
            usage = "{p}-MP:{p}_" + (market + "_Global" if glob and market[0].isupper() else market.replace("_standard", "_global_standard") if glob else market) + "-Units"
            unit, amount = r.choice([("Units", D(count) / 1000000), ("1M tokens", D(count) / 1000000)])
        else:
            new = written.endswith("-mantle")
            usage = "{p}-" + written + "-" + (mantle.replace("-standard", "-global-standard") if glob else mantle) if new else \
                "{p}-" + written + "-" + camel + ("-cross-region-global" if glob else "")
            unit, amount = "1K tokens", D(count) / 1000
        # near enough to a list price that the unit is not doubted
        cost = (D(RATES[kind]) * count * self.r.randrange(700, 1400) / 10 ** 9).quantize(D("1e-10"))
        self.add(account, region, hour, caller, usage, unit, amount, cost, True, **more)

    def write(self, folder):
        self.r.shuffle(self.rows)
        without = [] if self.principals else ["line_item_iam_principal"]
        made_bill.write_export(folder + "/cur", MONTH, self.rows, without + ([] if self.resources else ["line_item_resource_id"]))


def main():
    r, folder = random.Random(int(sys.argv[1])), sys.argv[2]
    bill, signals = Bill(r), []
    hours = sorted(r.sample(range(24 * 24), r.randrange(4, 16)))
    accounts, regions = ACCOUNTS[:r.choice([1, 2, 2])], r.sample(sorted(REGIONS), r.choice([1, 2, 3]))
    unbilled_account = len(accounts) > 1 and r.random() < .2
    for hour in hours:
        for account in accounts:
            for region in regions:
                for key, written, product in r.sample(MODELS, r.randrange(0, 5)):
                    for caller in r.sample(CALLERS, r.randrange(1, 4)):
                        tokens = r.randrange(1, 200000), r.randrange(1, 20000)
                        seen, billed = r.random() < .85, r.random() < .85
                        if seen:
                            signals.append(made_bill.call(account, region, stamp(hour, r.randrange(60)), caller, key, "%032x" % r.getrandbits(128),
                                                          tokens if r.random() < .7 else None))
                        for name, count in zip(("InputToken", "OutputToken"), tokens) if seen and r.random() < .5 else ():
                            ms = START_MS + hour * 3600000 + r.randrange(60) * 60000
                            signals.append(made_bill.metric(account, region, ms, key, name, count))
                        for count in tokens if billed and not (unbilled_account and account == accounts[1]) else ():
                            who = caller if r.random() < .9 else r.choice(CALLERS + [""])
                            bill.tokens(account, region, hour, who, (key, written, product), count if r.random() < .7 else r.randrange(1, 2 * count + 2))
                if unbilled_account and account == accounts[1]:
                    continue
                for usage, unit, product in r.sample(UNITS, r.randrange(0, 3)):
                    bill.add(account, region, hour, r.choice(CALLERS + [""]), usage, unit, D(r.randrange(1, 5000)), bill.cost(), True, product=product)
                if r.random() < .3:
                    type_, usage, unit = r.choice(APART)
                    bill.add(account, region, hour, "", usage, unit, D(1), bill.cost(), False, line_item_line_item_type=type_)
    r.shuffle(signals)
    with open(folder + "/signals.ndjson", "w") as f:
        f.writelines(json.dumps(s) + "\n" for s in signals)
    bill.write(folder)
    with open(folder + "/expected.json", "w") as f:
        json.dump({"daily": bill.daily, "invoiced": bill.invoiced, "principals": bill.principals, "resources": bill.resources,
                   "sums": [[stamp(h), a, g, t, str(c)] for (h, a, g), (t, c) in sorted(bill.expected.items())],
                   "callers": [[a, c, str(u)] for (a, c), u in sorted(bill.by_caller.items())]}, f, indent=1)


main()
