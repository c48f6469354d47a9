// SPDX-License-Identifier: Apache-2.0
// Checks everything that the figures need, and reports what is wrong and what to do: for `nowcast doctor` and
// for the dashboard.
#ifndef NOWCAST_QUERY_HEALTH_H
#define NOWCAST_QUERY_HEALTH_H

#include "query/finding.h"
#include "query/last_day.h"

// Checks Redis and what is stored there, and the prices. If Redis does not answer, that is a finding.
// `now_ms`: the present for what is stored. `day`, `prices`: what the last check has read; all zero before
// the first.
void health_check(const struct conf *conf, struct view *view, int64_t now_ms, struct last_day *day,
                  struct prices_kept *prices, health_fn *report, void *user);

// Checks the topics, how far the consumer group has read them, and whether Redis has what was read.
void health_check_kafka(const struct conf *conf, struct view *view, health_fn *report, void *user);

#endif
