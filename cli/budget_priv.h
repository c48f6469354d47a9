// SPDX-License-Identifier: Apache-2.0
// The parts of `nowcast budget`.
#ifndef NOWCAST_CLI_BUDGET_PRIV_H
#define NOWCAST_CLI_BUDGET_PRIV_H

#include "base/command.h"

// Writes or changes a budget rule in alerts.file. ERR_CONFIG: wrong arguments, or the file would be refused;
// it is then as it was.
bool budget_set(struct command *c, struct err *err) NC_CHECK;

#endif
