// SPDX-License-Identifier: Apache-2.0
// How likely a call of each principal is to use a kind of tokens at all, from how many calls of each cell did
// (SampleCount).
//
// Of those who always do or never, the counts tell it outright; how many of the calls of the others do is
// chance. Principals are taken to be of two kinds: some never do, the others do with shares that lie around a
// common one. How many are of which and where that share lies is learned from the counts, and each principal
// is drawn to its kind as strongly as chance leaves it open. Pure.
#ifndef NOWCAST_ESTIMATOR_CACHE_USERS_H
#define NOWCAST_ESTIMATOR_CACHE_USERS_H

#include "base/arena.h"
#include "estimator/hour_stats.h"

struct cache_users {
	double *share; // of the calls of each principal, 0 to 1
	double *sd;    // how far off that may be
};

// `sums`: of n principals, with .s square, row by row. Where no counts are known, or nearly all calls use
// them, all do.
void cache_users_fit(const struct kind_stats *sums, int n, struct arena *arena, struct cache_users *ret);

#endif
