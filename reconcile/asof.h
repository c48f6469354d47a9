// SPDX-License-Identifier: Apache-2.0
// Snapshots of the estimate: what it was for an hour five minutes, one hour and one day after the hour had
// ended. They are kept until the bill arrives, which then scores them (reconcile/score.h).
//
//     hour ends -- 5m: snapshot -- 1h: snapshot -- 24h: snapshot -- ... -- the bill
//
// Two hashes hold them, with the fields 5m, 1h and 24h: key_asof says when each snapshot of an hour was taken
// and the factor of its bands; key_acct_region_asof has the dollars of each caller, about 20 bytes each.
//
// Snapshots are history, not state. They say what was shown then, with the records that had arrived by then.
// So they are the only data in Redis that depends on when records arrived, and a replay does not restore
// them: an hour that was replayed later has none. They are taken once and never changed. No figure is
// computed from them. They expire (`scoreboard.keep`).
//
// A snapshot is taken between its time and its grace after that, or not at all: the figures that a daemon
// shows after hours of absence are not those it would have shown in time.
#ifndef NOWCAST_RECONCILE_ASOF_H
#define NOWCAST_RECONCILE_ASOF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/usd.h"

enum asof { ASOF_5M, ASOF_1H, ASOF_24H, ASOF_HORIZONS };

struct asof_horizon {
	const char *name;
	int64_t after_ms, grace_ms; // after the end of the hour; after after_ms
};
extern const struct asof_horizon asof_horizons[ASOF_HORIZONS];

// One caller in one hour, account and Region, over all models. Stored in billionths of a dollar.
struct asof_entry {
	uint64_t caller; // asof_caller
	struct usd usd, low, high;
};

uint64_t asof_caller(struct str arn);

// Writes the note that a snapshot was taken at `now_ms`, its bands scaled by `band_scale` (reconcile/band.h).
// asof_note_read is false if no snapshot was taken.
void asof_note(struct buf *note, int64_t now_ms, int band_scale);
bool asof_note_read(struct str note, int *ret_band_scale);

void asof_add(struct buf *packed, const struct asof_entry *e);

// Removes the first entry of `packed` and returns it. False: there is none, or it is corrupt.
bool asof_next(struct str *packed, struct asof_entry *ret);

#endif
