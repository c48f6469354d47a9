// SPDX-License-Identifier: Apache-2.0
// From the facts of an hour and the weights fixed for it to the tokens of each caller. Pure: the same facts and weights
// give the same figures, whoever computes them and whenever.
//
// A cell is a metered minute together with the unmetered minutes since the last metered one (a stream's metric lands in
// the minute in which it ends), at most `lookback` back:
//
//     minute      m-3   m-2   m-1    m          calls of m-1 and m-2 have waited for m's metric
//     metered      x     -     -     x
//     cell                \_________/
//
// Exact tokens are booked in the minute of their call. What the metric shows beyond them is the residual; it is split
// among the cell's calls whose tokens are not known, in proportion to their weights, and booked in the minute of the
// metric. A residual in whose cell no such call is left looks further back, to the nearest minute within `lookback` that
// has some; what finds none is unattributed. Calls that no metric covers yet are provisional.
#ifndef NOWCAST_ESTIMATOR_ALLOCATE_H
#define NOWCAST_ESTIMATOR_ALLOCATE_H

#include "base/arena.h"
#include "estimator/facts.h"

// Tokens of one slot by how they are known.
struct shares {
	int64_t exact, allocated, provisional;
};

struct caller_usage {
	int64_t calls, failed;
	struct shares slots[METRIC_SLOTS];
	int64_t exact_1h;   // of the cache writes: exact ones with the one-hour TTL
	int64_t exact_ttl;  // of the exact cache writes: those whose TTL is known, either way
};

struct hour_usage {
	struct caller_usage *callers;        // as the span's callers
	int64_t unattributed[METRIC_SLOTS];
	int64_t excess[METRIC_SLOTS];        // exact tokens beyond the metric
	int64_t metered[METRIC_SLOTS];       // what the hour's metrics say
	int64_t lacking[METRIC_SLOTS];       // calls that shared a residual
	int64_t residual[METRIC_SLOTS];      // and what they shared
};

// Tokens a call of this caller usually takes, in thousandths of a token: the weights of the split, and the provisional
// figure itself. 0: not known.
struct weights {
	int64_t (*per_caller)[METRIC_SLOTS]; // as the span's callers
};

// Results live in `arena`. `lookback` is 0 to 60 minutes.
void allocate_hour(const struct span *s, const struct weights *w, int lookback, struct arena *arena, struct hour_usage *ret);

#endif
