// SPDX-License-Identifier: Apache-2.0
// Billed figures as Redis holds them beside the estimate, which they never overwrite. reconcile/ writes them,
// the view reads them. The keys are key_actual... of store/keys.h. The hash of an hour and model has
//
//     field  ARN TYPE[@TIER]    TOKENS PICODOLLARS LISTPICODOLLARS [TAGSET]
//     field  ARN units          the same, of other units
//
// PICODOLLARS is what was charged (unblended), LISTPICODOLLARS what it is at public rates; 1e12 to the
// dollar. TYPE is a token type. TAGSET are the session tags that the caller had in that hour, with whatever
// model. From `since` up to the watermark (key_billed) the bill counts, elsewhere the estimate.
#ifndef NOWCAST_STORE_ACTUAL_H
#define NOWCAST_STORE_ACTUAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/usd.h"
#include "store/view_row.h"

struct actual_row {
	struct str principal; // without blanks
	enum row_kind kind;   // ROW_TOKENS or ROW_UNITS
	enum token_type type; // of ROW_TOKENS
	int rate_class;       // of ROW_TOKENS: a tier
	int64_t tokens;
	struct usd usd, list;
	struct str tagset;    // empty: none
};

// Appends the field and the value of a row.
void actual_format_field(const struct actual_row *r, struct buf *ret);
void actual_format_value(const struct actual_row *r, struct buf *ret);

// Reads a field and its value. False: it is no row. Its strings are slices of `field` and `value`.
bool actual_read(struct str field, struct str value, struct view_row *ret);

// The rows of one model hour, of both sides. Those of each side are in the order of row_cmp.
struct actual_sides {
	const struct view_row *actual, *estimate;
	int nactual, nestimate;
};

// What readers see of a final hour.
struct actual_rows {
	// The actual rows, those of each caller split over the tags under which the estimate has it (in
	// proportion to its tokens, to the token and the picodollar); and the estimate's calls, which the bill
	// does not have.
	const struct view_row *rows;
	// Of the estimate, what was not billed: the rows of callers of whom the bill has none, as far as the
	// estimate of the model exceeds the bill. What it does not exceed was billed to somebody else.
	const struct view_row *unbilled;
	int nrows, nunbilled;
};

void actual_over(const struct actual_sides *s, struct arena *arena, struct actual_rows *ret);

#endif
