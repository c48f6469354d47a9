// SPDX-License-Identifier: Apache-2.0
// The sizes of calls differ by factors, so that their logarithms are spread evenly. A prior that is as wide
// for all draws the largest down, and what they lose goes to all others. Here each size, and each role's part
// of it, gets a normal prior of its own, whose variance pulls as a log-normal one would:
//
//     logarithm of a size  =  that of the typical one + its role's part + its own part
//
// The variances of both parts are learned from sizes that a filter has estimated: the squares of the parts
// over how much of them is known (MacKay's fixed point).
#ifndef NOWCAST_ESTIMATOR_FIT_PRIOR_H
#define NOWCAST_ESTIMATOR_FIT_PRIOR_H

#include "base/arena.h"
#include "estimator/fit_filter.h"

// After a run under f->within and f->between: sets f->prior and f->prior_role, which the next run begins
// with. `arena`: for work.
void fit_prior_learn(struct fit_filter *f, struct arena *arena);

#endif
