// SPDX-License-Identifier: Apache-2.0
// Stores the snapshots that the scoreboard compares with the bill (reconcile/asof.h): the estimate of each
// hour, five minutes, one hour and one day after the hour has ended.
//
// `nowcast run` does it in a thread of its own. Of several daemons, the first one stores a snapshot. If none
// runs when a snapshot is due, there is a gap, and the scoreboard shows one hour fewer.
#ifndef NOWCAST_QUERY_SNAPSHOT_H
#define NOWCAST_QUERY_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/err.h"
#include "store/view.h"

// Stores the snapshots that are due at `now_ms` and not stored yet. *ret_taken: how many, of all hours and
// horizons.
bool snapshot_take(struct view *v, const struct conf *conf, int64_t now_ms, int *ret_taken,
                   struct err *err) NC_CHECK;

// The thread; *ret is NULL if scoreboard.keep is 0. `conf` outlives it.
struct snapshots;
bool snapshots_start(struct snapshots **ret, const struct conf *conf, struct err *err) NC_CHECK;
void snapshots_quit(struct snapshots *s); // asks it to end; returns at once. NULL is ignored
void snapshots_stop(struct snapshots *s); // waits until it has ended, and frees it

#endif
