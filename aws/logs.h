// SPDX-License-Identifier: Apache-2.0
// CloudWatch Logs FilterLogEvents: the events of a log group in a span of time, oldest first within a page.
// The time is the event's own (timestamp), which whoever writes it sets; when CloudWatch got it
// (ingestionTime) cannot be asked for. So an event may appear in a span that was read before.
// Bedrock's invocation log says which group it goes to (aws/bedrock.h).
#ifndef NOWCAST_AWS_LOGS_H
#define NOWCAST_AWS_LOGS_H

#include "aws/call.h"

enum {
	LOGS_REQUEST_MS = 250,       // five requests a second, an account and Region
	LOGS_LATE_MS = 10 * 60000,   // nearly all events are there by then
	LOGS_LATEST_MS = 75 * 60000, // every event is: a call may take an hour, and its record comes when it ends
};

struct logs_query {
	const char *group;
	int64_t from_ms, to_ms; // both ends are included
	struct str token;
};

// As cloudtrail_lookup. A page may be empty and not the last.
enum aws_fault logs_filter(const struct aws_place *at, const struct logs_query *q, struct aws_answer *ret,
                           struct buf *ret_token, int *ret_n, struct err *err) NC_CHECK;

#endif
