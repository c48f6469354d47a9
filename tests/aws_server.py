#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""AWS on loopback, for the tests of what reads AWS's APIs.

    aws_server.py WORLD [--account A] [--key K] [--secret S]     serves; prints its port
    aws_server.py WORLD --write FILE [--sources A,B]             the same records, for `nowcast replay`

moto (PyPI moto[server]) is CloudWatch, CloudWatch Logs, Bedrock, IAM, STS, S3, SQS, Organizations. Two things are not AWS's and not moto's, but of this
file: what moto lacks (LookupEvents of CloudTrail; ListMetricStreams,
ListExports, GetExport, ListCostAllocationTags and ListInferenceProfiles, as their models describe them), and every fault. Signatures (version 4) of all requests are checked here.

WORLD is a stream.ndjson of world.py. A record of CloudTrail can be looked up once it has arrived.

    POST /_faults   a list of faults: {"operation": "LookupEvents", "account", "region": which requests; "holds": a text in their body
                    or query; "times": how many (-1: all); "status", "code", "message", "headers": the answer; "cut": bytes of the
                    true answer that are sent; "results": the StatusCode of the first `of` results (1) of GetMetricData, without values}
    POST /_answers  {"OPERATION": answer}: of what moto lacks, but for LookupEvents; without, lists are empty
    POST /_organization  {"ACCOUNT": {"KEY": "VALUE"}}: the accounts of an organisation that --account manages, with their tags
    GET /_log       every request since the last GET: [seconds, account, region, operation, status]
