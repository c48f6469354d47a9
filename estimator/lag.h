// SPDX-License-Identifier: Apache-2.0
// In which minute a stream ended. The record of a stream has the minute in which it began, its metric has the
// minute in which it ended. Without a correction, the equations of the minutes would contain the wrong calls,
// and the weights learned from them would be too similar. The metric's SampleCount is the number of calls
// that ended in a minute, so with the calls whose end is known it says how many streams ended:
//
//     streams that ended in minute m  =  SampleCount of minute m  -  calls whose end is known
//
// Which ones: those that began first. That is right for nearly all, for most streams are shorter than the
// minutes between their starts and the next minute's end.
#ifndef NOWCAST_ESTIMATOR_LAG_H
#define NOWCAST_ESTIMATOR_LAG_H

#include "estimator/facts.h"

enum { LAG_MINUTES = 5 };

struct lag {
	int minutes;                   // the longest lag that is considered, at most LAG_MINUTES
	// of the streams begun in minute m of the span, the part that ended j minutes later: [m + minutes][j]
	double part[LAG_MINUTES + 60][LAG_MINUTES + 1];
};

// Learns it from the span's hour, looking back `lookback` minutes. Where no metric says how many calls ended,
// streams end in the minute in which they began.
void lag_learn(const struct span *s, int lookback, struct lag *ret);

// The part of the streams begun in minute `begun` that ended in the minutes first..last of the span's hour.
double lag_part(const struct lag *l, int begun, int first, int last);

#endif
