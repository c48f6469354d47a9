// SPDX-License-Identifier: Apache-2.0
#include "demo/traffic_record_priv.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/when.h"

enum { NAME_SIZE = 200 }; // of ARNs and the like: all are made of constants of demo/traffic.c

static bool is_user(const struct traffic_caller *c)
{
	return !c->session;
}

bool caller_has_session_tags(const struct traffic_caller *c)
{
	return c->kind == CALLER_SSO || c->kind == CALLER_GATEWAY;
}

void caller_add_arn(struct buf *b, const struct traffic_caller *c)
{
	if (is_user(c))
		buf_addf(b, "arn:aws:iam::%s:user/%s", c->account, c->name);
	else
		buf_addf(b, "arn:aws:sts::%s:assumed-role/%s/%s", c->account, c->name, c->session);
}

static void write_arn(struct json_writer *j, const struct traffic_caller *c)
{
	struct buf arn = BUF_INIT;
	caller_add_arn(&arn, c);
	jw_str(j, "arn", buf_str(&arn));
	buf_release(&arn);
}

static void write_role_arn(struct json_writer *j, const char *key, const struct traffic_caller *c)
{
	char arn[NAME_SIZE];
	const char *path = c->kind == CALLER_SSO ? "aws-reserved/sso.amazonaws.com/" : "";
	snprintf(arn, sizeof arn, "arn:aws:iam::%s:role/%s%s", c->account, path, c->name);
	jw_strz(j, key, arn);
}

// Access keys differ where the users or sessions differ.
static void write_access_key(struct json_writer *j, const struct traffic_caller *c)
{
	struct buf key = BUF_INIT;
	buf_adds(&key, is_user(c) ? "AKIADEMO" : "ASIADEMO");
	for (const char *z = is_user(c) ? c->name : c->session; *z; z++)
		if ((*z >= 'a' && *z <= 'z') || (*z >= '0' && *z <= '9'))
			buf_addc(&key, *z >= 'a' ? (char)(*z - 'a' + 'A') : *z);
	jw_str(j, "accessKeyId", buf_str(&key));
	buf_release(&key);
}

static void write_session_context(struct json_writer *j, const struct traffic_caller *c, int64_t since_ms)
{
	jw_object(j, "sessionContext");
	jw_object(j, "sessionIssuer");
	jw_strz(j, "type", "Role");
	jw_strz(j, "principalId", "AROADEMO");
	write_role_arn(j, "arn", c);
	jw_strz(j, "accountId", c->account);
	jw_strz(j, "userName", c->name);
	jw_end(j);
	jw_object(j, "attributes");
	jw_time(j, "creationDate", since_ms);
	jw_strz(j, "mfaAuthenticated", "false");
	jw_end(j);
	jw_end(j);
}

static void write_identity(struct json_writer *j, const struct traffic_caller *c, int64_t since_ms)
{
	char id[NAME_SIZE];
	jw_object(j, "userIdentity");
	jw_strz(j, "type", is_user(c) ? "IAMUser" : "AssumedRole");
	write_arn(j, c);
	jw_strz(j, "accountId", c->account);
	if (c->kind == CALLER_API_KEY)
		jw_strz(j, "accessKeyId", ""); // as CloudTrail does for these
	else
		write_access_key(j, c);
	if (is_user(c)) {
		jw_strz(j, "principalId", "AIDADEMO");
		jw_strz(j, "userName", c->name);
	} else {
		snprintf(id, sizeof id, "AROADEMO:%s", c->session);
		jw_strz(j, "principalId", id);
		write_session_context(j, c, since_ms);
	}
	jw_end(j);
}

// The members that every CloudTrail record ends with.
static void end_record(struct json_writer *j, const struct traffic_caller *c, const char *request_id,
                       const char *event_id, const char *type)
{
	jw_strz(j, "requestID", request_id);
	jw_strz(j, "eventID", event_id);
	jw_strz(j, "eventType", type);
	jw_strz(j, "recipientAccountId", c->account);
	jw_end(j);
}

