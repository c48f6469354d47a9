// SPDX-License-Identifier: Apache-2.0
#include "query/forecast.h"

#include <assert.h>
#include <math.h>

enum { DAY = 24, WEEK = 7 };

// Found on series of other things than spend (tests/forecast_score.py) and not sharply: twice or half of each
// costs little.
#define NEARNESS 20.0      // days in which a past day comes to count a third
#define OTHER_DAY 0.35     // what a day of the same kind counts beside one of the same name
#define OTHER_KIND 0.01    // and one of the other kind
#define INERTIA 6.0        // hours of an even day that the level of today has to outweigh
#define LEVEL_MAX 4.0
#define NINE_IN_TEN 2.1    // from the mean miss to the miss that nine in ten stay below
#define UNKNOWN 0.5        // half the band where nothing was ever compared

static double sum(const double *hours, int from, int to)
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

// What day `past` says about day `of`. `weekday`: of day `of`.
static double likeness(int past, int of, int weekday)
{
	int other = weekday - (of - past);
	double kind = (of - past) % WEEK == 0                    ? 1
	              : is_weekend(other) == is_weekend(weekday) ? OTHER_DAY
	                                                         : OTHER_KIND;
	return kind * exp(-(of - past) / NEARNESS);
}

// The mean of the hours from..to - 1 of day `of`, by the days first..last.
static double expect(const struct forecast_past *p, int first, int last, int of, int weekday, int from,
                     int to)
{
	double weights = 0, dollars = 0;
	for (int d = first; d <= last; d++) {
		double w = likeness(d, of, weekday);
		weights += w;
		dollars += w * sum(p->hours + d * DAY, from, to);
	}
	return weights > 0 ? dollars / weights : 0;
}

// Each hour of day `of`, at a level.
static void expect_hours(const struct forecast_past *p, int first, int last, int of, int weekday,
                         double level, double *ret)
{
	double weights = 0;
	for (int h = 0; h < DAY; h++)
		ret[h] = 0;
	for (int d = first; d <= last; d++) {
		double w = likeness(d, of, weekday);
		weights += w;
		for (int h = 0; h < DAY; h++)
			ret[h] += w * p->hours[d * DAY + h];
	}
	for (int h = 0; h < DAY; h++)
		ret[h] = weights > 0 ? ret[h] / weights * level : 0;
}

// How today compares with what was expected of its hours so far, drawn to 1 while they are few.
static double level(const struct forecast_past *p, int first, int day, int weekday, int hour)
{
	double usual = expect(p, first, day - 1, day, weekday, 0, hour),
		   whole = expect(p, first, day - 1, day, weekday, 0, DAY);
	double inertia = INERTIA * whole / DAY, spent = sum(p->hours + day * DAY, 0, hour);
	if (usual + inertia <= 0)
		return 1;
	return fmin(fmax((spent + inertia) / (usual + inertia), 1 / LEVEL_MAX), LEVEL_MAX);
}

// The hours from p->hour on of a day of which those before are known.
static double rest_of(const struct forecast_past *p, int first, int day, int weekday)
{
	return expect(p, first, day - 1, day, weekday, p->hour, DAY) * level(p, first, day, weekday, p->hour);
}

static double days_after(const struct forecast_past *p, int first, int day, int weekday, int hour, int n)
{
	double all = 0, half_way = (1 + level(p, first, day, weekday, hour)) / 2;
	for (int i = 1; i <= n; i++)
		all += expect(p, first, day - 1, day + i, weekday + i, 0, DAY) * half_way;
	return all;
}

// ---- what it was worth --------------------------------------------------------------------------

struct misses {
	int n;
	double of_rest, of_whole; // sums of the misses' parts of what was foretold, and of the whole that came
};

static void add_miss(struct misses *m, double forecast, double came, double whole)
{
	if (forecast <= 0 || whole <= 0)
		return;
	m->n++;
	m->of_rest += fabs(came - forecast) / forecast;
	m->of_whole += fabs(came - forecast) / whole;
}

