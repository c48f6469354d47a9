#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes CloudTrail records of many principals, for tests and benchmarks of what reads figures.

    many_principals.py PRINCIPALS HOURS [START]     START defaults to 2026-11-02T00:00:00Z; NDJSON on stdout

Each principal calls once an hour, tokens told by the record; spend falls off with the number of the principal. Every
hundredth one is a user whose team is HTML or a spreadsheet's formula, as a hostile tag may be; three teams have names that are
easily taken for something else.
"""
import datetime
import json
import sys

principals, hours = int(sys.argv[1]), int(sys.argv[2])
start = datetime.datetime.fromisoformat((sys.argv[3] if len(sys.argv) > 3 else "2026-11-02T00:00:00Z").replace("Z", "+00:00"))
hostile = ["<img src=x onerror=document.title='owned'>", "=cmd|' /C calc'!A0", "\"><script>document.title='owned'</script>"]
models = ["us.anthropic.claude-sonnet-4-6", "global.anthropic.claude-haiku-4-5-20251001-v1:0", "amazon.nova-pro-v1:0"]
awkward = {1: "other", 2: "équipe", 3: "ôquipe"}
account = "111122223333"


def when(t):
    return t.strftime("%Y-%m-%dT%H:%M:%SZ")


def put(record):
    print(json.dumps(record, separators=(",", ":")))


def identity(i):
    if i % 100 == 0:
        return {"type": "IAMUser", "arn": f"arn:aws:iam::{account}:user/u{i}", "accountId": account, "principalId": f"AIDA{i:012}", "userName": f"u{i}"}
    role = f"team-{i % 40}"
    return {"type": "AssumedRole", "arn": f"arn:aws:sts::{account}:assumed-role/{role}/session-{i:05}", "accountId": account, "principalId": f"AROA{i % 40:012}:session-{i:05}",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{account}:role/{role}", "accountId": account, "userName": role}, "attributes": {"creationDate": when(start)}}}


def tag_record(kind, name, value, n):
    return {"eventVersion": "1.09", "userIdentity": {"type": "Root", "accountId": account}, "eventTime": when(start - datetime.timedelta(hours=1)), "eventSource": "iam.amazonaws.com",
            "eventName": f"Tag{kind.title()}", "awsRegion": "us-east-1", "requestParameters": {f"{kind}Name": name, "tags": [{"key": "team", "value": value}]}, "responseElements": None,
            "requestID": f"tag-{n}", "eventID": f"00000000-0000-4000-8000-{n:012}", "readOnly": False, "eventType": "AwsApiCall", "managementEvent": True, "recipientAccountId": account, "eventCategory": "Management"}


for k in range(40):
    put(tag_record("role", f"team-{k}", awkward.get(k, f"team {k}"), k))
for i in range(0, principals, 100):
    put(tag_record("user", f"u{i}", hostile[i // 100 % 3], 1000 + i))
for h in range(hours):
    for i in range(principals):
        n, t = h * principals + i, start + datetime.timedelta(hours=h, seconds=i % 3600)
        weight = max(1, principals // (i + 1))
        put({"eventVersion": "1.11", "userIdentity": identity(i), "eventTime": when(t), "eventSource": "bedrock.amazonaws.com", "eventName": "Converse", "awsRegion": "us-east-1",
             "sourceIPAddress": "10.0.0.1", "userAgent": "x", "requestParameters": {"modelId": models[i % 3]}, "responseElements": None,
             "additionalEventData": {"inputTokens": 1000 * weight + h, "outputTokens": 200 * weight, "inferenceRegion": "us-east-1"},
             "requestID": f"{n:08x}-0000-4000-8000-{i:012x}", "eventID": f"{n:08x}-1111-4000-8000-{i:012x}", "readOnly": True, "eventType": "AwsApiCall",
             "managementEvent": True, "recipientAccountId": account, "eventCategory": "Management"})
