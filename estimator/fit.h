// SPDX-License-Identifier: Apache-2.0
// The mean tokens of a call of each principal, for one token kind, by least squares over the sums of many
// hours, and the standard error of that mean.
//
// The noise is larger than independent calls of a usual size would give: calls come in conversations, a few
// are very long, and the size of a call drifts. So the noise is measured twice, over cells and over whole
// hours. Where hours vary more than their cells suggest, the hours' noise is used. The residual of an hour's
// equations, taken as one, shows how far the solution would move if that hour were replaced by another. The
// sum of these over the hours is the variance of the solution (a cluster-robust variance: the noise within an
// hour may be correlated in any way).
#ifndef NOWCAST_ESTIMATOR_FIT_H
#define NOWCAST_ESTIMATOR_FIT_H

#include "base/arena.h"
#include "estimator/hour_stats.h"

// the variance of the call size among principals before there is evidence, as a part of the model's mean
// squared
#define FIT_PRIOR_VARIANCE 0.2

// One of the hours in the sums.
struct fit_hour {
	const struct kind_stats *sums; // .a and .s are triangles
	const int32_t *at;             // position of its principals among the n
	int n;                         // its principals
	double part;                   // the weight with which it was added
};

struct fit {
	double *mean, *sd; // tokens of a call, by principal
	double *noise;     // by principal: variance of a sum of its calls by chance, tokens per token
	double model, noise_typical; // the mean over all principals; their noise
};

// `sums`: of all hours and the bill, with n principals; its .a and .s are squares, row by row.
void fit_kind(const struct kind_stats *sums, int n, const struct fit_hour *hours, int nhours,
              struct arena *arena, struct fit *ret);

#endif
