// SPDX-License-Identifier: Apache-2.0
// Lengths are integers: parts of the width of the page.
#include <assert.h>

#include "cli/report_priv.h"

enum {
	WIDTH = 760,
	LABEL_WIDTH = 110,
	VALUE_WIDTH = 100,
	BAR_HEIGHT = 22,
	BAR_STEP = 28,
	BARS = DIFFERENCE_PARTS + 2,
	HOURS_MAX = 800,
	PLOT_LEFT = 60,
	PLOT_TOP = 8,
	PLOT_HEIGHT = 140
};

static const char billed_colour[] = "#4a6fa5", estimated_colour[] = "#d9902f", up_colour[] = "#c4554d",
				  down_colour[] = "#3f8f6b", zero_colour[] = "#8a94a6";

static struct str format_number(struct arena *arena, int n)
{
	return arena_text(arena, "%d", n);
}

// `part` of `all`, as a length out of `span`.
static int scale_length(usd_pico part, usd_pico all, int span)
{
	return all > 0 ? (int)(part / 1000 * span / (all / 1000 > 0 ? all / 1000 : 1)) : 0;
}

// ---- the waterfall ------------------------------------------------------------------------------

struct bar {
	const char *name, *colour; // colour NULL: by its sign
	struct usd from, to;
};

static void add_bar(struct buf *b, struct arena *arena, const struct bar *bar, int row, usd_pico most)
{
	struct usd size = usd_sub(bar->to, bar->from);
	bool up = size.pico >= 0, is_step = !bar->colour;
	const char *colour = bar->colour      ? bar->colour
	                     : size.pico == 0 ? zero_colour
	                     : up             ? up_colour
	                                      : down_colour;
	int span = WIDTH - LABEL_WIDTH - VALUE_WIDTH, y = row * BAR_STEP;
	int x0 = scale_length(up ? bar->from.pico : bar->to.pico, most, span),
		x1 = scale_length(up ? bar->to.pico : bar->from.pico, most, span);
	struct str value = report_usd(arena, is_step ? size : bar->to);
	if (is_step && size.pico > 0)
		value = arena_text(arena, "+%.*s", STR_ARG(value));
	buf_addstr(b, REPORT_FILL(arena, "bar", {"name", str_of(bar->name)},
	                          {"text_y", format_number(arena, y + 16)},
	                          {"x", format_number(arena, LABEL_WIDTH + x0)}, {"y", format_number(arena, y)},
	                          {"width", format_number(arena, x1 > x0 ? x1 - x0 : 1)},
	                          {"height", format_number(arena, BAR_HEIGHT)}, {"colour", str_of(colour)},
	                          {"value_x", format_number(arena, LABEL_WIDTH + x1 + 6)}, {"value", value}));
}

struct str chart_waterfall(struct arena *arena, const struct difference *d)
{
	struct usd steps[DIFFERENCE_PARTS];
	struct usd at = d->estimated;
	usd_pico most = at.pico > d->billed.pico ? at.pico : d->billed.pico;
	struct bar bars[BARS] = {{"estimated", estimated_colour, USD_ZERO, at}};
	struct buf rows = BUF_INIT;
	difference_parts(d, steps);
	for (int i = 0; i < DIFFERENCE_PARTS; i++) {
		bars[i + 1] = (struct bar){difference_part_names[i], NULL, at, usd_add(at, steps[i])};
		at = usd_add(at, steps[i]);
		most = at.pico > most ? at.pico : most;
	}
	assert(usd_cmp(at, d->billed) == 0); // the parts of a difference add up to it (reconcile/compare.h)
	bars[BARS - 1] = (struct bar){"billed", billed_colour, USD_ZERO, d->billed};
	for (int i = 0; i < BARS; i++)
		add_bar(&rows, arena, &bars[i], i, most);
	return REPORT_FILL(arena, "waterfall", {"width", format_number(arena, WIDTH)},
	                   {"height", format_number(arena, BARS * BAR_STEP)},
	                   {"bars", report_take(arena, &rows)});
}

// ---- by hour ------------------------------------------------------------------------------------

static struct str draw_curve(struct arena *arena, const struct recon_table *t, bool billed, usd_pico most)
{
	struct buf points = BUF_INIT;
	for (int32_t i = 0; i < t->n; i++) {
		usd_pico v = billed ? t->list[i].d.billed.pico : t->list[i].d.estimated.pico;
		buf_addf(&points, "%d,%d ", PLOT_LEFT + (int)((int64_t)i * (WIDTH - PLOT_LEFT) / (t->n - 1)),
		         PLOT_HEIGHT + PLOT_TOP - scale_length(v, most, PLOT_HEIGHT));
	}
	return REPORT_FILL(arena, "curve", {"colour", str_of(billed ? billed_colour : estimated_colour)},
	                   {"dashes", billed ? STR("") : STR(" stroke-dasharray='4 3'")},
	                   {"points", report_take(arena, &points)});
}

static struct str draw_grid(struct arena *arena, usd_pico most)
{
	struct buf lines = BUF_INIT;
	for (int i = 0; i < 3; i++) {
		int y = PLOT_HEIGHT + PLOT_TOP - i * PLOT_HEIGHT / 2;
		buf_addstr(&lines, REPORT_FILL(arena, "grid line", {"left", format_number(arena, PLOT_LEFT)},
		                               {"right", format_number(arena, WIDTH)}, {"y", format_number(arena, y)},
		                               {"text_x", format_number(arena, PLOT_LEFT - 8)},
		                               {"text_y", format_number(arena, y + 4)},
		                               {"value", report_usd(arena, (struct usd){most * i / 2})}));
	}
	return report_take(arena, &lines);
}

// "2026-11-02T05:00:00Z" as "2026-11-02 05:00"
static struct str format_hour(struct arena *arena, struct str hour)
{
	return hour.len >= 16 ? arena_text(arena, "%.10s %.5s", hour.p, hour.p + 11) : STR("");
}

struct str chart_hours(struct arena *arena, const struct recon_table *t)
{
	usd_pico most = 1;
	for (int32_t i = 0; i < t->n; i++) {
		most = t->list[i].d.billed.pico > most ? t->list[i].d.billed.pico : most;
		most = t->list[i].d.estimated.pico > most ? t->list[i].d.estimated.pico : most;
	}
	if (t->n < 2 || t->n > HOURS_MAX)
		return STR("");
	return REPORT_FILL(
		arena, "hours", {"width", format_number(arena, WIDTH)},
		{"height", format_number(arena, PLOT_HEIGHT + 34)}, {"grid", draw_grid(arena, most)},
		{"billed", draw_curve(arena, t, true, most)}, {"estimated", draw_curve(arena, t, false, most)},
		{"left", format_number(arena, PLOT_LEFT)}, {"text_y", format_number(arena, PLOT_HEIGHT + 28)},
		{"first", format_hour(arena, t->list[0].keys[0])},
		{"last", format_hour(arena, t->list[t->n - 1].keys[0])},
		{"middle", format_number(arena, (PLOT_LEFT + WIDTH) / 2)}, {"billed_colour", str_of(billed_colour)},
		{"estimated_colour", str_of(estimated_colour)});
}
