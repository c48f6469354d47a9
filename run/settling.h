// SPDX-License-Identifier: Apache-2.0
// When a thread that brings records in computes the hours that are due: every settle.interval, sooner if the
// last turn has left some, and later while Redis does not answer.
#ifndef NOWCAST_RUN_SETTLING_H
#define NOWCAST_RUN_SETTLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "run/backoff.h"
#include "run/intake.h"

struct settling {
	int64_t due_ms; // monotonic: the next time
	size_t left;    // hours that were waiting after the last time; not 0 if Redis did not answer
};

// Computes them now. A Redis that does not answer is logged and asked again after `backoff`: true.
bool settling_turn(struct settling *s, struct intake *in, bool all, int64_t interval_ms,
                   struct backoff *backoff, struct err *err) NC_CHECK;

#endif
