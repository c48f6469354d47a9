// SPDX-License-Identifier: Apache-2.0
// The quantile and the mean excess change slowly, so they are computed from the histogram now and then; a value costs two
// logarithms otherwise.
#include "serve/tail.h"

#include <math.h>

static const double TAIL_QUANTILE = 0.04; // share of the values that is the tail
static const double TINY = 1e-12;         // values below this are equal: keeps the logarithm finite
static const double BINS_PER_E = 20.0;    // a bin is 5 % wide
static const double PRIOR_EXCESS = 2.0;   // belief in a wide tail, worth one value
enum {
	ZERO_BIN = 600,       // bin of the value 1
	LEARNING = 30,        // values before the first surprise
	OFTEN = 8, SELDOM = 64, OFTEN_UNTIL = 400, // values between two refreshes, while young and later
	MEMORY = 30000,       // at this many, all counts are halved
};

static int bin_of(double logarithm)
{
	double at = logarithm * BINS_PER_E + ZERO_BIN;
	return at < 0 ? 0 : at >= TAIL_BINS ? TAIL_BINS - 1 : (int)at;
}

static void forget_half(struct tail *t)
{
	t->n = 0;
	for (int b = 0; b < TAIL_BINS; b++) {
		t->bins[b] /= 2;
		t->n += t->bins[b];
	}
}

static void refresh(struct tail *t)
{
	double wanted = t->n * TAIL_QUANTILE, seen = 0, above = 0, excess = 0;
	int b = TAIL_BINS - 1;
	for (; b >= 0 && seen < wanted; b--)
		seen += t->bins[b];
	t->start = (b + 2 - ZERO_BIN) / BINS_PER_E; // the upper edge of its bin: a value that comes again and again is no surprise
	for (int k = b + 2; k < TAIL_BINS; k++) {
		above += t->bins[k];
		excess += t->bins[k] * ((k + 0.5 - ZERO_BIN) / BINS_PER_E - t->start);
	}
	t->above = above + 1;
	t->mean_excess = (excess + PRIOR_EXCESS) / t->above;
}

double tail_surprise(struct tail *t, double value)
{
	double logarithm = log((value > 0 ? value : 0) + TINY), surprise = 0;
	if (t->n >= LEARNING && logarithm > t->start)
		surprise = (log(t->n / t->above) + (logarithm - t->start) / t->mean_excess) / log(10);
	t->bins[bin_of(logarithm)] += 1;
	t->n += 1;
	if (t->n > MEMORY)
		forget_half(t);
	if (--t->until_refresh <= 0) {
		refresh(t);
		t->until_refresh = t->n < OFTEN_UNTIL ? OFTEN : SELDOM;
	}
	return surprise;
}
