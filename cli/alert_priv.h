// SPDX-License-Identifier: Apache-2.0
// The parts of `nowcast alert`.
#ifndef NOWCAST_CLI_ALERT_PRIV_H
#define NOWCAST_CLI_ALERT_PRIV_H

#include "alert/rules.h"
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

#endif
