// SPDX-License-Identifier: Apache-2.0
#include "cli/reconciliation_chart.h"

#include <stdio.h>

enum {
	WIDTH = 760,
	LABEL_WIDTH = 110,
	VALUE_WIDTH = 100,
	BAR_HEIGHT = 22,
	BAR_STEP = 28,
	HOURS_MAX = 800,
	PLOT_LEFT = 60,
	PLOT_HEIGHT = 140
};

const char *const chart_causes[5] = {"volume", "price", "attribution", "unmetered", "unbilled"};

static const char billed_colour[] = "#4a6fa5", estimated_colour[] = "#d9902f", up_colour[] = "#c4554d",
				  down_colour[] = "#3f8f6b";

void chart_usd(struct buf *b, struct usd usd)
{
	char text[USD_SIZE];
	usd_format(usd, 2, text);
	struct str digits = str_of(text), whole = str_cut(&digits, '.');
	if (whole.len && whole.p[0] == '-') {
		whole.p++;
		whole.len--;
		if (!str_is(whole, "0") || !str_is(digits, "00"))
			buf_adds(b, "\xe2\x88\x92");
	}
	for (size_t i = 0; i < whole.len; i++) {
		if (i && (whole.len - i) % 3 == 0)
			buf_addc(b, ',');
		buf_addc(b, whole.p[i]);
	}
	buf_addf(b, ".%.*s", STR_ARG(digits));
}

// `part` of `all`, as a length out of `span`.
static int length(usd_pico part, usd_pico all, int span)
{
	return all > 0 ? (int)(part / 1000 * span / (all / 1000 > 0 ? all / 1000 : 1)) : 0;
}

// ---- the waterfall ------------------------------------------------------------------------------

struct bar {
	const char *name, *colour; // colour NULL: by its sign
	struct usd from, to;
};

static void add_bar(struct buf *b, const struct bar *bar, int row, usd_pico most)
{
	struct usd size = usd_sub(bar->to, bar->from);
	bool up = size.pico >= 0;
	int span = WIDTH - LABEL_WIDTH - VALUE_WIDTH, y = row * BAR_STEP;
	int x0 = length(up ? bar->from.pico : bar->to.pico, most, span),
		x1 = length(up ? bar->to.pico : bar->from.pico, most, span);
	buf_addf(
		b,
		"<text x='0' y='%d'>%s</text><rect x='%d' y='%d' width='%d' height='%d' fill='%s'/><text x='%d' y='%d'>",
		y + 16, bar->name, LABEL_WIDTH + x0, y, x1 > x0 ? x1 - x0 : 1, BAR_HEIGHT,
		bar->colour      ? bar->colour
		: size.pico == 0 ? "#8a94a6"
		: up             ? up_colour
						 : down_colour,
		LABEL_WIDTH + x1 + 6, y + 16);
	if (!bar->colour && size.pico > 0)
		buf_addc(b, '+');
	chart_usd(b, bar->colour ? bar->to : size);
	buf_adds(b, "</text>");
}

void chart_waterfall(struct buf *b, const struct difference *d)
{
	const struct usd steps[] = {d->volume, d->price, d->attribution, d->unmetered, d->unbilled};
	struct usd at = d->estimated;
	usd_pico most = at.pico > d->billed.pico ? at.pico : d->billed.pico;
	struct bar bars[7] = {{"estimated", estimated_colour, USD_ZERO, at}};
	for (int i = 0; i < 5; i++) {
		bars[i + 1] = (struct bar){chart_causes[i], NULL, at, usd_add(at, steps[i])};
		at = usd_add(at, steps[i]);
		most = at.pico > most ? at.pico : most;
	}
	bars[6] = (struct bar){"billed", billed_colour, USD_ZERO, d->billed};
	buf_addf(b, "<svg viewBox='0 0 %d %d' role='img' aria-label='From the estimate to the bill, by cause'>",
	         WIDTH, 7 * BAR_STEP);
	for (int i = 0; i < 7; i++)
		add_bar(b, &bars[i], i, most);
	buf_adds(b, "</svg>\n");
}

// ---- by hour ------------------------------------------------------------------------------------

static void add_line(struct buf *b, const struct recon_table *t, bool billed, usd_pico most)
{
	buf_addf(b, "<polyline fill='none' stroke='%s' stroke-width='1.6' stroke-linejoin='round'%s points='",
	         billed ? billed_colour : estimated_colour, billed ? "" : " stroke-dasharray='4 3'");
	for (int32_t i = 0; i < t->n; i++) {
		usd_pico v = billed ? t->list[i].d.billed.pico : t->list[i].d.estimated.pico;
		buf_addf(b, "%d,%d ", PLOT_LEFT + (int)((int64_t)i * (WIDTH - PLOT_LEFT) / (t->n - 1)),
		         PLOT_HEIGHT + 8 - length(v, most, PLOT_HEIGHT));
	}
	buf_adds(b, "'/>");
}

// "2026-11-02T05:00:00Z" as "2026-11-02 05:00"
static void add_hour(struct buf *b, struct str hour)
{
	if (hour.len >= 16)
		buf_addf(b, "%.10s %.5s", hour.p, hour.p + 11);
}

void chart_hours(struct buf *b, const struct recon_table *t)
{
	usd_pico most = 1;
	for (int32_t i = 0; i < t->n; i++) {
		most = t->list[i].d.billed.pico > most ? t->list[i].d.billed.pico : most;
		most = t->list[i].d.estimated.pico > most ? t->list[i].d.estimated.pico : most;
	}
	if (t->n < 2 || t->n > HOURS_MAX)
		return;
	buf_addf(
		b,
		"<h2>By hour</h2><svg viewBox='0 0 %d %d' role='img' aria-label='Estimated and billed dollars by hour'>",
		WIDTH, PLOT_HEIGHT + 34);
	for (int i = 0; i < 3; i++) {
		int y = PLOT_HEIGHT + 8 - i * PLOT_HEIGHT / 2;
		buf_addf(b,
		         "<line x1='%d' y1='%d' x2='%d' y2='%d'/><text class=soft x='%d' y='%d' text-anchor='end'>",
		         PLOT_LEFT, y, WIDTH, y, PLOT_LEFT - 8, y + 4);
		chart_usd(b, (struct usd){most * i / 2});
		buf_adds(b, "</text>");
	}
	add_line(b, t, true, most);
	add_line(b, t, false, most);
	buf_addf(b, "<text class=soft x='%d' y='%d'>", PLOT_LEFT, PLOT_HEIGHT + 28);
	add_hour(b, t->list[0].keys[0]);
	buf_addf(b, "</text><text class=soft x='%d' y='%d' text-anchor='end'>", WIDTH, PLOT_HEIGHT + 28);
	add_hour(b, t->list[t->n - 1].keys[0]);
	buf_addf(
		b,
		"</text><text x='%d' y='%d' text-anchor='middle'><tspan style='fill:%s'>billed</tspan> \xc2\xa0 <tspan style='fill:%s'>estimated (dashed)</tspan></text></svg>\n",
		(PLOT_LEFT + WIDTH) / 2, PLOT_HEIGHT + 28, billed_colour, estimated_colour);
}
