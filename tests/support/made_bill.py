# SPDX-License-Identifier: Apache-2.0
"""Records of calls and rows of bills, for tests that make their own: random_bill.py, tests/e2e/recon_names.sh."""
import csv
import gzip
import io
import json
import os

COLUMNS = ["bill_billing_entity", "bill_invoice_id", "line_item_currency_code", "line_item_iam_principal", "line_item_line_item_type",
           "line_item_operation", "line_item_product_code", "line_item_resource_id", "line_item_unblended_cost", "line_item_usage_account_id",
           "line_item_usage_amount", "line_item_usage_end_date", "line_item_usage_start_date", "line_item_usage_type",
           "pricing_public_on_demand_cost", "pricing_unit", "product", "product_product_family", "product_region_code", "product_servicecode"]


def arn(account, caller):
    return "arn:aws:%s::%s:%s" % ("sts" if caller.startswith("assumed-role") else "iam", account, caller)


def is_mantle(model):
    return model.startswith("openai.gpt-5")


def session_tags(account, when, caller, key, tags):
    """The record of STS of a session with tags, which calls with the access key `key`."""
    role, session = caller.split("/")[1:]
    return {"eventSource": "sts.amazonaws.com", "awsRegion": "us-east-1", "eventType": "AwsApiCall", "recipientAccountId": account, "eventTime": when,
            "requestID": "r" + key, "eventID": "e" + key, "eventName": "AssumeRole",
            "requestParameters": {"roleArn": "arn:aws:iam::%s:role/%s" % (account, role), "roleSessionName": session,
                                  "tags": [{"key": k, "value": v} for k, v in tags.items()]},
            "responseElements": {"credentials": {"accessKeyId": key}, "assumedRoleUser": {"arn": arn(account, caller)}}}


def call(account, region, when, caller, model, request, tokens=None, key=None):
    """A record of CloudTrail, with its (input, output) tokens in it or without."""
    if caller.startswith("user/"):
        who = {"type": "IAMUser", "arn": arn(account, caller), "accountId": account, "userName": caller[5:]}
    else:
        role = caller.split("/")[1]
        issuer = {"type": "Role", "arn": "arn:aws:iam::%s:role/%s" % (account, role), "accountId": account, "userName": role}
        who = {"type": "AssumedRole", "arn": arn(account, caller), "accountId": account, "sessionContext": {"sessionIssuer": issuer}}
    if key:
        who["accessKeyId"] = key
    mantle = is_mantle(model)
    record = {"eventVersion": "1.11", "userIdentity": who, "eventTime": when,
              "eventSource": "bedrock-mantle.amazonaws.com" if mantle else "bedrock.amazonaws.com",
              "eventName": "CreateInference" if mantle else "Converse", "awsRegion": region, "requestID": request, "eventID": request[::-1],
              "eventType": "AwsApiCall", "recipientAccountId": account, "eventCategory": "Data" if mantle else "Management",
              "requestParameters": {"model" if mantle else "modelId": model}}
    if tokens:
        record["additionalEventData"] = {"inputTokens": tokens[0], "outputTokens": tokens[1]}
    return record


def metric(account, region, ms, model, name, total):
    """A data point of CloudWatch: "InputToken", "OutputToken", "OutputImage"."""
    mantle = is_mantle(model)
    return {"metric_stream_name": "x", "account_id": account, "region": region, "namespace": "AWS/BedrockMantle" if mantle else "AWS/Bedrock",
            "metric_name": "Total" + name + "s" if mantle else name + "Count", "dimensions": {"Model" if mantle else "ModelId": model},
            "timestamp": ms, "value": {"count": 1.0, "sum": float(total), "max": float(total), "min": 1.0}, "unit": "Count"}


def row(account, region, start, end, caller, usage, unit, amount, cost, product="", **more):
    """A row of a bill; `product`: what the Marketplace sells."""
    r = dict.fromkeys(COLUMNS, "")
    r.update(bill_billing_entity="AWS", line_item_currency_code="USD", line_item_iam_principal=arn(account, caller) if caller else "",
             line_item_line_item_type="Usage", line_item_operation="InvokeModelInference", line_item_product_code="AmazonBedrock",
             line_item_unblended_cost=str(cost), line_item_usage_account_id=account, line_item_usage_amount=str(amount),
             line_item_usage_start_date=start, line_item_usage_end_date=end, line_item_usage_type=usage, pricing_public_on_demand_cost=str(cost),
             pricing_unit=unit, product="{}", product_product_family="Amazon Bedrock", product_region_code=region, product_servicecode="AmazonBedrock")
    if product:
        r.update(bill_billing_entity="AWS Marketplace", line_item_product_code="3f8j2k1l9m0n7p6q5r4s3t2u",
                 product_servicecode="AmazonBedrockFoundationModels", product=json.dumps({"product_name": product}))
    r.update(more)
    return r


def write_export(folder, month, rows, without=()):
    """The rows as a CUR 2.0 export of a month, without some columns."""
    text = io.StringIO()
    out = csv.DictWriter(text, [c for c in COLUMNS if c not in without], extrasaction="ignore")
    out.writeheader()
    out.writerows(rows)
    data, meta = ("%s/x/%s/BILLING_PERIOD=%s" % (folder, d, month) for d in ("data", "metadata"))
    os.makedirs(data, exist_ok=True), os.makedirs(meta, exist_ok=True)
    with gzip.open(data + "/x-00001.csv.gz", "wt") as f:
        f.write(text.getvalue())
    with open(meta + "/x-Manifest.json", "w") as f:
        json.dump({"dataFiles": ["s3://b/x/data/BILLING_PERIOD=%s/x-00001.csv.gz" % month]}, f)
