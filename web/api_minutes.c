// SPDX-License-Identifier: Apache-2.0
// The last hours to the minute (query/minutes.h), as a series.
#include <stdlib.h>

#include "base/when.h"
#include "query/minutes.h"
#include "web/api.h"
#include "web/timeseries.h"

static int row_of(const void *timeseries, const struct str *keys)
{
	return timeseries_row(timeseries, keys);
}

bool api_minutes(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	if (!minutes_are_known(&q->by))
		return err_set(
			err, ERR_SKIP,
			"by: at step=minute only account, region and model, since minutes are not kept by caller; use step=hour, or a filter");
	struct timeseries c = {.q = q,
	                       .start_ms = q->from * MS_PER_HOUR,
	                       .step_ms = MS_PER_MINUTE,
	                       .name = "minute",
	                       .n = (int)(q->to - q->from) * 60};
	const struct minutes_query spread = {
		&q->by, &q->only, q->from, q->to, q->now_ms, q->by.n ? row_of : NULL, &c};
	c.total = xcalloc((size_t)c.n, sizeof *c.total);
	groups_init(&c.groups, &q->by);
	bool good = (q->by.n == 0 || timeseries_choose(&c, a, q->from, q->to, err)) &&
	            minutes_spread(rollups_view(a->rollups), &spread, c.total, c.values, err) &&
	            (c.observed = api_observed(a, q, q->from, q->to, err));
	if (good)
		timeseries_write(j, &c);
	groups_release(&c.groups);
	free(c.total);
	free(c.values);
	return good;
}
