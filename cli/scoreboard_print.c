// SPDX-License-Identifier: Apache-2.0
// The scoreboard as table, CSV, JSON, and as a section of the page.
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "query/scoreboard.h"

static const char *const names[SCORE_HORIZONS] = {"5 minutes", "1 hour", "24 hours", "at last"};

enum { PLACES = 9 };

#define NONE "\xe2\x80\x93" // a dash, in HTML

static struct usd bias_of(const struct score *s)
{
	return usd_sub(s->estimated, s->billed);
}

// Ten-thousandths as per cent with a decimal.
static void add_percent(struct buf *b, int64_t ratio, bool sign)
{
	int64_t tenths = ((ratio < 0 ? -ratio : ratio) + 5) / 10;
	buf_addf(b, "%s%" PRId64 ".%d%%",
	         ratio < 0 && tenths ? "-"
	         : sign && tenths    ? "+"
	                             : "",
	         tenths / 10, (int)(tenths % 10));
}

static void add_causes(struct buf *b, const struct score *s)
{
	enum score_cause causes[SCORE_CAUSES];
	int n = scoreboard_causes(s, causes);
	for (int i = 0; i < n; i++) {
		int64_t share = (scoreboard_ratio(s->cause[causes[i]], s->missed) + 50) / 100;
		if (share > 0)
			buf_addf(b, "%s%s %" PRId64 "%%", i ? ", " : "", score_cause_names[causes[i]], share);
	}
}

// ---- table --------------------------------------------------------------------------------------

static void add_line(struct buf *b, const struct scoreboard_day *d, int k)
{
	const struct score *s = &d->at[k];
	struct buf cell = BUF_INIT;
	char usd[USD_SIZE];
	buf_addf(b, "%-10.*s  %-9s %5" PRId64 " %14s", STR_ARG(d->day), names[k], s->hours,
	         usd_format(s->billed, 2, usd));
	const int64_t ratios[] = {scoreboard_ratio(s->missed, s->billed), scoreboard_ratio(bias_of(s), s->billed),
	                          scoreboard_ratio(s->covered, s->billed), scoreboard_ratio(s->width, s->billed)};
	for (int i = 0; i < 4; i++) {
		buf_clear(&cell);
		if (i >= 2 && k == SCORE_LAST)
			buf_adds(&cell, "-");
		else
			add_percent(&cell, ratios[i], i == 1);
		buf_addf(b, " %9s", cell.data);
	}
	buf_adds(b, "  ");
	add_causes(b, s);
	buf_addc(b, '\n');
	buf_release(&cell);
}

static void add_worst(struct buf *b, const struct scoreboard_day *d)
{
	char usd[USD_SIZE];
	for (int k = 0; k < SCORE_HORIZONS; k++) {
		if (!d->nworst[k])
			continue;
		buf_addf(b, "\nMissed most on %.*s, %s after the hour, in USD:\n", STR_ARG(d->day),
		         k == SCORE_LAST ? "long" : names[k]);
		for (int i = 0; i < d->nworst[k]; i++)
			buf_addf(b, "%14s  %-12s %.*s\n", usd_format(d->worst[k][i].missed, 2, usd),
			         score_cause_names[d->worst[k][i].cause], STR_ARG(d->worst[k][i].principal));
		return;
	}
}

void scoreboard_table(const struct scoreboard *s, struct buf *b)
{
	if (s->n == 0)
		return;
	buf_adds(b,
	         "How good the estimates were, by hour and caller, as they stood so long after each hour:\n\n");
	buf_addf(b, "%-10s  %-9s %5s %14s %9s %9s %9s %9s  %s\n", "day", "after", "hours", "billed", "off by",
	         "bias", "in band", "width", "because of");
	for (int i = s->n > 1 ? -1 : 0; i < s->n; i++) {
		const struct scoreboard_day *d = i < 0 ? &s->total : &s->days[i];
		for (int k = 0; k < SCORE_HORIZONS; k++)
			if (d->at[k].hours)
				add_line(b, d, k);
	}
	add_worst(b, &s->days[0]);
}

