// SPDX-License-Identifier: Apache-2.0
// The band of a split: it holds nine dollars in ten of what is log-normal, mirrors that of the other side,
// and never promises more than there is.
#include "query/split_band.h"

#include <math.h>

#include "tests/tap.h"

// The part of the dollars of a log-normal figure of mean 1 that the band around the mean holds.
static double dollars_held(double sd)
{
	struct split_band band = split_band_of(1, 1e9, sd, 0);
	double s = sqrt(log1p(sd * sd)), held = 0, all = 0;
	for (double z = -9; z < 9; z += 1e-3) {
		double usd = exp(s * z - s * s / 2), weight = usd * exp(-z * z / 2);
		held += usd >= 1 - band.less && usd <= 1 + band.more ? weight : 0;
		all += weight;
	}
	return held / all;
}

static bool is_near(double a, double b) { return fabs(a - b) < 2e-2 * fabs(b); }

int main(void)
{
	struct split_band narrow = split_band_of(100, 1000, 1, 0), own = split_band_of(30, 200, 15, 0),
					  others = split_band_of(200, 30, 15, 0), wide = split_band_of(1, 2, 50, 0);
	ok(is_near(narrow.less, 1.645) && is_near(narrow.more, 1.645),
	   "a small deviation makes a band of 1.645 on either side");
	for (double sd = 0.1; sd < 2; sd += 0.3)
		ok(fabs(dollars_held(sd) - 0.9) < 2e-3, "nine dollars in ten at a deviation of %.1f", sd);
	ok(own.more == others.less && own.less == others.more && own.more > own.less,
	   "what one side has too much of, the other lacks");
	ok(wide.less <= 1 && wide.more <= 2, "no more than all, and no less than nothing");
	ok(split_band_of(5, 0, 1, 0).more == 0 && split_band_of(0, 5, 1, 0).less == 0 &&
	       split_band_of(5, 5, 0, 0).more == 0,
	   "none for who is alone, for nothing, and for what is sure");
	ok(split_band_of(1, 100, 2, 50).less == 1 && split_band_of(100, 1, 2, 50).more == 1 &&
	       split_band_of(1, 100, 2, 0).less < 1,
	   "beside dollars that are known, a doubtful part may be nothing");
	return done();
}
