// SPDX-License-Identifier: Apache-2.0
// The rate class of a call: what about it, beside its model, decides its rate. Its service tier, and, where a
// price list charges by the length of a request's prompt (input, cache reads and cache writes together),
// between which limits the prompt lies. A call is put into its rate class before anything is summed: a sum no
// longer tells how long each prompt was.
//
//     bits 0-2   enum price_tier
//     bits 3-5   0: the prompt length is unknown; n: more than limit n-1 tokens, at most limit n (there is no
//                limit 0, and none after the last)
//     bit  6     at least so many: the input is known, what of the prompt came from the cache is not
//
// Rate class 0, the standard tier and a prompt that is not known, is that of most calls, and leaves no trace
// in keys and fields. The limits are those of every price list there is; at others, of a user's own, the band
// is estimated, and marked so.
#ifndef NOWCAST_ESTIMATOR_RATE_CLASS_H
#define NOWCAST_ESTIMATOR_RATE_CLASS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "estimator/allocate.h"
#include "pricing/price.h"

enum {
	RATE_CLASSES = 128,
	RATE_CLASS_TIER_MASK = 7,
	RATE_CLASS_BAND_SHIFT = 3,
	RATE_CLASS_BAND_MASK = 7, // after the shift
	RATE_CLASS_AT_LEAST = 64,
	RATE_CLASS_TEXT_SIZE = 40,
};

_Static_assert(PRICE_TIERS <= RATE_CLASS_TIER_MASK + 1, "a tier fits into its bits");

// The limits of prompts, in tokens: band n is above limit n - 1.
#define RATE_CLASS_LIMITS 100000, 128000, 200000, 256000, 272000

static inline enum price_tier rate_class_tier(int rate_class)
{
	int tier = rate_class & RATE_CLASS_TIER_MASK;
	return tier < PRICE_TIERS ? (enum price_tier)tier : TIER_STANDARD;
}
static inline int rate_class_band(int rate_class)
{
	return rate_class >> RATE_CLASS_BAND_SHIFT & RATE_CLASS_BAND_MASK;
}
static inline bool rate_class_prompt_known(int rate_class) { return rate_class_band(rate_class) > 0; }

// The rate class of a call of that tier: `complete`: its prompt has so many tokens; else at least so many.
int rate_class_of(enum price_tier tier, int64_t prompt, bool complete);

// The prompts of the rate class have from..to tokens; 0 and INT64_MAX where that is not known.
void rate_class_prompt(int rate_class, int64_t *ret_from, int64_t *ret_to);

// As it follows the name of a token type in a field: "", "@flex", "@standard<=100000", "@priority>200000",
// "@standard>100000+" (at least). Returns buf, of RATE_CLASS_TEXT_SIZE. rate_class_parse
// takes what follows the "@", or nothing.
char *rate_class_format(int rate_class, char *buf);
bool rate_class_parse(struct str text, int *ret);

// ---- the rate classes of an hour's callers ----

// What one caller used in one rate class.
struct rate_class_usage {
	int32_t caller; // index into the span's callers; their number: nobody, of the unattributed tokens
	uint8_t rate_class;
	struct caller_usage usage;
};

struct rate_classes {
	// sorted by caller and rate class; callers that have nothing but rate class 0 are not listed
	const struct rate_class_usage *v;
	int32_t n;
};

// Splits what each caller was given among its rate classes. Calls and exact tokens are those of the rate
// class's own calls; allocated and provisional ones go in proportion to the calls that lack them, to the
// token: the sums over the rate classes are the caller's.
void rate_class_split(const struct span *s, int lookback, const struct hour_usage *u, struct arena *arena,
                      struct rate_classes *ret);

// The rate classes of a caller; *ret_n 0: all of its usage is in rate class 0.
const struct rate_class_usage *rate_classes_of(const struct rate_classes *l, int32_t caller, int32_t *ret_n);

#endif
