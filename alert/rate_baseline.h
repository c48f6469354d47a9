// SPDX-License-Identifier: Apache-2.0
// The pace of a group: how many calls and how many dollars came, a minute at a time, and is that a jump
// against this hour of other days, its own last hour, and its own bursts and busy times? Small enough to be
// kept for thousands of groups as text.
//
//     tens      ... |. . last hour . .|  .  | . . . . a b c d e |     now = a + .. + e
//                    \____ usual ____/    \_ not asked: a jump may have begun there
//
// Amounts of money are micro-dollars: statistics about money, no sums of it.
#ifndef NOWCAST_ALERT_RATE_BASELINE_H
#define NOWCAST_ALERT_RATE_BASELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum {
	RATE_QUICK = 5,
	RATE_BUSY = 64,
	RATE_TEN = 10,
	RATE_MINUTES = 3 * RATE_TEN,
	RATE_TENS = 20,
	RATE_YOUNG = 19,
	RATE_PEAKS = 12,
	RATE_DAYS = 7
};

// One thing that is counted: calls, or micro-dollars.
struct rate_counter {
	int64_t minutes[RATE_MINUTES]; // minute m in [m % RATE_MINUTES]
	// ten minutes b in [b % RATE_TENS], once they are over, as far as they count for what is usual
	int64_t ten_minutes[RATE_TENS];
	// how far above its mean an hour's busy minutes were, h in [h % RATE_PEAKS]; 0: not known
	int64_t peaks[RATE_PEAKS];
	int64_t busy;                  // what ten minutes take in which anything happens, times RATE_BUSY
};

struct rate_baseline {
	int64_t at_minute;              // the newest minute; 0: nothing was added yet
	int64_t first_ten_minutes;                   // the first ten minutes that are known
	// the last minute in which its calls did, as whoever asks notes here; 0: never
	int64_t spiked_at;
	int64_t base_hour;              // the hour whose totals follow, with the hour before
	int64_t base_calls, base_micro; // as last seen: what comes on top has arrived since
	struct rate_counter calls, micro;
};

// Begins with what whole hours took before the hour of `minute`, the newest first; spread evenly.
void rate_baseline_begin(struct rate_baseline *p, int64_t minute, const int64_t *hours_calls,
                         const int64_t *hours_micro, int nhours);

// What arrived in `minute`; minutes between are taken as empty.
void rate_baseline_add(struct rate_baseline *p, int64_t minute, int64_t calls, int64_t micro);

// What this hour took on other days.
struct seasonal_baseline {
	int days;              // so many are known
	int64_t usually, most; // what it took on most days, at least; and on one. 0: unknown
};

// Of this hour on so many other days, RATE_DAYS at most, in any order.
struct seasonal_baseline seasonal_baseline_of(const int64_t *amounts, int days);

struct rate_test {
	int64_t factor_tenths; // times what busy minutes usually take, in tenths
	int64_t floor_micro;   // a minute; below it nothing is a jump
	int64_t call_micro;    // what a call of theirs usually costs
	// how many minutes of calls came in the last RATE_QUICK; more when a backlog is read
	int64_t span;
	struct seasonal_baseline calls, micro;
};

struct rate_spike {
	int64_t minutes;            // in so many minutes
	int64_t calls, usual_calls;
	// by calls: at what its calls usually cost, for their tokens are not all known yet
	int64_t micro, usual_micro;
};

// Are the last minutes a jump? More calls tell it first, within minutes; dearer calls by their dollars, once
// they last. Add first, then ask; what is known for less than three hours never jumps.
bool rate_baseline_calls_spike(const struct rate_baseline *p, const struct rate_test *ask,
                               struct rate_spike *ret);
bool rate_baseline_usd_spike(const struct rate_baseline *p, const struct rate_test *ask,
                             struct rate_spike *ret);

// micro-dollars of the last `minutes`, RATE_MINUTES at most
int64_t rate_baseline_micro(const struct rate_baseline *p, int minutes);

void rate_baseline_write(const struct rate_baseline *p, struct buf *out);
bool rate_baseline_read(struct rate_baseline *p, struct str text);

#endif
