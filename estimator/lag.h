// SPDX-License-Identifier: Apache-2.0
// How long after its start a stream's metric lands. A stream's record bears the minute in which it began, the
// metric the one in which it ended. Left alone, the minutes' equations would have the wrong calls in them,
// and weights learned from them would lie too close together. How many calls ended in a minute is told by the
// metric's SampleCount, so the hour itself tells how many streams end in the minute they began in, in the
// next one, and so on:
//
//     SampleCount of minute m  =  calls whose end is known  +  sum over j of share[j] x streams begun in minute m - j
#ifndef NOWCAST_ESTIMATOR_LAG_H
#define NOWCAST_ESTIMATOR_LAG_H

#include "estimator/facts.h"

enum { LAG_MINUTES = 5 };

struct lag {
	int minutes;                    // the last that counts, at most LAG_MINUTES
	double share[LAG_MINUTES + 1];  // of the streams; all of them are 1
};

// Of the span's hour, looking back `lookback` minutes. Where no metric tells, streams end where they began.
void lag_learn(const struct span *s, int lookback, struct lag *ret);

// How much of a stream begun in minute `begun` ended in the minutes first..last.
double lag_part(const struct lag *l, int begun, int first, int last);

#endif
