// SPDX-License-Identifier: Apache-2.0
// The estimate beside the bill, and why they differ. Pure, in integers; the parts of a difference add up to
// it exactly:
//
//     billed - estimated  =  volume + price + attribution + unmetered + unbilled
//
//   volume       the model took more or fewer tokens, in that hour, than were seen: at the estimate's rate
//   attribution  the tokens were seen, but given to another caller: sums to nothing over the callers
//   price        the rate differs: private pricing, a tier that no record told, the TTL of cache writes
//   unmetered    billed, and nobody saw it: no signal of that model and token type in that hour
//   unbilled     seen, and not billed
//
// Compared are token types and service tiers apart. An estimate that took one-hour cache writes for
// five-minute ones, or one tier for another, erred in the rate, not in the volume: before comparing, such
// tokens are set beside the billed ones of the same caller, at the price the estimate gave them.
#ifndef NOWCAST_RECONCILE_COMPARE_H
#define NOWCAST_RECONCILE_COMPARE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/usd.h"
#include "store/view.h"

struct difference {
	int64_t estimated_tokens, billed_tokens;
	struct usd estimated, billed, list;  // list: of what is billed, at public rates
	struct usd volume, price, attribution, unmetered, unbilled;
};

void difference_add(struct difference *to, const struct difference *d);

struct compared {
	struct view_row who;   // principal, role, tagset and type; its figure is empty
	struct difference d;
};

// Compares the rows of one hour, account, Region and model; a row of the result a caller and token type.
// Results live in `arena`.
void compare_rows(const struct view_row *estimate, int nestimate, const struct view_row *billed, int nbilled,
                  struct arena *arena, struct compared **ret, int *ret_n);

// The same for a model hour, with the billed figures shared out over the tags under which the estimate saw
// the callers.
void compare_model_hour(const struct model_hour *model_hour, struct arena *arena, struct compared **ret,
                        int *ret_n);

#endif
