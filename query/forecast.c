// SPDX-License-Identifier: Apache-2.0
#include "query/forecast.h"

#include <assert.h>
#include <math.h>

enum { DAY = 24, WEEK = 7 };

// Tuned on public series of other things than spend (tests/forecast_score.py). Twice or half of each makes
// little difference.
#define NEARNESS 20.0 // days until the weight of a past day falls to 1/e
#define OTHER_DAY 0.35 // weight of another day of the same kind, where one of the same name has 1
#define OTHER_KIND 0.01 // weight of a day of the other kind
#define INERTIA 6.0 // mean hours that are added to both sides of the level, so that it begins near 1
#define LEVEL_MAX 4.0
#define NINE_IN_TEN 2.1 // times the mean miss: nine in ten misses are smaller
#define UNKNOWN 0.5 // half the band, as a part of the forecast, where no miss is known

static double sum_hours(const double *hours, int from, int to)
{
	double s = 0;
	for (int i = from; i < to; i++)
		s += hours[i];
	return s;
}

static bool is_weekend(int weekday)
{
	return (weekday % WEEK + WEEK) % WEEK >= 5;
}

// The weight of day `past` in the forecast of day `of`. `weekday`: of day `of`.
static double day_weight(int past, int of, int weekday)
{
	int other = weekday - (of - past);
	double kind = (of - past) % WEEK == 0                    ? 1
	              : is_weekend(other) == is_weekend(weekday) ? OTHER_DAY
	                                                         : OTHER_KIND;
	return kind * exp(-(of - past) / NEARNESS);
}

// The dollars of the hours from..to - 1 of day `of`: the weighted mean of the days first..last.
static double forecast_span(const struct forecast_past *p, int first, int last, int of, int weekday, int from,
                            int to)
{
	double weights = 0, dollars = 0;
	for (int d = first; d <= last; d++) {
		double w = day_weight(d, of, weekday);
		weights += w;
		dollars += w * sum_hours(p->hours + d * DAY, from, to);
	}
	return weights > 0 ? dollars / weights : 0;
}

// The dollars of each hour of day `of`, times `level`.
static void forecast_hours(const struct forecast_past *p, int first, int last, int of, int weekday,
                           double level, double *ret)
{
	double weights = 0;
	for (int h = 0; h < DAY; h++)
		ret[h] = 0;
	for (int d = first; d <= last; d++) {
		double w = day_weight(d, of, weekday);
		weights += w;
		for (int h = 0; h < DAY; h++)
			ret[h] += w * p->hours[d * DAY + h];
	}
	for (int h = 0; h < DAY; h++)
		ret[h] = weights > 0 ? ret[h] / weights * level : 0;
}

// The hours so far of a day, divided by their forecast; near 1 while they are few.
static double day_level(const struct forecast_past *p, int first, int day, int weekday, int hour)
{
	double usual = forecast_span(p, first, day - 1, day, weekday, 0, hour),
		   whole = forecast_span(p, first, day - 1, day, weekday, 0, DAY);
	double inertia = INERTIA * whole / DAY, spent = sum_hours(p->hours + day * DAY, 0, hour);
	if (usual + inertia <= 0)
		return 1;
	return fmin(fmax((spent + inertia) / (usual + inertia), 1 / LEVEL_MAX), LEVEL_MAX);
}

// The dollars of the hours from p->hour on, of a day whose hours before are known.
static double forecast_rest(const struct forecast_past *p, int first, int day, int weekday)
{
	return forecast_span(p, first, day - 1, day, weekday, p->hour, DAY) *
	       day_level(p, first, day, weekday, p->hour);
}

static double forecast_days_after(const struct forecast_past *p, int first, int day, int weekday, int hour,
                                  int n)
{
	double all = 0, half_way = (1 + day_level(p, first, day, weekday, hour)) / 2;
	for (int i = 1; i <= n; i++)
		all += forecast_span(p, first, day - 1, day + i, weekday + i, 0, DAY) * half_way;
	return all;
}

// ---- scores -------------------------------------------------------------------------------------

struct misses {
	int n;
	// sums of the misses, as parts of the forecast, and of the whole that was spent
	double of_forecast, of_whole;
};

static void add_miss(struct misses *m, double forecast, double spent, double whole)
{
	if (forecast <= 0 || whole <= 0)
		return;
	m->n++;
	m->of_forecast += fabs(spent - forecast) / forecast;
	m->of_whole += fabs(spent - forecast) / whole;
}

