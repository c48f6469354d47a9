// SPDX-License-Identifier: Apache-2.0
// What hour_stats.c, which computes hour statistics, and hour_stats_codec.c, which knows their bytes, share.
#ifndef NOWCAST_ESTIMATOR_HOUR_STATS_PRIV_H
#define NOWCAST_ESTIMATOR_HOUR_STATS_PRIV_H

#include "estimator/hour_stats.h"

// Calls are counted in parts of a call, so that their bytes are few and the same on every machine.
enum { CALL_PARTS = 16 };

// Arrays for `n` principals, all zero.
void hour_stats_init(struct hour_stats *ret, int32_t n, struct arena *arena);

// Appends the bytes of statistics of at least one principal.
void hour_stats_encode(const struct hour_stats *s, struct buf *ret);

#endif
