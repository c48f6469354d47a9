// SPDX-License-Identifier: Apache-2.0
// Divides the cache writes of one caller, rate class and hour whose TTL no record names among its two
// figures, again: as a declaration says. The result is that of figures which were computed with this share;
// tokens are conserved, and dollars are tokens x rate as before. There is no doubt about the TTL left in the
// band.
#ifndef NOWCAST_ESTIMATOR_TTL_DIVIDE_H
#define NOWCAST_ESTIMATOR_TTL_DIVIDE_H

#include "estimator/figure.h"

// `five` and `hour`: the figures of 5-minute and of 1-hour writes; all zero: there is none, before and after.
// `permille` of the open tokens live for one hour. False: tokens would go to where there is no rate, and
// nothing is changed.
bool ttl_divide(struct figure *five, struct figure *hour, int32_t permille, enum ttl_source source);

#endif
