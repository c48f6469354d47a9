// SPDX-License-Identifier: Apache-2.0
#include "query/split_band.h"

#include <math.h>
#include <stdbool.h>

#define SDS 1.645 // of a normal distribution, whose middle nine tenths lie within

struct split_band split_band_of(double own, double others, double sd, double known)
{
	double smaller = fmin(own, others), all = own + others;
	if (!(smaller > 0) || !(sd > 0))
		return (struct split_band){0, 0};
	bool may_be_nothing = sd >= smaller && (own > others || known > own);
	double variance = log1p(sd / smaller * (sd / smaller)), s = sqrt(variance),
		   less = may_be_nothing ? smaller : smaller * fmax(1 - exp(variance / 2 - SDS * s), 0),
		   more = fmin(smaller * (exp(variance / 2 + SDS * s) - 1), all - smaller);
	return own <= others ? (struct split_band){less, more} : (struct split_band){more, less};
}
