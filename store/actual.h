// SPDX-License-Identifier: Apache-2.0
// Billed figures as Redis holds them beside the estimate, which they never overwrite. reconcile/ writes them,
// the view reads them. The keys are key_actual... of store/keys.h. The hash of an hour and model has
//
//     field  ARN TYPE[@TIER]    TOKENS PICODOLLARS LISTPICODOLLARS
//
// PICODOLLARS is what was charged (unblended), LISTPICODOLLARS what it is at public rates; 1e12 to the
// dollar. TYPE is a token type. From `since` up to the watermark (key_billed) the bill counts, elsewhere the
// estimate.
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
	enum token_type type;
	int rate_class;       // a tier
	int64_t tokens;
	struct usd usd, list;
};

// Appends the field and the value of a row.
void actual_format_field(const struct actual_row *r, struct buf *ret);
void actual_format_value(const struct actual_row *r, struct buf *ret);

// Reads a field and its value. False: it is no row. The principal is a slice of `field`.
bool actual_read(struct str field, struct str value, struct view_row *ret);

// What readers see of a billed hour: the actual rows, those of each caller split over the tags under which
// the estimate has it (in proportion to its tokens, to the token and the picodollar), and the estimate's
// calls and units, which the bill's rows do not have.
void actual_over(const struct view_row *actual, int nactual, const struct view_row *estimate, int nestimate,
                 struct arena *arena, const struct view_row **ret_rows, int *ret_nrows);

#endif