"""
import argparse
import datetime as dt
import hashlib
import hmac
import json
import os
import sys
import threading
import time
import urllib.parse

PAGE = 50
EMPTY = {"ListMetricStreams": {"Entries": []}, "ListExports": {"Exports": []}, "GetExport": {}, "ListCostAllocationTags": {"CostAllocationTags": []},
         "/inference-profiles": {"inferenceProfileSummaries": []}}


def read_world(path):
    """CloudTrail records with their arrival, metrics, records of invocation logs."""
    events, metrics, logs = {}, {}, {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            row = json.loads(line)
            payload = json.loads(row["payload"])
            if row["topic"] == "cloudwatch":
                if "Token" in payload["metric_name"]:
                    key = payload["account_id"], payload["region"], payload["metric_name"], payload["dimensions"]["ModelId"], payload["timestamp"]
                    metrics[key] = payload
            elif row["topic"] == "invocation-log":
                logs[payload["requestId"]] = payload
            else:
                for record in payload["Records"] if "Records" in payload else [payload.get("detail", payload)]:
                    kept = events.setdefault(record["eventID"], (row["ts"] / 1000, record))
                    if row["ts"] / 1000 < kept[0]:
                        events[record["eventID"]] = row["ts"] / 1000, record
    return list(events.values()), list(metrics.values()), list(logs.values())


def seconds_of(text):
    return dt.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


# ---- the records as files ---------------------------------------------------------------------------


def write_messages(world, path, sources):
    events, metrics, logs = read_world(world)
    with open(path, "w", encoding="utf-8") as f:
        for _, record in events:
            if record["eventSource"] in sources:
                print(json.dumps({"Records": [record]}), file=f)
        for record in logs:
            print(json.dumps(record), file=f)
        places = sorted({(m["account_id"], m["region"]) for m in metrics})
        for account, region in places:
            series = {}
            for m in metrics:
                if (m["account_id"], m["region"]) == (account, region):
                    series.setdefault((m["metric_name"], m["dimensions"]["ModelId"]), []).append((m["timestamp"] // 1000, m["value"]))
            queries, results = [], []
            for i, ((name, model), points) in enumerate(sorted(series.items())):
                for stat, member in (("Sum", "sum"), ("SampleCount", "count"), ("Minimum", "min"), ("Maximum", "max")):
                    metric = {"Namespace": "AWS/Bedrock", "MetricName": name, "Dimensions": [{"Name": "ModelId", "Value": model}]}
                    queries.append({"Id": f"a{i}{member}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}})
                    points.sort(key=lambda p: p[0])
                    results.append({"Id": f"a{i}{member}", "StatusCode": "Complete", "Timestamps": [t for t, _ in points], "Values": [v[member] for _, v in points]})
            print(json.dumps({"Region": region, "AccountId": account, "MetricDataQueries": queries, "MetricDataResults": results}), file=f)


# ---- signatures -------------------------------------------------------------------------------------


class Refused(Exception):
    def __init__(self, status, code, message):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def check_signature(environ, body, secret_of):
    """Returns the access key, Region and service of a request signed as "AWS Signature Version 4" says."""
    auth = environ.get("HTTP_AUTHORIZATION", "")
    if not auth.startswith("AWS4-HMAC-SHA256 "):
        raise Refused(403, "MissingAuthenticationToken", "the request is not signed")
    parts = dict(p.strip().split("=", 1) for p in auth.split(" ", 1)[1].split(","))
    key, day, region, service, _ = parts["Credential"].split("/")
    secret = secret_of(key, environ.get("HTTP_X_AMZ_SECURITY_TOKEN"))
    if secret is None:
        raise Refused(403, "UnrecognizedClientException", "The security token included in the request is invalid.")

    def header(name):
        if name == "content-type":
            return environ.get("CONTENT_TYPE", "")
        return environ.get("HTTP_" + name.upper().replace("-", "_"), "")

    query = sorted(urllib.parse.parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    quote = lambda s: urllib.parse.quote(s, safe="-_.~")
    signed = parts["SignedHeaders"].split(";")
    canonical = "\n".join([
        environ["REQUEST_METHOD"], urllib.parse.quote(environ["PATH_INFO"] or "/", safe="/-_.~"), "&".join(f"{quote(k)}={quote(v)}" for k, v in query),
        "".join(f"{name}:{' '.join(header(name).split())}\n" for name in signed), parts["SignedHeaders"],
        environ.get("HTTP_X_AMZ_CONTENT_SHA256") or hashlib.sha256(body).hexdigest()])
    when = environ["HTTP_X_AMZ_DATE"]
    text = "\n".join(["AWS4-HMAC-SHA256", when, f"{day}/{region}/{service}/aws4_request", hashlib.sha256(canonical.encode()).hexdigest()])
    k = ("AWS4" + secret).encode()
    for part in (day, region, service, "aws4_request"):
        k = hmac.new(k, part.encode(), hashlib.sha256).digest()
    if hmac.new(k, text.encode(), hashlib.sha256).hexdigest() != parts["Signature"]:
        raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided.")
    return key, region, service


# ---- the server -------------------------------------------------------------------------------------


class Server:
    def __init__(self, args):
        from moto.cloudwatch.models import cloudwatch_backends
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        self.args, self.lock, self.faults, self.log, self.start = args, threading.Lock(), [], [], time.time()
        self.answers = dict(EMPTY)
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.events, self.metrics, self.logs = read_world(args.world)
        self.events.sort(key=lambda e: seconds_of(e[1]["eventTime"]), reverse=True)
        for m in self.metrics:
            v = m["value"]
            cloudwatch_backends[m["account_id"]][m["region"]].put_metric_data(m["namespace"], [{
                "MetricName": m["metric_name"], "Timestamp": dt.datetime.utcfromtimestamp(m["timestamp"] / 1000), "Unit": m["unit"],
                "Dimensions": [{"Name": k, "Value": v} for k, v in m["dimensions"].items()],
                "StatisticValues": {"Sum": v["sum"], "SampleCount": v["count"], "Minimum": v["min"], "Maximum": v["max"]}}])
        self.put_logs()
        self.put_roles()

    def put_logs(self):
        from moto.bedrock.models import bedrock_backends
        from moto.logs.models import logs_backends
        for account, region in sorted({(r["accountId"], r["region"]) for r in self.logs}):
            logs = logs_backends[account][region]
            logs.create_log_group("/aws/bedrock/invocations", {})
            logs.create_log_stream("/aws/bedrock/invocations", "aws/bedrock/modelinvocations")
            logs.put_log_events("/aws/bedrock/invocations", "aws/bedrock/modelinvocations", sorted([
                {"timestamp": int(seconds_of(r["timestamp"]) * 1000), "message": json.dumps(r)}
                for r in self.logs if (r["accountId"], r["region"]) == (account, region)], key=lambda e: e["timestamp"]))
            bedrock_backends[account][region].put_model_invocation_logging_configuration({
                "cloudWatchConfig": {"logGroupName": "/aws/bedrock/invocations", "roleArn": f"arn:aws:iam::{account}:role/logs"}, "textDataDeliveryEnabled": True})

    def put_roles(self):
        """The roles of the world with their tags, and the one that is assumed."""
        from moto.iam.models import iam_backends
        tags = {}
        for _, r in self.events:
            if r["eventName"] in ("TagRole", "TagUser"):
                p = r["requestParameters"]
                tags[r["recipientAccountId"], "role" if "roleName" in p else "user", p.get("roleName", p.get("userName"))] = p["tags"]
        for (account, kind, name), values in tags.items():
            iam, values = iam_backends[account]["aws"], [{"Key": t["key"], "Value": t["value"]} for t in values]
            if kind == "role":
                iam.create_role(name, "{}", "/", "", "a role & its tags", values, 3600)
            else:
                iam.create_user("us-east-1", name, "/", tags=values)
        for account in {m["account_id"] for m in self.metrics} - {self.args.account}:
            iam_backends[account]["aws"].create_role("nowcast", json.dumps({"Version": "2012-10-17", "Statement": []}), "/", "", "", [], 3600)

    def put_organization(self, tags):
        from moto.organizations.models import FakeAccount, organizations_backends
        organization = organizations_backends[self.args.account]["aws"]
        if not organization.org:
            organization.create_organization(region="us-east-1")
        for account, values in tags.items():
            found = next((a for a in organization.accounts if a.id == account), None)
            if not found:
                found = FakeAccount(organization.org, AccountName=account, Email=f"{account}@example.com")
                found.id = account
                organization.accounts.append(found)
            found.tags = values

    def secret_of(self, key, token):
        from moto.sts.models import sts_backends
        if key == self.args.key:
            return self.args.secret
        for backends in list(sts_backends.values()):
            for backend in backends.values():
                for role in backend.assumed_roles:
                    if role.access_key_id == key:
                        return role.secret_access_key if role.session_token == token else None
        return None

    def account_of(self, key):
        from moto.iam.models import get_account_id_from
        return self.args.account if key == self.args.key else get_account_id_from(key)

    def lookup_events(self, account, region, query):
        source = query["LookupAttributes"][0]
        assert source["AttributeKey"] == "EventSource" and query["MaxResults"] == PAGE
        now, found = time.time(), []
        for arrived, record in self.events:
            at = seconds_of(record["eventTime"])
            if (arrived <= now and query["StartTime"] <= at <= query["EndTime"] and record["eventSource"] == source["AttributeValue"]
                    and record["recipientAccountId"] == account and record["awsRegion"] == region):
                found.append((at, record))
        begin = int(query.get("NextToken", "0").split(":")[0])
        page = [{
            "EventId": r["eventID"], "EventName": r.get("eventName"), "ReadOnly": str(r.get("readOnly", False)).lower(), "EventTime": at,
            "EventSource": r["eventSource"], "Username": r["userIdentity"].get("userName", ""), "Resources": [], "CloudTrailEvent": json.dumps(r),
        } for at, r in found[begin:begin + PAGE]]
        answer = {"Events": page}
        if begin + PAGE < len(found):
            answer["NextToken"] = f"{begin + PAGE}:{query['EndTime']}"
        return answer

    def take_fault(self, operation, account, region, text):
        with self.lock:
            for f in self.faults:
                if f["times"] and f.get("holds", "") in text and all(f.get(k, v) == v for k, v in (("operation", operation), ("account", account), ("region", region))):
                    f["times"] -= 1
                    return f
        return None

    def control(self, environ, body, start_response):
        with self.lock:
            if environ["PATH_INFO"] == "/_faults":
                self.faults = [{"times": 1, **f} for f in json.loads(body)]
                answer = []
            elif environ["PATH_INFO"] == "/_organization":
                self.put_organization(json.loads(body))
                answer = []
            elif environ["PATH_INFO"] == "/_answers":
                self.answers = {**EMPTY, **json.loads(body)}
                answer = []
            else:
                answer, self.log = self.log, []
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    def answer_moto(self, environ, body, account):
        """moto's own answer, whole."""
        import io
        said = []
        environ = {**environ, "wsgi.input": io.BytesIO(body), "HTTP_X_MOTO_ACCOUNT_ID": account}
        text = b"".join(self.moto(environ, lambda status, headers, exc=None: said.extend((status, headers))))
        return int(said[0].split()[0]), [h for h in said[1] if h[0].lower() in ("content-type", "x-amzn-errortype")], text

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if environ["PATH_INFO"].startswith("/_"):
            return self.control(environ, body, start_response)
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        operation = target.rsplit(".", 1)[-1] or urllib.parse.parse_qs(environ.get("QUERY_STRING", "")).get("Action", [environ["PATH_INFO"]])[0]
        account = region = "-"
        try:
            key, region, _ = check_signature(environ, body, self.secret_of)
            account = self.account_of(key)
            fault = self.take_fault(operation, account, region, body.decode(errors="replace") + environ.get("QUERY_STRING", ""))
            if fault and "status" in fault:
                raise Refused(fault["status"], fault.get("code", ""), fault.get("message", "a fault of the test"))
            if operation == "LookupEvents":
                status, headers, text = 200, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(self.lookup_events(account, region, json.loads(body))).encode()
            elif operation in self.answers and environ["REQUEST_METHOD"] != "PUT":
                status, headers, text = 200, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(self.answers[operation]).encode()
            else:
                status, headers, text = self.answer_moto(environ, body, account)
            if fault and "results" in fault:
                page = json.loads(text)
                for result in page["MetricDataResults"][:fault.get("of", 1)]:
                    result.update(StatusCode=fault["results"], Timestamps=[], Values=[])
                text = json.dumps(page).encode()
            if fault and "cut" in fault:
                text = text[:fault["cut"]]
        except Refused as e:
            fault = locals().get("fault") or {}
            xml = operation in ("AssumeRole", "GetCallerIdentity", "GetAccountAuthorizationDetails")
            text = (f"<ErrorResponse><Error><Code>{e.code}</Code><Message>{e.message}</Message></Error></ErrorResponse>" if xml
                    else json.dumps({"__type": f"com.amazonaws#{e.code}", "message": e.message})).encode()
            status, headers = e.status, list(fault.get("headers", {}).items())
        with self.lock:
            self.log.append([round(time.time() - self.start, 3), account, region, operation, status])
        start_response(f"{status} .", headers + [("Content-Length", str(len(text)))])
        return [text]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("world")
    parser.add_argument("--write")
    parser.add_argument("--sources", default="bedrock.amazonaws.com,bedrock-mantle.amazonaws.com")
    parser.add_argument("--account", default="111122223333")
    parser.add_argument("--key", default="AKIAEXAMPLE")
    parser.add_argument("--secret", default="topsecret")
    args = parser.parse_args()
    if args.write:
        return write_messages(args.world, args.write, args.sources.split(","))
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
    import logging
    from werkzeug.serving import WSGIRequestHandler, make_server
    logging.getLogger("werkzeug").setLevel(logging.ERROR)

    class Handler(WSGIRequestHandler):
        def send_response(self, code, message=None):  # without a Date of its own: a fault may have another one
            self.send_response_only(code, message)

    server = make_server("127.0.0.1", 0, Server(args), threaded=True, request_handler=Handler)
    print(server.port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