static void begin_call(struct json_writer *j, const struct traffic_caller *c, const struct traffic_call *call,
                       int64_t at_ms, int64_t since_ms)
{
	bool claude = strstr(c->model, "anthropic.") != NULL;
	jw_object(j, NULL);
	jw_strz(j, "eventVersion", "1.11");
	write_identity(j, c, since_ms);
	jw_time(j, "eventTime", at_ms);
	jw_strz(j, "eventSource", "bedrock.amazonaws.com");
	if (claude)
		jw_strz(j, "eventName", call->streaming ? "ConverseStream" : "Converse");
	else
		jw_strz(j, "eventName", call->streaming ? "InvokeModelWithResponseStream" : "InvokeModel");
	jw_strz(j, "awsRegion", c->region);
	jw_strz(j, "sourceIPAddress", "10.0.0.8");
	jw_strz(j, "userAgent", "Boto3/1.40.1 md/Botocore#1.40.1 ua/2.1 os/linux lang/python#3.12.3");
	jw_bool(j, "readOnly", true);
}

void write_call_record(struct json_writer *j, const struct traffic_caller *c, const struct traffic_call *call,
                       int64_t since_ms)
{
	char host[NAME_SIZE];
	begin_call(j, c, call, call->streaming ? call->start_ms : call->end_ms, since_ms);
	if (call->error) {
		jw_strz(j, "errorCode", call->error);
		jw_strz(j, "errorMessage", "refused");
	}
	jw_object(j, "requestParameters");
	jw_strz(j, "modelId", c->model);
	jw_end(j);
	jw_null(j, "responseElements");
	jw_object(j, "additionalEventData");
	jw_strz(j, "inferenceRegion", c->region);
	if (c->kind == CALLER_API_KEY)
		jw_bool(j, "callWithBearerToken", true);
	if (call->tokens_known && !call->streaming && !call->error) {
		jw_int(j, "inputTokens", call->input);
		jw_int(j, "outputTokens", call->output);
	}
	jw_end(j);
	jw_bool(j, "managementEvent", true);
	jw_strz(j, "eventCategory", "Management");
	snprintf(host, sizeof host, "bedrock-runtime.%s.amazonaws.com", c->region);
	jw_object(j, "tlsDetails");
	jw_strz(j, "tlsVersion", "TLSv1.3");
	jw_strz(j, "clientProvidedHostHeader", host);
	jw_end(j);
	end_record(j, c, call->request_id, call->event_id, "AwsApiCall");
}

// The foundation model behind a profile's id: what follows "us." or "global.".
static const char *foundation_of(const char *model)
{
	return strncmp(model, "us.", 3) == 0 ? model + 3 : strncmp(model, "global.", 7) == 0 ? model + 7 : model;
}

// A count as a string, as AWS has it in these records.
static void write_count(struct json_writer *j, const char *key, int64_t n)
{
	char text[24];
	snprintf(text, sizeof text, "%lld", (long long)n);
	jw_strz(j, key, text);
}

void write_completion_record(struct json_writer *j, const struct traffic_caller *c,
                             const struct traffic_call *call, int64_t since_ms)
{
	char arn[NAME_SIZE];
	begin_call(j, c, call, call->end_ms, since_ms);
	snprintf(arn, sizeof arn, "arn:aws:bedrock:%s::foundation-model/%s", c->region, foundation_of(c->model));
	jw_array(j, "resources");
	jw_object(j, NULL);
	jw_strz(j, "type", "AWS::Bedrock::Model");
	jw_strz(j, "ARN", arn);
	jw_end(j);
	jw_end(j);
	jw_object(j, "serviceEventDetails");
	jw_strz(j, "parentRequestId", call->request_id);
	jw_object(j, "AdditionalEventData");
	jw_object(j, "additionalEntries");
	jw_strz(j, "inferenceRegion", c->region);
	write_count(j, "inputTokens", call->input);
	write_count(j, "outputTokens", call->output);
	jw_end(j);
	jw_end(j);
	jw_end(j);
	end_record(j, c, call->event_id, call->event_id, "AwsServiceEvent");
}

static void write_tags(struct json_writer *j, const char *key, const struct traffic_caller *c)
{
	jw_array(j, key);
	for (int i = 0; i < CALLER_TAGS_MAX && c->tags[i].key; i++) {
		jw_object(j, NULL);
		jw_strz(j, "key", c->tags[i].key);
		jw_strz(j, "value", c->tags[i].value);
		jw_end(j);
	}
	jw_end(j);
}

static void write_saml_tags(struct json_writer *j, const struct traffic_caller *c)
{
	jw_object(j, "principalTags");
	for (int i = 0; i < CALLER_TAGS_MAX && c->tags[i].key; i++)
		jw_strz(j, c->tags[i].key, c->tags[i].value);
	jw_end(j);
}

