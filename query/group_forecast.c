// SPDX-License-Identifier: Apache-2.0
#include "query/group_forecast.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/when.h"

enum { DAY = 24, MICRO = 1000000 };

static double to_dollars(struct usd u)
{
	return (double)u.pico / 1e12;
}

struct usd group_forecasts_usd(double dollars)
{
	double micro = dollars * MICRO;
	return (struct usd){(usd_pico)(micro < 9e15 ? (int64_t)micro : (int64_t)9e15) * MICRO};
}

// ---- reading ------------------------------------------------------------------------------------

static struct grouping add_hour_key(const struct grouping *by)
{
	struct grouping g = {.n = 1 + by->n, .by = {BY_HOUR}, .name = {STR("hour")}};
	for (int i = 0; i < by->n; i++) {
		g.by[i + 1] = by->by[i];
		g.name[i + 1] = by->name[i];
		g.tag[i + 1] = by->tag[i];
	}
	return g;
}

static int compare_key(const void *key, const void *g)
{
	return str_cmp(*(const struct str *)key, ((const struct group_forecast *)g)->key);
}

static struct group_forecast *find_group(const struct group_forecasts *o, struct str key)
{
	return o->n ? bsearch(&key, o->list, (size_t)o->n, sizeof *o->list, compare_key) : NULL;
}

const struct group_forecast *group_forecasts_of(const struct group_forecasts *o, struct str key)
{
	return find_group(o, key);
}

// Makes an entry for each group that has figures in those hours.
static bool list_groups(struct group_forecasts *o, struct rollups *f, const struct grouping *by,
                        const struct group_filter *only, int64_t from, int64_t to, struct err *err)
{
	struct groups g;
	groups_init(&g, by);
	const struct rollups_query q = {by, only, from, to, o->now_ms / MS_PER_HOUR};
	bool good = by->n == 0 || rollups_sum(f, &q, &g, err);
	groups_sort(&g, ORDER_NAME);
	o->n = by->n == 0 ? 1 : g.n;
	o->too_many = o->n > GROUP_FORECASTS_MAX;
	if (o->too_many)
		o->n = 0;
	o->list = xcalloc((size_t)o->n + 1, sizeof *o->list);
	for (int i = 0; i < o->n; i++)
		o->list[i].key = by->n ? arena_str(&o->arena, g.list[i].keys[0]) : STR("");
	groups_release(&g);
	return good;
}

// The first hour of the history that a forecast uses.
static int64_t first_hour(const struct group_forecasts *o)
{
	return (o->now_ms / MS_PER_HOUR / DAY - FORECAST_DAYS_MAX) * DAY;
}

// What of the past is known: hours of which at least half was observed, at what they would have cost whole.
struct known_hours {
	bool unknown[(FORECAST_DAYS_MAX + 1) * DAY];
	double scale[(FORECAST_DAYS_MAX + 1) * DAY];
	int minute; // how many of the present hour are known
};

static bool find_known(const struct group_forecasts *o, struct rollups *f, const struct group_filter *only,
                       struct known_hours *ret, struct err *err)
{
	int64_t from = first_hour(o), now = o->now_ms / MS_PER_HOUR;
	const struct observed *seen = rollups_observed(f, only, from, now + 1, o->now_ms, err);
	if (!seen)
		return false;
	for (int64_t i = 0; i < (FORECAST_DAYS_MAX + 1) * DAY; i++) {
		int64_t n = observed_count(seen, (from + i) * 60, (from + i + 1) * 60, MINUTE_OBSERVED);
		ret->unknown[i] = from + i < now && n < 30;
		ret->scale[i] = from + i < now && n >= 30 ? 60.0 / (double)n : 1;
	}
	ret->minute = (int)observed_count(seen, now * 60, (now + 1) * 60, MINUTE_OBSERVED);
	return true;
}

