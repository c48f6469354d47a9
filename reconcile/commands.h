// SPDX-License-Identifier: Apache-2.0
// The subcommand that lives in reconcile/; what it promises stands in the table of nowcast.c.
#ifndef NOWCAST_RECONCILE_COMMANDS_H
#define NOWCAST_RECONCILE_COMMANDS_H

#include "base/command.h"

int cmd_reconcile(struct command *c);

#endif
