// SPDX-License-Identifier: Apache-2.0
// What the checks of health say of the last 24 hours. An hour is read once, and again when Redis has another
// (view_marks), so that two hundred pages that ask for findings cost one reading.
#ifndef NOWCAST_QUERY_LAST_DAY_H
#define NOWCAST_QUERY_LAST_DAY_H

#include "query/group.h"
#include "store/view.h"

enum { LAST_DAY_HOURS = 24 };

struct last_day_sum {
	struct group all;                 // without a band
	struct usd width;                 // of the bands of a caller's hour, over callers and hours
	struct telemetry_calls telemetry;
};

// What was read. All zero: nothing yet. It holds no memory of its own.
struct last_day {
	struct last_day_hour {
		int64_t hour;  // hours since the epoch
		uint64_t mark; // 0: to be read again
		struct last_day_sum sum;
	} hours[LAST_DAY_HOURS]; // at its number modulo LAST_DAY_HOURS
};

// Sums the 24 hours that end with `now` (hours since the epoch), the present one.
bool last_day_read(struct last_day *d, struct view *v, int64_t now, struct last_day_sum *ret,
                   struct err *err) NC_CHECK;

#endif
