// SPDX-License-Identifier: Apache-2.0
// /metrics for Prometheus: today's and this month's spend, and the state of the program.
//
// The number of series is bounded: of models, teams and principals the most expensive metrics.top of the
// day have their own, and the others are summed as "(other)". The label `basis` says how dollars are known.
#ifndef NOWCAST_WEB_METRICS_H
#define NOWCAST_WEB_METRICS_H

#include "web/api.h"

struct metrics_server { // counts of the HTTP server
	uint64_t requests, refused; // all, and those answered 4xx
	int viewers;
	int64_t started_ms;
};

// All metrics, in the text format. While Redis does not answer nowcast_up is 0 and the figures are missing.
void metrics_write(struct api *a, const struct metrics_server *s, struct buf *out);

#endif
