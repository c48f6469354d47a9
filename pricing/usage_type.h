// SPDX-License-Identifier: Apache-2.0
// Reads a usage type of the bill and of the price list (line_item_usage_type in "CUR 2.0 table dictionary").
// AWS writes the same usage in four grammars, often in two of them on one day:
//
//     USE1-Claude4.6Sonnet-cache-write-input-token-count-1-hour-cross-region-global  camel, 1K tokens
//     USE1-anthropic.claude-opus-4-8-mantle-cache-write-tokens-1h-global-standard    new, 1K tokens
//     USE1-MP:USE1_CacheWrite1hInputTokenCount_Global-Units                          Marketplace, 1M tokens
//     USE1-MP:USE1_cache_write_tokens_1h_global_standard-Units                       Marketplace, 1M tokens
//     |    |                  |                     |
//     |    model, if named    token type and TTL    scope, tier, long prompt, in any order
//     Region
//
// Words of tokens come in many spellings and orders: "cached_input_tokens", "cache_writes_tokens",
// "speech-understanding-input-token", "input-video-token-count". What is no token is counted by words of its
// own: "T2I", "created_image", "search_units", "CustomModelImport-Inference".
//
// A price needs every word, so usage_type_read refuses one that it does not know: it may double the rate. A
// bill says its dollars itself, so usage_type_read_billed reads what it can.
#ifndef NOWCAST_PRICING_USAGE_TYPE_H
#define NOWCAST_PRICING_USAGE_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "pricing/model_id.h"
#include "pricing/price.h"

enum usage_kind {
	USAGE_TOKENS,      // tokens of inference, on demand or in a batch
	USAGE_IMAGES,      // images in or out
	USAGE_VIDEO,       // video, by the second or by the piece
	USAGE_SEARCHES,    // search units of a reranker, searches of the web
	USAGE_MODEL_TIME,  // minutes of an imported model
	USAGE_RESERVED,    // reserved tokens per minute, by the hour: belongs to no call
	USAGE_PROVISIONED, // provisioned model units, by the hour: belongs to no call
	USAGE_CUSTOMIZING, // training and storing a customised model
	USAGE_GUARDRAIL,   // policy units of guardrails
	USAGE_OTHER,       // no known word says what; of usage_type_read_billed only
	USAGE_KINDS
};

enum usage_modality { MODALITY_TEXT, MODALITY_SPEECH, MODALITY_IMAGE, MODALITY_VIDEO, USAGE_MODALITIES };

// "tokens", "images", "video", "searches", "model time", "reserved", "provisioned", "customizing",
// "guardrail", "other"
extern const char *const usage_kind_names[USAGE_KINDS];

// Slices point into the text that was read, or are static.
struct usage_type {
	enum usage_kind kind;
	struct str region;           // "us-east-1"; none: no prefix or an unknown one, use product_region_code
	struct str prefix;           // "USE1"; none
	struct str model_written;    // "Claude4.6Sonnet"; none: Marketplace, where the product names the model
	struct str model;            // as the price catalogue names it; none: unknown
	// Of USAGE_TOKENS only:
	enum token_type type;        // a 30-minute cache write is TOKEN_CACHE_WRITE_5M
	int ttl_minutes;             // of a cache write: 5, 30 or 60; else 0
	enum price_scope scope;
	enum price_tier tier;
	enum usage_modality modality;
	bool long_prompt;            // the band above the model's prompt limit
	bool custom;                 // a customised model
	int32_t tokens_per_unit;     // 1,000 or 1,000,000, by the grammar; to be checked against pricing_unit
	bool unsure;                 // a word is not known, so the rate is not one of the price list
};

// False: *ret_why is a static sentence, and *ret is unchanged.
bool usage_type_read(struct usage_type *ret, struct str text, const char **ret_why);

// The same of a row of a bill, whose pricing_unit is `unit`. *ret_why: what is not known, NULL: nothing.
void usage_type_read_billed(struct usage_type *ret, struct str text, struct str unit, const char **ret_why);

#endif
