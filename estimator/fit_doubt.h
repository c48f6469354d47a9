// SPDX-License-Identifier: Apache-2.0
// How much of the doubt about the mean of a principal lasts from hour to hour. A filter (fit_filter.h) says
// how far each size is off in the newest hour; bands add up hours (query/group.h). Each hour is estimated
// from the hours up to it, so that the errors of two of them are alike as far as they are made of the same
// ones. What that comes to in the mean of all hours so far follows from how fast the doubt shrinks:
//
//     lasting  =  variance / (1 + a / 2),   a  =  hours x log(variance before the hour / after it)
//     passing  =  variance - lasting
//
// Where nothing is learned, a is 0. Where all hours count alike, the variance is as 1 / hours, a is 1, and
// those of hours i < k correlate by sqrt(i / k), in the mean by 2/3. Where old hours are forgotten, each hour
// takes a part g of the doubt, a is hours x g, and they correlate by (1 - g)^(k - i), in the mean by 2 / a.
#ifndef NOWCAST_ESTIMATOR_FIT_DOUBT_H
#define NOWCAST_ESTIMATOR_FIT_DOUBT_H

#include "estimator/fit_filter.h"

struct fit_doubt {
	double lasting, passing; // variances of a mean
};

// After a run. Of the principal at a position; `variance`: of its mean.
struct fit_doubt fit_doubt_of(const struct fit_filter *f, int32_t at, double variance);

// By how much the doubt of all kinds is wider where their moves go together (fit_check_alike): the factor of
// variances 1 + ALIKE x alike^2.
double fit_doubt_widened(double alike);

#endif
