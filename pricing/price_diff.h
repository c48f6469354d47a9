// SPDX-License-Identifier: Apache-2.0
// What an import would change: each rate of a price file beside the rate in force now for the same place and
// time. `nowcast price import` shows it, and refuses a rate that changes too much.
#ifndef NOWCAST_PRICING_PRICE_DIFF_H
#define NOWCAST_PRICING_PRICE_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "pricing/price_file.h"
#include "pricing/prices.h"

struct price_change {
	const struct price_row *row; // of the new file
	enum token_type type;
	bool per_unit;               // the rate of the unit that the model is billed by, not of a token
	int64_t was, is;             // picodollars per token or unit; RATE_UNKNOWN: no price
	struct price_source source;  // of `was`
};

struct price_diff {
	struct price_change *changes; // rates that differ, then those that are new; in the order of the rows
	size_t n;
	size_t differing, fresh, same; // differing + fresh == n
};

// `old` and `rows` must outlive the result. A row of many Regions is compared in one of them.
void price_diff_init(struct price_diff *ret, const struct prices *old, const struct price_rows *rows);
void price_diff_release(struct price_diff *d);

// The rate `t` of a row: of a token type, or of a unit if `t` is TOKEN_TYPES. `was` is not set.
struct price_change price_change_of(const struct price_row *row, int t);

// Whether the rate rises or falls by more than `factor`, or to or from zero: a wrong unit looks like this.
bool price_change_is_wild(const struct price_change *c, int64_t factor);

// Appends "anthropic.claude-sonnet-4-6 regional us-east-1 input 3.3 -> 3 (builtin)".
void price_change_describe(const struct price_change *c, struct buf *ret);

#endif
