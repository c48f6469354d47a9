// SPDX-License-Identifier: Apache-2.0
// /metrics for Prometheus: today's and this month's spend, and the state of the program.
//
// How many series there may be is bounded: the dearest metrics.top models and principals of the day by name,
// the rest as "other". Every dollar says by label `basis` how it is known.
#ifndef NOWCAST_WEB_METRICS_H
#define NOWCAST_WEB_METRICS_H

#include "web/api.h"

struct metrics_server { // of the HTTP side, by who serves
	uint64_t requests, refused; // all, and those answered 4xx
	int viewers;
	int64_t started_ms;
};

// Everything, in the text format. Redis away: nowcast_up is 0 and the figures are missing, which is an answer
// too.
void metrics_write(struct api *a, const struct metrics_server *s, struct buf *out);

#endif