// ---- csv ----------------------------------------------------------------------------------------

void scoreboard_csv(const struct scoreboard *s, struct buf *b)
{
	char text[USD_SIZE];
	buf_adds(b, "day,as_of,hours,cells,billed_usd,estimated_usd,missed_usd,covered_usd,width_usd");
	for (int i = 0; i < SCORE_CAUSES; i++)
		buf_addf(b, ",%s_usd", score_cause_names[i]);
	buf_addc(b, '\n');
	for (int i = 0; i < s->n; i++)
		for (int k = 0; k < SCORE_HORIZONS; k++) {
			const struct score *x = &s->days[i].at[k];
			if (!x->hours)
				continue;
			buf_addf(b, "%.*s,%s,%" PRId64 ",%" PRId64, STR_ARG(s->days[i].day), score_horizon_names[k],
			         x->hours, x->cells);
			buf_addf(b, ",%s", usd_format(x->billed, PLACES, text));
			buf_addf(b, ",%s", usd_format(x->estimated, PLACES, text));
			buf_addf(b, ",%s", usd_format(x->missed, PLACES, text));
			buf_addf(b, ",%s", k == SCORE_LAST ? "" : usd_format(x->covered, PLACES, text));
			buf_addf(b, ",%s", k == SCORE_LAST ? "" : usd_format(x->width, PLACES, text));
			for (int j = 0; j < SCORE_CAUSES; j++)
				buf_addf(b, ",%s", usd_format(x->cause[j], PLACES, text));
			buf_addc(b, '\n');
		}
}

// ---- json ---------------------------------------------------------------------------------------

static void add_ratio(struct buf *b, const char *name, int64_t ratio, bool known)
{
	int64_t size = ratio < 0 ? -ratio : ratio;
	if (known)
		buf_addf(b, ",\"%s\":%s%" PRId64 ".%04d", name, ratio < 0 ? "-" : "", size / 10000,
		         (int)(size % 10000));
	else
		buf_addf(b, ",\"%s\":null", name);
}

static void add_score(struct buf *b, const struct scoreboard_day *d, int k)
{
	const struct score *s = &d->at[k];
	enum score_cause causes[SCORE_CAUSES];
	char text[USD_SIZE];
	int n = scoreboard_causes(s, causes);
	if (!s->hours) {
		buf_adds(b, "null");
		return;
	}
	buf_addf(b, "{\"hours\":%" PRId64 ",\"cells\":%" PRId64, s->hours, s->cells);
	buf_addf(b, ",\"billed\":\"%s\"", usd_format(s->billed, PLACES, text));
	buf_addf(b, ",\"estimated\":\"%s\"", usd_format(s->estimated, PLACES, text));
	buf_addf(b, ",\"missed\":\"%s\"", usd_format(s->missed, PLACES, text));
	add_ratio(b, "wape", scoreboard_ratio(s->missed, s->billed), s->billed.pico > 0);
	add_ratio(b, "bias", scoreboard_ratio(bias_of(s), s->billed), s->billed.pico > 0);
	add_ratio(b, "coverage", scoreboard_ratio(s->covered, s->billed), s->billed.pico > 0 && k != SCORE_LAST);
	add_ratio(b, "width", scoreboard_ratio(s->width, s->billed), s->billed.pico > 0 && k != SCORE_LAST);
	buf_adds(b, ",\"causes\":[");
	for (int i = 0; i < n; i++) {
		buf_addf(b, "%s{\"cause\":\"%s\",\"usd\":\"%s\"", i ? "," : "", score_cause_names[causes[i]],
		         usd_format(s->cause[causes[i]], PLACES, text));
		add_ratio(b, "share", scoreboard_ratio(s->cause[causes[i]], s->missed), true);
		buf_addc(b, '}');
	}
	buf_adds(b, "],\"worst\":[");
	for (int i = 0; i < d->nworst[k]; i++) {
		buf_addf(b, "%s{\"principal\":", i ? "," : "");
		buf_add_json(b, d->worst[k][i].principal);
		buf_addf(b, ",\"missed\":\"%s\",\"cause\":\"%s\"}", usd_format(d->worst[k][i].missed, PLACES, text),
		         score_cause_names[d->worst[k][i].cause]);
	}
	buf_adds(b, "]}");
}