static struct misses misses_of_days(const struct forecast_past *p, int first)
{
	struct misses m = {0};
	for (int d = p->day - 1; d > first && m.n < FORECAST_SCORED_MAX; d--) {
		const double *hours = p->hours + d * DAY;
		add_miss(&m, forecast_rest(p, first, d, p->weekday - (p->day - d)), sum_hours(hours, p->hour, DAY),
		         sum_hours(hours, 0, DAY));
	}
	return m;
}

// The same for `n` days together, from each past day that has `n` days after it.
static struct misses misses_ahead(const struct forecast_past *p, int first, int n)
{
	struct misses m = {0};
	for (int d = p->day - 1 - n; d > first && m.n < FORECAST_SCORED_MAX; d--) {
		double spent = sum_hours(p->hours, (d + 1) * DAY, (d + 1 + n) * DAY);
		add_miss(&m, forecast_days_after(p, first, d, p->weekday - (p->day - d), p->hour, n), spent, spent);
	}
	return m;
}

static double half_band(const struct misses *m, double dollars)
{
	return dollars * (m->n > 1 ? fmin(NINE_IN_TEN * m->of_forecast / m->n, 1) : UNKNOWN);
}

static struct forecast_score score_of(const struct misses *m)
{
	return (struct forecast_score){m->n, m->n ? m->of_whole / m->n : 0};
}

// ---- the forecast -------------------------------------------------------------------------------

static int find_first_day(const struct forecast_past *p)
{
	int d = 0;
	while (d < p->day && sum_hours(p->hours + d * DAY, 0, DAY) == 0)
		d++;
	// A day whose first hours have no figures is not whole: it is left out.
	return d < p->day && sum_hours(p->hours + d * DAY, 0, DAY / 4) == 0 && d + 1 < p->day ? d + 1 : d;
}

// Without a day to compare with: every hour is the mean of the hours so far.
static void continue_flat(const struct forecast_past *p, struct forecast *f)
{
	const double *today = p->hours + p->day * DAY;
	int from = 0;
	while (from < p->hour && today[from] == 0)
		from++;
	double mean = p->hour > from ? sum_hours(today, from, p->hour) / (p->hour - from) : today[p->hour];
	for (int h = 0; h < f->hours; h++)
		f->course[h] = mean;
}

static void continue_as_usual(const struct forecast_past *p, int first, int ahead_days, struct forecast *f)
{
	double hours[DAY], present = p->hours[p->day * DAY + p->hour],
					   today = day_level(p, first, p->day, p->weekday, p->hour);
	forecast_hours(p, first, p->day - 1, p->day, p->weekday, today, hours);
	// The present hour: what it has so far, extended to the whole hour, or its forecast, whichever is more.
	hours[p->hour] = fmax(hours[p->hour], present * (p->minute > 5 ? 60.0 / p->minute : 1));
	for (int h = p->hour; h < DAY; h++)
		f->course[h - p->hour] = hours[h];
	for (int i = 1; i <= ahead_days; i++)
		forecast_hours(p, first, p->day - 1, p->day + i, p->weekday + i, (1 + today) / 2,
		               f->course + i * DAY - p->hour);
}

void forecast_compute_course(const struct forecast_past *p, int ahead_days, struct forecast *ret)
{
	int first = find_first_day(p), today = DAY - p->hour;
	assert(ahead_days >= 0 && ahead_days <= FORECAST_AHEAD_MAX);
	assert(p->day >= 0 && p->day <= FORECAST_DAYS_MAX && p->hour >= 0 && p->hour < DAY);
	*ret = (struct forecast){.days = p->day - first, .hours = today + ahead_days * DAY};
	if (first == p->day)
		continue_flat(p, ret);
	else
		continue_as_usual(p, first, ahead_days, ret);
	ret->rest = sum_hours(ret->course, 0, today);
	ret->ahead = sum_hours(ret->course, today, ret->hours);
}

void forecast_compute(const struct forecast_past *p, int ahead_days, struct forecast *ret)
{
	int first = find_first_day(p);
	forecast_compute_course(p, ahead_days, ret);
	struct misses days = misses_of_days(p, first), ahead = misses_ahead(p, first, ahead_days);
	ret->half = half_band(&days, ret->rest);
	ret->ahead_half = half_band(ahead.n > 1 ? &ahead : &days, ret->ahead);
	ret->score = score_of(&days);
	ret->ahead_score = score_of(&ahead);
}
