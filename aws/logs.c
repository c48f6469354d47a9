// SPDX-License-Identifier: Apache-2.0
#include "aws/logs.h"

#include <jansson.h>

#include "aws/call_priv.h"
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
	json_t *page;
	enum aws_fault fault = aws_call_json(&r, "events", ret, &page, err);
	if (fault == AWS_NONE) {
		*ret_n = (int)json_array_size(json_object_get(page, "events"));
		aws_copy_text(page, "nextToken", ret_token);
		json_decref(page);
	}
	buf_release(&body);
	return fault;
}
