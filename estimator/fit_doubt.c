// SPDX-License-Identifier: Apache-2.0
#include "estimator/fit_doubt.h"

// Measured on worlds that walk: errors of two kinds of one caller correlate by 0.4 to 0.6, and those of one
// kind are larger than the filter takes them for; in steady worlds neither is so.
#define ALIKE 4.0
#define LASTS 0.6
#define LASTS_MOVING 0.8
#define MEMORY 0.3

struct fit_doubt fit_doubt_of(const struct fit_filter *f, int32_t at, double variance)
{
	double size = fit_filter_size(f, at), step = f->walk * size * size;
	if (!(f->calls_newest[at] > 0) || !(f->before[at] > 0))
		return (struct fit_doubt){variance, 0};
	double x = MEMORY * f->check.hours * step / f->before[at], moving = x / (1 + x),
		   doubt = variance * (1 + ALIKE * moving),
		   lasting = doubt * (LASTS + (LASTS_MOVING - LASTS) * moving);
	return (struct fit_doubt){lasting, doubt - lasting};
}
