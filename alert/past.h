// SPDX-License-Identifier: Apache-2.0
// The minutes of a past hour, for the rules that are evaluated over it (`nowcast alert backtest`): what a
// group had spent by a minute, and the baselines as evaluations of each minute would have left them.
//
//     hour by hour   alert_past_begin   reads the minutes of the hour, as far as its facts are kept
//       minute by minute   alert_check with .past and the time of the minute's end
//
// Nothing is known of when a record arrived. Every minute is taken to be known at its end, which live figures
// are a few minutes later.
#ifndef NOWCAST_ALERT_PAST_H
#define NOWCAST_ALERT_PAST_H

#include <stdbool.h>
#include <stdint.h>

#include "alert/rules.h"
#include "base/arena.h"
#include "base/err.h"
#include "query/rollups.h"

struct alert_past;
struct alert_check;
struct rate_monitor;

// `only`: the one rule that is to be evaluated; NULL: all. Both outlive the past.
struct alert_past *alert_past_new(const struct alert_rules *rules, const struct alert_rule *only,
                                  struct rollups *f);
void alert_past_free(struct alert_past *p);

// *ret_kept: the facts of the hour are kept; without them it cannot be evaluated by the minute. Hours come in
// ascending order. What the baselines know of an hour is lost if the next one is left out.
bool alert_past_begin(struct alert_past *p, int64_t hour, bool *ret_kept, struct err *err) NC_CHECK;

// Lives as long as the hour: for the checks within it.
struct arena *alert_past_arena(struct alert_past *p);

// ---- for the checks ----

// Adds what each group of a rule has of the present hour by the minute of c->now_ms, that minute included.
bool alert_past_sum(const struct alert_check *c, const struct alert_rule *rule, struct groups *ret,
                    struct err *err) NC_CHECK;

// The monitor of a rule, as the minute before has left it; its list is NULL in the first minute of an hour.
struct rate_monitor *alert_past_monitor(struct alert_past *p, const struct alert_rule *rule);
// The same at the end of the hour before, if that was evaluated by the minute, else with no groups.
const struct rate_monitor *alert_past_monitor_before(struct alert_past *p, const struct alert_rule *rule);

// The amounts of a group in the present hour; NULL: it has none.
const struct minute_amounts *alert_past_amounts(const struct alert_past *p, const struct alert_rule *rule,
                                                struct str group);

#endif
