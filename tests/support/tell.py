#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the telemetry that callers would have sent out of a world's invocation logs, for tests/accuracy.py: as Claude Code's event
says each call (docs/telemetry.md)."""
import calendar, json, os, time


def attributes(d):
    return [{"key": k, "value": {"intValue": str(v)} if isinstance(v, int) else {"stringValue": v}} for k, v in d.items()]


def ms_of(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) * 1000


def event_of(log, with_id):
    """What Claude Code says of the call that the invocation log is of."""
    out = log["output"]["outputTokenCount"]
    said = {"event.name": "api_request", "event.timestamp": log["timestamp"], "model": log["modelId"].split("/")[-1], "input_tokens": log["input"]["inputTokenCount"], "output_tokens": out,
            "cache_read_tokens": log["input"]["cacheReadInputTokenCount"], "cache_creation_tokens": log["input"]["cacheWriteInputTokenCount"],
            "duration_ms": 400 + 15 * out, "user.email": log["identity"]["arn"].split("/")[-1], "session.id": log["identity"]["arn"].split("/")[-1]}
    if with_id:
        said["request_id"] = log["requestId"]
    else:
        said["event.sequence"] = int(log["requestId"][2:8], 16)
    resource = {"attributes": attributes({"cloud.account.id": log["accountId"], "cloud.region": log["region"]})}
    record = {"timeUnixNano": str(ms_of(log["timestamp"]) * 1000000), "body": {"stringValue": "claude_code.api_request"}, "attributes": attributes(said)}
    return json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": {"name": "com.anthropic.claude_code.events"}, "logRecords": [record]}]}]})


def find_log(value):
    """The invocation log in a message, in whatever it is wrapped."""
    if isinstance(value, dict):
        if value.get("schemaType") == "ModelInvocationLog":
            return value
        value = list(value.values())
    if isinstance(value, str) and "ModelInvocationLog" in value:
        return find_log(json.loads(value))
    if isinstance(value, list):
        return next((found for found in map(find_log, value) if found), None)
    return None


def streams(world, variant):
    """The messages of AWS, and what callers say, as two files."""
    aws, told = os.path.join(world, "aws.ndjson"), os.path.join(world, "told.ndjson")
    with open(os.path.join(world, "stream.ndjson")) as lines, open(aws, "w") as a, open(told, "w") as t:
        for line in lines:
            if "ModelInvocationLog" not in line or variant == "logs":
                a.write(line)
            elif variant != "nothing":
                t.write(event_of(find_log(json.loads(line)), variant == "telemetry") + "\n")
    return aws, told
