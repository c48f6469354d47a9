// SPDX-License-Identifier: Apache-2.0
// Text by buf_addf: every string in here is a constant of the demo's own, so nothing needs to be escaped.
#include "demo/record.h"

#include <string.h>

#include "base/when.h"

static bool is_user(const struct demo_caller *c)
{
	return !c->session;
}

bool demo_has_session_tags(const struct demo_caller *c)
{
	return c->kind == DEMO_SSO || c->kind == DEMO_GATEWAY;
}

static const char *path_of(const struct demo_caller *c)
{
	return c->kind == DEMO_SSO ? "aws-reserved/sso.amazonaws.com/" : "";
}

void demo_add_arn(struct buf *b, const struct demo_caller *c)
{
	if (is_user(c))
		buf_addf(b, "arn:aws:iam::%s:user/%s", c->account, c->name);
	else
		buf_addf(b, "arn:aws:sts::%s:assumed-role/%s/%s", c->account, c->name, c->session);
}

// Access keys are told apart by what tells the sessions apart.
static void add_access_key(struct buf *b, const struct demo_caller *c)
{
	buf_adds(b, is_user(c) ? "AKIADEMO" : "ASIADEMO");
	for (const char *z = is_user(c) ? c->name : c->session; *z; z++)
		if ((*z >= 'a' && *z <= 'z') || (*z >= '0' && *z <= '9'))
			buf_addc(b, *z >= 'a' ? (char)(*z - 'a' + 'A') : *z);
}

static void add_time(struct buf *b, const char *key, int64_t ms)
{
	char when[WHEN_SIZE];
	buf_addf(b, "\"%s\":\"%s\"", key, when_format(ms, when));
}

static void add_identity(struct buf *b, const struct demo_caller *c, int64_t since_ms)
{
	buf_addf(b, "\"userIdentity\":{\"type\":\"%s\",\"arn\":\"", is_user(c) ? "IAMUser" : "AssumedRole");
	demo_add_arn(b, c);
	buf_addf(b, "\",\"accountId\":\"%s\",\"accessKeyId\":\"", c->account);
	if (c->kind != DEMO_API_KEY) // CloudTrail leaves it empty for these
		add_access_key(b, c);
	buf_adds(b, "\",");
	if (is_user(c)) {
		buf_addf(b, "\"principalId\":\"AIDADEMO\",\"userName\":\"%s\"}", c->name);
		return;
	}
	buf_addf(
		b,
		"\"principalId\":\"AROADEMO:%s\",\"sessionContext\":{\"sessionIssuer\":{\"type\":\"Role\",\"principalId\":\"AROADEMO\","
		"\"arn\":\"arn:aws:iam::%s:role/%s%s\",\"accountId\":\"%s\",\"userName\":\"%s\"},\"attributes\":{",
		c->session, c->account, path_of(c), c->name, c->account, c->name);
	add_time(b, "creationDate", since_ms);
	buf_adds(b, ",\"mfaAuthenticated\":\"false\"}}}");
}

// What every CloudTrail record ends with.
static void add_end(struct buf *b, const struct demo_caller *c, const char *request_id, const char *event_id,
                    const char *type)
{
	buf_addf(b, "\"requestID\":\"%s\",\"eventID\":\"%s\",\"eventType\":\"%s\",\"recipientAccountId\":\"%s\"}",
	         request_id, event_id, type, c->account);
}

static void add_call_head(struct buf *b, const struct demo_caller *c, const struct demo_call *call,
                          int64_t at_ms, int64_t since_ms)
{
	bool claude = strstr(c->model, "anthropic.") != NULL;
	buf_adds(b, "{\"eventVersion\":\"1.11\",");
	add_identity(b, c, since_ms);
	buf_addc(b, ',');
	add_time(b, "eventTime", at_ms);
	buf_addf(
		b,
		",\"eventSource\":\"bedrock.amazonaws.com\",\"eventName\":\"%s\",\"awsRegion\":\"%s\",\"sourceIPAddress\":\"10.0.0.8\","
		"\"userAgent\":\"Boto3/1.40.1 md/Botocore#1.40.1 ua/2.1 os/linux lang/python#3.12.3\",\"readOnly\":true,",
		claude            ? call->streaming ? "ConverseStream" : "Converse"
		: call->streaming ? "InvokeModelWithResponseStream"
						  : "InvokeModel",
		c->region);
}

void demo_add_call(struct buf *b, const struct demo_caller *c, const struct demo_call *call, int64_t since_ms)
{
	add_call_head(b, c, call, call->streaming ? call->start_ms : call->end_ms, since_ms);
	if (call->error)
		buf_addf(b, "\"errorCode\":\"%s\",\"errorMessage\":\"refused\",", call->error);
	buf_addf(
		b,
		"\"requestParameters\":{\"modelId\":\"%s\"},\"responseElements\":null,\"additionalEventData\":{\"inferenceRegion\":\"%s\"",
		c->model, c->region);
	if (c->kind == DEMO_API_KEY)
		buf_adds(b, ",\"callWithBearerToken\":true");
	if (call->tokens_known && !call->streaming && !call->error)
		buf_addf(b, ",\"inputTokens\":%lld,\"outputTokens\":%lld", (long long)call->input,
		         (long long)call->output);
	buf_addf(
		b,
		"},\"managementEvent\":true,\"eventCategory\":\"Management\",\"tlsDetails\":{\"tlsVersion\":\"TLSv1.3\","
		"\"clientProvidedHostHeader\":\"bedrock-runtime.%s.amazonaws.com\"},",
		c->region);
	add_end(b, c, call->request_id, call->event_id, "AwsApiCall");
}

