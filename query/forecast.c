// SPDX-License-Identifier: Apache-2.0
#include "query/forecast.h"

#include <assert.h>
#include <math.h>

enum { DAY = 24, WEEK = 7, NIGHT_MAX = 18 };

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

static int count_known(const struct forecast_past *p, int from, int to)
{
	int n = 0;
	for (int i = from; i < to; i++)
		n += !p->unknown[i];
	return n;
}

static bool is_history(const struct forecast_past *p, int day)
{
	return count_known(p, day * DAY, (day + 1) * DAY) >= FORECAST_KNOWN;
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

// The dollars of each hour of day `of`: the weighted mean of the days first..last. An hour that none of them
// knows costs the mean of the others.
static void forecast_hours(const struct forecast_past *p, int first, int last, int of, int weekday,
                           double *ret)
{
	double weights[DAY] = {0}, sum = 0;
	int known = 0;
	for (int h = 0; h < DAY; h++)
		ret[h] = 0;
	for (int d = first; d <= last; d++) {
		double w = day_weight(d, of, weekday);
		if (!is_history(p, d))
			continue;
		for (int h = 0; h < DAY; h++) {
			if (p->unknown[d * DAY + h])
				continue;
			weights[h] += w;
			ret[h] += w * p->hours[d * DAY + h];
		}
	}
	for (int h = 0; h < DAY; h++) {
		ret[h] = weights[h] > 0 ? ret[h] / weights[h] : 0;
		sum += ret[h];
		known += weights[h] > 0;
	}
	for (int h = 0; h < DAY; h++)
		ret[h] = weights[h] > 0 || !known ? ret[h] : sum / known;
}

// The known hours so far of a day, divided by their forecast; near 1 while they are few. `usual`: the
// forecast of each.
static double day_level(const struct forecast_past *p, const double *usual, int day, int hour)
{
	double forecast = 0, spent = 0, inertia = INERTIA * sum_hours(usual, 0, DAY) / DAY;
	for (int h = 0; h < hour; h++) {
		forecast += p->unknown[day * DAY + h] ? 0 : usual[h];
		spent += p->unknown[day * DAY + h] ? 0 : p->hours[day * DAY + h];
	}
	if (forecast + inertia <= 0)
		return 1;
	return fmin(fmax((spent + inertia) / (forecast + inertia), 1 / LEVEL_MAX), LEVEL_MAX);
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

// What was spent in the known hours from..to - 1 of a day; adds to *ret_forecast what they were forecast at.
static double spent_of(const struct forecast_past *p, int day, const double *usual, int from, double level,
                       double *ret_forecast)
{
	double spent = 0;
	for (int h = from; h < DAY; h++) {
		if (p->unknown[day * DAY + h])
			continue;
		spent += p->hours[day * DAY + h];
		*ret_forecast += usual[h] * level;
	}
	return spent;
}

static struct misses misses_of_days(const struct forecast_past *p, int first)
{
	struct misses m = {0};
	double usual[DAY];
	for (int d = p->day - 1; d > first && m.n < FORECAST_SCORED_MAX; d--) {
		double forecast = 0, whole = 0;
		if (!is_history(p, d))
			continue;
		forecast_hours(p, first, d - 1, d, p->weekday - (p->day - d), usual);
		double spent = spent_of(p, d, usual, p->hour, day_level(p, usual, d, p->hour), &forecast);
		for (int h = 0; h < DAY; h++)
			whole += p->unknown[d * DAY + h] ? 0 : p->hours[d * DAY + h];
		add_miss(&m, forecast, spent, whole);
	}
	return m;
}

// The same for `n` days together, from each past day that has `n` days after it.
static struct misses misses_ahead(const struct forecast_past *p, int first, int n)
{
	struct misses m = {0};
	double usual[DAY];
	for (int d = p->day - 1 - n; d > first && m.n < FORECAST_SCORED_MAX; d--) {
		double forecast = 0, spent = 0;
		int weekday = p->weekday - (p->day - d);
		forecast_hours(p, first, d - 1, d, weekday, usual);
		double level = (1 + day_level(p, usual, d, p->hour)) / 2;
		bool known = is_history(p, d);
		for (int i = 1; known && i <= n; i++) {
			known = is_history(p, d + i);
			forecast_hours(p, first, d - 1, d + i, weekday + i, usual);
			spent += spent_of(p, d + i, usual, 0, level, &forecast);
		}
		if (known)
			add_miss(&m, forecast, spent, spent);
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

// Leading days without a figure are no history, nor is the first one if its first hours have none: it is not
// whole.
static int find_first_day(const struct forecast_past *p)
{
	int d = 0;
	while (d < p->day && (sum_hours(p->hours + d * DAY, 0, DAY) == 0 || !is_history(p, d)))
		d++;
	bool is_late = count_known(p, d * DAY, d * DAY + DAY / 4) == DAY / 4 &&
	               sum_hours(p->hours + d * DAY, 0, DAY / 4) == 0;
	return is_late && d + 1 < p->day ? d + 1 : d;
}

static int count_history(const struct forecast_past *p, int first)
{
	int n = 0;
	for (int d = first; d < p->day; d++)
		n += is_history(p, d);
	return n;
}

// Without a day to compare with: every hour is the mean of the known hours of the last day, from the first
// one that cost something.
static void continue_flat(const struct forecast_past *p, struct forecast *f)
{
	int now = p->day * DAY + p->hour, from = now > DAY ? now - DAY : 0, known = 0;
	double sum = 0;
	while (from < now && (p->unknown[from] || p->hours[from] == 0))
		from++;
	for (int i = from; i < now; i++) {
		known += !p->unknown[i];
		sum += p->unknown[i] ? 0 : p->hours[i];
	}
	for (int h = 0; h < f->hours; h++)
		f->course[h] = known ? sum / known : p->hours[now];
}

static void continue_as_usual(const struct forecast_past *p, int first, int ahead_days, struct forecast *f)
{
	double hours[DAY], present = p->hours[p->day * DAY + p->hour];
	forecast_hours(p, first, p->day - 1, p->day, p->weekday, hours);
	double today = day_level(p, hours, p->day, p->hour);
	for (int h = p->hour; h < DAY; h++)
		f->course[h - p->hour] = hours[h] * today;
	// The present hour: what it has so far, extended to the whole hour, or its forecast, whichever is more.
	f->course[0] = fmax(f->course[0], present * (p->minute > 5 ? 60.0 / p->minute : 1));
	for (int i = 1; i <= ahead_days; i++) {
		forecast_hours(p, first, p->day - 1, p->day + i, p->weekday + i, hours);
		for (int h = 0; h < DAY; h++)
			f->course[i * DAY - p->hour + h] = hours[h] * (1 + today) / 2;
	}
}

// Whether hour i lies in a gap that may be a night: between known hours, and not too long.
static bool is_in_night(const struct forecast_past *p, int i)
{
	int from = i, to = i, end = p->day * DAY + p->hour;
	while (from > 0 && p->unknown[from - 1])
		from--;
	while (to < end && p->unknown[to])
		to++;
	return p->unknown[i] && from > 0 && to < end && to - from <= NIGHT_MAX;
}

void forecast_assume_quiet(struct forecast_past *p)
{
	bool quiet[(FORECAST_DAYS_MAX + 1) * DAY] = {false};
	for (int h = 0; h < DAY; h++) {
		bool known = false;
		int nights = 0;
		for (int d = 0; d <= p->day; d++) {
			known |= d * DAY + h < p->day * DAY + p->hour && !p->unknown[d * DAY + h];
			nights += is_in_night(p, d * DAY + h);
		}
		for (int d = 0; !known && nights > 1 && d <= p->day; d++) // one may be an outage
			quiet[d * DAY + h] = is_in_night(p, d * DAY + h);
	}
	for (int i = 0; i < (FORECAST_DAYS_MAX + 1) * DAY; i++)
		p->unknown[i] &= !quiet[i];
}

void forecast_compute_course(const struct forecast_past *p, int ahead_days, struct forecast *ret)
{
	int first = find_first_day(p), today = DAY - p->hour;
	assert(ahead_days >= 0 && ahead_days <= FORECAST_AHEAD_MAX);
	assert(p->day >= 0 && p->day <= FORECAST_DAYS_MAX && p->hour >= 0 && p->hour < DAY);
	*ret = (struct forecast){.days = count_history(p, first), .hours = today + ahead_days * DAY};
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
