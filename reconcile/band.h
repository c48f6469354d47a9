// SPDX-License-Identifier: Apache-2.0
// Calibration of the error bands: how far the bill lay from what was said, in half-widths of the band that
// was said with it.
//
// A band is meant to hold nine dollars in ten. Of the days that the scoreboard has as they stood one day
// after each hour, the dollars are sorted by how many half-widths of the uncalibrated band off they were
// billed; the distance that holds nine in ten is the factor by which all bands are wider or narrower from
// then on. A day's worth of dollars that behave as the uncalibrated band promises is counted with them, so
// that the first day does not decide alone.
//
//   <prefix>:band   the factor, in thousandths; BAND_SCALE_ONE without any
#ifndef NOWCAST_RECONCILE_BAND_H
#define NOWCAST_RECONCILE_BAND_H

#include "base/usd.h"
#include "store/view.h"

enum {
	BAND_BINS = 15,
	BAND_SCALE_MIN = 500, BAND_SCALE_MAX = 3000, // in parts of BAND_SCALE_ONE (store/view.h)
	BAND_DAYS = 30,        // that count
};

// Dollars billed, by how far off they were: bin i holds those up to band_edges[i] thousandths of a
// half-width, the last bin the rest.
struct band_misses {
	struct usd bins[BAND_BINS];
};
extern const int band_edges[BAND_BINS - 1];

// Of a figure that was said with a band scaled by `scale` and was billed so. One without a band says nothing
// of bands.
void band_add(struct band_misses *m, struct usd said, struct usd low, struct usd high, struct usd billed,
              int scale);

void band_merge(struct band_misses *to, const struct band_misses *m);

// The factor that these misses of `days` days ask for, in thousandths; BAND_SCALE_ONE of none.
int band_scale(const struct band_misses *m, int days);

#endif
