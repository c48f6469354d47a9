#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records of calls that are easily missed, counted twice, or priced as what they are not, one file a kind:
calls.py FOLDER. Shapes: "Logging network activity events" (CloudTrail User Guide); "Monitor Amazon Bedrock API calls
using CloudTrail", "Model invocation logging" and "Understanding intelligent prompt routing" (Amazon Bedrock User
Guide); "Converse" and "PromptRouterTrace" (Amazon Bedrock API Reference)."""
import json
import sys

ACCOUNT, REGION, HOUR = "111122223333", "us-east-1", "2026-11-02T05:"
ARN = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:"
FOUNDATION = f"arn:aws:bedrock:{REGION}::foundation-model/"
ROUTER = ARN + "default-prompt-router/anthropic.claude:1"
HAIKU = ARN + "inference-profile/us.anthropic.claude-3-haiku-20240307-v1:0"


def user(name):
    return {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}", "accountId": ACCOUNT}


def record(who, request, minute, **fields):
    return {
        "eventVersion": "1.11", "userIdentity": user(who), "eventTime": f"{HOUR}{minute:02}:07Z",
        "eventSource": "bedrock.amazonaws.com", "awsRegion": REGION, "requestID": request, "eventID": "e-" + request,
        "eventType": "AwsApiCall", "managementEvent": True, "recipientAccountId": ACCOUNT, "eventCategory": "Management",
        **fields,
    }


def call(who, request, minute, called, tokens=None, name="Converse", key="modelId", **fields):
    data = {} if tokens is None else {"additionalEventData": {"inputTokens": tokens[0], "outputTokens": tokens[1]}}
    return record(who, request, minute, eventName=name, requestParameters={key: called}, **data, **fields)


def copy_of(call_record, **fields):
    """What a VPC endpoint records of the call."""
    copy = {k: v for k, v in call_record.items()
            if k not in ("requestParameters", "additionalEventData", "managementEvent", "readOnly")}
    return {**copy, "eventID": "n-" + copy["requestID"], "eventType": "AwsVpceEvent", "eventCategory": "NetworkActivity",
            "vpcEndpointId": "vpce-0123456789abcdef0", "vpcEndpointAccountId": ACCOUNT, "sharedEventID": "s", **fields}


def log(who, request, minute, called, tokens, body):
    return {
        "schemaType": "ModelInvocationLog", "schemaVersion": "1.0", "timestamp": f"{HOUR}{minute:02}:09Z",
        "accountId": ACCOUNT, "region": REGION, "requestId": request, "operation": "Converse", "modelId": called,
        "identity": {"arn": f"arn:aws:iam::{ACCOUNT}:user/{who}"},
        "input": {"inputTokenCount": tokens[0]}, "output": {"outputTokenCount": tokens[1], "outputBodyJson": body},
    }


def network():
    calls = [call("ann", f"n-{i}", i, "global.anthropic.claude-sonnet-4-6", (1000, 200)) for i in range(3)]
    account = {"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": ACCOUNT}
    yield from calls
    yield from map(copy_of, calls)
    yield copy_of(record("ann", "n-9", 9, eventName="Converse", userIdentity=account), errorCode="VpceAccessDenied",
                  errorMessage="The request was denied due to a VPC endpoint policy")
    yield copy_of(record("ann", "n-8", 9, eventName="AssumeRole", eventSource="sts.amazonaws.com"))
    yield copy_of(record("ann", "n-7", 9, eventName="GetRole", eventSource="iam.amazonaws.com"))
    yield copy_of(record("ann", "n-6", 9, eventName="Decrypt", eventSource="kms.amazonaws.com"), userIdentity=account)


def operations():
    # 1,000 x 3.30 + 200 x 16.50 USD per million tokens = 0.0066 each
    model, tokens = "us.anthropic.claude-sonnet-4-6", (1000, 200)
    yield call("ann", "o-1", 1, model, tokens, name="Responses", key="model")
    yield call("ann", "o-2", 2, ARN + "inference-profile/" + model, tokens, name="ChatCompletions")
    yield call("ann", "o-3", 3, model, tokens, name="Messages", key="model")
    yield call("ann", "o-4", 4, model, tokens, name="Sketches", key="model")
    yield call("ann", "o-5", 5, model, tokens, name="CountTokens")
    yield call("ann", "o-6", 6, model, tokens, name="CreateProvisionedModelThroughput", readOnly=False)
    yield call("ann", "o-7", 7, model, tokens, name="GetFoundationModelAvailability", readOnly=True)


def routed():
    """The log names what the router of CloudTrail's record chose: 1,200 x 0.25 + 300 x 1.25 = 0.000675."""
    trace = {"trace": {"promptRouter": {"invokedModelId": HAIKU}}}
    yield call("ann", "r-1", 1, ROUTER, (1200, 300))
    yield log("ann", "r-1", 1, ROUTER, (1200, 300), trace)
    yield call("bob", "r-2", 2, ROUTER, name="ConverseStream")
    yield {**record("bob", "r-3", 2, eventName="ConverseStream", eventType="AwsServiceEvent"),
           "resources": [{"type": "AWS::Bedrock::Model", "ARN": FOUNDATION + "anthropic.claude-3-haiku-20240307-v1:0"}],
           "serviceEventDetails": {"parentRequestId": "r-2", "AdditionalEventData": {
               "additionalEntries": {"inputTokens": 1200, "outputTokens": 300}}}}


def unpriced():
    """Nothing of these has the rate of the model that its id looks like, and nothing of it is hidden."""
    yield call("p1", "u-1", 1, ROUTER)
    yield call("p2", "u-2", 1, ROUTER, (10, 5))
    yield call("p3", "u-3", 1, ARN + "prompt-router/anthropic.claude-3-haiku-20240307-v1:0", (10, 5))
    yield call("p4", "u-4", 1, ARN + "prompt/ABCDEFGHIJ:3")
    yield call("p5", "u-5", 1, ARN + "custom-model-deployment/abc123def456", (10, 5),
               resources=[{"ARN": FOUNDATION + "amazon.nova-pro-v1:0"}])
    yield call("p6", "u-6", 1, ARN + "custom-model/amazon.nova-pro-v1:0", (10, 5))
    yield call("p7", "u-7", 1, ARN + "provisioned-model/0123456789ab", (10, 5),
               resources=[{"ARN": FOUNDATION + "amazon.nova-pro-v1:0"}])
    yield call("p8", "u-8", 1, f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:endpoint/claude-sonnet-4-6", (10, 5))
    yield record("p9", "u-9", 1, eventName="InvokeAgent", managementEvent=False, eventCategory="Data",
                 requestParameters={"agentId": "AGENT12345", "agentAliasId": "TSTALIASID"})
    yield call("q1", "u-10", 1, ARN + "flow/FLOW123456/alias/ALIAS12345")


def main():
    for kind in (network, operations, routed, unpriced):
        with open(f"{sys.argv[1]}/{kind.__name__}.ndjson", "w") as f:
            for r in kind():
                f.write(json.dumps(r) + "\n")


main()