static void write_sts(struct json_writer *j, const struct traffic_caller *c)
{
	bool saml = c->kind == CALLER_SSO;
	char id[NAME_SIZE];
	assert(c->session);
	jw_strz(j, "eventSource", "sts.amazonaws.com");
	jw_strz(j, "eventName", saml ? "AssumeRoleWithSAML" : "AssumeRole");
	jw_strz(j, "awsRegion", c->region);
	jw_bool(j, "readOnly", true);
	jw_object(j, "userIdentity");
	jw_strz(j, "type", saml ? "SAMLUser" : "AssumedRole");
	jw_strz(j, "accountId", c->account);
	jw_end(j);
	jw_object(j, "requestParameters");
	write_role_arn(j, "roleArn", c);
	jw_strz(j, "roleSessionName", c->session);
	if (saml)
		write_saml_tags(j, c);
	else
		write_tags(j, "tags", c);
	jw_end(j);
	jw_object(j, "responseElements");
	jw_object(j, "credentials");
	write_access_key(j, c);
	jw_end(j);
	jw_object(j, "assumedRoleUser");
	snprintf(id, sizeof id, "AROADEMO:%s", c->session);
	jw_strz(j, "assumedRoleId", id);
	write_arn(j, c);
	jw_end(j);
	jw_end(j);
}

static void write_iam(struct json_writer *j, const struct traffic_caller *c)
{
	char arn[NAME_SIZE];
	jw_strz(j, "eventSource", "iam.amazonaws.com");
	jw_strz(j, "eventName", is_user(c) ? "TagUser" : "TagRole");
	jw_strz(j, "awsRegion", "us-east-1");
	jw_bool(j, "readOnly", false);
	jw_object(j, "userIdentity");
	jw_strz(j, "type", "IAMUser");
	snprintf(arn, sizeof arn, "arn:aws:iam::%s:user/terraform", c->account);
	jw_strz(j, "arn", arn);
	jw_strz(j, "accountId", c->account);
	jw_end(j);
	jw_object(j, "requestParameters");
	jw_strz(j, is_user(c) ? "userName" : "roleName", c->name);
	write_tags(j, "tags", c);
	jw_end(j);
	jw_null(j, "responseElements");
}

void write_tagging_record(struct json_writer *j, const struct traffic_caller *c, int64_t at_ms,
                          const char *event_id)
{
	jw_object(j, NULL);
	jw_strz(j, "eventVersion", "1.08");
	jw_time(j, "eventTime", at_ms);
	if (caller_has_session_tags(c))
		write_sts(j, c);
	else
		write_iam(j, c);
	jw_bool(j, "managementEvent", true);
	jw_strz(j, "eventCategory", "Management");
	end_record(j, c, event_id, event_id, "AwsApiCall");
}

void add_metric_line(struct buf *b, const struct traffic_caller *c, const struct traffic_metric *m)
{
	struct json_writer j = JSON_WRITER(b);
	jw_object(&j, NULL);
	jw_strz(&j, "metric_stream_name", "bedrock");
	jw_strz(&j, "account_id", c->account);
	jw_strz(&j, "region", c->region);
	jw_strz(&j, "namespace", "AWS/Bedrock");
	jw_strz(&j, "metric_name", m->name);
	jw_object(&j, "dimensions");
	jw_strz(&j, "ModelId", c->model);
	jw_end(&j);
	jw_int(&j, "timestamp", m->minute * MS_PER_MINUTE);
	jw_object(&j, "value");
	jw_real(&j, "max", (double)m->max, 1);
	jw_real(&j, "min", (double)m->min, 1);
	jw_real(&j, "sum", (double)m->sum, 1);
	jw_real(&j, "count", (double)m->count, 1);
	jw_end(&j);
	jw_strz(&j, "unit", "Count");
	jw_end(&j);
	buf_addc(b, '\n');
}

void open_eventbridge_event(struct json_writer *j, const struct traffic_caller *c, const char *service,
                            bool service_event, const char *id)
{
	char source[NAME_SIZE];
	snprintf(source, sizeof source, "aws.%s", service);
	jw_object(j, NULL);
	jw_strz(j, "version", "0");
	jw_strz(j, "id", id);
	jw_strz(j, "detail-type",
	        service_event ? "AWS Service Event via CloudTrail" : "AWS API Call via CloudTrail");
	jw_strz(j, "source", source);
	jw_strz(j, "account", c->account);
	jw_strz(j, "region", c->region);
	jw_array(j, "resources");
	jw_end(j);
	jw_key(j, STR("detail"));
}
