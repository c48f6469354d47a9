// SPDX-License-Identifier: Apache-2.0
// Spend over time in columns, as /api/v1/series answers it.
#ifndef NOWCAST_WEB_TIMESERIES_H
#define NOWCAST_WEB_TIMESERIES_H

#include "web/api.h"

struct timeseries {
	const struct api_query *q;
	int64_t start, step;     // hours; of curves by day and by hour
	int64_t start_ms, step_ms;
	const char *name;        // of the step
	int n;                   // points
	struct group *total;     // a point each
	struct groups groups;    // over the whole span, dearest first; empty without grouping
	// of group i at point k: [i * n + k], for the first `shown` groups; room for one more row
	struct usd *values;
	int shown;
};

// Fills `groups`, `shown` and (with zeros) `values`: the dearest of the query's grouping in the hours [from,
// to).
bool timeseries_choose(struct timeseries *s, struct api *a, int64_t from, int64_t to,
                       struct err *err) NC_CHECK;

// The index of a group among those shown, or -1.
int timeseries_row(const struct timeseries *s, const struct str *keys);

void timeseries_write(struct json_writer *j, const struct timeseries *s);

#endif
