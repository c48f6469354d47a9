// SPDX-License-Identifier: Apache-2.0
// Scores an estimate once the bill has arrived. Pure, in integers. Scores are sums, so those of days add up
// to those of months.
//
// A cell is an hour, account, Region and caller. Its miss is the distance between estimate ("said") and bill.
// The miss is divided among its causes in proportion to their parts, so that the causes add up to it exactly:
//
//     billed - said  =  late + volume + price + ttl + attribution + unmetered + unbilled
//                       |      `-- why the present estimate differs from the bill (reconcile/compare.h)
//                       `-- records that arrived after the estimate was made
//
// A part with the opposite sign made the miss smaller; it gets no share.
//
// The scores of a month are a hash: `run`, and "2026-11-02 5m" (1h, 24h, last) -> a line of sums, then a line
// for each of the callers with the largest misses. `last` is the estimate when the bill arrived.
#ifndef NOWCAST_RECONCILE_SCORE_H
#define NOWCAST_RECONCILE_SCORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/usd.h"
#include "reconcile/asof.h"
#include "reconcile/band.h"
#include "reconcile/compare.h"

enum score_cause {
	CAUSE_LATE,
	CAUSE_VOLUME,
	CAUSE_PRICE,
	CAUSE_ATTRIBUTION,
	CAUSE_UNMETERED,
	CAUSE_UNBILLED,
	CAUSE_TTL, // the last: see the text form
	SCORE_CAUSES
};
extern const char *const score_cause_names[SCORE_CAUSES];

enum { SCORE_LAST = ASOF_HORIZONS, SCORE_HORIZONS, SCORE_WORST_MAX = 5 };
extern const char *const score_horizon_names[SCORE_HORIZONS];

struct score {
	int64_t hours, cells;
	struct usd billed, estimated;
	struct usd missed;   // sum over the cells of the distance between the two
	struct usd covered;  // of billed: cells whose band held the bill; SCORE_LAST has no bands
	struct usd width;    // sum of the widths of the bands
	struct usd cause[SCORE_CAUSES]; // parts of missed
	struct band_misses misses;      // of those that had a band
};

struct score_cell {
	struct usd said, low, high;
	int band_scale;      // factor of the band at that time, in thousandths
	struct difference d; // between the present estimate and the bill
};

// The miss of a cell, by cause.
void score_explain(const struct score_cell *c, struct usd ret_cause[SCORE_CAUSES]);

void score_add_cell(struct score *s, const struct score_cell *c);
void score_add(struct score *to, const struct score *s);

// A caller's part of the miss.
struct score_worst {
	struct str principal;
	struct usd missed;
	enum score_cause cause; // the largest
};

enum score_cause score_main_cause(const struct usd cause[SCORE_CAUSES]);

// Writes and reads a value of the hash. score_read is false if it is corrupt. *ret_worst points into `text`.
void score_write(struct buf *b, const struct score *s, const struct score_worst *worst, int n);
bool score_read(struct str text, struct score *ret, struct score_worst ret_worst[SCORE_WORST_MAX],
                int *ret_n);

#endif
