// SPDX-License-Identifier: Apache-2.0
// What the forecast says of days whose rule is known.
#include "query/forecast.h"

#include <math.h>

#include "tests/tap.h"

enum { DAY = 24 };

static struct forecast_past past;

// Days up to today, each hour of which `of` tells; today's only up to `hour`.
static void fill(int days, int hour, int minute, int weekday, double (*of)(int day, int hour, int weekday))
{
	past =
		(struct forecast_past){.day = FORECAST_DAYS_MAX, .hour = hour, .minute = minute, .weekday = weekday};
	for (int d = FORECAST_DAYS_MAX - days; d <= FORECAST_DAYS_MAX; d++)
		for (int h = 0; h < DAY; h++) {
			double whole = of(d, h, ((weekday - (FORECAST_DAYS_MAX - d)) % 7 + 7) % 7);
			past.hours[d * DAY + h] = d < FORECAST_DAYS_MAX || h < hour ? whole
			                          : h == hour                       ? whole * minute / 60
			                                                            : 0;
		}
}

static bool is_near(double got, double want, double slack)
{
	if (fabs(got - want) <= slack)
		return true;
	diag("got %f, want %f", got, want);
	return false;
}

static double even(int day, int hour, int weekday)
{
	(void)day, (void)hour, (void)weekday;
	return 2;
}

static double working(int day, int hour, int weekday)
{
	(void)day;
	return (hour >= 8 && hour < 18 ? 5 : 1) * (weekday >= 5 ? .2 : 1);
}

static double busier(int day, int hour, int weekday) // today is twice as busy as ever
{
	return working(day, hour, weekday) * (day == FORECAST_DAYS_MAX ? 2 : 1);
}

static double restless(int day, int hour, int weekday)
{
	return working(day, hour, weekday) * (day % 2 ? 1.3 : .7);
}

// The hours [from, to) of a day, counted back from today, are not known.
static void forget(int days_back, int from, int to)
{
	for (int h = from; h < to; h++) {
		int at = (FORECAST_DAYS_MAX - days_back) * DAY + h;
		past.unknown[at] = true;
		past.hours[at] = 0;
	}
}

static void unknown_hours(void)
{
	struct forecast f;
	fill(20, 12, 0, 2, even);
	forget(3, 0, DAY);
	forget(5, 2, 9);
	forget(0, 1, 6);
	forecast_compute(&past, 3, &f);
	ok(f.days == 19 && is_near(f.rest, 24, .01) && is_near(f.ahead, 144, .01),
	   "hours that are not known are no hours without spend");
	ok(f.score.off < 1e-9 && f.ahead_score.off < 1e-9, "nor do they spoil the score");

	fill(7, 12, 0, 2, even);
	for (int d = 1; d <= 7; d++)
		forget(d, d == 7 ? 3 : 0, DAY);
	forecast_compute(&past, 10, &f);
	ok(f.days == 0 && is_near(f.rest, 24, .01) && is_near(f.ahead, 480, .01),
	   "three hours of a week ago are no day to compare with");
	fill(7, 12, 0, 2, even);
	for (int d = 2; d <= 7; d++)
		forget(d, d == 7 ? 3 : 0, DAY);
	for (int h = 0; h < 3; h++)
		past.hours[(FORECAST_DAYS_MAX - 7) * DAY + h] = .01;
	forecast_compute(&past, 10, &f);
	ok(f.days == 1 && is_near(f.rest, 24, .01) && is_near(f.ahead, 480, .01),
	   "nor where there is another day");

	fill(0, 4, 30, 0, even);
	forget(0, 1, 3);
	forecast_compute(&past, 0, &f);
	ok(is_near(f.rest, 40, .01), "without a day before: the mean of the known hours");
	fill(10, 12, 0, 2, even);
	for (int d = 1; d <= 10; d++)
		forget(d, 13, 15);
	forecast_compute(&past, 1, &f);
	ok(is_near(f.rest, 24, .01) && is_near(f.ahead, 48, .01), "an hour that no day knows costs what others do");
	for (int d = 0; d < FORECAST_DAYS_MAX - 10; d++)
		for (int h = 0; h < DAY; h++)
			past.unknown[d * DAY + h] = true;
	forecast_assume_quiet(&past);
	forecast_compute(&past, 1, &f);
	ok(is_near(f.rest, 20, .01) && is_near(f.ahead, 44, .01),
	   "or is quiet, if it lies between known ones each day");
	fill(1, 12, 0, 2, even);
	forget(1, 0, 13);
	forget(0, 0, 2);
	forecast_assume_quiet(&past);
	ok(past.unknown[(FORECAST_DAYS_MAX - 1) * DAY + 5], "the time before the first known hour is no night");
}

int main(void)
{
	struct forecast f;
	unknown_hours();
	fill(0, 4, 30, 0, even);
	forecast_compute(&past, 10, &f);
	ok(f.days == 0 && is_near(f.rest, 40, .01) && is_near(f.ahead, 480, .01),
	   "without a day before: as the hours so far");
	ok(is_near(f.half, 20, .01) && f.score.days == 0, "and nobody knows how sure that is");

	fill(20, 12, 0, 2, even);
	forecast_compute(&past, 3, &f);
	ok(f.days == 20 && is_near(f.rest, 24, .01) && is_near(f.ahead, 144, .01), "even days go on evenly");
	ok(f.score.days == FORECAST_SCORED_MAX && f.score.off < 1e-9 && f.half < 1e-6,
	   "and the forecast is exact");

	fill(28, 9, 20, 4, working);
	forecast_compute(&past, 3, &f);
	ok(is_near(f.rest, 9 * 5 + 6, 2), "on a Friday, the rest of a working day");
	ok(is_near(f.ahead, 2 * 64 * .2 + 64, 8), "then a week-end, and a Monday");

	ok(f.hours == 15 + 3 * DAY && is_near(f.course[0], 5, .5) && is_near(f.course[14], 1, .2) &&
	       is_near(f.course[15 + 12], 1, .3) && is_near(f.course[15 + 2 * DAY + 12], 5, 1),
	   "hour by hour: the working day, the night, a week-end's noon, Monday's");

	fill(28, 12, 0, 2, busier);
	forecast_compute(&past, 1, &f);
	ok(f.rest > 1.5 * 36 && f.rest < 2 * 36 + 1, "a busy morning makes a busy afternoon, nearly as busy");
	ok(f.ahead > 64 && f.ahead < 2 * 64, "and a day to come is half-way back to the others");

	fill(28, 12, 0, 2, restless);
	forecast_compute(&past, 1, &f);
	ok(f.score.off > .02 && f.half > .05 * f.rest,
	   "days that differ have a forecast with a band, and its past error");

	fill(1, 0, 0, 0, even);
	forecast_compute(&past, 27, &f);
	ok(f.days == 1 && is_near(f.rest, 48, .01) && is_near(f.half, 24, .01),
	   "one day before: the same again, hardly sure");

	fill(20, 23, 59, 0, even);
	forecast_compute(&past, 0, &f);
	ok(is_near(f.rest, 2, .1) && f.ahead == 0, "the last minute of a month");
	return done();
}
