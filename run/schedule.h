// SPDX-License-Identifier: Apache-2.0
// What the daemon runs on a schedule: `nowcast reconcile` every `reconcile.every`, while reconcile.source is
// set, and `nowcast price update` once a day, while prices.update is daily.
//
// Each run is a process of its own: DuckDB's memory and threads stay out of the workers, a price list that is
// wrong does not end the daemon, and a run can be ended at any moment. Several daemons may share a Redis: one
// that finds that a reconciliation has ended recently does nothing.
#ifndef NOWCAST_RUN_SCHEDULE_H
#define NOWCAST_RUN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/command.h"

enum scheduled { SCHEDULE_RECONCILE, SCHEDULE_PRICES, SCHEDULES };

struct schedule {
	struct {
		pid_t child;    // 0: none
		int64_t due_ms; // monotonic; 0: not decided yet
	} runs[SCHEDULES];
};

// From the main loop, often; returns at once. True: prices were updated, and are to be read again.
bool schedule_tick(struct schedule *s, const struct command *c);
void schedule_stop(struct schedule *s); // ends the runs under way; the figures in Redis and the prices stay

#endif
