// SPDX-License-Identifier: Apache-2.0
// Forecasts what each group of a grouping will have spent by a future hour, and when it will have spent an
// amount (query/forecast.h, by the hours of the group). The tiles and the budgets both use it, so that they
// agree.
#ifndef NOWCAST_QUERY_GROUP_FORECAST_H
#define NOWCAST_QUERY_GROUP_FORECAST_H

#include "query/forecast.h"
#include "query/rollups.h"

enum { GROUP_FORECASTS_MAX = 64 }; // weeks of hours are read for each

struct group_forecast {
	struct str key;            // empty without a grouping
	struct usd this_hour;      // so far
	struct forecast_past past;
	struct forecast forecast;  // without its bands and scores: group_forecasts_score adds them
};

struct group_forecasts {
	int64_t now_ms;
	struct arena arena;        // holds the keys
	struct group_forecast *list; // in the order of keys
	int n;                     // 1 without a grouping
	bool too_many;             // more groups than GROUP_FORECASTS_MAX: `list` is empty
};

// `by` has one grouping, or none for everything. `only` may be NULL. The forecasts reach up to the hour `to`.
bool group_forecasts_read(struct group_forecasts *ret, struct rollups *f, const struct grouping *by,
                          const struct group_filter *only, int64_t now_ms, int64_t to,
                          struct err *err) NC_CHECK;
void group_forecasts_score(struct group_forecast *g);
void group_forecasts_release(struct group_forecasts *o);

// The forecast of one group; NULL: it spent nothing in weeks.
const struct group_forecast *group_forecasts_of(const struct group_forecasts *o, struct str key);

// The dollars from now up to the hour `to`.
struct usd group_forecasts_more(const struct group_forecasts *o, const struct group_forecast *g, int64_t to);

// The moment, in milliseconds, when `room` more dollars will be spent; 0: not before the hour `to`.
int64_t group_forecasts_passes(const struct group_forecasts *o, const struct group_forecast *g,
                               struct usd room, int64_t to);

// Forecast dollars as money, in whole micro-dollars.
struct usd group_forecasts_usd(double dollars);

#endif
