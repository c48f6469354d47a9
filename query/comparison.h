// SPDX-License-Identifier: Apache-2.0
// What two spans of one length came to, in those minutes that were observed of both. "By this time yesterday"
// so compares the same minutes, and what was not observed on one day counts on neither.
//
//     yesterday  |. . . . . . . . .|          |. . . . . . . .|      now
//     today      |. . . .|          |. . . . . . . . . .|coming|
//     compared   |* * * *|         *|         |* * * * *|
#ifndef NOWCAST_QUERY_COMPARISON_H
#define NOWCAST_QUERY_COMPARISON_H

#include "query/rollups.h"

struct comparison {
	struct usd now, before; // 0 where nothing is compared
	int64_t minutes;        // that are compared; 0: nothing is
	int64_t of;             // minutes of the later span, but for those that are still to come
};

struct comparison_query {
	const struct group_filter *only; // may be NULL
	int64_t from, before;            // the first hours of the two spans
	int64_t minutes;                 // their length
	int64_t now_ms;
};

// An hour that is compared in part counts by its minutes (query/minutes.h), so the parts are the same.
bool comparison_read(struct comparison *ret, struct rollups *f, const struct comparison_query *q,
                     struct err *err) NC_CHECK;

#endif
