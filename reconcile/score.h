// SPDX-License-Identifier: Apache-2.0
// How good an estimate was, once the bill has come. Pure, in integers; sums only, so that days add up to
// months.
//
// A cell is an hour, account, Region and caller. Its miss is the distance between what was said and what was
// billed, and the causes that pulled it that way share the miss in proportion, so that the causes add up to
// it exactly:
//
//     billed - said  =  late + volume + price + attribution + unmetered + unbilled
//                       |      `-- why the estimate as it stands now differs from the bill (reconcile/compare.h)
//                       `-- what the estimate learned after it was said: records that came later
//
// What pulled the other way made the miss smaller, and gets none of it.
//
//   <prefix>:scores:2026-11   hash: run; "2026-11-02 5m" (1h, 24h, last) -> a line of sums, then a line each of the callers
//                             missed most. `last`: the estimate as it stood when it met the bill
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
	SCORE_CAUSES
};
extern const char *const score_cause_names[SCORE_CAUSES];

enum { SCORE_LAST = ASOF_HORIZONS, SCORE_HORIZONS, SCORE_WORST_MAX = 5 };
extern const char *const score_horizon_names[SCORE_HORIZONS];

struct score {
	int64_t hours, cells;
	struct usd billed, estimated;
	struct usd missed;   // sum over the cells of the distance between the two
	struct usd covered;  // of billed: cells whose band held it; SCORE_LAST has no bands
	struct usd width;    // sum of the widths of the bands
	struct usd cause[SCORE_CAUSES]; // parts of missed
	struct band_misses misses;      // of those that had a band
};

struct score_cell {
	struct usd said, low, high;
	int band_scale;      // by which the band was scaled when it was said, in thousandths
	struct difference d; // between the estimate as it stands now and the bill
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

// As a value of the hash, and back: false if it cannot be read. *ret_worst points into `text`.
void score_write(struct buf *b, const struct score *s, const struct score_worst *worst, int n);
bool score_read(struct str text, struct score *ret, struct score_worst ret_worst[SCORE_WORST_MAX],
                int *ret_n);

#endif
