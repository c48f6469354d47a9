// SPDX-License-Identifier: Apache-2.0
// The figures of an hour as they stand in Redis: one hash an hour, account, region and model.
// docs/redis-keys.md shows them to people who read them from elsewhere.
//
//   field  ARN TAGSET TYPE           value  TOKENS PICODOLLARS EXACT ALLOCATED PROVISIONAL ASSUMED MORE SPREAD NOISE [ttl] [band]
//   field  ARN TAGSET calls          value  CHARGED FAILED
//   field  ARN TAGSET TYPE@LANE, calls@LANE: the same, of calls at other rates (estimator/rate_class.h)
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
// TOKENS is the sum of the three that say how it is known. ASSUMED: how many of them were taken to be of this
// type without anybody saying so (cache writes whose TTL is unknown stand under cache_write_5m), and MORE the
// picodollars that the tokens may cost on top: the assumed ones were they of the dearer type, all of them in
// the next band of a model that charges by the length of the prompt. SPREAD and NOISE say how far off
// ALLOCATED may be: the standard deviation (tokens) that the weights leave, and the variance (tokens squared)
// of chance. "ttl": the assumed tokens may well be of the dearer type. "band": the model charges by the
// length of the prompt, and the band is an estimate, for only sums are known. "-" for picodollars: no price.
// Names hold no blanks. A reader passes over fields it does not know.
#ifndef NOWCAST_STORE_USAGE_ROWS_H
#define NOWCAST_STORE_USAGE_ROWS_H

#include "base/arena.h"
#include "base/buf.h"
#include "estimator/allocate.h"
#include "estimator/figure.h"
#include "estimator/rate_class.h"
#include "pricing/prices.h"
#include "store/store.h"

// The words of a value, for those who write one: what follows from its prices, and what does not.
void row_format_value(const struct figure *f, struct buf *ret);

// The rows of an hour. Those of a group without a seat (store/cardinality.h) are one, ".../ROLE/*", by their
// tags, or without them if those are more than there are seats. Rows of a model without a seat are told to be
// folded: they are nothing but sums then, which settle.lua adds to those of the others. *ret_unpriced: why
// the model has no price (static), or NULL.
void rows_write(const struct series *s, const struct span *span, int64_t hour, const struct hour_usage *u,
                const struct engine_options *o, struct arena *arena, struct settled *ret,
                const char **ret_unpriced);

// What a field and its value add to the digest of their hash; the sum wraps around, so the order is nothing.
// Writers keep it true, and readers take a hash without one as always new.
#define ROW_DIGEST "# digest"
enum { ROW_DIGEST_SIZE = 17 };
uint64_t row_digest(struct str field, struct str value);
char *row_digest_format(uint64_t digest, char *buf);      // buf holds ROW_DIGEST_SIZE; returns buf
uint64_t row_digest_parse(struct str text);               // 0: it is none

// What a row says. `type` is TOKEN_TYPES for calls, whose charged and failed calls are then figure.tokens and
// .exact. False: not such a row.
bool row_read(struct str field, struct str value, struct str *ret_arn, struct str *ret_tagset, int *ret_type,
              struct figure *ret);

#endif
