// SPDX-License-Identifier: Apache-2.0
// Discounts that AWS gives an account, or a whole organisation, on its list rates. A CSV file with this first
// line, and then a line each:
//
//     account,model,from,to,percent,note
//     111122223333,anthropic.*,2026-01-01,2027-01-01,12.5,private pricing
//     ,,2026-07-01,,4,EDP of the organisation
//
//   account   12 digits; empty: every account of the organisation
//   model     a model's name without profile, date, and version 0 or 1; a vendor's models (anthropic.*);
//             empty: all
//   from, to  in force in [from, to), whole hours; empty: no limit
//   percent   off the rate, 0 to 100, at most four decimals
//   note      what it is; shown with every rate it is applied to
//
// One discount applies to a rate: that of its account before that of the organisation, then that of its model
// before that of the vendor, and that before that of all. Two of the same account and model must not overlap.
#ifndef NOWCAST_PRICING_DISCOUNTS_H
#define NOWCAST_PRICING_DISCOUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { DISCOUNT_WHOLE = 1000000 }; // 100 percent

struct discount {
	struct str account, model; // empty: all; a vendor's models end with ".*"
	int64_t from_ms, to_ms;
	int64_t ppm;               // of DISCOUNT_WHOLE
	struct str note;
	int line;                  // of the file, from 1
};

struct discounts;

// `text` may be freed afterwards; `file` is for messages. The caller owns the result. ERR_CONFIG: with the
// line and the reason; the file is not used.
bool discounts_read(struct discounts **ret, struct str text, const char *file, struct err *err) NC_CHECK;
void discounts_free(struct discounts *d);

// The one that applies; NULL: none. `d` may be NULL. `model` is a canonical name (pricing/model_id.h).
const struct discount *discounts_find(const struct discounts *d, struct str account, struct str model,
                                      int64_t time_ms);

#endif
