// SPDX-License-Identifier: Apache-2.0
// CloudTrail LookupEvents: management events of the last 90 days, without a trail. The newest come first, 50
// a page, two requests a second of an account and Region; an event is there some 5 minutes after it happened,
// at most 15. Data events, as the calls of bedrock-mantle are, are never in it. (AWS CloudTrail API
// Reference, LookupEvents; User Guide, "Viewing events with event history".)
#ifndef NOWCAST_AWS_CLOUDTRAIL_H
#define NOWCAST_AWS_CLOUDTRAIL_H

#include "aws/call.h"

enum { CLOUDTRAIL_PAGE = 50, CLOUDTRAIL_REQUEST_MS = 500, CLOUDTRAIL_LATE_MS = 15 * 60000 };

struct cloudtrail_query {
	const char *event_source; // "bedrock.amazonaws.com"
	int64_t from_ms, to_ms;   // whole seconds count; both ends are included
	struct str token;         // of the next page; STR_NONE: the first
};

// ret->body: the page, as AWS wrote it. ret_token: emptied, then that of the next page, or empty at the last.
// *ret_n: events.
enum aws_fault cloudtrail_lookup(const struct aws_place *at, const struct cloudtrail_query *q,
                                 struct aws_answer *ret, struct buf *ret_token, int *ret_n,
                                 struct err *err) NC_CHECK;

#endif
