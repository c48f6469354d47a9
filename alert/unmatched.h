// SPDX-License-Identifier: Apache-2.0
// Rules whose `only` is the name of nobody that was ever seen, most often a misspelt one. A budget of such a
// name stays at 0, which looks like a budget that is kept.
#ifndef NOWCAST_ALERT_UNMATCHED_H
#define NOWCAST_ALERT_UNMATCHED_H

#include <stdint.h>

#include "alert/budgets.h"
#include "alert/rules.h"
#include "base/err.h"
#include "query/rollups.h"

// `text`: a sentence that names the rule, and the name that is most like it. Valid during the call.
typedef void alert_unmatched_fn(void *user, const char *text);

// Whether any rule names somebody, so that the figures must be read to check it.
bool alert_rules_name_somebody(const struct alert_rules *rules);

// Compares each `only` with the groups of all figures that are kept. A rule of the kind new may name who has
// not come yet. False: Redis.
bool alert_rules_each_unmatched(const struct alert_rules *rules, struct rollups *rollups, int64_t now_ms,
                                alert_unmatched_fn *fn, void *user, struct err *err) NC_CHECK;

// The same of the budgets of which nothing is spent. Others are not looked up: all figures are read for it.
bool budgets_each_unmatched(const struct budgets *all, alert_unmatched_fn *fn, void *user,
                            struct err *err) NC_CHECK;

#endif
