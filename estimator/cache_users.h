// SPDX-License-Identifier: Apache-2.0
// The probability that a call of each principal uses a kind of tokens at all, learned from the number of
// calls of each cell that did (SampleCount).
//
// The model is a mixture of two kinds of principals: some never use such tokens, the others use them with
// shares around a common one. The size of both groups and the common share are learned from the counts. Each
// principal is shrunk to its kind as far as chance leaves it open. Pure.
#ifndef NOWCAST_ESTIMATOR_CACHE_USERS_H
#define NOWCAST_ESTIMATOR_CACHE_USERS_H

#include "base/arena.h"
#include "estimator/equations.h"

struct cache_users {
	double *share; // of the calls of each principal, 0 to 1
	double *sd;    // standard error of `share`
	double *never; // the probability that a principal never uses such tokens; NULL: all do
};

// `x`: of all calls. `idle`: by principal, exact and billed calls of one who took no such tokens in any; else
// 0. `never`: by principal, the probability that it never does, where another kind tells it (who never reads
// the cache never writes to it); NULL: it is learned. Without counts, or where nearly all calls use such
// tokens, every share is 1.
void cache_users_fit(const struct equations *x, const double *idle, const double *never, struct arena *arena,
                     struct cache_users *ret);

#endif
