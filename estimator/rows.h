// SPDX-License-Identifier: Apache-2.0
// The figures of an hour as they stand in Redis: one hash an hour, account, region and model. README, "Redis keys", shows
// them to people who read them from elsewhere.
//
//   field  ARN TAGSET TYPE           value  TOKENS PICODOLLARS EXACT ALLOCATED PROVISIONAL ASSUMED MORE SPREAD NOISE [ttl] [band]
//   field  ARN TAGSET calls          value  CHARGED FAILED
//   field  ARN TAGSET TYPE@LANE, calls@LANE: the same, of calls at other rates (estimator/lane.h)
//   field  ARN TAGSET weights        value  MILLITOKENS SD SOURCE, for input, output, cache reads and cache writes: what a call
//                                           was taken to use, how far off that may be (permille), and what taught it
//   field  # SLOT                    value  METERED EXCESS       (what the metrics say; exact tokens beyond them)
//
//   field  # model                   value  the ARN by which an application inference profile was called
//   field  # foundation              value  the foundation model that records named behind an id
//   field  # digest                  value  16 hex digits: the sum of row_digest over all other fields, so that a reader who
//                                           keeps what it read knows whether it still stands. Where models are summed up,
//                                           settle.lua has a sum of its own
//
// TOKENS is the sum of the three that say how it is known. ASSUMED: how many of them were taken to be of this type without
// anybody saying so (cache writes whose TTL is unknown stand under cache_write_5m), and MORE the picodollars that the tokens
// may cost on top: the assumed ones were they of the dearer type, all of them in the next band of a model that charges by the
// length of the prompt. SPREAD and NOISE say how far off ALLOCATED may be: the standard deviation (tokens) that the weights
// leave, and the variance (tokens squared) of chance. "ttl": the assumed tokens may well be of the dearer type. "band": the model charges by the length of the prompt, and the band is an
// estimate, for only sums are known. "-" for picodollars: no price. Names hold no blanks. A reader passes over fields it does not
// know.
#ifndef NOWCAST_ESTIMATOR_ROWS_H
#define NOWCAST_ESTIMATOR_ROWS_H

#include "base/arena.h"
#include "base/buf.h"
#include "estimator/allocate.h"
#include "estimator/lane.h"
#include "estimator/store.h"
#include "pricing/prices.h"

#define UNATTRIBUTED "(unattributed)"

// Tokens and dollars of one caller and token type.
struct figure {
	int64_t tokens, exact, allocated, provisional, assumed;
	int64_t spread, noise; // of allocated: tokens; tokens squared
	struct usd usd;  // of all tokens
	struct usd more; // what they may cost on top
	bool ttl_may_be_1h;    // of the assumed tokens: it may pay
	bool priced;
	bool band_estimated; // the dollars go by the mean length of prompts
	uint8_t lane;        // of the calls (estimator/lane.h)
	int64_t billed;  // of tokens, those that stand in the bill (estimator/actual.h): all or none
	struct usd list; // of billed tokens: at public rates
};

// The words of a value, for those who write one: what follows from its prices, and what does not.
void row_format_value(const struct figure *f, struct buf *ret);

// The rows of an hour. Those of a group without a seat (estimator/roster.h) are one, ".../ROLE/*", by their tags, or without them
// if those are more than there are seats. Rows of a model without a seat are told to be folded: they are nothing but sums then,
// which settle.lua adds to those of the others. *ret_unpriced: why the model has no price (static), or NULL.
void rows_write(const struct series *s, const struct span *span, int64_t hour, const struct hour_usage *u, const struct engine_options *o,
                struct arena *arena, struct settled *ret, const char **ret_unpriced);

// What a field and its value add to the digest of their hash; the sum wraps around, so the order is nothing. Writers keep it
// true, and readers take a hash without one as always new.
#define ROW_DIGEST "# digest"
enum { ROW_DIGEST_SIZE = 17 };
uint64_t row_digest(struct str field, struct str value);
char *row_digest_format(uint64_t digest, char *buf);      // buf holds ROW_DIGEST_SIZE; returns buf
uint64_t row_digest_parse(struct str text);               // 0: it is none

// What a row says. `type` is TOKEN_TYPES for calls, whose charged and failed calls are then figure.tokens and .exact.
// False: not such a row.
bool row_read(struct str field, struct str value, struct str *ret_arn, struct str *ret_tagset, int *ret_type, struct figure *ret);

#endif
