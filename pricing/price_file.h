// SPDX-License-Identifier: Apache-2.0
// A price file: CSV text to checked rows, and back. The built-in catalogue and users' files are read by the
// same code. The first line that is not a comment names the columns, in any order:
//
//   model               name without date and without version 0 or 1 (pricing/model_id.h); with a profile
//                       before it ("in.anthropic.claude-haiku-4-5"), only calls through that profile
//   scope               global: called through a global. profile; regional: everything else; any: both
//   region              a Region, a geography (eu-*, us-gov-*), or empty: every commercial Region
//   account             optional: 12 digits, or empty: every account
//   tier                optional: standard (or empty), batch, flex, priority, latency, reserved,
//                       ultrafast
//   from, to            in force in [from, to), UTC, on whole hours; empty: no limit
//   prompt_tokens_over  optional: the row is for requests whose prompt has more tokens than this
//   input, output, cache_read, cache_write_5m, cache_write_1h   USD per million tokens; empty: unknown
//   unit                optional: what the model is billed by, if not by token
//   per_unit            optional: USD for one of them
//   source              where the rates come from, with a date
//
// A file with an error is refused as a whole.
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
// of a token: $10,000 per million; more is refused as a wrong unit
#define RATE_MAX (INT64_C(10000) * 1000000)

struct price_row {
	struct str model;           // canonical name (pricing/model_id.h)
	enum price_scope scope;
	struct str profile;         // "in": only calls through this profile; empty: through any, and plain ids
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
	size_t nlines;       // of the file that are rows: one of scope "any" is two of `v`
	char *text;          // what the strings of the rows point into
};

// Reads `text`, which may be freed afterwards. `name` is the file's name, for messages. ERR_CONFIG has file,
// line and reason; *ret is then unchanged. A row of scope "any" becomes two rows.
bool price_file_read(struct price_rows *ret, struct str text, const char *name, struct err *err) NC_CHECK;
void price_rows_release(struct price_rows *r);

static inline bool price_row_in_force(const struct price_row *r, int64_t time_ms)
{
	return r->from_ms <= time_ms && time_ms < r->to_ms;
}

// Compares rows by place, not by time: model, scope, tier, region, profile, account, prompt length.
int price_row_compare_place(const struct price_row *a, const struct price_row *b);

// Same model, scope, tier, region, profile and account; the prompt lengths may differ.
bool price_row_same_place(const struct price_row *a, const struct price_row *b);

// Appends the first line of a price file, with all columns, and the line of a row. Its strings may be any
// text.
void price_file_write_head(struct buf *csv);
void price_file_write_row(struct buf *csv, const struct price_row *row);

// Appends the model as price files name it, with the row's profile: "in.anthropic.claude-haiku-4-5".
void price_row_add_model(struct buf *ret, const struct price_row *row);

// Not GovCloud, China, or an isolated Region: those have only rates that name them.
bool region_is_commercial(struct str region);

// The geography of a region as price files write it: "eu-west-1" -> "eu", "us-gov-east-1" -> "us-gov".
struct str region_geography(struct str region);

#endif
