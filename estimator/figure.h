// SPDX-License-Identifier: Apache-2.0
// A figure: how many tokens of one type one caller used of one model in one hour, what they cost, and how
// that is known. What a model bills by the unit (images, search units) has figures as well; their tokens are
// units.
//
// An estimate has three parts:
//
//     tokens = exact        records of the calls name them, or the callers' own telemetry does
//            + allocated    a metric names their sum; weights split it among the callers
//            + provisional  no metric has arrived yet; weights estimate them
//
// A billed figure has none of these parts: tokens = billed.
//
// figure_is_valid tests the invariants:
//
//     estimate   the parts are not negative and add up to tokens; telemetry is a part of exact; assumed and
//                cache_unknown are parts of tokens; prompt_max is not negative;
//                dollars, `more`, `less`, spread and noise are not negative; billed and list are 0;
//                `less` is at most the dollars, and 0 unless the rate is borrowed, its scope is unknown,
//                or cache_unknown or assumed is not 0
//     billed     exact, telemetry, allocated, provisional, assumed, cache_unknown, prompt_max, more, less,
//                spread and noise are 0; tokens and dollars are negative where AWS takes back more than it
//                charges
//     both       no price: no dollars, no prompt band, and no rate of another Region or scope;
//                ttl_may_be_1h, ttl_source and other_rate: some tokens are assumed; dollars are within
//                FIGURE_USD_MAX, so that no sum of figures overflows; those of an estimate are at most
//                INT64_MAX picodollars a token, which is what a rate holds
//
// A reader of Redis rejects a row whose figure is not valid. Those who make figures call figure_check.
#ifndef NOWCAST_ESTIMATOR_FIGURE_H
#define NOWCAST_ESTIMATOR_FIGURE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/usd.h"

#define UNATTRIBUTED "(unattributed)" // the caller of tokens that no call accounts for
#define UNKNOWN_CALLER "(unknown)"    // that of calls whose id names nobody, or several (store/name_id.h)

// Where the TTL of cache writes comes from that no record names; the later, the stronger.
enum ttl_source {
	TTL_NAMED,     // there are none: records name it
	TTL_ASSUMED,   // nothing is known: the prior (estimator/ttl_shares.h)
	TTL_OF_ALL,    // the bill of all models and callers
	TTL_OF_MODEL,  // of all callers of the model
	TTL_OF_ROLE,   // of the other sessions of its role
	TTL_OF_CALLER, // the caller's own bill, or those of its calls whose TTL records name
	TTL_BY_KEY,    // declared: by the key cache_ttl,
	TTL_BY_TAG,    //   a tag of the role, user or session,
	TTL_BY_MAP,    //   a line of the mapping file
	TTL_SOURCES
};
extern const char *const ttl_source_names[TTL_SOURCES];

// Whether what it says is a guess, so that the band holds both TTLs. A share that was billed for the caller
// itself, or that was declared, is taken as it is.
static inline bool ttl_is_doubtful(enum ttl_source s) { return s > TTL_NAMED && s < TTL_OF_CALLER; }
static inline bool ttl_is_declared(enum ttl_source s) { return s >= TTL_BY_KEY; }

struct figure {
	int64_t tokens, exact, allocated, provisional;
	int64_t telemetry;   // of exact: those that nothing but the caller's own telemetry says
	int64_t billed;      // tokens of the bill: all or none
	int64_t assumed;     // of tokens: cache writes whose TTL no record names, taken to have that of the row
	// of tokens: those of prompts that may be input, read from the cache or written to it
	int64_t cache_unknown;
	int64_t prompt_max;  // no prompt of these calls had more tokens; 0: not known
	int64_t spread;      // standard deviation of allocated for want of better weights, in tokens
	int64_t noise;       // variance of allocated by chance, in tokens squared
	struct usd usd;      // of all tokens
	// what they may cost on top: as cache writes, as 1-hour ones, or in the next prompt band
	struct usd more;
	// how much less they may cost: at the lowest rate of all Regions or scopes, as cache reads, or as
	// 5-minute writes
	struct usd less;
	struct usd list;     // of billed tokens: at public rates
	bool
		ttl_may_be_1h; // the caller of the assumed tokens reads so much of what it writes that 1 hour may pay
	bool priced;         // false: there is no price, and usd is 0
	bool rate_borrowed;  // the rate is that of the nearest Region, for the call's own has none
	bool scope_unknown;  // the rate is the regional one, and the global one may have been charged
	bool band_estimated; // the rate depends on the length of the prompt, of which only the mean is known
	uint8_t ttl_source;  // of the assumed tokens: enum ttl_source
	// of the assumed tokens: picodollars a token with the other TTL; 0: there is no such rate
	int64_t other_rate;
};

#define FIGURE_USD_MAX ((usd_pico)1 << 100) // 1.2e18 dollars

bool figure_is_valid(const struct figure *f);

static inline void figure_check(const struct figure *f) { assert(figure_is_valid(f)); }

#endif
