#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the description of the API against a running server.

    api_check.py URL           e.g. http://127.0.0.1:8321, with figures to show
    api_check.py URL STATUS    a server that refuses: 401 without a token, 429 when asked too often, 503 without Redis

Every path that the description names is asked, plainly and with each of its parameters, and every answer is validated
against its schema, to the last member: one that the schema does not name is a difference too. With STATUS, every path that
the description says may answer so does, as described, and the others do not. Prints TAP.
"""
import json
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

base = sys.argv[1]
count = failed = 0


def ok(good, name, why=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    if not good and why:
        print(f"# {why}")


def get(path):
    try:
        with urllib.request.urlopen(base + path, timeout=20) as r:
            return r.status, r.headers, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


doc = json.loads(get("/api/v1/openapi.json")[2])


def resolve(x):
    while "$ref" in x:
        kind, name = x["$ref"].rsplit("/", 2)[1:]
        x = doc["components"][kind][name]
    return x


def members(schema):
    """All properties of an object's schema, and whether others may stand beside them."""
    schema = resolve(schema)
    props, more = dict(schema.get("properties", {})), schema.get("additionalProperties")
    for part in schema.get("allOf", []):
        p, m = members(part)
        props.update(p)
        more = more or m
    return props, more


def differences(value, schema, where):
    schema = resolve(schema)
    if value is None:
        return [] if schema.get("nullable") else [f"{where} is null"]
    if "allOf" in schema:
        found = [d for part in schema["allOf"] for d in required(value, part, where)]
        return found + objects(value, schema, where)
    kind = schema.get("type")
    if kind == "object":
        return required(value, schema, where) + objects(value, schema, where)
    if kind == "array":
        if not isinstance(value, list):
            return [f"{where} is no array"]
        return [d for i, v in enumerate(value) for d in differences(v, schema["items"], f"{where}[{i}]")][:5]
    if kind == "integer" and (not isinstance(value, int) or isinstance(value, bool)):
        return [f"{where} is no integer: {value!r}"]
    if kind == "boolean" and not isinstance(value, bool):
        return [f"{where} is no boolean: {value!r}"]
    if kind == "string":
        if not isinstance(value, str):
            return [f"{where} is no string: {value!r}"]
        if "pattern" in schema and not re.search(schema["pattern"], value):
            return [f"{where} is not {schema['pattern']}: {value!r}"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{where} is not one of {schema['enum']}: {value!r}"]
        if schema.get("format") == "date-time" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value):
            return [f"{where} is no time: {value!r}"]
    return []


def required(value, schema, where):
    schema = resolve(schema)
    return [f"{where}.{k} is missing" for k in schema.get("required", []) if not isinstance(value, dict) or k not in value]


def objects(value, schema, where):
    if not isinstance(value, dict):
        return [f"{where} is no object"]
    props, more = members(schema)
    if not props and more is None:
        return []
    found = []
    for k, v in value.items():
        if k in props:
            found += differences(v, props[k], f"{where}.{k}")
        elif isinstance(more, dict):
            found += differences(v, more, f"{where}.{k}")
        else:
            found.append(f"{where}.{k} is not described")
    return found


def check(path, operation, query, name, want=200):
    status, headers, body = get(path + ("?" + urllib.parse.urlencode(query) if query else ""))
    kind = headers.get_content_type()
    answer = resolve(operation["responses"].get(str(status), {}))
    if kind not in answer.get("content", {}):
        ok(False, name, f"{status} {kind} is not described: {body[:200]!r}")
        return
    found = differences(json.loads(body), answer["content"][kind]["schema"], "answer") if kind == "application/json" else []
    ok(status == want and not found, name, f"{status}: {'; '.join(found[:5]) or body[:200]}")


examples = {
    "from": "2026-11-02T00:00:00Z", "to": "2026-11-02T06:00:00Z", "hours": "3", "by": "model,tag:team", "now": "2026-11-02T05:30:00Z",
    "account": "111122223333", "region": "us-east-1", "model": "amazon.nova-pro-v1:0", "family": "amazon.nova-pro", "principal": "(unattributed)", "role": "llm-gateway",
    "team": "", "user": "", "token_type": "output", "tier": "standard", "tag:KEY": "x", "limit": "2", "before_from": "2026-11-01T00:00:00Z", "before_to": "2026-11-01T06:00:00Z", "step": "hour", "search": "NOVA", "sort": "-cache_hit",
    "hour": "2026-11-02T00:00:00Z", "access_key": "ASIANOBODY",
}
if len(sys.argv) == 2:
    examples["principal"] = json.loads(get("/api/v1/breakdown?by=principal&limit=1&from=2026-11-01T00:00:00Z")[2])["groups"][0]["keys"]["principal"]
examples_wrong = ["access_key"]  # that are refused, since the server knows no such key
pair = {"from": "to", "to": "from", "before_from": "before_to", "before_to": "before_from"}  # one makes little sense without the other
instead = {"access_key": "principal"}  # the one is asked for without the other


def needed(operation, path):
    """What a path cannot be asked without."""
    names = [p["name"] for p in map(resolve, operation.get("parameters", [])) if p["required"]]
    return {k: examples[k] for k in names + (["principal"] if path == "/api/v1/principal" else [])}


def refusals(want):
    for path, item in doc["paths"].items():
        if want == 503 and path in ("/api/v1/findings", "/metrics"): # that Redis is away is what they tell
            check(path, item["get"], {}, f"{path} says what is the matter")
        elif str(want) in item["get"]["responses"]:
            check(path, item["get"], needed(item["get"], path), f"{path} answers {want} as described", want)
        elif path != "/api/v1/events": # which, once open, never ends
            status = get(path)[0]
            ok(status != want, f"{path} does not answer {want}", status)


if len(sys.argv) > 2:
    refusals(int(sys.argv[2]))
    print(f"1..{count}")
    sys.exit(failed > 0)

for path, item in doc["paths"].items():
    operation = item["get"]
    if "text/event-stream" in operation["responses"]["200"]["content"]:
        continue
    check(path, operation, needed(operation, path), path)
    for p in map(resolve, operation.get("parameters", [])):
        query = {**needed(operation, path), p["name"]: examples[p["name"]]}
        if p["name"] in pair:
            query[pair[p["name"]]] = examples[pair[p["name"]]]
        query.pop(instead.get(p["name"]), None)
        check(path, operation, query, f"{path} with {p['name']}", 400 if p["name"] in examples_wrong else 200)
    if operation.get("parameters"):
        status, _, body = get(path + "?colour=blue")
        ok(status == 400 and "error" in json.loads(body), f"{path} refuses what it does not know", f"{status} {body[:200]!r}")

check("/api/v1/series", doc["paths"]["/api/v1/series"]["get"], {"step": "minute", "hours": "6", "by": "account,model", "limit": "2"}, "/api/v1/series by minute and model")
for step in "day", "hour", "minute":
    check("/api/v1/series", doc["paths"]["/api/v1/series"]["get"], {"step": step, "hours": "6"}, f"/api/v1/series by {step}")

print(f"1..{count}")
sys.exit(failed > 0)
