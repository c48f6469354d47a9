// SPDX-License-Identifier: Apache-2.0
// The rates of one model in one account, Region and hour, looked up once, and what a caller's tokens cost at them.
//
// Some models charge by the length of a request's prompt (all of the request at the higher rate). The figures know only sums
// of a caller's hour, so the band is the one of its mean prompt, and where longer prompts may well be among them (the mean is
// above a quarter of the limit) `more` says what the tokens would cost on top in the next band. The tier is the standard one.
#ifndef NOWCAST_ESTIMATOR_TARIFF_H
#define NOWCAST_ESTIMATOR_TARIFF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/usd.h"
#include "pricing/prices.h"

enum { BANDS_MAX = 4 }; // two is the most that any price list has

struct band {
	int64_t prompt_max;              // tokens; INT64_MAX: the last band
	int64_t rate[TOKEN_TYPES];       // picodollars per token; RATE_UNKNOWN
	struct rate found[TOKEN_TYPES];  // where the rate is known
	struct price_source source[TOKEN_TYPES];
};

struct tariff {
	struct band bands[BANDS_MAX];
	int nbands;                      // at least 1
	enum price_miss miss[TOKEN_TYPES]; // of the lowest band
};

// What is priced: quantities of one caller in that hour.
struct bundle {
	int64_t calls;
	int64_t tokens[TOKEN_TYPES];
	int64_t assumed;                 // of the 5-minute cache writes: how many may be 1-hour ones
};

// `where` is "account/region".
void tariff_read(struct tariff *ret, const struct prices *p, struct str where, struct str model, struct str foundation, int64_t hour_ms);

// The band that the caller's mean prompt falls into.
const struct band *tariff_band(const struct tariff *t, const struct bundle *b);

// False: unpriced. *ret_more: what these tokens may cost on top.
bool tariff_price(const struct tariff *t, const struct bundle *b, enum token_type type, struct usd *ret, struct usd *ret_more);

#endif
