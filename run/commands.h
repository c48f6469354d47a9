// SPDX-License-Identifier: Apache-2.0
// The subcommands that live in run/. Each is one file; what it promises is in the table of nowcast.c.
#ifndef NOWCAST_RUN_COMMANDS_H
#define NOWCAST_RUN_COMMANDS_H

#include "base/command.h"

int cmd_run(struct command *c);     // daemon.c
int cmd_look(struct command *c);    // look.c
int cmd_replay(struct command *c);  // replay.c
int cmd_setup(struct command *c);   // setup.c

#endif
