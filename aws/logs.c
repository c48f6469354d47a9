// SPDX-License-Identifier: Apache-2.0
#include "aws/logs.h"

#include <jansson.h>

#include "base/json_writer.h"

static const struct aws_service service = {
	.endpoint = "CLOUDWATCH_LOGS",
	.host = "logs",
	.target = "Logs_20140328",
	.json = "1.1",
};

enum aws_fault logs_filter(const struct aws_place *at, const struct logs_query *q, struct aws_answer *ret,
                           struct buf *ret_token, int *ret_n, struct err *err)
{
	struct buf body = BUF_INIT;
	struct json_writer j = JSON_WRITER(&body);
	jw_object(&j, NULL);
	jw_strz(&j, "logGroupName", q->group);
	jw_int(&j, "startTime", q->from_ms);
	jw_int(&j, "endTime", q->to_ms);
	if (q->token.len)
		jw_str(&j, "nextToken", q->token);
	jw_end(&j);
	const struct aws_request r = {.service = &service,
	                              .at = at,
	                              .operation = "FilterLogEvents",
	                              .permission = "logs:FilterLogEvents",
	                              .body = buf_str(&body)};
	enum aws_fault fault = aws_call(&r, ret, err);
	if (fault == AWS_NONE) {
		json_t *page = json_loadb(ret->body.data ? ret->body.data : "", ret->body.len, 0, NULL),
			   *events = json_object_get(page, "events");
		const char *token = json_string_value(json_object_get(page, "nextToken"));
		if (json_is_array(events)) {
			*ret_n = (int)json_array_size(events);
			buf_clear(ret_token);
			buf_adds(ret_token, token ? token : "");
		} else {
			fault = AWS_UNREACHABLE;
			err_set(err, ERR_RETRY, "%s, %s: the answer to FilterLogEvents is cut off, or has no events",
			        at->account, at->region);
		}
		json_decref(page);
	}
	buf_release(&body);
	return fault;
}
