// SPDX-License-Identifier: Apache-2.0
// What would change if these rows were taken: each rate of a price file beside the rate that counts now in
// the same place, at the same time. Shown to a person before an import, and the ground on which a wild one is
// refused.
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
	bool per_unit;               // not of a token, of what the model is billed by instead
	int64_t was, is;             // picodollars per token or unit; RATE_UNKNOWN: had no price
	struct price_source source;  // of what it was
};

struct price_diff {
	struct price_change *changes; // rates that differ, then those that are new; in the order of the rows
	size_t n;
	size_t differing, fresh, same; // differing + fresh == n
};

// `old` and `rows` outlive the result. A row for many Regions is compared in one that stands for them.
void price_diff_init(struct price_diff *ret, const struct prices *old, const struct price_rows *rows);
void price_diff_release(struct price_diff *d);

// The rate `t` of a row: a token type, or TOKEN_TYPES for that of a unit. `was` is left open.
struct price_change price_change_of(const struct price_row *row, int t);

// The rate rises or falls by more than `factor`, or to or from nothing: a slip of the unit looks like that.
bool price_change_is_wild(const struct price_change *c, int64_t factor);

// Appends "anthropic.claude-sonnet-4-6 regional us-east-1 input 3.3 -> 3 (builtin)".
void price_change_describe(const struct price_change *c, struct buf *ret);

#endif
