// SPDX-License-Identifier: Apache-2.0
// The demo knows what each caller truly spent: estimated beside true dollars, by caller.
#ifndef NOWCAST_DEMO_TRUTH_H
#define NOWCAST_DEMO_TRUTH_H

#include "base/err.h"
#include "demo/traffic.h"
#include "store/view.h"

struct truth_row {
	struct str principal; // of the traffic; "(unattributed)" behind all of these, if anything is
	int64_t calls;
	bool priced;          // else no price list has the model, and the dollars are not known
	struct usd estimated, low, high, truth;
};

struct truth {
	struct truth_row rows[TRAFFIC_CALLERS_MAX + 1], total;
	int n;
	struct usd missed; // the sum of the absolute differences
};

// What the figures say of the hour of `t`, beside the truth. `t` outlives it.
bool truth_read(struct view *v, const struct traffic *t, struct truth *ret, struct err *err) NC_CHECK;

// In tenths of a percent of the truth, rounded; false: that is not known, or nothing.
bool truth_off(const struct truth_row *r, int64_t *ret);
int64_t truth_missed(const struct truth *t); // `missed`, likewise

// Prints a table to standard output, within `columns` characters (0: any width). `taught`: the same hour once
// the day before was billed; NULL: it is not.
void truth_print(const struct truth *first, const struct truth *taught, int columns);

#endif
