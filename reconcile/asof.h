// SPDX-License-Identifier: Apache-2.0
// What the estimate of an hour said five minutes, one hour and one day after that hour had ended, kept until
// the bill comes.
//
//     hour ends -- 5m: snapshot -- 1h: snapshot -- 24h: snapshot ---- ... the bill: reconcile/score.h says how good they were
//
//   <prefix>:asof:2026-11-02T05                   hash: 5m, 1h, 24h -> when the snapshot was taken (ms), the factor of its bands
//   <prefix>:{account/region}:asof:2026-11-02T05  hash: 5m, 1h, 24h -> dollars by caller, about 20 bytes each
//
// Snapshots are history, not state: they tell what was shown then, with the records that had come by then. So
// they are the one thing in Redis that depends on when records arrived, and that a replay does not bring
// back: a backfilled hour has none. They are taken once and never changed, nothing else is computed from
// them, and they expire (`scoreboard.keep`).
//
// A horizon is taken between its time and its grace after it, or not at all: what a daemon that was away
// shows hours later is not what it would have shown.
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
	int64_t after_ms, grace_ms; // of the end of the hour; of after_ms
};
extern const struct asof_horizon asof_horizons[ASOF_HORIZONS];

// One caller in one hour, account and region, over all models. Kept in billionths of a dollar.
struct asof_entry {
	uint64_t caller; // asof_caller
	struct usd usd, low, high;
};

uint64_t asof_caller(struct str arn);

// "<prefix>:asof:<hour>", with "{account and Region}:" before it unless account and Region is STR_NONE.
void asof_key(struct buf *key, const char *prefix, struct str acct_region, int64_t hour);

// The note that a snapshot was taken at `now_ms`, its bands scaled by `band_scale` (reconcile/band.h), and
// back: false, none was.
void asof_note(struct buf *note, int64_t now_ms, int band_scale);
bool asof_note_read(struct str note, int *ret_band_scale);

void asof_add(struct buf *packed, const struct asof_entry *e);

// Takes the first entry off. False: there is no more, or it cannot be read.
bool asof_next(struct str *packed, struct asof_entry *ret);

#endif
