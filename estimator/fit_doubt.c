// SPDX-License-Identifier: Apache-2.0
#include "estimator/fit_doubt.h"

#include <math.h>

// The bands add the kinds of a caller as if they were off apart. Measured on worlds that walk: errors of two
// kinds of one caller correlate by 0.3 to 0.6, and those of one kind are larger than the filter takes them
// for; moves correlate by 0.3. In steady worlds neither is so, and moves correlate by less than 0.1.
#define ALIKE 50.0

struct fit_doubt fit_doubt_of(const struct fit_filter *f, int32_t at, double variance)
{
	double before = f->before[at], after = fit_filter_variance(f, at);
	if (!(f->calls_of_hour[at] > 0) || !(before > after))
		return (struct fit_doubt){variance, 0};
	double a = (f->check.hours + 1) * log(before / after), lasting = variance / (1 + a / 2);
	return (struct fit_doubt){lasting, variance - lasting};
}

double fit_doubt_widened(double alike)
{
	return 1 + ALIKE * alike * alike;
}
