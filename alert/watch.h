// SPDX-License-Identifier: Apache-2.0
// The daemon's thread: a turn every alerts.interval, and the sending of messages between turns.
#ifndef NOWCAST_ALERT_WATCH_H
#define NOWCAST_ALERT_WATCH_H

#include <stdbool.h>

#include "base/conf.h"
#include "base/err.h"

struct alert_watch;

// `conf` outlives it.
bool alert_watch_start(struct alert_watch **ret, const struct conf *conf, struct err *err) NC_CHECK;

// Reads alerts.file again at its next turn. A wrong file is logged, and the rules in force stay. NULL:
// nothing.
void alert_watch_reload(struct alert_watch *w);

void alert_watch_quit(struct alert_watch *w); // asks it to end; returns at once. NULL: nothing
void alert_watch_stop(struct alert_watch *w); // waits until it has ended, and frees it. NULL: nothing

#endif