static void use_known(struct forecast_past *p, const struct known_hours *known)
{
	p->minute = known->minute;
	for (int i = 0; i < (FORECAST_DAYS_MAX + 1) * DAY; i++) {
		p->unknown[i] = known->unknown[i];
		p->hours[i] = known->unknown[i] ? 0 : p->hours[i] * known->scale[i];
	}
	forecast_assume_quiet(p);
}

static void add_hours(void *user, const struct groups *g)
{
	struct group_forecasts *o = user;
	for (int32_t i = 0; i < g->n; i++) {
		int64_t ms = 0;
		struct group_forecast *x = find_group(o, g->by.n > 1 ? g->list[i].keys[1] : STR(""));
		when_parse(g->list[i].keys[0], &ms);
		int64_t at = ms / MS_PER_HOUR - first_hour(o);
		if (!x || at < 0 || at >= (FORECAST_DAYS_MAX + 1) * DAY)
			continue;
		x->past.hours[at] = to_dollars(g->list[i].usd);
		if (ms / MS_PER_HOUR == o->now_ms / MS_PER_HOUR)
			x->this_hour = g->list[i].usd;
	}
}

bool group_forecasts_read(struct group_forecasts *ret, struct rollups *f, const struct grouping *by,
                          const struct group_filter *only, int64_t now_ms, int64_t to, struct err *err)
{
	int64_t now = now_ms / MS_PER_HOUR, day = now / DAY * DAY, ahead_days = (to - day + DAY - 1) / DAY - 1;
	struct grouping hourly = add_hour_key(by);
	assert(by->n <= 1);
	*ret = (struct group_forecasts){.now_ms = now_ms};
	int64_t from = first_hour(ret);
	struct known_hours known;
	const struct rollups_query q = {&hourly, only, from, day + DAY, now};
	if (!find_known(ret, f, only, &known, err) || !list_groups(ret, f, by, only, from, day + DAY, err) ||
	    (ret->n && !rollups_each(f, &q, add_hours, ret, err))) {
		group_forecasts_release(ret);
		return false;
	}
	for (int i = 0; i < ret->n; i++) {
		struct forecast_past *p = &ret->list[i].past;
		p->day = FORECAST_DAYS_MAX;
		p->hour = (int)(now - day);
		p->weekday = (int)((day / DAY + 3) % 7); // day 0 was a Thursday
		use_known(p, &known);
		forecast_compute_course(p, ahead_days > 0 ? (int)ahead_days : 0, &ret->list[i].forecast);
	}
	return true;
}

void group_forecasts_score(struct group_forecast *g)
{
	forecast_compute(&g->past, (g->forecast.hours + g->past.hour) / DAY - 1, &g->forecast);
}

void group_forecasts_release(struct group_forecasts *o)
{
	free(o->list);
	arena_release(&o->arena);
	*o = (struct group_forecasts){0};
}

// ---- asking -------------------------------------------------------------------------------------

struct usd group_forecasts_more(const struct group_forecasts *o, const struct group_forecast *g, int64_t to)
{
	double all = 0;
	for (int64_t h = o->now_ms / MS_PER_HOUR, i = 0; h < to && i < g->forecast.hours; h++, i++)
		all += g->forecast.course[i];
	// a part of the present hour is spent already
	struct usd more = usd_sub(group_forecasts_usd(all), g->this_hour);
	return more.pico > 0 ? more : USD_ZERO;
}

int64_t group_forecasts_passes(const struct group_forecasts *o, const struct group_forecast *g,
                               struct usd room, int64_t to)
{
	const struct forecast *f = &g->forecast;
	double left = to_dollars(room);
	int64_t at = o->now_ms;
	for (int i = 0; i < f->hours && at < to * MS_PER_HOUR; i++) {
		int64_t end = (at / MS_PER_HOUR + 1) * MS_PER_HOUR;
		double spend = fmax(0, f->course[i] - (i == 0 ? to_dollars(g->this_hour) : 0));
		if (left < spend)
			return at + (left > 0 ? (int64_t)((double)(end - at) * left / spend) : 0);
		left -= spend;
		at = end;
	}
	return 0;
}
