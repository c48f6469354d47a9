// SPDX-License-Identifier: Apache-2.0
// Forecasts what a day and the days after it will cost, from the hours before, and scores such forecasts.
// Pure.
//
//     hours[0]                    first                         day              now
//     |  days without a figure     |  days that are known       | today so far . |
//
// The rest of today is the weighted mean of the same hours of the days before, times the level of today.
// Recent days weigh more. So do days of the same name, then days of the same kind (working days, week-ends).
// The level compares the hours of today so far with the same hours of those days. A day to come is the
// weighted mean of the days before, at a level half-way between today's and 1, since a busy morning seldom
// makes a busy week. With less than a day of history, every hour is the mean of the last day's known hours.
//
// Hours that are not known (query/observed.h) count nowhere, and a day of which fewer than FORECAST_KNOWN
// hours are known is no history: a few hours of a week ago that were read later say little of a day. An hour
// of the day that is known on no day costs what the others cost in the mean. But a night is taken for quiet
// that is known on no day and lies between known hours on two days or more.
//
// The band is made from past misses: the same forecast is computed for each of the last days, from what was
// known by the same hour of that day, and compared with what was spent.
#ifndef NOWCAST_QUERY_FORECAST_H
#define NOWCAST_QUERY_FORECAST_H

#include <stdbool.h>
#include <stdint.h>

enum { FORECAST_DAYS_MAX = 36, FORECAST_SCORED_MAX = 14, FORECAST_AHEAD_MAX = 31, FORECAST_KNOWN = 12 };

struct forecast_past {
	double hours[(FORECAST_DAYS_MAX + 1) * 24]; // dollars; from the start of a day
	bool unknown[(FORECAST_DAYS_MAX + 1) * 24]; // of these hours it is not known what they cost
	int day;             // the index of today in `hours`, in days
	// of now. The entry of the present hour holds what its minutes so far cost; `minute`: how many are known
	int hour, minute;
	int weekday;         // of today; 0: Monday
};

// The mean miss of earlier forecasts, as a part of what was then spent.
struct forecast_score {
	int days;            // that were scored; 0: unknown
	double off;
};

struct forecast {
	int days;            // of history
	double rest;         // of today
	double half;         // half the width of its band
	double ahead;        // of `ahead_days` whole days after it
	double ahead_half;
	struct forecast_score score, ahead_score; // of the whole of a day; of so many days ahead
	int hours;           // in `course`
	// dollars of each hour from the present one on, which is whole: `rest` and `ahead` are their sums
	double course[(FORECAST_AHEAD_MAX + 1) * 24];
};

// Takes the nights that are known on no day for quiet. Before the forecast, once.
void forecast_assume_quiet(struct forecast_past *p);

// With 0 to FORECAST_AHEAD_MAX days after today.
void forecast_compute(const struct forecast_past *p, int ahead_days, struct forecast *ret);

// The same without the bands and the scores, which are most of the work.
void forecast_compute_course(const struct forecast_past *p, int ahead_days, struct forecast *ret);

#endif
