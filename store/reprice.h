// SPDX-License-Identifier: Apache-2.0
// Computes the dollars of hours again, from the quantities in Redis, at the present prices: after a
// correction of a rate, without a replay. A second time changes nothing.
//
// A hash is changed whole or not at all, and only while its quantities are the ones that were priced: if a
// worker computes the hour in between, it is read and priced again.
#ifndef NOWCAST_STORE_REPRICE_H
#define NOWCAST_STORE_REPRICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/usd.h"
#include "pricing/prices.h"
#include "store/redis.h"

struct reprice_counts {
	size_t model_hours, model_hours_changed; // hours of one model in one account and region
	size_t rows, rows_changed;     // a caller and token type each
	// rows left as they are: the model behind an inference profile is not known any more
	size_t kept;
	struct usd before, after;      // of all rows
};

struct reprice_options {
	const struct prices *prices;
	int64_t from, to;              // hours since 1970, [from, to)
	bool dry;                      // nothing is written
};

bool reprice(struct redis *r, const char *prefix, const struct reprice_options *o, struct reprice_counts *ret,
             struct err *err) NC_CHECK;

#endif
