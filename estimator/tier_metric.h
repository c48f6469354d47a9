// SPDX-License-Identifier: Apache-2.0
// Where the service tier is a dimension of CloudWatch's metrics, they say how many tokens of a model and
// minute each tier served, but not whose tokens. The callers' own records may account for fewer tokens of a
// tier. The rest is moved from their usage at the standard tier, in proportion to it, so that the sum of each
// tier equals the metric.
#ifndef NOWCAST_ESTIMATOR_TIER_METRIC_H
#define NOWCAST_ESTIMATOR_TIER_METRIC_H

#include "base/arena.h"
#include "estimator/rate_class.h"

// Whether any minute of the hour has metrics by tier.
bool tier_metric_known(const struct span *s);

// `v` has *n rows, sorted by caller and rate class; returns as many or more, in `arena`, sorted likewise.
// Tokens move only between the rate classes of one caller, and their sum stays the same.
struct rate_class_usage *tier_metric_shift(const struct span *s, const struct rate_class_usage *v, int32_t *n,
                                           struct arena *arena);

#endif
