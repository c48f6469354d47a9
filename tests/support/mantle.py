#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calls and metrics of bedrock-mantle, and bills that know how much of their prompts was cached: mantle.py FOLDER.
Shapes: "Monitor bedrock-mantle API calls using CloudTrail" and "Monitor bedrock-mantle inference using CloudWatch
metrics" (Amazon Bedrock User Guide), "CUR 2.0 table dictionary" (AWS Data Exports User Guide).

ann, bea and cid call Claude Haiku 4.5: input 1.10, reads 0.11, writes 1.375 USD per million tokens. On each of three days
each of ann and bea makes one call an hour, in four hours, of 100,000 tokens of input as the metric counts them. The bill
has the first two days: half of ann's input was read from the cache, a quarter written to it; bea cached nothing. cid, of
bea's role, and eve, of another one, call on the third day only."""
import csv
import gzip
import json
import os
import sys

ACCOUNT, REGION, MODEL, YEAR = "111122223333", "us-east-1", "anthropic.claude-haiku-4-5", "2026-11-"
DAYS, HOURS = (20, 21, 22), (9, 10, 11, 12)
ROLES = {"ann": "code", "bea": "chat", "cid": "chat", "eve": "batch"}


def arn(who):
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLES[who]}/{who}"


def call(who, day, hour, minute, model=MODEL, project="default", **params):
    return {
        "eventVersion": "1.11", "userIdentity": {"type": "AssumedRole", "arn": arn(who), "accountId": ACCOUNT},
        "eventTime": f"{YEAR}{day}T{hour:02}:{minute:02}:31Z", "eventSource": "bedrock-mantle.amazonaws.com",
        "eventName": "CreateInference", "awsRegion": REGION, "requestID": f"{who}-{model}-{day}-{hour}-{minute}",
        "requestParameters": {"model": model, "stream": False, **params}, "readOnly": False,
        "resources": [{"accountId": ACCOUNT, "type": "AWS::BedrockMantle::Project",
                       "ARN": f"arn:aws:bedrock-mantle:{REGION}:{ACCOUNT}:project/{project}"}],
        "eventType": "AwsApiCall", "managementEvent": False, "recipientAccountId": ACCOUNT, "eventCategory": "Data",
    }


def metric(name, day, hour, minute, tokens, count=1, model=MODEL, project=None):
    at = ((day - 1) * 24 + hour) * 60 + minute + 29891520  # minutes since 1970; 2026-11-01 begins with that
    return {
        "metric_stream_name": "s", "account_id": ACCOUNT, "region": REGION, "namespace": "AWS/BedrockMantle",
        "metric_name": name, "dimensions": {"Model": model, **({"Project": project} if project else {})},
        "timestamp": at * 60000, "value": {"count": count, "sum": tokens, "min": tokens, "max": tokens}, "unit": "Count",
    }


def inference(who, day, hour, minute, tokens=100000, output=1000, **of):
    yield call(who, day, hour, minute, **of)
    yield metric("TotalInputTokens", day, hour, minute, tokens, **of)
    yield metric("TotalOutputTokens", day, hour, minute, output, **of)


def days(wanted):
    for day in wanted:
        for hour in HOURS:
            yield from inference("ann", day, hour, 5)
            yield from inference("bea", day, hour, 25)
            if day == DAYS[-1]:
                yield from inference("cid", day, hour, 35)
                yield from inference("eve", day, hour, 45)
    if DAYS[-1] in wanted:  # nobody's
        yield metric("TotalInputTokens", DAYS[-1], 14, 5, 100000)


def uncached():
    """A model without cache rates: gpt-oss-120b, 0.15 and 0.60."""
    yield from inference("ann", 22, 9, 5, model="openai.gpt-oss-120b")


def projects():
    """Two projects in one minute. The level of the model has the sum; both names of a metric; equal calls."""
    model = "openai.gpt-oss-120b"
    for who, project, tokens in (("ann", "proj_a", 900000), ("bea", "proj_b", 100000)):
        yield call(who, 22, 9, 5, model=model, project=project)
        for name in ("InputTokens", "TotalInputTokens"):
            yield metric(name, 22, 9, 5, tokens, model=model, project=project)
    for name in ("TotalInputTokens", "InputTokens"):
        yield metric(name, 22, 9, 5, 1000000, count=2, model=model)


