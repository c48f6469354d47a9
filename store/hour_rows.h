// SPDX-License-Identifier: Apache-2.0
// From what an hour came to (estimator/allocate.h) to the rows that Redis holds of it (store/usage_rows.h).
//
// Callers beyond the cardinality limit of their group (store/cardinality.h) are summed into one row,
// ".../ROLE/*", for each set of tags, or without tags where the group has more sets of tags than names. A
// model beyond the limit is marked as overflow: its rows are plain sums then, which settle.lua adds to those
// of the other models.
#ifndef NOWCAST_STORE_HOUR_ROWS_H
#define NOWCAST_STORE_HOUR_ROWS_H

#include "estimator/allocate.h"
#include "store/store.h"

// Fills usage, meta, overflow and unpriced of `ret`, whose hour is set. The rows live in `arena`.
void hour_rows_write(const struct series *s, const struct span *span, const struct hour_usage *u,
                     const struct engine_options *o, struct arena *arena, struct settled *ret);

#endif
