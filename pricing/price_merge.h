// SPDX-License-Identifier: Apache-2.0
// Merges an imported price list with the import before it. A list has the present rates only: AWS's price
// list has no past ones, LiteLLM's table has no dates. So the rates of the earlier import are kept for the
// time before, and an hour that is computed again, or late, is priced as it was.
//
//     before   |---- 3.3 --------------------      before   |---- 3.3 ------------------   (no longer listed)
//     new                     |---- 3.0 -----      new
//     merged   |---- 3.3 ----||---- 3.0 -----      merged   |---- 3.3 -------------| now
//
// A rate that is the same in both keeps its first date. Merging the same list again changes nothing.
#ifndef NOWCAST_PRICING_PRICE_MERGE_H
#define NOWCAST_PRICING_PRICE_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "pricing/price_diff.h"
#include "pricing/price_file.h"

struct price_merge {
	struct buf csv;            // the merged price file
	// rates in force now that the new list no longer has, in the order of the rows; is: RATE_UNKNOWN
	struct price_change *gone;
	size_t ngone, rows;        // rows: of the merged file
};

// `old` (the rows of the same source so far) and `new` must outlive the result. `name` is the source's.
void price_merge_init(struct price_merge *ret, const struct price_rows *old, const struct price_rows *new,
                      const char *name, int64_t now_ms);
void price_merge_release(struct price_merge *m);

#endif
