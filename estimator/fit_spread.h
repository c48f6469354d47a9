// SPDX-License-Identifier: Apache-2.0
// How much the sizes of principals differ: f->within roles and f->between them, variances as parts of the
// typical size squared, learned from sizes that a filter has estimated under its present ones.
//
//     size of a principal  =  typical + mean + its role's part + its own part
//
// An estimated size is drawn to the typical one, the more the less is known of it, so that the spread of
// estimates is too small. Where the filter keeps all covariances, the drawing is undone: size and variance
// become what the cells alone say, and the two variances are those under which that is likeliest (expectation
// maximisation of a model of two random effects; Dempster, Laird and Rubin 1977). Without covariances the
// variances of sizes are too small for that: then one step is made, in which the squared deviations are
// divided by how much is known of them (MacKay's fixed point).
#ifndef NOWCAST_ESTIMATOR_FIT_SPREAD_H
#define NOWCAST_ESTIMATOR_FIT_SPREAD_H

#include "base/arena.h"
#include "estimator/fit_filter.h"

// What is expected of a variance, of sizes or of their logarithms, before there is evidence; and for how many
// principals, or roles, that counts.
#define FIT_SPREAD_FIRST 0.2
#define FIT_SPREAD_COUNT 0.5

// `arena`: for work.
void fit_spread_learn(struct fit_filter *f, struct arena *arena);

#endif
