// SPDX-License-Identifier: Apache-2.0
// A price file: CSV text to checked rows. The built-in catalogue and users' files are read by the same code.
//
// Columns are found by the names in the first line that is not a comment, in any order; pricing/builtin.csv describes
// them. A file is taken whole or not at all.
#ifndef NOWCAST_PRICING_PRICE_FILE_H
#define NOWCAST_PRICING_PRICE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "pricing/model_id.h"
#include "pricing/price.h"

enum { RATE_UNKNOWN = -1 };

struct price_row {
	struct str model;           // canonical name (pricing/model_id.h)
	enum price_scope scope;
	struct str region;          // "eu-west-1", "eu-*", or empty: every commercial Region
	int64_t prompt_over;        // tokens; the rate of requests with a longer prompt; 0: of all others
	int64_t from_ms, to_ms;     // [from, to), whole hours; 0 and INT64_MAX where open
	int64_t rate[TOKEN_TYPES];  // picodollars per token; RATE_UNKNOWN
	struct str unit;            // what the model is billed by if not by token; empty
	const char *source;         // NUL-terminated
	int line;                   // of the file, from 1
};

struct price_rows {
	struct price_row *v; // sorted by model, scope, region, prompt_over, from_ms
	size_t n;
	char *text;          // what the strings of the rows point into
};

// Reads `text`, which may go away afterwards. `name` is the file's name, for messages. On failure (ERR_CONFIG, with file,
// line and reason) *ret is untouched. A row of scope "any" becomes two rows.
bool price_file_read(struct price_rows *ret, struct str text, const char *name, struct err *err) NC_CHECK;
void price_rows_release(struct price_rows *r);

// The geography of a region as price files write it: "eu-west-1" -> "eu", "us-gov-east-1" -> "us-gov".
struct str region_geography(struct str region);

#endif
