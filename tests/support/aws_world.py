#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Some records of Bedrock as tests/aws_server.py reads them, for tests of how they are read and not of what they say.

    aws_world.py FILE MINUTES-AGO COUNT [NAME]      appends a call a minute from then on, each with its log record, and the metrics

Calls of minute i have 100 input and 10 output tokens, by the user NAME (ann), in account 111122223333 and us-east-1.
"""
import datetime as dt
import json
import sys
import time

ACCOUNT, REGION, MODEL = "111122223333", "us-east-1", "us.anthropic.claude-sonnet-4-6"


def main():
    path, ago, count, name = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), (sys.argv[4:] or ["ann"])[0]
    start = int(time.time()) // 60 * 60 - 60 * ago
    with open(path, "a", encoding="utf-8") as f:
        def put(topic, at, payload):
            print(json.dumps({"topic": topic, "ts": at * 1000, "payload": json.dumps(payload)}), file=f)

        for i in range(count):
            at = start + 60 * i
            request, arn = f"{name}-{at}", f"arn:aws:iam::{ACCOUNT}:user/{name}"
            when = dt.datetime.utcfromtimestamp(at + 5).strftime("%Y-%m-%dT%H:%M:%SZ")
            put("cloudtrail", at + 65, {
                "eventVersion": "1.11", "eventID": f"e-{request}", "eventTime": when, "eventSource": "bedrock.amazonaws.com", "eventName": "Converse",
                "awsRegion": REGION, "requestID": request, "readOnly": True, "eventType": "AwsApiCall", "managementEvent": True, "recipientAccountId": ACCOUNT,
                "eventCategory": "Management", "requestParameters": {"modelId": MODEL}, "responseElements": None,
                "userIdentity": {"type": "IAMUser", "arn": arn, "accountId": ACCOUNT, "userName": name}})
            put("invocation-log", at + 65, {
                "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": when, "accountId": ACCOUNT, "region": REGION, "requestId": request,
                "operation": "Converse", "modelId": MODEL, "identity": {"arn": arn}, "input": {"inputTokenCount": 100}, "output": {"outputTokenCount": 10}})
            for metric, tokens in (("InputTokenCount", 100), ("OutputTokenCount", 10)):
                put("cloudwatch", at + 125, {
                    "namespace": "AWS/Bedrock", "metric_name": metric, "account_id": ACCOUNT, "region": REGION, "timestamp": at * 1000, "unit": "Count",
                    "dimensions": {"ModelId": MODEL}, "value": {"sum": tokens, "count": 1, "min": tokens, "max": tokens}})


if __name__ == "__main__":
    main()
