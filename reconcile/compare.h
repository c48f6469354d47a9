// SPDX-License-Identifier: Apache-2.0
// Compares the estimate with the bill and explains the difference. Pure, in integers. The parts of a
// difference add up to it exactly:
//
//     billed - estimated  =  volume + price + attribution + unmetered + unbilled
//
//   volume       the bill has more or fewer tokens of the model and hour than were estimated, at the
//                estimate's rate
//   attribution  the tokens were estimated, but for another caller; its sum over the callers is 0
//   price        the rate differs: private pricing, a tier that no record names, the TTL of cache writes
//   unmetered    billed without any signal of that model and token type in that hour
//   unbilled     estimated, and not billed
//
// Token types and service tiers are compared separately. An estimate that took 1-hour cache writes for
// 5-minute ones, or one tier for another, has the wrong rate and not the wrong volume. So before comparing,
// such tokens are matched with the billed ones of the same caller, at the price that the estimate gave them.
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
	struct view_row who;   // principal, role, tagset, type and tier; its figure is empty
	struct difference d;
};

// Compares the rows of one hour, account, Region and model. The result has one row per caller and token type.
// Results live in `arena`.
void compare_rows(const struct view_row *estimate, int nestimate, const struct view_row *billed, int nbilled,
                  struct arena *arena, struct compared **ret, int *ret_n);

// The same for a model hour. The billed figures of a caller are divided among the sets of session tags with
// which the estimate has the caller.
void compare_model_hour(const struct model_hour *model_hour, struct arena *arena, struct compared **ret,
                        int *ret_n);

#endif
