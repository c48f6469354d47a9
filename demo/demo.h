// SPDX-License-Identifier: Apache-2.0
// `nowcast demo`: all of it on one machine, with traffic whose truth is known. The table of nowcast.c says
// what it promises.
#ifndef NOWCAST_DEMO_DEMO_H
#define NOWCAST_DEMO_DEMO_H

#include "base/command.h"

int cmd_demo(struct command *c);

#endif
