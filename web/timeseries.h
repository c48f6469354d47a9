// SPDX-License-Identifier: Apache-2.0
// Spend over time in columns, as /api/v1/series answers it.
#ifndef NOWCAST_WEB_TIMESERIES_H
#define NOWCAST_WEB_TIMESERIES_H

#include "web/api.h"

struct timeseries {
	const struct api_query *q;
	int64_t start, step;     // hours; of series by day and by hour
	int64_t start_ms, step_ms;
	const char *name;        // of the step
	int n;                   // points
	struct group *total;     // a point each
	struct groups groups;    // over the whole span, the most expensive first; empty without grouping
	struct usd *values;      // of group i < shown at point k: [i * n + k]; and room for one more row
	int shown;
	const struct observed *observed; // the minutes of the span
};

// Fills `groups` and `shown`, the most expensive groups of the query's grouping in the hours [from, to), and
// `values` with zeros.
bool timeseries_choose(struct timeseries *s, struct api *a, int64_t from, int64_t to,
                       struct err *err) NC_CHECK;

// The index of a group among those shown, or -1.
int timeseries_row(const struct timeseries *s, const struct str *keys);

void timeseries_write(struct json_writer *j, const struct timeseries *s);

#endif
