#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the callers' own telemetry is worth: make accuracy-telemetry [SEED=1]

The world `ent` of ../shared/world: 500 developers with a coding agent behind single sign-on. Of four fifths of the developers
each call has telemetry, as Claude Code's event says it. Prints sum |estimate - truth| / sum truth, dollars by hour and principal, all
cache writes at the five-minute rate: of the first three hours / of those after; then the memory of Redis.

  nothing      CloudTrail and metrics only
  telemetry    with the request id of each call
  second       without it: joined by user, model and second
  logs         the same calls have invocation logs instead: what exact tokens can do
"""
import argparse, json, os, re, shutil, signal, subprocess, sys, tempfile
from accuracy import Bench, TOP, WORLD, FIRST, iso
from accuracy_worlds import by, make, report, score, truth_of

PLACE = ("cloud.account.id", "cloud.region")


def attributes(d):
    return [{"key": k, "value": {"intValue": str(v)} if isinstance(v, int) else {"stringValue": v}} for k, v in d.items()]


def ms_of(time):
    import calendar, time as clock
    return calendar.timegm(clock.strptime(time[:19], "%Y-%m-%dT%H:%M:%S")) * 1000


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


def memory(bench):
    text = subprocess.run(["redis-cli", "-s", bench.url[5:], "info", "memory"], stdout=subprocess.PIPE, check=True).stdout.decode()
    return int(re.search(r"used_memory:(\d+)", text)[1])


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--binary", default=os.path.join(TOP, "build", "nowcast"))
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--hours", type=int, default=10)
    ap.add_argument("--variants", default="nothing,telemetry,second,logs")
    a = ap.parse_args()
    if not os.path.exists(os.path.join(WORLD, "families.py")):
        sys.exit("accuracy: ../shared/world is not here")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = tempfile.mkdtemp(prefix="nowcast-accuracy-")
    bench = Bench(folder, a.binary)
    try:
        world = make(folder, "families.py", ("ent", "--log-devs", "0.8"), a.hours, a.seed)
        truth, end = truth_of(world, False), FIRST + a.hours
        conf = os.path.join(folder, "nowcast.conf")
        with open(conf, "w") as f:
            f.write("trust.file:*aws* = cloudtrail, metrics, logs\ntrust.file:*told* = telemetry\n")
        for variant in a.variants.split(","):
            bench.clear()
            aws, told = streams(world, variant)
            roles = "AWSReservedSSO_*" if variant == "second" else ""
            done = bench.run("replay", "--config", conf, "--telemetry-roles", roles, aws, told)
            counts = {name: int(re.search(rf"^{name} +(\d+)$", done, re.M)[1]) for name in ("calls", "telemetry")}
            off = []
            for span in ((FIRST, FIRST + 3), (FIRST + 3, end)):
                within = {k: v for k, v in truth.items() if iso(span[0]) <= k[0] < iso(span[1])}
                off.append(score(by(within, lambda h, p, t: (h, p)), report(bench, "hour,principal", *span), [])["off"])
            print("%-10s %.3f / %.3f   %d calls, %d tellings, %.1f MB" % (variant, *off, counts["calls"], counts["telemetry"], memory(bench) / 1e6), flush=True)
    finally:
        bench.close()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
