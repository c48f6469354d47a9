// SPDX-License-Identifier: Apache-2.0
// Whether the noise and the doubt about sizes are as large as a filter (fit_filter.h) takes them for. The
// noise is learned from cells, and how it adds up to that of an hour is inferred. But the sum of an hour's
// cells can be compared with what the sizes known before that hour make of it:
//
//     miss   =  (tokens of the hour - those expected)^2 / variance of the two, bounded
//     scale  =  sum of misses / hours, drawn to 1 while there are few
//
// Noise is multiplied by the scale, and so is the part of a size's variance that is due to noise.
#ifndef NOWCAST_ESTIMATOR_FIT_CHECK_H
#define NOWCAST_ESTIMATOR_FIT_CHECK_H

#include "estimator/fit_filter.h"

// Adds an hour whose cells are from .. to - 1, before they are read, to f->check. Some must have been read.
void fit_check_hour(struct fit_filter *f, int32_t from, int32_t to);

double fit_check_scale(const struct fit_check *c);

// A size's variance with that scale; what is due to the prior is not scaled.
double fit_check_scale_variance(const struct fit_filter *f, double variance, double scale);

#endif
