// SPDX-License-Identifier: Apache-2.0
// The rate baseline of a group: how many calls and dollars arrived in each minute, and whether the last
// minutes are a spike against this hour of other days, the group's last hour, and its bursts and busy times.
// Small enough to be kept as text for thousands of groups.
//
//     spans of ten minutes   ... |. . last hour . .|  .  | . . . . a b c d e |     now = a + .. + e
//                                 \____ usual ____/    \_ left out: a spike may have begun there
//
// Amounts of money are micro-dollars: statistics about money, no sums of it.
#ifndef NOWCAST_ALERT_RATE_BASELINE_H
#define NOWCAST_ALERT_RATE_BASELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum {
	RATE_QUICK = 5,              // minutes that are compared for a spike in calls
	RATE_BUSY = 64,              // `busy` is a moving average over about so many spans
	RATE_TEN = 10,               // minutes of a span
	RATE_MINUTES = 3 * RATE_TEN, // minutes that are kept
	RATE_TENS = 20,              // spans that are kept
	RATE_YOUNG = 19,             // spans that must be known before anything is a spike
	RATE_PEAKS = 12,             // hours whose peaks are kept
	RATE_DAYS = 7                // other days whose same hour is compared
};

// One thing that is counted: calls, or micro-dollars.
struct rate_counter {
	int64_t minutes[RATE_MINUTES]; // minute m in [m % RATE_MINUTES]
	// span b in [b % RATE_TENS], once it is over; a spike is cut to what counts as usual
	int64_t ten_minutes[RATE_TENS];
	// the second busiest span of hour h against its mean, in 64ths, in [h % RATE_PEAKS]; 0: unknown
	int64_t peaks[RATE_PEAKS];
	int64_t busy;                  // mean of the spans in which anything happened, times RATE_BUSY
};

struct rate_baseline {
	int64_t at_minute;              // the newest minute, since the epoch; 0: nothing was added yet
	int64_t first_ten_minutes;      // the first span that is known
	// the last minute of a spike in calls, which the caller notes here; 0: never
	int64_t spiked_at;
	int64_t base_hour;              // the hour whose totals follow, with those of the hour before
	int64_t base_calls, base_micro; // at the last evaluation: what is more now has arrived since
	struct rate_counter calls, micro;
};

// Begins with the totals of whole hours before the hour of `minute`, the newest first, each spread evenly.
void rate_baseline_begin(struct rate_baseline *p, int64_t minute, const int64_t *hours_calls,
                         const int64_t *hours_micro, int nhours);

// Adds what arrived in `minute`; minutes since the last one are empty.
void rate_baseline_add(struct rate_baseline *p, int64_t minute, int64_t calls, int64_t micro);

// What the same hour of the day took on other days.
struct seasonal_baseline {
	int days;              // that are known
	int64_t usually;       // at least this on 70 % of them; 0: unknown
	int64_t most;          // on the day with the most
};

// `amounts`: of the hour on `days` other days, in any order; RATE_DAYS of them count.
struct seasonal_baseline seasonal_baseline_of(const int64_t *amounts, int days);

struct rate_test {
	int64_t factor_tenths; // times what busy minutes usually take, in tenths
	int64_t floor_micro;   // a minute; below it nothing is a spike
	int64_t call_micro;    // usual cost of a call of the group
	// minutes of calls that arrived in the last RATE_QUICK minutes: more while a backlog is read
	int64_t span;
	struct seasonal_baseline calls, micro;
};

struct rate_spike {
	int64_t minutes;            // over which it was found
	int64_t calls, usual_calls;
	// of a spike in calls: at the usual cost of a call, since their tokens are not all known yet
	int64_t micro, usual_micro;
};

// Whether the last minutes are a spike. More calls are recognised within minutes; more expensive calls by
// their dollars, once that lasts. Never within the first three hours of a group. Call rate_baseline_add
// first.
bool rate_baseline_calls_spike(const struct rate_baseline *p, const struct rate_test *ask,
                               struct rate_spike *ret);
bool rate_baseline_usd_spike(const struct rate_baseline *p, const struct rate_test *ask,
                             struct rate_spike *ret);

// micro-dollars of the last `minutes`, RATE_MINUTES at most
int64_t rate_baseline_micro(const struct rate_baseline *p, int minutes);

void rate_baseline_write(const struct rate_baseline *p, struct buf *out);
bool rate_baseline_read(struct rate_baseline *p, struct str text);

#endif
