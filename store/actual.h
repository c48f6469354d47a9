// SPDX-License-Identifier: Apache-2.0
// Billed figures as they stand in Redis beside the estimate, which they never overwrite. reconcile/ writes
// them, the view reads them. docs/redis-keys.md shows them to people.
//
//   <prefix>:{account/region}:actual                     sorted set: HOUR:MODEL, scored by hours since the epoch
//   <prefix>:{account/region}:actual:2026-11-02T05:MODEL hash: ARN TYPE[@TIER] -> TOKENS PICODOLLARS LISTPICODOLLARS
//                                                              # model  -> ARN of an application inference profile
//   <prefix>:{account/region}:actual:models              set: every model key that was ever billed there
//   <prefix>:{account/region}:billed                     hash: since, watermark -> hours since the epoch
//                                                              2026-11   -> number of the run that wrote that period
//
// PICODOLLARS is what was charged (unblended), LISTPICODOLLARS what it is at public rates; 1e12 to the
// dollar. TYPE is a token type; the two TTLs of cache writes stand apart. From `since` up to the watermark
// the bill counts, elsewhere the estimate.
#ifndef NOWCAST_STORE_ACTUAL_H
#define NOWCAST_STORE_ACTUAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/usd.h"
#include "store/view_row.h"

// A field and value of an actual hash. False: not such a row. Slices point into `field`.
bool actual_read(struct str field, struct str value, struct view_row *ret);

// What readers see of a billed hour: the actual rows, those of each caller split over the tags under which the
// estimate has it (in proportion to its tokens, to the token and the picodollar), and the estimate's calls
// and units, which the bill's rows do not have.
void actual_over(const struct view_row *actual, int nactual, const struct view_row *estimate, int nestimate,
                 struct arena *arena, const struct view_row **ret_rows, int *ret_nrows);

#endif
