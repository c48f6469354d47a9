// SPDX-License-Identifier: Apache-2.0
// The variance of a sum whose parts have errors in common, in little memory.
//
// The weight of a caller for a kind of tokens of a model is off the same way in every hour, so its errors add
// up in full; those of two callers, models or kinds are independent:
//
//     variance  =  sum over (caller, model, kind) of (sum over hours of the standard deviation)^2
//
// A group may have thousands of callers, so it does not keep a sum of each. Each adds its standard deviations
// to one of ERROR_BINS bins, with a sign of its own; the sum of the squares of the bins is right in the mean,
// since the products of two that share a bin have either sign (Alon, Matias and Szegedy: "The space
// complexity of approximating the frequency moments", 1996). Where many share the bins, it is off by about
// sqrt(2 / ERROR_BINS), a third, which makes a band a sixth wider or narrower. The kinds of one caller and
// model are in bins of their own, so its sum is exact.
//
// Bin and sign depend on names only, so that every reader has the same band. Who chooses its name to share a
// bin with another changes the width of a band, and no estimate.
#ifndef NOWCAST_QUERY_ERROR_SKETCH_H
#define NOWCAST_QUERY_ERROR_SKETCH_H

#include <stdint.h>

enum { ERROR_BINS = 16 };

struct error_sketch {
	double bins[ERROR_BINS]; // standard deviations, in USD
};

// `source`: digest64 of the caller and the model; `kind`: below METRIC_KINDS (estimator/facts.h).
void error_sketch_add(struct error_sketch *s, uint64_t source, int kind, double sd);

void error_sketch_merge(struct error_sketch *to, const struct error_sketch *from);

double error_sketch_variance(const struct error_sketch *s);

#endif
