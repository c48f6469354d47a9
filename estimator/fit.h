// SPDX-License-Identifier: Apache-2.0
// Tokens a call of each principal, for one kind, by least squares over the sums of many hours, and how far
// off that may be.
//
// Chance is not what independent calls of a usual size would give: calls come in conversations, a few are
// very long, and what a call takes drifts. So it is measured twice, over cells and over whole hours; where
// hours vary more than their cells promise, they count. And what an hour's equations, taken as one, still say
// against the solution is what the solution would move by had that hour been another: summed over the hours,
// it is the solution's doubt, however the noise within an hour hangs together.
#ifndef NOWCAST_ESTIMATOR_FIT_H
#define NOWCAST_ESTIMATOR_FIT_H

#include "base/arena.h"
#include "estimator/hour_stats.h"

// how much principals differ in the size of a call, as a part of the model's mean squared
#define FIT_PRIOR_VARIANCE 0.2

// One of the hours that were added up.
struct fit_hour {
	const struct kind_stats *sums; // .a and .s are triangles
	const int32_t *at;              // position of its principals among the n
	int n;                          // its principals
	double part;                    // of it that was added
};

struct fit {
	double *mean, *sd; // tokens a call, by principal
	double *noise;     // by principal: what chance does to a sum of calls, variance, tokens a token
	double model, noise_typical; // of all
};

// `sums`: of all hours and the bill, with n principals; its .a and .s are squares, row by row.
void fit_kind(const struct kind_stats *sums, int n, const struct fit_hour *hours, int nhours,
              struct arena *arena, struct fit *ret);

#endif