static struct misses misses_of_days(const struct forecast_past *p, int first)
{
	struct misses m = {0};
	for (int d = p->day - 1; d > first && m.n < FORECAST_SCORED_MAX; d--) {
		const double *hours = p->hours + d * DAY;
		add_miss(&m, rest_of(p, first, d, p->weekday - (p->day - d)), sum(hours, p->hour, DAY),
		         sum(hours, 0, DAY));
	}
	return m;
}

// The same for `n` days at once, from days of which so many have passed.
static struct misses misses_ahead(const struct forecast_past *p, int first, int n)
{
	struct misses m = {0};
	for (int d = p->day - 1 - n; d > first && m.n < FORECAST_SCORED_MAX; d--) {
		double came = sum(p->hours, (d + 1) * DAY, (d + 1 + n) * DAY);
		add_miss(&m, days_after(p, first, d, p->weekday - (p->day - d), p->hour, n), came, came);
	}
	return m;
}

static double half_band(const struct misses *m, double dollars)
{
	return dollars * (m->n > 1 ? fmin(NINE_IN_TEN * m->of_rest / m->n, 1) : UNKNOWN);
}

static struct forecast_score score_of(const struct misses *m)
{
	return (struct forecast_score){m->n, m->n ? m->of_whole / m->n : 0};
}

// ---- what will be -------------------------------------------------------------------------------

static int first_day(const struct forecast_past *p)
{
	int d = 0;
	while (d < p->day && sum(p->hours + d * DAY, 0, DAY) == 0)
		d++;
	// it began late in that day: that is no whole one
	return d < p->day && sum(p->hours + d * DAY, 0, DAY / 4) == 0 && d + 1 < p->day ? d + 1 : d;
}

// Without a day to compare with: as the hours so far.
static void go_on_flat(const struct forecast_past *p, struct forecast *f)
{
	const double *today = p->hours + p->day * DAY;
	int from = 0;
	while (from < p->hour && today[from] == 0)
		from++;
	double mean = p->hour > from ? sum(today, from, p->hour) / (p->hour - from) : today[p->hour];
	for (int h = 0; h < f->hours; h++)
		f->course[h] = mean;
}

static void go_on_as_usual(const struct forecast_past *p, int first, int ahead_days, struct forecast *f)
{
	double hours[DAY], present = p->hours[p->day * DAY + p->hour],
					   today = level(p, first, p->day, p->weekday, p->hour);
	expect_hours(p, first, p->day - 1, p->day, p->weekday, today, hours);
	// The present hour counts as it stands and goes on, or as it was expected, whichever is more.
	hours[p->hour] = fmax(hours[p->hour], present * (p->minute > 5 ? 60.0 / p->minute : 1));
	for (int h = p->hour; h < DAY; h++)
		f->course[h - p->hour] = hours[h];
	for (int i = 1; i <= ahead_days; i++)
		expect_hours(p, first, p->day - 1, p->day + i, p->weekday + i, (1 + today) / 2,
		             f->course + i * DAY - p->hour);
}

void forecast_go_on(const struct forecast_past *p, int ahead_days, struct forecast *ret)
{
	int first = first_day(p), today = DAY - p->hour;
	assert(ahead_days <= FORECAST_AHEAD_MAX);
	*ret = (struct forecast){.days = p->day - first, .hours = today + ahead_days * DAY};
	if (first == p->day)
		go_on_flat(p, ret);
	else
		go_on_as_usual(p, first, ahead_days, ret);
	ret->rest = sum(ret->course, 0, today);
	ret->ahead = sum(ret->course, today, ret->hours);
}

void forecast_make(const struct forecast_past *p, int ahead_days, struct forecast *ret)
{
	int first = first_day(p);
	forecast_go_on(p, ahead_days, ret);
	struct misses days = misses_of_days(p, first), ahead = misses_ahead(p, first, ahead_days);
	ret->half = half_band(&days, ret->rest);
	ret->ahead_half = half_band(ahead.n > 1 ? &ahead : &days, ret->ahead);
	ret->score = score_of(&days);
	ret->ahead_score = score_of(&ahead);
}