// The foundation model behind a profile's id: what follows "us." or "global.".
static const char *foundation_of(const char *model)
{
	return strncmp(model, "us.", 3) == 0 ? model + 3 : strncmp(model, "global.", 7) == 0 ? model + 7 : model;
}

void demo_add_completion(struct buf *b, const struct demo_caller *c, const struct demo_call *call,
                         int64_t since_ms)
{
	add_call_head(b, c, call, call->end_ms, since_ms);
	buf_addf(
		b,
		"\"resources\":[{\"type\":\"AWS::Bedrock::Model\",\"ARN\":\"arn:aws:bedrock:%s::foundation-model/%s\"}],"
		"\"serviceEventDetails\":{\"parentRequestId\":\"%s\",\"AdditionalEventData\":{\"additionalEntries\":{\"inferenceRegion\":\"%s\","
		"\"inputTokens\":\"%lld\",\"outputTokens\":\"%lld\"}}},",
		c->region, foundation_of(c->model), call->request_id, c->region, (long long)call->input,
		(long long)call->output);
	add_end(b, c, call->event_id, call->event_id, "AwsServiceEvent");
}

static void add_tags(struct buf *b, const struct demo_caller *c, bool as_map)
{
	buf_addc(b, as_map ? '{' : '[');
	for (int i = 0; i < DEMO_TAGS_MAX && c->tags[i].key; i++)
		buf_addf(b, as_map ? "%s\"%s\":\"%s\"" : "%s{\"key\":\"%s\",\"value\":\"%s\"}", i ? "," : "",
		         c->tags[i].key, c->tags[i].value);
	buf_addc(b, as_map ? '}' : ']');
}

static void add_sts(struct buf *b, const struct demo_caller *c)
{
	bool saml = c->kind == DEMO_SSO;
	buf_addf(
		b,
		"\"eventSource\":\"sts.amazonaws.com\",\"eventName\":\"%s\",\"awsRegion\":\"%s\",\"readOnly\":true,"
		"\"userIdentity\":{\"type\":\"%s\",\"accountId\":\"%s\"},\"requestParameters\":{\"roleArn\":\"arn:aws:iam::%s:role/%s%s\","
		"\"roleSessionName\":\"%s\",\"%s\":",
		saml ? "AssumeRoleWithSAML" : "AssumeRole", c->region, saml ? "SAMLUser" : "AssumedRole", c->account,
		c->account, path_of(c), c->name, c->session, saml ? "principalTags" : "tags");
	add_tags(b, c, saml);
	buf_adds(b, "},\"responseElements\":{\"credentials\":{\"accessKeyId\":\"");
	add_access_key(b, c);
	buf_addf(b, "\"},\"assumedRoleUser\":{\"assumedRoleId\":\"AROADEMO:%s\",\"arn\":\"", c->session);
	demo_add_arn(b, c);
	buf_adds(b, "\"}},");
}

static void add_iam(struct buf *b, const struct demo_caller *c)
{
	buf_addf(
		b,
		"\"eventSource\":\"iam.amazonaws.com\",\"eventName\":\"%s\",\"awsRegion\":\"us-east-1\",\"readOnly\":false,"
		"\"userIdentity\":{\"type\":\"IAMUser\",\"arn\":\"arn:aws:iam::%s:user/terraform\",\"accountId\":\"%s\"},\"requestParameters\":{\"%s\":\"%s\",\"tags\":",
		is_user(c) ? "TagUser" : "TagRole", c->account, c->account, is_user(c) ? "userName" : "roleName",
		c->name);
	add_tags(b, c, false);
	buf_adds(b, "},\"responseElements\":null,");
}

void demo_add_tagging(struct buf *b, const struct demo_caller *c, int64_t at_ms, const char *event_id)
{
	buf_adds(b, "{\"eventVersion\":\"1.08\",");
	add_time(b, "eventTime", at_ms);
	buf_addc(b, ',');
	if (demo_has_session_tags(c))
		add_sts(b, c);
	else
		add_iam(b, c);
	buf_adds(b, "\"managementEvent\":true,\"eventCategory\":\"Management\",");
	add_end(b, c, event_id, event_id, "AwsApiCall");
}

void demo_add_metric(struct buf *b, const struct demo_caller *c, const struct demo_metric *m)
{
	buf_addf(
		b,
		"{\"metric_stream_name\":\"bedrock\",\"account_id\":\"%s\",\"region\":\"%s\",\"namespace\":\"AWS/Bedrock\",\"metric_name\":\"%s\","
		"\"dimensions\":{\"ModelId\":\"%s\"},\"timestamp\":%lld,\"value\":{\"max\":%lld.0,\"min\":%lld.0,\"sum\":%lld.0,\"count\":%lld.0},\"unit\":\"Count\"}\n",
		c->account, c->region, m->name, c->model, (long long)(m->minute * MS_PER_MINUTE), (long long)m->max,
		(long long)m->min, (long long)m->sum, (long long)m->count);
}

void demo_open_event(struct buf *b, const struct demo_caller *c, const char *service, bool service_event,
                     const char *id)
{
	buf_addf(
		b,
		"{\"version\":\"0\",\"id\":\"%s\",\"detail-type\":\"AWS %s via CloudTrail\",\"source\":\"aws.%s\",\"account\":\"%s\","
		"\"region\":\"%s\",\"resources\":[],\"detail\":",
		id, service_event ? "Service Event" : "API Call", service, c->account, c->region);
}

void demo_close_event(struct buf *b)
{
	buf_addc(b, '}');
}
