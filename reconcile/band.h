// SPDX-License-Identifier: Apache-2.0
// Calibration of the error bands: the distance between estimate and bill, in half-widths of the estimate's
// band.
//
// A band should hold the bill for nine dollars in ten. The billed dollars of the scored days (as estimated
// one day after each hour) are sorted by their distance from the estimate, in half-widths of the uncalibrated
// band. The distance that holds nine dollars in ten becomes the factor of all bands. One day of dollars that
// behave as the uncalibrated band expects is added, so that the first day does not decide alone. The factor
// is stored in thousandths.
#ifndef NOWCAST_RECONCILE_BAND_H
#define NOWCAST_RECONCILE_BAND_H

#include "base/usd.h"
#include "store/view.h"

enum {
	BAND_BINS = 15,
	BAND_DAYS = 30,        // the newest days that are used
};

// Billed dollars by their distance from the estimate: bin i holds those up to band_edges[i] thousandths of a
// half-width, the last bin the rest.
struct band_misses {
	struct usd bins[BAND_BINS];
};
extern const int band_edges[BAND_BINS - 1];

// Adds a figure: `said` was the estimate, with a band scaled by `scale`; `billed` is the bill. A figure
// without a band is skipped.
void band_add(struct band_misses *m, struct usd said, struct usd low, struct usd high, struct usd billed,
              int scale);

void band_merge(struct band_misses *to, const struct band_misses *m);

// The factor for these misses of `days` days, from BAND_SCALE_MIN to BAND_SCALE_MAX (store/view.h);
// BAND_SCALE_ONE without misses.
int band_scale(const struct band_misses *m, int days);

#endif
