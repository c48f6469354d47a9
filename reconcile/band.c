// SPDX-License-Identifier: Apache-2.0
#include "reconcile/band.h"

const int band_edges[BAND_BINS - 1] = {125,  250,  375,  500,  625,  750,  875,
                                       1000, 1200, 1400, 1700, 2000, 2500, 3000};

// Of a million dollars under a normal distribution whose middle 90 % is the band: the content of each bin.
static const int expected[BAND_BINS] = {162916, 156195, 143572, 126525, 106901, 86595, 67252, 50074,
                                        51588,  27103,  16113,  4164,   963,    38,    1};

enum { HELD = 900 }; // of a thousand dollars

static usd_pico distance(struct usd a, struct usd b)
{
	return a.pico > b.pico ? a.pico - b.pico : b.pico - a.pico;
}

void band_add(struct band_misses *m, struct usd said, struct usd low, struct usd high, struct usd billed,
              int scale)
{
	usd_pico half = usd_cmp(billed, said) > 0 ? high.pico - said.pico : said.pico - low.pico;
	usd_pico off = distance(billed, said);
	int i = 0;
	if (half <= 0 || billed.pico <= 0 || scale <= 0)
		return;
	while (half > (usd_pico)1000000000000000000 || off > (usd_pico)1000000000000000000) {
		half >>= 10;
		off >>= 10;
	}
	while (i < BAND_BINS - 1 && off * scale > half * band_edges[i])
		i++;
	m->bins[i] = usd_add(m->bins[i], billed);
}

void band_merge(struct band_misses *to, const struct band_misses *m)
{
	for (int i = 0; i < BAND_BINS; i++)
		to->bins[i] = usd_add(to->bins[i], m->bins[i]);
}

int band_scale(const struct band_misses *m, int days)
{
	usd_pico all = 0, bins[BAND_BINS], whole = 0, run = 0;
	for (int i = 0; i < BAND_BINS; i++)
		all += m->bins[i].pico;
	if (all <= 0 || days <= 0)
		return BAND_SCALE_ONE;
	for (int i = 0; i < BAND_BINS; i++) {
		bins[i] = m->bins[i].pico + usd_muldiv((struct usd){all / days}, expected[i], 1000000).pico;
		whole += bins[i];
	}
	usd_pico due = usd_muldiv((struct usd){whole}, HELD, 1000).pico;
	for (int i = 0; i < BAND_BINS - 1; i++) {
		if (run + bins[i] >= due) {
			int from = i ? band_edges[i - 1] : 0;
			int scale = from + (int)((due - run) * (band_edges[i] - from) / (bins[i] ? bins[i] : 1));
			return scale < BAND_SCALE_MIN ? BAND_SCALE_MIN : scale;
		}
		run += bins[i];
	}
	return BAND_SCALE_MAX;
}
