// SPDX-License-Identifier: Apache-2.0
// CloudWatch tells, where the service tiers are a dimension of its metrics, how many tokens of a model and
// minute each tier served, but not whose. What the callers' own records do not account for is taken from what
// they are thought to have used at the standard rate, in proportion to it, so that the sum of each tier is
// the metric's.
#ifndef NOWCAST_ESTIMATOR_TIER_METRIC_H
#define NOWCAST_ESTIMATOR_TIER_METRIC_H

#include "base/arena.h"
#include "estimator/rate_class.h"

// Whether any minute of the hour tells tiers apart.
bool tier_metric_known(const struct span *s);

// `v` has *n rate classes, sorted by caller and rate class; returns as many or more, sorted likewise. Tokens
// move between the rate classes of one caller only, and none is lost.
struct rate_class_usage *tier_metric_shift(const struct span *s, const struct rate_class_usage *v, int32_t *n,
                                           struct arena *arena);

#endif
