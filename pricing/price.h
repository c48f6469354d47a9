// SPDX-License-Identifier: Apache-2.0
// A price catalogue: dated rates by model, scope (regional or global), region, service tier, prompt length
// and token type; and the built-in catalogue. pricing/prices.h orders several catalogues.
//
// A rate is picodollars per token (base/usd.h), in force in [from, to), both on whole hours. A query that no
// row matches is unpriced; no similar rate is taken instead.
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

// Service tiers. The tier that served is billed, not the one that was asked for.
enum price_tier {
	TIER_STANDARD,
	TIER_BATCH,
	TIER_FLEX,
	TIER_PRIORITY,
	TIER_LATENCY,
	TIER_RESERVED,
	TIER_ULTRAFAST,
	TIER_UNKNOWN,  // a record names a tier that is none of these: no source has a rate for it
	PRICE_TIERS
};

// "standard", "batch", "flex", "priority", "latency", "reserved", "ultrafast", "unknown"
extern const char *const price_tier_names[PRICE_TIERS];

// those that a price file or a user may name, for messages
#define PRICE_TIER_WORDS "standard, batch, flex, priority, latency, reserved or ultrafast"

struct catalogue;
struct discount;
struct price_rows;

// The catalogue of a price file (pricing/price_file.h). `text` may be freed afterwards; `name` is the file's,
// for messages. The caller owns the result. ERR_CONFIG names the line and the reason; the file is refused as
// a whole.
bool catalogue_parse(struct catalogue **ret, struct str text, const char *name, struct err *err) NC_CHECK;
void catalogue_free(struct catalogue *c);

// The built-in catalogue: shared by all threads, read-only, never freed.
const struct catalogue *catalogue_builtin(void);

// All its rows, sorted (pricing/price_file.h).
const struct price_rows *catalogue_rows(const struct catalogue *c);

// A question for a rate. Zero is the usual case for every field after `region`.
struct price_query {
	struct str model, region;
	struct str foundation;     // the model behind an opaque id, or STR_NONE
	// a record names the foundation, and whether the id stands for a global profile nobody said
	bool scope_unknown;
	struct str account;        // whose own rates apply too; STR_NONE: only rates of every account
	enum token_type type;
	// the rate of the unit that the model is billed by (an image, a search unit, a second of video), not of a
	// token
	bool per_unit;
	enum price_tier tier;
	// of the request: input + cache read + cache write; 0: not known, take the lowest band
	int64_t prompt_tokens;
	int64_t time_ms;
};

// The answer.
struct rate {
	int64_t pico_per_token;    // or per unit
	struct str unit;           // that the model is billed by; none: tokens
	int64_t from_ms, to_ms;    // to_ms INT64_MAX: open
	int64_t prompt_over;       // the rate is of prompts with more tokens than this; 0: of all others
	int64_t prompt_max;        // and at most this many tokens; INT64_MAX: no limit
	const char *source;        // where the rate comes from, with its date; lives as long as the catalogue
	const char *file;          // of the catalogue; "built in" for ours
	int line;                  // in that file, from 1
	struct str borrowed_from;  // the Region that it is of, if the query's has none (prices.nearest_region)
	bool scope_unknown;        // it is the regional one, and the global one may have been charged
	// of all Regions, if it is borrowed; of both scopes, if that is unknown; else both are pico_per_token
	int64_t lowest_pico, highest_pico;
	int64_t list_pico;         // before the discount; without one: pico_per_token
	const struct discount *discount; // that was applied (pricing/discounts.h), or NULL
};

// Why there is no rate, in the order in which a search gets further: the greatest of several catalogues says
// most.
enum price_miss {
	MISS_NONE,
	// the id is in no catalogue
	MISS_MODEL, MISS_OPAQUE, MISS_PROVISIONED, MISS_CUSTOM, MISS_INDIRECT, MISS_AGENT, MISS_OTHERS,
	MISS_ENDPOINT,
	MISS_SCOPE, MISS_TIER, MISS_TIER_UNKNOWN, MISS_RESERVED, MISS_REGION, MISS_TIME, MISS_TYPE,
	// not priced by token
	MISS_IMAGE, MISS_SEARCH, MISS_VIDEO, MISS_SPEECH, MISS_UNIT, MISS_PER_UNIT, MISS_UNCOUNTED,
	PRICE_MISSES
};

// A static sentence for the user: what is missing, and what to do.
const char *price_miss_text(enum price_miss miss);

// The rate of a query. MISS_NONE: *ret is set; else unpriced, and price_miss_text says why.
//
// The model key is what struct call holds: "us.anthropic.claude-sonnet-4-6",
// "bedrock-mantle/openai.gpt-oss-120b", "anthropic.claude-3-haiku-20240307-v1:0". A "global." profile has the
// global rate. Every other id, and every other profile ("us.", "eu.", ...), has the regional rate of
// `region`: where the call was made, not where it ran.
//
// A row of one Region is chosen before a row of its geography ("eu-*"), and that before a row of every
// Region. A row of one profile is chosen before these, and a row of one account before all others. GovCloud
// and China have only rows that name them.
//
// `foundation` is used if the model key is an opaque id, such as an application inference profile. The
// profile is then taken to be regional: CloudTrail does not say whether it was made of a global profile.
// prices_find knows that doubt.
enum price_miss catalogue_find(const struct catalogue *c, const struct price_query *q, struct rate *ret);

#endif
