// SPDX-License-Identifier: Apache-2.0
// The parts of `nowcast alert`.
#ifndef NOWCAST_CLI_ALERT_PRIV_H
#define NOWCAST_CLI_ALERT_PRIV_H

#include "alert/check.h"
#include "base/command.h"
#include "query/rollups.h"

struct alert_command {
	struct command *args;
	const struct conf *conf;
	struct alert_rules rules;
	struct rollups *rollups;
	struct redis *redis;
	int64_t now_ms;
};

// What each takes is in the help of the subcommand. They print to stdout. ERR_CONFIG: wrong arguments.
bool alert_check_now(struct alert_command *a, struct err *err) NC_CHECK;
bool alert_backtest(struct alert_command *a, struct err *err) NC_CHECK;


// ---- over the past (cli/alert_backtest.c) ----

// A check over the hours in Redis as they were at a time. `only` NULL: every rule.
struct alert_check alert_hourly_check(const struct alert_command *a, const struct alert_rule *only,
                                      int64_t now_ms, struct arena *arena);

// What holds by the whole minutes before `at_ms`, in *ret, which lives as long as `past`. *ret_kept false:
// the minutes of that hour are not kept, and nothing was evaluated.
bool alert_check_past(struct alert_command *a, struct alert_past *past, int64_t at_ms, bool *ret_kept,
                      struct alert_check *ret, struct err *err) NC_CHECK;

#endif
