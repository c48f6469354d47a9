// SPDX-License-Identifier: Apache-2.0
// Findings on what was observed of the last days: minutes of which nothing was read, and signals that were
// missing in an account and Region. Part of health_check.
#ifndef NOWCAST_QUERY_OBSERVED_HEALTH_H
#define NOWCAST_QUERY_OBSERVED_HEALTH_H

#include "query/finding.h"

bool observed_health_check(struct redis *r, const char *prefix, int64_t now_ms, health_fn *report, void *user,
                           struct err *err) NC_CHECK;

#endif
