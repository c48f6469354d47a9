// SPDX-License-Identifier: Apache-2.0
// Compares the estimate with the bill and explains the difference. Pure, in integers. The parts of a
// difference add up to it exactly:
//
//     billed - estimated  =  volume + price + ttl + attribution + unmetered + unbilled
//
//   volume       the bill has more or fewer tokens of the model and hour than were estimated, at the
//                estimate's rate
//   attribution  the tokens were estimated, but for another caller; its sum over the callers is 0
//   price        the rate differs: private pricing, or a tier that no record names
//   ttl          cache writes live for another time than estimated: 5 minutes, or 1 hour
//   unmetered    billed without any signal of that model and token type in that hour
//   unbilled     estimated, and not billed: callers of whom the bill has nothing, as far as the estimate
//                exceeds it (store/actual.h), and token types of which it has nothing
//
// Token types and service tiers are compared separately. An estimate that took 1-hour cache writes for
// 5-minute ones, or one tier for another, has not the wrong volume. So before comparing, such tokens are
// matched with the billed ones: in a tier at the price that the estimate gave them, and cache writes at the
// price of the other TTL, which is that of the same list: AWS bills writes for 5 minutes at 1.25 times the
// rate of input, and for 1 hour at 2 times (Amazon Bedrock pricing).
#ifndef NOWCAST_RECONCILE_COMPARE_H
#define NOWCAST_RECONCILE_COMPARE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/usd.h"
#include "store/actual.h"
#include "store/view.h"

struct difference {
	int64_t estimated_tokens, billed_tokens;
	struct usd estimated, billed, list;  // list: of what is billed, at public rates
	struct usd volume, price, ttl, attribution, unmetered, unbilled;
};

void difference_add(struct difference *to, const struct difference *d);

// The parts of a difference, in the order in which they are shown, and their names: "volume", "price",
// "ttl", ...
enum { DIFFERENCE_PARTS = 6 };
extern const char *const difference_part_names[DIFFERENCE_PARTS];
void difference_parts(const struct difference *d, struct usd ret[DIFFERENCE_PARTS]);

struct compared {
	struct view_row who;   // principal, role, tagset, type and tier; its figure is empty
	struct difference d;
};

// Compares the rows of one hour, account, Region and model. The result has one row per caller and token
// type, or unit. The billed figures of a caller are divided among the sets of session tags with which the
// estimate has the caller. Results live in `arena`.
void compare_rows(const struct actual_sides *s, struct arena *arena, struct compared **ret, int *ret_n);

// The same for a model hour.
void compare_model_hour(const struct model_hour *model_hour, struct arena *arena, struct compared **ret,
                        int *ret_n);

#endif
