// SPDX-License-Identifier: Apache-2.0
// The subcommands that print text, CSV, JSON or HTML. The table in nowcast.c says what each one does. The
// files of a subcommand begin with its name.
#ifndef NOWCAST_CLI_COMMANDS_H
#define NOWCAST_CLI_COMMANDS_H

#include "base/command.h"

int cmd_report(struct command *c);
int cmd_explain(struct command *c);
int cmd_who(struct command *c);
int cmd_top(struct command *c);
int cmd_doctor(struct command *c);
int cmd_alert(struct command *c);
int cmd_budget(struct command *c);
int cmd_price(struct command *c);
int cmd_reprice(struct command *c);
int cmd_migrate(struct command *c);
int cmd_tags(struct command *c);
int cmd_profiles(struct command *c);
int cmd_reconcile(struct command *c);
int cmd_serve(struct command *c);
int cmd_check_config(struct command *c);
int cmd_version(struct command *c);

#endif
