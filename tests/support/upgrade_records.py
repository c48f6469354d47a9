#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records of an hour in which nowcast is upgraded: upgrade_records.py FOLDER [DATE] writes before.ndjson and after.ndjson.

Calls of which one part comes before and another after (a log, a completion, a correction of the model), calls with metadata,
sessions, users, a refused call, a model without a price, metrics of the whole and of a tier.
"""
import json
import sys

A, ROLE = "111122223333", "arn:aws:iam::111122223333:role/llm-gateway"
SONNET, NOVA, OWN = "global.anthropic.claude-sonnet-4-6", "amazon.nova-micro-v1:0", "acme.unknown-model-v9:0"
day = sys.argv[2] if len(sys.argv) > 2 else "2026-11-02"


def at(minute):
    return f"{day}T05:{minute:02}:00Z"


def user(name):
    return {"type": "IAMUser", "arn": f"arn:aws:iam::{A}:user/{name}", "accountId": A, "accessKeyId": "AKIA" + name.upper()}


def pod(name):
    issuer = {"type": "Role", "arn": ROLE, "accountId": A}
    return {"type": "AssumedRole", "arn": f"arn:aws:sts::{A}:assumed-role/llm-gateway/{name}", "accountId": A, "accessKeyId": "ASIA" + name.upper(),
            "sessionContext": {"sessionIssuer": issuer, "attributes": {"creationDate": at(0)}}}


def trail(n, who, minute, model, **fields):
    return {"userIdentity": who, "eventTime": at(minute), "eventSource": "bedrock.amazonaws.com", "eventName": "Converse", "awsRegion": "us-east-1",
            "requestParameters": {"modelId": model}, "requestID": f"{n:08}-0000-4000-8000-000000000000", "eventID": f"e-{n}", "eventType": "AwsApiCall",
            "recipientAccountId": A, "eventCategory": "Management", **fields}


def log(n, who, minute, model, tokens, metadata=None):
    return {"schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": at(minute), "accountId": A, "region": "us-east-1",
            "requestId": f"{n:08}-0000-4000-8000-000000000000", "operation": "Converse", "modelId": model, "identity": {"arn": who["arn"]},
            **({"requestMetadata": metadata} if metadata else {}), "input": {"inputTokenCount": tokens[0]}, "output": {"outputTokenCount": tokens[1]}}


def metric(minute, name, model, value, **dimensions):
    import calendar, time
    ms = calendar.timegm(time.strptime(at(minute), "%Y-%m-%dT%H:%M:%SZ")) * 1000
    return {"metric_stream_name": "s", "account_id": A, "region": "us-east-1", "namespace": "AWS/Bedrock", "metric_name": name,
            "dimensions": {"ModelId": model, **dimensions}, "timestamp": ms, "value": {"count": 2.0, "sum": float(value), "max": value, "min": 1.0}, "unit": "Count"}


before, after = [], []
for n in range(40):
    who = [user("ann"), user("bob"), pod("pod-1"), pod("pod-2"), pod("pod-3")][n % 5]
    model = [SONNET, NOVA, OWN][n % 3]
    record = trail(n, who, n, model, **({"errorCode": "AccessDenied"} if n % 13 == 12 else {}))
    (before if n % 4 else after).append(record)
    if n % 2:
        (after if n % 3 else before).append(log(n, who, n, model, (1000 + n, 100 + n), {"team": f"t{n % 4}", "env": "prod"} if n % 5 > 1 else None))
for minute in range(40):
    for model in (SONNET, NOVA):
        (before if minute % 3 else after).append(metric(minute, "InputTokenCount", model, 3000 + 7 * minute))
        (before if minute % 5 else after).append(metric(minute, "OutputTokenCount", model, 300 + minute))
for name, lines in (("before", before), ("after", after)):
    with open(f"{sys.argv[1]}/{name}.ndjson", "w") as f:
        f.writelines(json.dumps(line) + "\n" for line in lines)
