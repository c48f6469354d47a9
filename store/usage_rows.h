// SPDX-License-Identifier: Apache-2.0
// The form of the estimate's figures in Redis: two hashes of an hour, account, Region and model. All that can
// be added up is in the first one.
//
// The usage hash: tokens and dollars. The second number of every field is its dollars ("-": no price).
//
//     ARN TAGSET TYPE          TOKENS PICODOLLARS EXACT ALLOCATED PROVISIONAL ASSUMED MORE SPREAD NOISE
//                              [ttl] [band] [scope] [by:SOURCE] [other:RATE] [borrowed:LESS]
//     ARN TAGSET TYPE@CLASS    the same, of calls at other rates (estimator/rate_class.h)
//     ARN TAGSET units         the same, of units: images, search units
//     ARN TAGSET uncounted     the same, of calls whose usage nothing counts; never has a price
//
// The meta hash: what is no usage.
//
//     ARN TAGSET calls[@CLASS] CHARGED FAILED
//     ARN TAGSET weights       MILLITOKENS SD SOURCE of input, output, cache reads and cache writes: how
//                              many tokens a call was estimated to use, the standard deviation of that
//                              (permille), and where the weight comes from
//     metric KIND              METERED EXCESS: what the metrics say; exact tokens beyond them
//     telemetry                USED REFUSED UNJOINED: calls with tokens of telemetry; of these, such that
//                              exceed the metric (estimator/telemetry_check.h); telemetry that fits no call
//     model                    the ARN by which an application inference profile was called
//     foundation               the foundation model that records name behind an id
//     digest                   16 hex digits: the sum of row_digest over all other fields of both hashes. By
//                              it a reader that caches what it read knows whether that is still current.
//                              Where models are summed up, settle.lua computes a sum of its own
//
// estimator/figure.h defines the numbers of a figure. The words at its end are further members of it:
//
//     ttl              ttl_may_be_1h
//     band             band_estimated
//     scope            scope_unknown
//     cache:N          cache_unknown
//     telemetry:N      telemetry
//     longest:N        prompt_max
//     by:SOURCE        ttl_source; without it the TTL of the assumed tokens is the prior's
//     other:RATE       other_rate
//     borrowed:LESS    rate_borrowed, and less
//     less:LESS        less, of a rate that is not borrowed
//
// Names hold no blanks. A reader skips fields and words that it does not know, and rows whose figure is not
// valid.
#ifndef NOWCAST_STORE_USAGE_ROWS_H
#define NOWCAST_STORE_USAGE_ROWS_H

#include "base/buf.h"
#include "estimator/allocate.h"
#include "store/view_row.h"

// Appends the field and the value of a row. Its names are those that Redis holds, without blanks.
void row_format_field(const struct view_row *r, struct buf *ret);
void row_format_value(const struct view_row *r, struct buf *ret);

// Reads a field of either hash; the strings are slices of `field`, the role is left empty. False: it is no
// row, or its figure is not valid.
bool row_read(struct str field, struct str value, struct view_row *ret);

// ---- other fields of the meta hash --------------------------------------------------------------

#define META_MODEL "model"
#define META_FOUNDATION "foundation"
#define META_DIGEST "digest"
#define META_WEIGHTS "weights"
#define META_METRIC "metric"
#define META_TELEMETRY "telemetry"
#define META_PART "part" // of `(other models)`: "part MODELID" -> a model with usage among the sums

// KIND of META_METRIC; NULL for a kind that has no metric.
const char *meta_metric_name(enum token_kind kind);

void weights_format(const struct weight *w, struct buf *ret);

struct weight_row {
	int64_t milli, sd_permille;
	struct str source; // one of weight_source_names
};
extern const char *const weight_source_names[WEIGHT_SOURCES];

// False: not the weights of a caller. Slices of `field` and `value`.
bool weights_read(struct str field, struct str value, struct str *ret_principal, struct str *ret_tagset,
                  struct weight_row ret[METRIC_KINDS]);

// ---- the digest ---------------------------------------------------------------------------------

// What a field and its value add to the digest of their hashes. The sum wraps around, so the order does not
// matter. Every writer keeps it up to date; readers never cache hashes without one.
uint64_t row_digest(struct str field, struct str value);
enum { ROW_DIGEST_SIZE = 17 };
char *row_digest_format(uint64_t digest, char *buf); // buf holds ROW_DIGEST_SIZE; returns buf
uint64_t row_digest_parse(struct str text);          // 0: it is none

#endif
