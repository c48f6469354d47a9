// SPDX-License-Identifier: Apache-2.0
// How long after its start a stream's metric arrives. The record of a stream has the minute in which it
// began, its metric has the minute in which it ended. Without a correction, the equations of the minutes
// would contain the wrong calls, and the weights learned from them would be too similar. The metric's
// SampleCount is the number of calls that ended in a minute. So the hour itself shows which share of the
// streams ends in the minute in which they began, which in the next minute, and so on:
//
//     SampleCount of minute m  =  calls whose end is known
//                                 +  sum over j of share[j] x streams begun in minute m - j
#ifndef NOWCAST_ESTIMATOR_LAG_H
#define NOWCAST_ESTIMATOR_LAG_H

#include "estimator/facts.h"

enum { LAG_MINUTES = 5 };

struct lag {
	int minutes;                    // the longest lag that is considered, at most LAG_MINUTES
	double share[LAG_MINUTES + 1];  // of the streams, by lag; their sum is 1
};

// Learns it from the span's hour, looking back `lookback` minutes. Without metrics, streams end in the minute
// in which they began.
void lag_learn(const struct span *s, int lookback, struct lag *ret);

// The share of a stream begun in minute `begun` that ended in the minutes first..last.
double lag_part(const struct lag *l, int begun, int first, int last);

#endif
