// SPDX-License-Identifier: Apache-2.0
// What a day and the days after it will have cost, from the hours before; and how good such a forecast was.
// Pure.
//
//     hours[0]                    first                         day              now
//     |  days without a figure     |  days that are known       | today so far . |
//
// The rest of today is what the same hours cost on the days before, the nearer and the more alike ones
// counting more (the same day of the week, then others of its kind: working days, week-ends), times the level
// of today: how its hours so far compare with theirs. A day to come is the mean of days like it at a level
// half-way back to theirs, since a busy morning seldom makes a busy week. With less than a day of history,
// the mean of the hours there are is all there is to go by.
//
// Whoever says this says how often he was wrong: the same is foretold for each of the last days from what was
// known by this hour then, and compared. The band is made of these misses.
#ifndef NOWCAST_QUERY_FORECAST_H
#define NOWCAST_QUERY_FORECAST_H

#include <stdbool.h>
#include <stdint.h>

enum { FORECAST_DAYS_MAX = 36, FORECAST_SCORED_MAX = 14, FORECAST_AHEAD_MAX = 31 };

struct forecast_past {
	double hours[(FORECAST_DAYS_MAX + 1) * 24]; // dollars; from the start of a day
	int day;             // of `hours`, today's
	int hour, minute;    // of today, now. What hours[] has of this hour is of the minutes gone by
	int weekday;         // of today; 0: Monday
};

// How far off earlier forecasts were, on average, as a part of what was then spent.
struct forecast_score {
	int days;            // that were looked at; 0: not known
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
	// hour by hour what `rest` and `ahead` are the sums of; the first is the present hour, whole
	double course[(FORECAST_AHEAD_MAX + 1) * 24];
};

// At most FORECAST_AHEAD_MAX days ahead.
void forecast_make(const struct forecast_past *p, int ahead_days, struct forecast *ret);

// The same without the band and the scores, which are most of the work.
void forecast_go_on(const struct forecast_past *p, int ahead_days, struct forecast *ret);

#endif
