// SPDX-License-Identifier: Apache-2.0
// What hour_stats.c, which computes hour statistics, and hour_stats_codec.c, which knows their bytes, share.
#ifndef NOWCAST_ESTIMATOR_HOUR_STATS_PRIV_H
#define NOWCAST_ESTIMATOR_HOUR_STATS_PRIV_H

#include "estimator/hour_stats.h"

// Arrays for `n` principals, all zero.
void hour_stats_init(struct hour_stats *ret, int n, struct arena *arena);

// How many numbers the lower triangle of an n x n matrix has.
static inline size_t hour_stats_triangle(int n) { return (size_t)n * (size_t)(n + 1) / 2; }

// Appends the bytes of statistics of 1 to HOUR_STATS_PRINCIPALS principals.
void hour_stats_encode(const struct hour_stats *s, struct buf *ret);

#endif
