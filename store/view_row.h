// SPDX-License-Identifier: Apache-2.0
// One row of a model hour: what one caller used, of one kind. usage_rows.c reads it out of the estimate's
// hashes, actual.c out of the bill's.
#ifndef NOWCAST_STORE_VIEW_ROW_H
#define NOWCAST_STORE_VIEW_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "estimator/figure.h"
#include "estimator/tariff.h"
#include "pricing/price.h"

enum row_kind {
	ROW_TOKENS,    // tokens of one type
	ROW_CALLS,     // how many calls there were: no usage, and no dollars
	ROW_UNITS,     // images or search units, of a model that is billed by them
	// calls whose usage no record and no metric counts, of a model that is billed by units or has no price;
	// never priced
	ROW_UNCOUNTED,
};

struct call_count {
	int64_t charged, failed;
};

struct view_row {
	// ARN, "arn:...:assumed-role/ROLE/(other sessions)" (store/cardinality.h), or UNATTRIBUTED
	struct str principal;
	struct str role;         // name of the role, or of the role of a session; empty for others
	struct str tagset;       // id of the session's tags, "-"
	enum row_kind kind;
	enum token_type type;    // of ROW_TOKENS; else 0
	uint8_t rate_class;      // of ROW_TOKENS and ROW_CALLS (estimator/rate_class.h); else 0
	struct figure figure;    // all zero for ROW_CALLS
	struct call_count calls; // of ROW_CALLS; else zero
};

static inline bool row_has_units(const struct view_row *r) { return r->kind >= ROW_UNITS; }

// "input", ..., "calls", "units": ROW_UNCOUNTED are units, too.
const char *row_name(const struct view_row *r);

// Order by principal, tags, rate class and type; within a rate class calls come last, and units after all.
int row_cmp(const struct view_row *a, const struct view_row *b);

// Whether both rows are of one caller and priced together: the rate of tokens depends on the length of the
// prompt, which the other rows of their rate class make up. Such rows are neighbours in the order above.
bool row_shares_price(const struct view_row *a, const struct view_row *b);

// Adds a row to what is priced together; units are priced on their own, and pass.
void priced_usage_add_row(struct priced_usage *to, const struct view_row *r);

#endif
