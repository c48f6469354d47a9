// SPDX-License-Identifier: Apache-2.0
// `nowcast reconcile` every `reconcile.every`, while the daemon runs and reconcile.source is set.
//
// It is a process of its own, so that DuckDB's memory and threads stay out of the workers and it can be ended
// at any moment. Several daemons may share a Redis: one that finds that a run has ended recently does
// nothing.
#ifndef NOWCAST_RUN_SCHEDULE_H
#define NOWCAST_RUN_SCHEDULE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/command.h"

struct schedule {
	pid_t child;     // 0: none
	int64_t due_ms;  // monotonic; 0: not decided yet
};

void schedule_tick(struct schedule *s, const struct command *c); // from the main loop, often; returns at once
void schedule_stop(struct schedule *s); // ends a run under way; the figures in Redis stay

#endif
