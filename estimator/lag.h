// SPDX-License-Identifier: Apache-2.0
// In which minute a stream ended. The record of a stream has the minute in which it began, its metric has the
// minute in which it ended. Without a correction, the equations of the minutes would contain the wrong calls,
// and the weights learned from them would be too similar. The metric's SampleCount is the number of calls
// that ended in a minute, so with the calls whose end is known it says how many streams ended:
//
//     streams that ended in minute m  =  SampleCount of minute m  -  calls whose end is known
//
// Which ones: those that began in earlier minutes. That is right for nearly all, for most streams are shorter
// than the minutes between their starts and the next minute's end. Of those that began in the same minute,
// one that has run longer is more likely to have ended; streams last so differently that its odds are taken
// to be proportional to how long it has run at the end of the minute:
//
//     chance / (1 - chance)  =  odds of the minutes of start and end  x  minutes that it has run
//
// where the odds are those with which the chances add up to the streams that ended.
#ifndef NOWCAST_ESTIMATOR_LAG_H
#define NOWCAST_ESTIMATOR_LAG_H

#include "estimator/facts.h"

enum { LAG_MINUTES = 5 };

struct lag {
	int minutes;                   // the longest lag that is considered, at most LAG_MINUTES
	// of the streams begun in minute m of the span that were open then, to end j minutes later:
	// [m + minutes][j]; infinite if all did
	double odds[LAG_MINUTES + 60][LAG_MINUTES + 1];
};

// Learns it from the span's hour, looking back `lookback` minutes. Where no metric says how many calls ended,
// streams end in the minute in which they began.
void lag_learn(const struct span *s, int lookback, struct lag *ret);

// Whether all streams begun in minute `begun` had ended before minute `first`.
bool lag_is_over(const struct lag *l, int begun, int first);

// The part of the streams among these calls, of minute `begun`, that ended in the minutes first..last of the
// span's hour.
double lag_part(const struct lag *l, int begun, const struct calls *c, int first, int last);

#endif
