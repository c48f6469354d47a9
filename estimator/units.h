// SPDX-License-Identifier: Apache-2.0
// What is billed by the unit and not by token: images that a metric or a log counts, search units that a log
// counts. Units of an hour that no call's own record accounts for go to the calls that lack a count, one call
// like the other.
//
// Where a model is billed so and nothing counts, the calls themselves are shown: usage without a price, never
// nothing.
#ifndef NOWCAST_ESTIMATOR_UNITS_H
#define NOWCAST_ESTIMATOR_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "estimator/facts.h"

struct units {
	int64_t *exact, *allocated; // by the span's callers, and 0 behind the last; NULL: there are no units
	int64_t *unknown;            // calls of which nothing tells how many units they took
	int64_t metered, excess;    // what the metric says; exact ones beyond it
	int64_t unattributed;
};

// `by_unit`: the price list bills the model by the unit. Results live in `arena`.
void units_split(const struct span *s, bool by_unit, struct arena *arena, struct units *ret);

#endif
