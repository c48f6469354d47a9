// SPDX-License-Identifier: Apache-2.0
// The rate baselines of a rule's groups: read from Redis, updated with what has arrived since the last
// evaluation, and written back.
//
// Usage is stored by the hour, so a minute's amount is how much the two newest hours have grown since the
// last evaluation: what *arrived* in that minute. Older hours that are filled in later are not seen here.
//
//     last evaluation   [h-1 .......][h ..|            total
//     this evaluation   [h-1 .......][h ..|###         total + ###     -> rate_baseline_add
//
// Dollars are those of the lower end of the band. While the calls of a spike have not arrived, its tokens are
// allocated to other callers, and only the band shows it.
//
// When a backlog is read, an hour of calls arrives in a minute. `span`, how far the calls' own times have
// advanced, distinguishes that from a spike.
#ifndef NOWCAST_ALERT_RATE_MONITOR_PRIV_H
#define NOWCAST_ALERT_RATE_MONITOR_PRIV_H

#include "alert/check.h"
#include "alert/rate_baseline.h"

enum { RATE_MONITOR_HOURS = 5 }; // that are read; the last one is the current hour

struct hour_sum {
	int64_t calls;
	int64_t micro; // micro-dollars, lower end of the band
	int64_t mid;   // micro-dollars, the estimate itself
};

struct monitored_group {
	struct str group;
	struct hour_sum hours[RATE_MONITOR_HOURS];
	struct hour_sum whole;      // over past minutes: all of the current hour, which hours[] has in part
	const struct group *newest; // its newest hour with figures
	struct rate_baseline rate_baseline;
	struct seasonal_baseline calls, micro; // of the current hour; set by the caller that needs them
};

struct rate_monitor {
	struct alert_check *check;
	const struct alert_rule *rule;
	struct groups hours; // what `newest` points into
	struct monitored_group *list;  // sorted by group; in the check's arena
	int32_t n;
	struct buf clock;    // as it is to be written
	int64_t span;        // minutes of calls that arrived in the last RATE_QUICK minutes
	int observed;        // how many hours before the current one, the newest first, were observed
	bool has_seasons;    // what other days took was read for this hour (alert/check_spike.c)
};

// Reads the hours and, unless the check is `hourly`, the baselines, and adds what has arrived. Over past
// minutes (alert/past.h) baselines stay in memory, and what was called in a minute has arrived in it. *ret is
// released by the caller, on failure too.
bool rate_monitor_read(struct rate_monitor *ret, struct alert_check *c, const struct alert_rule *rule,
                       struct err *err) NC_CHECK;
// Also drops baselines of groups that are gone.
bool rate_monitor_write(struct rate_monitor *p, struct err *err) NC_CHECK;
void rate_monitor_release(struct rate_monitor *p);

// NULL: the group has no usage in the hours that were read.
struct monitored_group *rate_monitor_find(const struct rate_monitor *p, struct str group);

// Micro-dollars, for statistics, not for sums: at most INT64_MAX / 1000.
int64_t micro_of_usd(struct usd u);
struct usd usd_of_micro(int64_t micro);

#endif