static void add_day(struct buf *b, const struct scoreboard_day *d)
{
	for (int k = 0; k < SCORE_HORIZONS; k++) {
		buf_addf(b, "%s\"%s\":", k ? "," : "", score_horizon_names[k]);
		add_score(b, d, k);
	}
}

void scoreboard_json(const struct scoreboard *s, struct buf *b)
{
	buf_adds(b, "{\"total\":{");
	add_day(b, &s->total);
	buf_adds(b, "},\"days\":[");
	for (int i = 0; i < s->n; i++) {
		buf_addf(b, "%s{\"day\":\"%.*s\",\"as_of\":{", i ? ",\n" : "\n", STR_ARG(s->days[i].day));
		add_day(b, &s->days[i]);
		buf_adds(b, "}}");
	}
	buf_adds(b, "]}");
}

// ---- html ---------------------------------------------------------------------------------------

// A row a day: how far off at each horizon; the rest as of the first one there is.
static void add_html_row(struct buf *b, const struct scoreboard_day *d)
{
	char usd[USD_SIZE];
	int first = 0;
	while (first < SCORE_LAST && !d->at[first].hours)
		first++;
	const struct score *s = &d->at[first];
	buf_addf(b, "<tr><td class=day>%.*s</td><td>%" PRId64 "</td><td>%s</td>", STR_ARG(d->day),
	         d->at[SCORE_LAST].hours, usd_format(d->at[SCORE_LAST].billed, 2, usd));
	for (int k = 0; k < SCORE_HORIZONS; k++) {
		buf_adds(b, "<td>");
		if (d->at[k].hours)
			add_percent(b, scoreboard_ratio(d->at[k].missed, d->at[k].billed), false);
		else
			buf_adds(b, NONE);
		buf_adds(b, "</td>");
	}
	buf_adds(b, "<td>");
	add_percent(b, scoreboard_ratio(bias_of(s), s->billed), true);
	buf_adds(b, "</td><td>");
	if (first == SCORE_LAST)
		buf_adds(b, NONE);
	else
		add_percent(b, scoreboard_ratio(s->covered, s->billed), false);
	buf_adds(b, "</td><td class=text>");
	add_causes(b, s);
	buf_adds(b, "</td></tr>\n");
}

void scoreboard_html(const struct scoreboard *s, struct buf *b)
{
	if (s->n == 0)
		return;
	buf_adds(
		b,
		"<h2>How good the estimates were</h2><p class=sub>Off by: the sum of the misses, by hour and caller, as a part of what was billed; as the estimates stood so long "
		"after each hour. In band: of the billed dollars, those inside the band that was shown. Bias, band and causes are of the earliest.</p>"
		"<table><thead><tr><th>day</th><th>hours</th><th>billed</th>");
	for (int k = 0; k < SCORE_HORIZONS; k++)
		buf_addf(b, "<th>%s%s</th>", k ? "" : "off by, ", names[k]);
	buf_adds(b, "<th>bias</th><th>in band</th><th class=text>because of</th></tr></thead><tbody>\n");
	for (int i = 0; i < s->n; i++)
		add_html_row(b, &s->days[i]);
	buf_adds(b, "</tbody>");
	if (s->n > 1) {
		buf_adds(b, "<tfoot>");
		add_html_row(b, &s->total);
		buf_adds(b, "</tfoot>");
	}
	buf_adds(b, "</table>\n");
}
