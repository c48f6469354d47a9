// SPDX-License-Identifier: Apache-2.0
// What groups will have spent by an hour to come, and when an amount will be passed: the forecast (query/forecast.h) of each, by its
// own hours. The tiles and the budgets both ask here, so that they say the same.
#ifndef NOWCAST_QUERY_GROUP_FORECAST_H
#define NOWCAST_QUERY_GROUP_FORECAST_H

#include "query/forecast.h"
#include "query/rollups.h"

enum { OUTLOOK_GROUPS_MAX = 64 }; // hours of weeks are read for each

struct outlook_group {
	struct str key;            // empty without a grouping
	struct usd this_hour;      // so far
	struct forecast_past past;
	struct forecast forecast;  // without its band: outlook_judge
};

struct outlook {
	int64_t now_ms;
	struct arena arena;        // holds the keys
	struct outlook_group *list; // in the order of keys
	int n;                     // 1 without a grouping
	bool too_many;             // more groups than OUTLOOK_GROUPS_MAX: `list` is empty
};

// `by` has one grouping, or none for everything; `only` may be NULL. Looks as far ahead as the hour `to`.
bool outlook_read(struct outlook *ret, struct rollups *f, const struct grouping *by, const struct group_filter *only, int64_t now_ms, int64_t to, struct err *err) NC_CHECK;
void outlook_judge(struct outlook_group *g);
void outlook_release(struct outlook *o);

const struct outlook_group *outlook_of(const struct outlook *o, struct str key); // NULL: it spent nothing in weeks

// What comes from now up to the hour `to`.
struct usd outlook_more(const struct outlook *o, const struct outlook_group *g, int64_t to);

// When `room` more will be spent, in milliseconds; 0: not before the hour `to`.
int64_t outlook_passes(const struct outlook *o, const struct outlook_group *g, struct usd room, int64_t to);

// Foretold dollars are no accounts: micro-dollars are fine enough.
struct usd outlook_usd(double dollars);

#endif
