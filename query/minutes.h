// SPDX-License-Identifier: Apache-2.0
// The spend of hours to the minute. Dollars are kept by the hour; what happened within it is in the facts of
// each minute: what the metrics say, and who called how often. So an hour's dollars are spread over its
// minutes by what each minute's tokens cost at the hour's own rates, and the minutes add up to the hour
// exactly. A minute that has no metric yet counts by its calls. Where the facts are gone (past the window),
// an hour is spread evenly. Groups can be by what an hour of a model has one of: its account, Region and
// model. The tokens of one caller in one minute are not known.
#ifndef NOWCAST_QUERY_MINUTES_H
#define NOWCAST_QUERY_MINUTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "query/group.h"
#include "store/view.h"

struct minutes_query {
	const struct grouping *by;       // account, region and model only: minutes_are_known
	const struct group_filter *only; // may have no condition
	int64_t from, to;                // hours
	int64_t now_ms;
	// the row of `values` that a group belongs to, -1: none; NULL: there are no values
	int (*row_of)(const void *user, const struct str *keys);
	const void *user;
};

bool minutes_are_known(const struct grouping *by);

// Adds to total[k] the figures of minute k of the span, and to values[row * n + k] the dollars of its group,
// where n is the number of minutes. `values` may be NULL.
bool minutes_spread(struct view *v, const struct minutes_query *q, struct group *total, struct usd *values,
                    struct err *err) NC_CHECK;

#endif