def limits():
    """ann's calls put out 100,000 tokens, until one whose request allows 500, and whose metric has not come."""
    model = "openai.gpt-oss-120b"
    for minute in range(1, 6):
        yield from inference("ann", 22, 9, minute, output=100000, model=model)
    yield call("ann", 22, 10, 30, model=model, max_tokens=500)


def bill(folder):
    columns = (
        "bill_billing_entity,bill_invoice_id,bill_payer_account_id,identity_line_item_id,line_item_currency_code,"
        "line_item_iam_principal,line_item_line_item_description,line_item_line_item_type,line_item_operation,"
        "line_item_product_code,line_item_resource_id,line_item_unblended_cost,line_item_unblended_rate,"
        "line_item_usage_account_id,line_item_usage_amount,line_item_usage_end_date,line_item_usage_start_date,"
        "line_item_usage_type,pricing_public_on_demand_cost,pricing_unit,product,product_product_family,"
        "product_region_code,product_servicecode,resource_tags,tags").split(",")
    rates = {"input-tokens": 1.10, "cache-read-tokens": 0.11, "cache-write-tokens-5m": 1.375, "output-tokens": 5.5}
    used = {"ann": (25000, 50000, 25000, 1000), "bea": (100000, 0, 0, 1000)}
    data = f"{folder}/cur2/bedrock/data/BILLING_PERIOD={YEAR[:-1]}"
    meta = f"{folder}/cur2/bedrock/metadata/BILLING_PERIOD={YEAR[:-1]}"
    os.makedirs(data)
    os.makedirs(meta)
    with gzip.open(f"{data}/bedrock-00001.csv.gz", "wt", newline="") as f:
        out = csv.DictWriter(f, columns, restval="")
        out.writeheader()
        n = 0
        for day in DAYS[:2]:
            for hour in HOURS:
                for who, tokens in used.items():
                    for (kind, rate), amount in zip(rates.items(), tokens):
                        n += 1
                        if amount:
                            out.writerow({
                                "bill_billing_entity": "AWS", "bill_payer_account_id": ACCOUNT,
                                "identity_line_item_id": f"id{n}", "line_item_currency_code": "USD",
                                "line_item_iam_principal": arn(who), "line_item_line_item_type": "Usage",
                                "line_item_operation": "InvokeModelInference", "line_item_product_code": "AmazonBedrock",
                                "line_item_unblended_cost": f"{amount * rate / 1e6:.10f}",
                                "line_item_usage_account_id": ACCOUNT, "line_item_usage_amount": f"{amount / 1000:.10f}",
                                "line_item_usage_start_date": f"{YEAR}{day}T{hour:02}:00:00.000Z",
                                "line_item_usage_end_date": f"{YEAR}{day}T{hour + 1:02}:00:00.000Z",
                                "line_item_usage_type": f"USE1-{MODEL}-mantle-{kind}-standard",
                                "pricing_public_on_demand_cost": f"{amount * rate / 1e6:.10f}",
                                "pricing_unit": "1K tokens", "product": "{}", "product_product_family": "Amazon Bedrock",
                                "product_region_code": REGION, "product_servicecode": "AmazonBedrock",
                                "resource_tags": "{}", "tags": "{}",
                            })
    with open(f"{meta}/bedrock-Manifest.json", "w") as f:
        json.dump({"dataFiles": [f"s3://billing/cur2/bedrock/data/BILLING_PERIOD={YEAR[:-1]}/bedrock-00001.csv.gz"]}, f)


def main():
    files = {"past": days(DAYS[:2]), "today": days(DAYS[2:]), "uncached": uncached(), "projects": projects(),
             "limits": limits()}
    for name, records in files.items():
        with open(f"{sys.argv[1]}/{name}.ndjson", "w") as f:
            for r in records:
                f.write(json.dumps(r) + "\n")
    bill(sys.argv[1])


main()
