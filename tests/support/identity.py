#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Everybody who can call Bedrock, once: the records that CloudTrail writes of it.

    identity.py FOLDER      writes calls.ndjson (calls, and the tags that come before them), late.ndjson (the tags that come an
                            hour after), and history.ndjson (one role whose tags change from week to week)

A line is a record. Each caller uses a number of input tokens of its own, a thousand times its number in the list below, so
that a figure at the wrong name shows which name is the right one: tests/golden/identity.csv, written by hand, says them all.
"""
import json, sys

A, B, C = "111122223333", "444455556666", "777788889999"
MODEL = "us.anthropic.claude-sonnet-4-6"
START = "2026-11-02T05:%02d:00Z"
ids = iter(range(1, 1000))
calls, late, history, guest = [], [], [], []


def record(source, name, identity, at, account=A, **fields):
    n = next(ids)
    return {"eventVersion": "1.11", "userIdentity": identity, "eventTime": at, "eventSource": source + ".amazonaws.com", "eventName": name,
            "awsRegion": "us-east-1", "requestID": f"{n:08d}-0000-4000-8000-000000000000", "eventID": f"{n:08d}-1111-4000-8000-000000000000",
            "eventType": "AwsApiCall", "recipientAccountId": account, **fields}


def call(k, identity, account=A, minute=30, extra={}, **fields):
    r = record("bedrock", "Converse", identity, START % minute, account, requestParameters={"modelId": MODEL}, responseElements=None,
               additionalEventData={"inputTokens": 1000 * k, "outputTokens": 0, **extra}, readOnly=True, managementEvent=True, eventCategory="Management", **fields)
    calls.append(r)
    return r


def user(name, path="", account=A, **more):
    return {"type": "IAMUser", "principalId": "AIDA" + name.upper(), "arn": f"arn:aws:iam::{account}:user/{path}{name}", "accountId": account,
            "accessKeyId": "AKIA" + name.upper(), "userName": name, **more}


def session(role, name, key, path="", account=A, minute=0, **more):
    return {"type": "AssumedRole", "principalId": f"AROA{role.upper()}:{name}", "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{name}", "accountId": account,
            "accessKeyId": key, **more,
            "sessionContext": {"sessionIssuer": {"type": "Role", "principalId": "AROA" + role.upper(), "arn": f"arn:aws:iam::{account}:role/{path}{role}",
                                                 "accountId": account, "userName": role},
                               "attributes": {"creationDate": START % minute, "mfaAuthenticated": "false"}}}


def pairs(tags):
    return [{"key": k, "value": v} for k, v in tags.items()]


def tag(kind, name, tags, account=A, event="Tag", at="2026-10-01T00:00:00Z", to=calls, **more):
    to.append(record("iam", event + kind, user("terraform", account=account), at, account,
                        requestParameters={kind.lower() + "Name": name, "tags": pairs(tags), **more}, responseElements=None))


def assume(how, who, by, to, account=A, **request):
    """The STS record of the session `who`; goes to `to`. With tags it names them as this call of STS does."""
    arn = who["arn"]
    key = {"federatedUser": {"federatedUserId": "x", "arn": arn}} if how == "GetFederationToken" else \
          {} if how == "GetSessionToken" else {"assumedRoleUser": {"assumedRoleId": who["principalId"], "arn": arn}}
    issuer = who["sessionContext"].get("sessionIssuer")
    params = {"roleArn": issuer["arn"], "roleSessionName": arn.split("/")[-1], **request} if how.startswith("AssumeRole") else request
    to.append(record("sts", how, by, who["sessionContext"]["attributes"]["creationDate"], account, requestParameters=params,
                     responseElements={"credentials": {"accessKeyId": who.get("_key", who["accessKeyId"]), "expiration": "Nov 2, 2026, 6:00:00 AM"}, **key}))


def seen(who):  # without what only this file knows
    return {k: v for k, v in who.items() if k != "_key"}


# --- an IAM user, with a path that the bill does not show; and with the temporary credentials of its second factor
tag("User", "ann", {"team": "search", "cost": "c-1"})
call(1, user("ann", "eng/search/"))
mfa = {**user("ann", "eng/search/"), "accessKeyId": "ASIAANNMFA", "sessionContext": {"attributes": {"creationDate": START % 0, "mfaAuthenticated": "true"}}}
assume("GetSessionToken", mfa, user("ann", "eng/search/"), calls)
call(2, mfa)

# --- the role of an application: no STS record tells tags, the role's own count
tag("Role", "indexer", {"team": "ingest"}, event="Create", path="/app/")
call(3, session("indexer", "i-0abc", "ASIAINDEXER", "app/", inScopeOf={"sourceArn": "x"}))

# --- federation: SAML, web identity, Identity Center; session tags over those of the role
tag("Role", "saml", {"team": "everybody", "env": "prod"})
dee = session("saml", "dee@example.com", "ASIADEE")
assume("AssumeRoleWithSAML", dee, {"type": "SAMLUser", "userName": "dee"}, calls, principalTags={"team": "search", "email": "dee@example.com"})
call(4, dee)
ci = session("ci", "build-77", "ASIACI")
assume("AssumeRoleWithWebIdentity", ci, {"type": "WebIdentityUser", "userName": "repo:x"}, late, principalTags={"team": "tools"})
call(5, ci)
sso = session("AWSReservedSSO_Dev_0123456789abcdef", "eve@example.com", "ASIAEVE", "aws-reserved/sso.amazonaws.com/eu-west-1/")
assume("AssumeRoleWithSAML", sso, {"type": "SAMLUser", "userName": "eve"}, late, principalTags={"Team": "search"})
call(6, sso)

# --- a gateway that assumes its role again for every user: one role, three teams
tag("Role", "gateway", {"team": "platform", "env": "prod"})
gateway = session("gateway-runtime", "pod-1", "ASIAPOD")
for k, name, tags, to in ((7, "u-1", {"team": "search"}, calls), (8, "u-2", {"team": "ads", "email": "u2@example.com"}, late), (9, "u-3", None, calls)):
    who = session("gateway", name, "ASIAGW" + str(k))
    assume("AssumeRole", who, gateway, to, **({"tags": pairs(tags)} if tags else {}))
    call(k, who)
# The same session name with other tags, at another time, and CloudTrail left its access key empty: (arn, creation) tells.
for k, minute, team in ((10, 1, "ads"), (11, 2, "search")):
    who = {**session("gateway", "u-4", "", minute=minute), "_key": "ASIAGW4" + str(k)}
    assume("AssumeRole", who, gateway, late if k == 10 else calls, tags=pairs({"team": team}))
    call(k, seen(who))

# --- API keys: a long-term one is a user, a short-term one the session it was made from
tag("User", "BedrockAPIKey-1a2b", {"team": "labs"}, event="Create")
call(12, {**user("BedrockAPIKey-1a2b"), "accessKeyId": ""}, extra={"callWithBearerToken": True})
call(13, dee, extra={"callWithBearerToken": True})

# --- another account: its role, assumed from here; and a call that is recorded in both accounts, which is one call
tag("Role", "shared", {"team": "partner"}, account=B)
far = session("shared", "ann", "ASIAFAR", account=B)
assume("AssumeRole", far, user("ann", "eng/search/"), calls, account=A, tags=pairs({"team": "search"}))
assume("AssumeRole", far, {"type": "AWSAccount", "principalId": "AIDAANN", "accountId": A}, calls, account=B, tags=pairs({"team": "search"}))
call(14, far, account=B)
near = call(15, session("shared", "bob", "ASIABOB", account=B), account=B, sharedEventID="shared-1")
calls.append({**near, "eventID": "another", "recipientAccountId": C})
near = call(16, session("shared", "cat", "ASIACAT", account=B), account=B, sharedEventID="shared-2")
calls.append({**near, "eventID": "another", "recipientAccountId": C,
              "userIdentity": {"type": "AWSAccount", "principalId": "AROASHARED:cat", "accountId": B}})

# --- role chaining: what the first session passes on, the second one has
first = session("front", "req", "ASIAFRONT")
assume("AssumeRole", first, user("terraform"), calls, tags=pairs({"team": "search", "email": "z@example.com"}), transitiveTagKeys=["team"])
second = session("back", "req", "ASIABACK", minute=3)
tag("Role", "back", {"team": "nobody", "env": "test"})
assume("AssumeRole", second, first, late, incomingTransitiveTags={"team": "search"}, tags=pairs({"step": "2"}))
call(17, second)

# --- AgentCore, a service on behalf of a session, a service by itself, and one that says no more than that
call(18, session("agent", "BedrockAgentCore-0b1c2d3e", "ASIAAGENT", "service-role/", invokedBy="bedrock-agentcore.amazonaws.com"))
call(19, session("flow", "BedrockFlow", "ASIAFLOW", invokedBy="bedrock.amazonaws.com"))
call(20, {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"})
call(21, {"type": "AWSService", "invokedBy": "AWS Internal"})

# --- the root, a federated user, somebody of Identity Center without a role, a role that calls under its own name
call(22, {"type": "Root", "principalId": A, "arn": f"arn:aws:iam::{A}:root", "accountId": A, "accessKeyId": ""})
fed = {"type": "FederatedUser", "principalId": A + ":fay", "arn": f"arn:aws:sts::{A}:federated-user/fay", "accountId": A, "accessKeyId": "ASIAFAY",
       "sessionContext": {"sessionIssuer": user("ann", "eng/search/"), "attributes": {"creationDate": START % 4, "mfaAuthenticated": "false"}}}
assume("GetFederationToken", fed, user("ann", "eng/search/"), late, name="fay", tags=pairs({"team": "labs"}))
call(23, fed)
call(24, {"type": "IdentityCenterUser", "accountId": A, "onBehalfOf": {"userId": "9067-aa", "identityStoreArn": "x"}, "credentialId": "y"})
call(25, {"type": "Role", "principalId": "AROAINDEXER", "arn": f"arn:aws:iam::{A}:role/app/indexer", "accountId": A})

# --- bedrock-mantle: no tokens in the record, a metric tells them; two projects of one user
for k, project in ((26, "proj_abc123"), (27, "default")):
    calls.append(record("bedrock-mantle", "CreateInference", user("ann", "eng/search/"), START % (30 + k), requestParameters={"model": "anthropic.claude-opus-4-7"},
                        eventCategory="Data", managementEvent=False, resources=[{"accountId": A, "type": "AWS::BedrockMantle::Project",
                                                                                 "ARN": f"arn:aws:bedrock-mantle:us-east-1:{A}:project/{project}"}]))
    calls.append({"metric_stream_name": "s", "account_id": A, "region": "us-east-1", "namespace": "AWS/BedrockMantle", "metric_name": "TotalInputTokens",
                  "dimensions": {"Model": "anthropic.claude-opus-4-7"}, "timestamp": 1793595600000 + (30 + k) * 60000,
                  "value": {"count": 1, "sum": 1000 * k, "max": 1000 * k, "min": 1000 * k}, "unit": "Count"})

# --- the tags of a role from week to week, and a call in each. Times of CloudTrail are whole seconds: what is made and tagged
# within one has both, whichever event id comes first.
for n, (at, event, change) in enumerate((
        ("2026-10-05T08:00:00Z", "CreateRole", {"tags": pairs({"team": "old", "env": "prod"})}),
        ("2026-10-12T08:00:00Z", "TagRole", {"tags": pairs({"Team": "new"})}),
        ("2026-10-19T08:00:00Z", "UntagRole", {"tagKeys": ["ENV"]}),
        ("2026-10-26T08:00:00Z", "DeleteRole", {}),
        ("2026-10-29T08:00:00Z", "TagRole", {"tags": pairs({"team": "again"})}),
        ("2026-10-29T08:00:00Z", "CreateRole", {"tags": pairs({"env": "dev"})}))):
    history.append(record("iam", event, user("terraform"), at, requestParameters={"roleName": "app", **change}, responseElements=None))
    history.append({**calls[0], **record("bedrock", "Converse", session("app", "i-1", f"ASIAAPP{n}"), at.replace("T08", "T%02d" % (9 + n)),
                                         additionalEventData={"inputTokens": 1000 * (n + 1), "outputTokens": 0},
                                         requestParameters={"modelId": MODEL})})
history[1:1] = [{**history[1], "eventTime": "2026-10-05T07:59:59Z", "requestID": "before"}]

# --- a session of one account that calls within another, of which only that other one's trail is read
dan = session("shared", "dan", "ASIADAN", account=B)
guest.append({**calls[0], **record("bedrock", "Converse", dan, START % 30, account=C, requestParameters={"modelId": MODEL},
                                   additionalEventData={"inputTokens": 1000, "outputTokens": 0})})
assume("AssumeRole", dan, {"type": "AWSAccount", "principalId": "AIDAANN", "accountId": A}, guest, account=B, tags=pairs({"team": "search"}))

for name, lines in (("calls", calls), ("late", late), ("history", history), ("guest", guest)):
    with open(f"{sys.argv[1]}/{name}.ndjson", "w") as f:
        f.writelines(json.dumps(r, separators=(",", ":")) + "\n" for r in lines)
