// SPDX-License-Identifier: Apache-2.0
// How far the mean of a principal may be off in an hour, and how much of that lasts. A filter (fit_filter.h)
// says how far each size is off in the newest hour. The bands add up hours and kinds (query/group.h), so that
// two things more are needed:
//
//     lasting  =  (LASTS + (LASTS_MOVING - LASTS) x moving) x doubt
//     passing  =  doubt - lasting
//     doubt    =  variance x (1 + ALIKE x moving)
//
// Each hour is estimated from the hours up to it. The estimates of two of them are off alike as far as they
// are made of the same hours: those of hours i < k correlate by sqrt(i / k), in the mean of a day by 0.6. So
// that part of the doubt lasts; the rest is another in each hour, as chance is.
//
// Where means move, they move in all kinds of tokens at once, for who sends longer prompts gets longer
// answers. The bands add kinds as if they were independent. `moving` is how much of the doubt steps make:
//
//     moving  =  x / (1 + x),    x  =  MEMORY x hours read x variance of a step / variance before the hour
#ifndef NOWCAST_ESTIMATOR_FIT_DOUBT_H
#define NOWCAST_ESTIMATOR_FIT_DOUBT_H

#include "estimator/fit_filter.h"

struct fit_doubt {
	double lasting, passing; // variances of a mean
};

// After a run. Of the principal at a position; `variance`: of its mean.
struct fit_doubt fit_doubt_of(const struct fit_filter *f, int32_t at, double variance);

#endif
