// SPDX-License-Identifier: Apache-2.0
#include "aws/cloudtrail.h"

#include <jansson.h>

#include "base/json_writer.h"

static const struct aws_service service = {
	.endpoint = "CLOUDTRAIL",
	.host = "cloudtrail",
	.target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
	.json = "1.1",
};

static void write_query(struct buf *b, const struct cloudtrail_query *q)
{
	struct json_writer j = JSON_WRITER(b);
	jw_object(&j, NULL);
	jw_array(&j, "LookupAttributes");
	jw_object(&j, NULL);
	jw_strz(&j, "AttributeKey", "EventSource");
	jw_strz(&j, "AttributeValue", q->event_source);
	jw_end(&j);
	jw_end(&j);
	jw_int(&j, "StartTime", q->from_ms / 1000);
	jw_int(&j, "EndTime", (q->to_ms + 999) / 1000);
	jw_int(&j, "MaxResults", CLOUDTRAIL_PAGE);
	if (q->token.len)
		jw_str(&j, "NextToken", q->token);
	jw_end(&j);
}

enum aws_fault cloudtrail_lookup(const struct aws_place *at, const struct cloudtrail_query *q,
                                 struct aws_answer *ret, struct buf *ret_token, int *ret_n, struct err *err)
{
	struct buf body = BUF_INIT, next = BUF_INIT;
	write_query(&body, q);
	const struct aws_request r = {.service = &service,
	                              .at = at,
	                              .operation = "LookupEvents",
	                              .permission = "cloudtrail:LookupEvents",
	                              .body = buf_str(&body)};
	enum aws_fault fault = aws_call(&r, ret, err);
	if (fault == AWS_NONE) {
		json_t *page = json_loadb(ret->body.data ? ret->body.data : "", ret->body.len, 0, NULL),
			   *events = json_object_get(page, "Events");
		if (json_is_array(events)) {
			const char *token = json_string_value(json_object_get(page, "NextToken"));
			*ret_n = (int)json_array_size(events);
			buf_adds(&next, token ? token : "");
			buf_clear(ret_token);
			buf_addstr(ret_token, buf_str(&next));
		} else {
			fault = AWS_UNREACHABLE;
			err_set(err, ERR_RETRY, "%s, %s: the answer to LookupEvents is cut off or no list of events",
			        at->account, at->region);
		}
		json_decref(page);
	}
	buf_release(&body);
	buf_release(&next);
	return fault;
}
