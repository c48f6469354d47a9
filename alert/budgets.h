// SPDX-License-Identifier: Apache-2.0
// Budgets: what was spent of each in its period, what is expected at the end, and when it will be passed.
//
// Budgets are the alert rules that have an amount (budget, forecast, burn). Several rules with one amount, of
// one group and period, are one budget. A rule by a grouping without `only` is a budget for each group that
// has spent something. The forecast is that of the tiles (query/group_forecast.h). Where there are too many
// groups for it, spending is taken to go on at the rate of the last three hours (for an hour or a day) or of
// the last day (for longer periods).
//
// What is spent is the middle of the band. Marks ring on its lower end, so an alert may come after the share
// that is shown has passed its mark, never before.
#ifndef NOWCAST_ALERT_BUDGETS_H
#define NOWCAST_ALERT_BUDGETS_H

#include <stdbool.h>
#include <stdint.h>

#include "alert/rules.h"
#include "base/arena.h"
#include "base/err.h"
#include "query/rollups.h"

struct budget {
	const struct alert_rule *rule; // the first one of the budget
	struct group spent;      // its key, if it has one, in the arena of the budgets
	struct usd expected;     // at the end of the period
	int64_t passes_ms;       // when the amount is passed, now if it is already; 0: not in this period
	int64_t from, to;        // hours of the period
	bool at_this_rate;       // expected and passes_ms are from the rate; else from the forecast
};

struct budgets {
	const struct alert_rules *rules;
	struct rollups *rollups;
	int64_t now_ms;
	struct arena arena;
	struct budget *list;     // the most used one first
	int n, cap;
};

// The budgets of the periods that `now_ms` is in. `rules` and `rollups` outlive *ret, which the caller
// releases, on failure too.
bool budgets_read(struct budgets *ret, struct rollups *rollups, const struct alert_rules *rules,
                  int64_t now_ms, struct err *err) NC_CHECK;
void budgets_release(struct budgets *b);

bool alert_rule_is_budget(const struct alert_rule *r);
bool alert_rules_are_one_budget(const struct alert_rule *a, const struct alert_rule *b);

// The spent part of the amount: in whole per cent, the nearest, as alerts say it, and in parts of a million.
int64_t budget_percent(struct usd spent, struct usd amount);
int64_t budget_used_ppm(const struct budget *b);

// The highest mark of the rule's `at` that the lower end of the band has reached; 0: none.
int64_t budget_mark(const struct alert_rule *rule, struct usd low);

#endif
