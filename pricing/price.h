// SPDX-License-Identifier: Apache-2.0
// The price catalogue: dated rates by model, region or global scope, service tier, prompt length and token
// type; and the built-in one. pricing/prices.h puts several catalogues in an order.
//
// A rate is picodollars per token (base/usd.h). It holds in [from, to), both on whole hours. What does not
// match is unpriced: there is no nearest guess.
#ifndef NOWCAST_PRICING_PRICE_H
#define NOWCAST_PRICING_PRICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/usd.h"

// Token types as they are priced, shown and billed.
enum token_type {
	TOKEN_INPUT,
	TOKEN_OUTPUT,
	TOKEN_CACHE_READ,
	TOKEN_CACHE_WRITE_5M,
	TOKEN_CACHE_WRITE_1H,
	TOKEN_TYPES
};

// "input", "output", "cache_read", "cache_write_5m", "cache_write_1h"
extern const char *const token_type_names[TOKEN_TYPES];

// Service tiers. The tier that was billed counts, not the one that was asked for.
enum price_tier {
	TIER_STANDARD,
	TIER_BATCH,
	TIER_FLEX,
	TIER_PRIORITY,
	TIER_LATENCY,
	TIER_RESERVED,
	PRICE_TIERS
};

// "standard", "batch", "flex", "priority", "latency", "reserved"
extern const char *const price_tier_names[PRICE_TIERS];

struct catalogue;
struct price_rows;

// A catalogue of the price file `text` (pricing/price_file.h says what is in it); `name` is the file's, for
// messages. False: nothing of it is used, and err (ERR_CONFIG) names the line and the reason.
bool catalogue_parse(struct catalogue **ret, struct str text, const char *name, struct err *err) NC_CHECK;
void catalogue_free(struct catalogue *c);

// The built-in catalogue; never fails, shared, read-only, never freed.
const struct catalogue *catalogue_builtin(void);

// all of it, sorted (pricing/price_file.h)
const struct price_rows *catalogue_rows(const struct catalogue *c);

// What is asked. The zero of a field is the ordinary case.
struct price_query {
	struct str model, region;
	struct str foundation;     // the model behind an opaque id, or STR_NONE
	struct str account;        // for rates of one account only; STR_NONE: those of everybody
	enum token_type type;
	// not of a token, of what the model is billed by instead: an image, a search unit, a second of video
	bool per_unit;
	enum price_tier tier;
	// of the request: input + cache read + cache write; 0 where it is not known: the lowest band
	int64_t prompt_tokens;
	int64_t time_ms;
};

// What a look-up found.
struct rate {
	int64_t pico_per_token;    // or per unit
	struct str unit;           // that the model is billed by; none: tokens
	int64_t from_ms, to_ms;    // to_ms INT64_MAX: open
	int64_t prompt_over;       // it holds for prompts of more tokens than this; 0: from the first on
	int64_t prompt_max;        // and of at most so many; INT64_MAX: of any length
	const char *source;        // where the figure comes from, with its date; lives as long as the catalogue
	const char *file;          // of the catalogue; "built in" for ours
	int line;                  // in that file, from 1
};

// Why there is no rate, by how far the search came: of several catalogues, the greatest says most.
enum price_miss {
	MISS_NONE,
	// no catalogue knows the id
	MISS_MODEL, MISS_OPAQUE, MISS_PROVISIONED, MISS_CUSTOM, MISS_INDIRECT, MISS_OTHERS, MISS_ENDPOINT,
	MISS_SCOPE, MISS_TIER, MISS_RESERVED, MISS_REGION, MISS_TIME, MISS_TYPE,
	// not priced by token
	MISS_IMAGE, MISS_SEARCH, MISS_VIDEO, MISS_UNIT, MISS_PER_UNIT, MISS_UNCOUNTED,
	PRICE_MISSES
};

// a static sentence for the user: what is missing and what to do
const char *price_miss_text(enum price_miss miss);

// The rate of a query. MISS_NONE: *ret is set; else unpriced, and price_miss_text says why. Rules:
//
// - The model key is what struct call holds: "us.anthropic.claude-sonnet-4-6",
// "bedrock-mantle/openai.gpt-oss-120b",
//   "anthropic.claude-3-haiku-20240307-v1:0".
// - A "global." profile has the global rate. Every other id, and every other profile ("us.", "eu.", ...), has
// the
//   regional rate of `region`: where the call was made, not where it ran.
// - A row of one Region is chosen before a row of its geography ("eu-*"), and that before a row of every
// Region.
//   GovCloud and China have only rows that name them. A row of one account is chosen before a row of every account.
// - `foundation` is used if the model key is an opaque id, such as an application inference profile. The
// profile is
//   then taken to be regional: CloudTrail does not say whether it was made of a global profile.
enum price_miss catalogue_find(const struct catalogue *c, const struct price_query *q, struct rate *ret);

#endif
