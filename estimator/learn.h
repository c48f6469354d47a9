// SPDX-License-Identifier: Apache-2.0
// The weights of an hour: how many tokens a call of each caller usually uses, learned from the statistics of
// a run of hours (hour_stats.h) and from the bill (billed_means.h).
//
// The weights of hour h are a pure function of the statistics of the hours h - learn_hours to h, and of who
// called in the minutes that h is computed from. A late record changes the statistics of its hour, and every
// hour that learns from it is computed again. So the weights depend only on which records arrived, live and
// in a replay, and not on which hours are computed together.
//
// Tokens of a call = probability that it uses such tokens x tokens if it does. The first factor is learned
// from the SampleCount of the metrics (cache_users.h); a few minutes show who reads the cache and who writes
// to it, and who never reads it never writes to it. The second factor is learned from the cells; where there
// is little evidence it is drawn to the mean of the role (fit.h). Exact calls are evidence of both factors. A
// caller without evidence takes the mean of its role, else of the callers of the hour with the same session
// tags, else of the model. Without any statistics all callers are equal. Billed calls count like exact calls,
// and give the TTLs of the cache writes; a caller that the bill does not have takes part in what it says of
// its role.
#ifndef NOWCAST_ESTIMATOR_LEARN_H
#define NOWCAST_ESTIMATOR_LEARN_H

#include "base/arena.h"
#include "estimator/allocate.h"
#include "estimator/billed_means.h"
#include "estimator/hour_stats.h"

// What weights are learned from.
struct evidence_of_hours {
	const struct str *stats; // the bytes of hours' statistics, oldest first; the last is the hour's own.
	                         // Empty ones and those of another form are skipped
	int nstats;
	const struct billed_means *billed_means; // sorted by ARN
	int nbilled_means;
};

// Weights for those of the span's callers that call in its hour or in the `lookback` minutes before; those of
// the others are 0. Results live in `arena`.
void learn_weights(const struct evidence_of_hours *from, const struct span *s, int lookback,
                   struct arena *arena, struct weights *ret);

#endif
