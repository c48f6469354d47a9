// SPDX-License-Identifier: Apache-2.0
// An imported list says what holds from a day on, and nothing of the days before: AWS's price list has the
// present rates only, LiteLLM's table no dates at all. What the import before it said of those days stays, so
// that an hour that is computed again, or late, is priced as it was.
//
//     before   |---- 3.3 ------------------------        before   |---- 3.3 ------------------------   (no longer listed)
//     new                     |---- 3.0 ---------        new
//     merged   |---- 3.3 ----||---- 3.0 ---------        merged   |---- 3.3 -------------| now
//
// A rate that the new list has unchanged goes on from when it began. Merging the same list again changes
// nothing.
#ifndef NOWCAST_PRICING_PRICE_MERGE_H
#define NOWCAST_PRICING_PRICE_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "pricing/price_diff.h"
#include "pricing/price_file.h"

struct price_merge {
	struct buf csv;            // the merged price file
	// rates that hold now and that the new list no longer has, in the order of the rows; is: RATE_UNKNOWN
	struct price_change *gone;
	size_t ngone, rows;        // rows: of the merged file
};

// `old` (what the same source said so far) and `new` outlive the result. `name` is the source's.
void price_merge_init(struct price_merge *ret, const struct price_rows *old, const struct price_rows *new,
                      const char *name, int64_t now_ms);
void price_merge_release(struct price_merge *m);

#endif
