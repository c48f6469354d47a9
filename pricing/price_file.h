// SPDX-License-Identifier: Apache-2.0
// A price file: CSV text to checked rows. The built-in catalogue and users' files are read by the same code.
//
// Columns are found by the names in the first line that is not a comment, in any order:
//
//   model               name without date and without version 0 or 1 (pricing/model_id.h)
//   scope               global: called through a global. profile; regional: everything else; any: both
//   region              a Region, a geography (eu-*, us-gov-*), or empty: every commercial Region
//   account             optional: an account of 12 digits, or empty: every account
//   tier                optional: standard (or empty), batch, flex, priority, latency, reserved
//   from, to            in force in [from, to), UTC, on whole hours; empty is open
//   prompt_tokens_over  optional: the rate of a whole request whose prompt is longer
//   input output cache_read cache_write_5m cache_write_1h   USD per million tokens; 0 is free, empty is not known
//   unit                optional: what the model is billed by where it is not billed by token
//   per_unit            optional: USD for one of them
//   source              where the figures are from, with a date
//
// A file is taken whole or not at all.
#ifndef NOWCAST_PRICING_PRICE_FILE_H
#define NOWCAST_PRICING_PRICE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "pricing/model_id.h"
#include "pricing/price.h"

enum { RATE_UNKNOWN = -1 };
// of a token: $10,000 per million; more is taken for a slip of the unit
#define RATE_MAX (INT64_C(10000) * 1000000)

struct price_row {
	struct str model;           // canonical name (pricing/model_id.h)
	enum price_scope scope;
	struct str region;          // "eu-west-1", "eu-*", or empty: every commercial Region
	struct str account;         // 12 digits, or empty: every account
	enum price_tier tier;
	int64_t prompt_over;        // tokens; the rate of requests with a longer prompt; 0: of all others
	int64_t from_ms, to_ms;     // [from, to), whole hours; 0 and INT64_MAX where open
	int64_t rate[TOKEN_TYPES];  // picodollars per token; RATE_UNKNOWN
	struct str unit;            // what the model is billed by if not by token; empty
	int64_t per_unit;           // picodollars per such unit; RATE_UNKNOWN
	const char *source;         // NUL-terminated
	int line;                   // of the file, from 1
};

struct price_rows {
	struct price_row *v; // sorted by price_row_compare_place, then from_ms
	size_t n;
	char *text;          // what the strings of the rows point into
};

// Reads `text`, which may go away afterwards. `name` is the file's name, for messages. On failure
// (ERR_CONFIG, with file, line and reason) *ret is untouched. A row of scope "any" becomes two rows.
bool price_file_read(struct price_rows *ret, struct str text, const char *name, struct err *err) NC_CHECK;
void price_rows_release(struct price_rows *r);

static inline bool price_row_in_force(const struct price_row *r, int64_t time_ms)
{
	return r->from_ms <= time_ms && time_ms < r->to_ms;
}

// The order of rows but for their time: model, scope, tier, region, account, prompt length.
int price_row_compare_place(const struct price_row *a, const struct price_row *b);

// Appends the first line of a price file with all columns, and the line of a row. `source` may be anybody's
// text.
void price_file_write_head(struct buf *csv);
void price_file_write_row(struct buf *csv, const struct price_row *row);

// The geography of a region as price files write it: "eu-west-1" -> "eu", "us-gov-east-1" -> "us-gov".
struct str region_geography(struct str region);

#endif
