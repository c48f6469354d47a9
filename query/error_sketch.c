// SPDX-License-Identifier: Apache-2.0
#include "query/error_sketch.h"

#include <assert.h>

#include "estimator/facts.h"

static_assert((int)METRIC_KINDS <= (int)ERROR_BINS, "the kinds of a caller have bins of their own");

void error_sketch_add(struct error_sketch *s, uint64_t source, int kind, double sd)
{
	assert(kind >= 0 && kind < METRIC_KINDS);
	bool is_negative = source >> 32 >> kind & 1;
	s->bins[(source + (uint64_t)kind) % ERROR_BINS] += is_negative ? -sd : sd;
}

void error_sketch_merge(struct error_sketch *to, const struct error_sketch *from)
{
	for (int i = 0; i < ERROR_BINS; i++)
		to->bins[i] += from->bins[i];
}

double error_sketch_variance(const struct error_sketch *s)
{
	double sum = 0;
	for (int i = 0; i < ERROR_BINS; i++)
		sum += s->bins[i] * s->bins[i];
	return sum;
}
