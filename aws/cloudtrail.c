// SPDX-License-Identifier: Apache-2.0
#include "aws/cloudtrail.h"

#include <jansson.h>

#include "aws/call_priv.h"
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
	struct buf body = BUF_INIT;
	write_query(&body, q);
	const struct aws_request r = {.service = &service,
	                              .at = at,
	                              .operation = "LookupEvents",
	                              .permission = "cloudtrail:LookupEvents",
	                              .body = buf_str(&body)};
	json_t *page;
	enum aws_fault fault = aws_call_json(&r, "Events", ret, &page, err);
	if (fault == AWS_NONE) {
		*ret_n = (int)json_array_size(json_object_get(page, "Events"));
		aws_copy_text(page, "NextToken", ret_token);
		json_decref(page);
	}
	buf_release(&body);
	return fault;
}
