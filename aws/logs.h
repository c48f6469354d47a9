// SPDX-License-Identifier: Apache-2.0
// CloudWatch Logs FilterLogEvents: the events of a log group in a span of time, oldest first within a page.
// Bedrock's invocation log says which group it goes to (aws/bedrock.h).
#ifndef NOWCAST_AWS_LOGS_H
#define NOWCAST_AWS_LOGS_H

#include "aws/call.h"

enum { LOGS_REQUEST_MS = 250, LOGS_LATE_MS = 10 * 60000 }; // five requests a second, an account and Region

struct logs_query {
	const char *group;
	int64_t from_ms, to_ms; // both ends are included
	struct str token;
};

// As cloudtrail_lookup. A page may be empty and not the last.
enum aws_fault logs_filter(const struct aws_place *at, const struct logs_query *q, struct aws_answer *ret,
                           struct buf *ret_token, int *ret_n, struct err *err) NC_CHECK;

#endif
