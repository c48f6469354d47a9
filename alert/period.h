// SPDX-License-Identifier: Apache-2.0
// The periods of budgets, in UTC: an hour, a day, a week from Monday to Sunday, a calendar month.
#ifndef NOWCAST_ALERT_PERIOD_H
#define NOWCAST_ALERT_PERIOD_H

#include <stdint.h>

enum alert_period { PERIOD_HOUR, PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH };

extern const char *const alert_period_names[]; // in the order of the enum, ends with NULL

// The period that `hour` (since the epoch) is in: its first hour, the first hour after it, and its name in
// `buf` of WHEN_SIZE: "2026-11-02T08", "2026-11-02" (of a week: its Monday), "2026-11".
void alert_period_of(enum alert_period p, int64_t hour, int64_t *ret_from, int64_t *ret_to, char *buf);

#endif
