// SPDX-License-Identifier: Apache-2.0
// Text has no keys, so there a request id is its name, or anything that has the form of one. A service that
// is named in a policy ("Service": "bedrock.amazonaws.com") is no event source.
#include "ingest/signs.h"

#include "ingest/recognise_priv.h"

static bool is_event_source(struct str s)
{
	return str_is(s, "bedrock.amazonaws.com") || str_is(s, "bedrock-mantle.amazonaws.com") ||
	       str_is(s, "bedrock-runtime.amazonaws.com");
}

static bool has(struct str text, const char *word)
{
	return memmem(text.p, text.len, word, strlen(word)) != NULL;
}

// "requestID", "request_id", "Request ID": the length of such a name at the start of `s`, or 0.
static size_t request_id_name(struct str s)
{
	static const char word[] = "request";
	size_t n = sizeof word - 1;
	if (s.len < n + 2 || strncasecmp(s.p, word, n) != 0)
		return 0;
	if (s.p[n] == '_' || s.p[n] == '-' || s.p[n] == '.' || s.p[n] == ' ')
		n++;
	return s.len >= n + 2 && strncasecmp(s.p + n, "id", 2) == 0 ? n + 2 : 0;
}

// Whether the text ends like the name of a request id: "aws.cloudtrail.request_id".
static bool is_request_id_name(struct str s)
{
	for (size_t n = 9; n <= 10 && n <= s.len; n++) {
		struct str end = {s.p + s.len - n, n};
		if (request_id_name(end) == n)
			return true;
	}
	return false;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// 8-4-4-4-12 hexadecimal digits.
static bool is_uuid(const char *p)
{
	for (int i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? p[i] != '-' : !is_hex(p[i]))
			return false;
	return true;
}

unsigned signs_of_member(struct str key, struct str value)
{
	struct str metric = str_after_last(value, '/');
	unsigned signs = 0;
	if (is_event_source(value))
		return str_is(key, "Service") ? 0 : SIGN_SOURCE;
	if (str_is(value, "ModelInvocationLog"))
		return SIGN_LOG;
	bool uid = str_is(key, "uid") && value.len == 36 && is_uuid(value.p); // OCSF's api.request.uid
	if (value.len && (uid || is_request_id_name(key) || is_request_id_name(value)))
		signs |= SIGN_REQUEST;
	if (str_is(value, "AWS/Bedrock") || str_is(value, "AWS/BedrockMantle") || str_is(value, "Bedrock") ||
	    str_is(value, "BedrockMantle") || // OpenTelemetry's service.name
	    (metric.len < value.len && has(value, "amazonaws.com/AWS/Bedrock")))
		signs |= SIGN_NAMESPACE;
	if (metric_counts_tokens(metric) || metric_counts_tokens(key))
		signs |= SIGN_METRIC;
	return signs;
}

static bool has_uuid(struct str text)
{
	struct str rest = text;
	while (rest.len) {
		struct str head = str_cut(&rest, '-');
		if (head.len >= 8 && (size_t)(text.p + text.len - (head.p + head.len)) >= 28 &&
		    is_uuid(head.p + head.len - 8))
			return true;
	}
	return false;
}

static bool has_request_id(struct str text)
{
	for (struct str rest = text; rest.len;) {
		const char *at = memmem(rest.p, rest.len, "equest", 6);
		if (!at)
			break;
		struct str name = {at - 1, (size_t)(text.p + text.len - at) + 1};
		if (at > text.p && request_id_name(name))
			return true;
		rest = (struct str){at + 6, (size_t)(text.p + text.len - at) - 6};
	}
	return has_uuid(text);
}

static bool has_log_schema(struct str text)
{
	static const char word[] = "ModelInvocationLog";
	const char *at = memmem(text.p, text.len, word, sizeof word - 1);
	if (!at || !has(text, "schemaType"))
		return false;
	const char *end = at + sizeof word - 1; // ModelInvocationLogging is the name of an operation
	return end == text.p + text.len || !((*end >= 'a' && *end <= 'z') || *end == '/');
}

unsigned signs_of_text(struct str text)
{
	unsigned signs = 0;
	if (!text.len)
		return 0;
	if (has(text, "bedrock.amazonaws.com") || has(text, "bedrock-mantle.amazonaws.com") ||
	    has(text, "bedrock-runtime.amazonaws.com"))
		signs |= SIGN_SOURCE | (has_request_id(text) ? SIGN_REQUEST : 0);
	if (has_log_schema(text))
		signs |= SIGN_LOG;
	if (has(text, "AWS/Bedrock") || has(text, "AWS\\/Bedrock"))
		signs |= SIGN_NAMESPACE;
	if (signs & SIGN_NAMESPACE &&
	    (has(text, "TokenCount") || has(text, "InputTokens") || has(text, "OutputTokens") ||
	     has(text, "OutputImageCount")))
		signs |= SIGN_METRIC;
	return signs;
}

bool signs_are_complete(unsigned signs, enum fault_kind *ret_kind, const char **ret_reason)
{
	static const struct {
		unsigned signs;
		enum fault_kind kind;
		const char *reason;
	} all[] = {
		{SIGN_SOURCE | SIGN_REQUEST, FAULT_UNREAD_CALL,
	     "an event source of Bedrock and a request id, and no record that can be read: its fields are renamed, or it is part of a longer text"},
		{SIGN_LOG, FAULT_UNREAD_LOG,
	     "the schema type of an invocation log, and no record that can be read: its fields are renamed, or it is part of a longer text"},
		{SIGN_NAMESPACE | SIGN_METRIC, FAULT_UNREAD_METRIC,
	     "a token metric of AWS/Bedrock, in none of the forms that are read: metric stream, GetMetricData and GetMetricStatistics beside their query"},
		{SIGN_QUOTED, FAULT_QUOTED,
	     "a record is quoted in a text that callers write (a prompt, a parameter, a user agent), and is not counted"},
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if ((signs & all[i].signs) == all[i].signs) {
			*ret_kind = all[i].kind;
			*ret_reason = all[i].reason;
			return true;
		}
	}
	return false;
}
