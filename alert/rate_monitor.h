// SPDX-License-Identifier: Apache-2.0
// The paces of a rule's groups: read from Redis, told what has arrived since the last look, and written back.
//
// Usage is kept by the hour, so a minute's amount is how much the newest hours have grown since the last
// look: what *arrived* in it, which is also what can be known of it. A backfill of older hours is not seen
// here.
//
//     last look      [h-1 .......][h ..|            total
//     this look      [h-1 .......][h ..|###         total + ###     -> rate_baseline_add
//
// Dollars are those of the lower end of the band: while the calls of a rush have not come, its tokens stand
// under others' names, and only the band knows.
//
// When a backlog is read, an hour arrives in a minute: `span`, how far the calls' own times have moved, tells
// it from a rush.
#ifndef NOWCAST_ALERT_RATE_MONITOR_H
#define NOWCAST_ALERT_RATE_MONITOR_H

#include "alert/alert.h"
#include "alert/rate_baseline.h"

enum { RATE_MONITOR_HOURS = 5 }; // that are read; the last one is the hour in hand

struct hour_sum {
	int64_t calls;
	int64_t micro; // by the lower end of the band
	int64_t mid;   // by the estimate itself
};

struct monitored_group {
	struct str group;
	struct hour_sum hours[RATE_MONITOR_HOURS];
	const struct group *newest; // its newest hour with figures
	struct rate_baseline rate_baseline;
	struct seasonal_baseline calls, micro; // of the hour in hand; for whoever asks for it
};

struct rate_monitor {
	struct alert_check *check;
	const struct alert_rule *rule;
	struct groups hours; // what `newest` points into
	struct monitored_group *list;  // sorted by group; in the check's arena
	int32_t n;
	struct buf clock;    // as it is to be written
	int64_t span;        // minutes of calls that came in the last RATE_QUICK
};

// Reads the hours and, unless the check is `hourly`, the paces, and adds what has arrived.
bool rate_monitor_read(struct rate_monitor *ret, struct alert_check *c, const struct alert_rule *rule,
                       struct err *err) NC_CHECK;
bool rate_monitor_write(const struct rate_monitor *p, struct err *err) NC_CHECK;
void rate_monitor_release(struct rate_monitor *p);

// NULL: it took nothing of late
struct monitored_group *rate_monitor_find(const struct rate_monitor *p, struct str group);

int64_t micro_of(struct usd u);         // micro-dollars: for statistics, not for sums
struct usd usd_of_micro(int64_t micro);

#endif
