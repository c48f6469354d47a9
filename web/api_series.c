// SPDX-License-Identifier: Apache-2.0
// Spend over time, by day, hour or minute, in columns: the total with its band and its basis, the most
// expensive groups, and the sum of the others.
#include <assert.h>
#include <stdlib.h>

#include "base/when.h"
#include "web/api.h"
#include "web/timeseries.h"

enum { HOURS_PER_DAY = 24, LIMIT_MAX = 50 };

// The hours of a point. Of the first and the last day only the hours in the span count, so that all points
// add up to it.
static int64_t point_from(const struct timeseries *s, int64_t i)
{
	int64_t from = s->start + i * s->step;
	return from > s->q->from ? from : s->q->from;
}

static int64_t point_to(const struct timeseries *s, int64_t i)
{
	int64_t to = s->start + (i + 1) * s->step;
	return to < s->q->to ? to : s->q->to;
}

static int find_point(const struct timeseries *s, struct str hour)
{
	int64_t ms = 0;
	when_parse(hour, &ms);
	int64_t at = (ms / MS_PER_HOUR - s->start) / s->step;
	return at < 0 ? 0 : at >= s->n ? s->n - 1 : (int)at;
}

// Whether the sum of the span leaves a rollup for each point; else one sum by hour yields all points.
static bool has_rollup_per_point(const struct timeseries *s)
{
	return s->step > 1 || s->start >= s->q->now_ms / MS_PER_HOUR - ROLLUPS_RECENT_HOURS;
}

static bool fill_total(struct api *a, struct timeseries *s, struct err *err)
{
	struct group whole;
	s->total = xcalloc((size_t)s->n, sizeof *s->total);
	if (has_rollup_per_point(s)) {
		if (!api_sum(a, s->q, s->q->from, s->q->to, &whole, err)) // reads all points at once
			return false;
		for (int i = 0; i < s->n; i++)
			if (!api_sum(a, s->q, point_from(s, i), point_to(s, i), &s->total[i], err))
				return false;
		return true;
	}
	struct grouping hourly = {.n = 1, .by = {BY_HOUR}, .name = {STR("hour")}};
	struct groups g;
	groups_init(&g, &hourly);
	bool good = api_sum_groups(a, s->q, s->q->from, s->q->to, &g, err);
	for (int32_t i = 0; good && i < g.n; i++)
		s->total[find_point(s, g.list[i].keys[0])] = g.list[i];
	groups_release(&g);
	return good;
}

static bool fill_groups_by_point(struct api *a, struct timeseries *s, struct err *err)
{
	for (int k = 0; k < s->n; k++) {
		struct groups g;
		groups_init(&g, &s->q->by);
		bool good = api_sum_groups(a, s->q, point_from(s, k), point_to(s, k), &g, err);
		for (int32_t i = 0; good && i < g.n; i++) {
			int row = timeseries_row(s, g.list[i].keys);
			if (row >= 0)
				s->values[row * s->n + k] = g.list[i].usd;
		}
		groups_release(&g);
		if (!good)
			return false;
	}
	return true;
}

static bool fill_groups_by_hour(struct api *a, struct timeseries *s, struct err *err)
{
	struct grouping by = {.n = 1, .by = {BY_HOUR}, .name = {STR("hour")}};
	struct groups g;
	for (int i = 0; i < s->q->by.n; i++, by.n++) {
		by.by[by.n] = s->q->by.by[i];
		by.name[by.n] = s->q->by.name[i];
		by.tag[by.n] = s->q->by.tag[i];
	}
	groups_init(&g, &by);
	bool good = api_sum_groups(a, s->q, s->q->from, s->q->to, &g, err);
	for (int32_t i = 0; good && i < g.n; i++) {
		int row = timeseries_row(s, g.list[i].keys + 1);
		if (row >= 0)
			s->values[row * s->n + find_point(s, g.list[i].keys[0])] = g.list[i].usd;
	}
	groups_release(&g);
	return good;
}

static bool fill_groups(struct api *a, struct timeseries *s, struct err *err)
{
	if (!timeseries_choose(s, a, s->q->from, s->q->to, err))
		return false;
	return has_rollup_per_point(s) ? fill_groups_by_point(a, s, err) : fill_groups_by_hour(a, s, err);
}

bool api_series(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct api_query capped = *q;
	if (capped.limit > LIMIT_MAX)
		capped.limit = LIMIT_MAX;
	if (q->step == STEP_MINUTE)
		return api_minutes(a, &capped, j, err);
	if (capped.by.n == GROUP_KEYS_MAX) // the hour takes a place
		return err_set(err, ERR_SKIP, "by: at most %d groupings in a series", GROUP_KEYS_MAX - 1);
	struct timeseries s = {.q = &capped,
	                       .start = q->from,
	                       .step = q->step == STEP_DAY ? HOURS_PER_DAY : 1,
	                       .name = q->step == STEP_DAY ? "day" : "hour"};
	if (s.step > 1)
		s.start = when_day_start(s.start);
	s.n = (int)((q->to - s.start + s.step - 1) / s.step);
	assert(s.n > 0);
	groups_init(&s.groups, &capped.by);
	bool good = fill_total(a, &s, err) && (capped.by.n == 0 || fill_groups(a, &s, err));
	s.observed = good ? api_observed(a, &capped, q->from, q->to, err) : NULL;
	good = s.observed != NULL;
	s.start_ms = s.start * MS_PER_HOUR;
	s.step_ms = s.step * MS_PER_HOUR;
	if (good)
		timeseries_write(j, &s);
	groups_release(&s.groups);
	free(s.total);
	free(s.values);
	return good;
}
