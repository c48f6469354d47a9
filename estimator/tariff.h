// SPDX-License-Identifier: Apache-2.0
// The rates of one model in one account, Region and hour, looked up once, and what a caller's tokens cost at
// them.
//
// Calls come by rate class (estimator/rate_class.h), so that the service tier is that of each call. Some
// models charge by the length of a request's prompt, all of the request at the higher rate: where the rate
// class knows it, the band is that of each call too. Where only sums are known, it is the band of the
// caller's mean prompt, and the figure is marked; where one of the calls can have had a longer prompt, `more`
// says what the tokens would cost on top in the band of that.
#ifndef NOWCAST_ESTIMATOR_TARIFF_H
#define NOWCAST_ESTIMATOR_TARIFF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "base/usd.h"
#include "estimator/figure.h"
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
	bool by_unit;                    // billed by the unit and not by token
	enum price_miss unit_miss;       // MISS_NONE: unit and unit_source say what one costs
	struct rate unit;
	struct price_source unit_source;
};

// What is priced: quantities of one caller in one rate class in that hour.
struct priced_usage {
	int rate_class;
	int64_t calls;
	int64_t tokens[TOKEN_TYPES];
	// of the cache writes with either TTL: how many may have the other one
	int64_t doubtful_5m, doubtful_1h;
	int64_t cache_unknown[TOKEN_TYPES]; // of the tokens: as in struct figure
	int64_t prompt_max;              // likewise; 0: not known
};

// The tariffs of every tier, each looked up when it is asked for.
struct tariffs {
	const struct prices *prices;
	struct price_query query;
	bool known[PRICE_TIERS];
	struct tariff tariff[PRICE_TIERS];
};

// `where` is "account/region". The strings must outlive it. Who knows `foundation` from records alone sets
// query.scope_unknown afterwards.
void tariffs_init(struct tariffs *t, const struct prices *p, struct str where, struct str model,
                  struct str foundation, int64_t hour_ms);
const struct tariff *tariffs_at(struct tariffs *t, enum price_tier tier);

// The band of the priced usage's prompts. *ret_estimated (may be NULL): it depends on their mean.
const struct band *tariff_band(const struct tariff *t, const struct priced_usage *b, bool *ret_estimated);

// Whether any source of prices knows the model.
bool tariff_knows(const struct tariff *t);

// Why there is no price for tokens, or for units.
enum price_miss tariff_miss(const struct tariff *t, enum token_type type);
enum price_miss tariff_unit_miss(const struct tariff *t);

// What usage costs, and what it may cost on top, or less.
struct cost {
	struct usd usd, more, less;
	int64_t other_rate; // of cache writes: picodollars a token with the other TTL; 0: no rate
	bool rate_borrowed; // the rate is that of another Region (pricing/price.h)
	bool scope_unknown; // the rate may be the global one (likewise)
};

// Sets the dollars of a figure that is priced; of one that is not, `c` is not read.
void figure_set_cost(struct figure *f, const struct cost *c);

// What units cost. False: unpriced.
bool tariff_price_units(const struct tariff *t, int64_t units, struct cost *ret);

// What tokens cost. False: unpriced.
bool tariff_price(const struct tariff *t, const struct priced_usage *b, enum token_type type,
                  struct cost *ret);

#endif
