// SPDX-License-Identifier: Apache-2.0
// The weights of an hour: what a call of each caller usually takes, learned from a run of statistics
// (statistics.h).
//
// Weights of hour h are a pure function of the statistics of the hours h - learn_hours to h, its own
// included. A late record changes the statistics of its hour, and every hour that learns from it is computed
// again: so the weights, too, depend only on which records arrived, live and in a replay.
//
// Tokens a call = how likely it is to use such tokens at all x how many then. The first factor is learned
// from the metrics' SampleCounts (estimator/cache_users.h): it tells who uses the cache, and who writes to
// it, from a few minutes. The second is learned from the sums, by least squares that are never negative and
// are drawn towards the mean of the model while evidence is thin; how much is thin follows from how noisy the
// model's calls are. Exact calls teach both outright. Who has taught nothing takes the mean of its role, else
// of those with the same session tags, else of the model. Without any statistics all are equal. What was
// billed for a principal's calls counts like so many exact calls, and tells the TTLs of its cache writes.
#ifndef NOWCAST_ESTIMATOR_LEARN_H
#define NOWCAST_ESTIMATOR_LEARN_H

#include "base/arena.h"
#include "estimator/allocate.h"
#include "estimator/billed_means.h"
#include "estimator/hour_stats.h"

// Weights for the span's callers from `n` statistics as bytes, oldest first, one an hour, the last being the
// hour's own; empty ones and such of another form teach nothing. `taught`: what the bill taught, sorted by
// ARN. Results live in `arena`.
void learn_weights(const struct str *stats, int n, const struct billed_means *billed_means, int nbilled_means,
                   const struct span *s, struct arena *arena, struct weights *ret);

#endif
