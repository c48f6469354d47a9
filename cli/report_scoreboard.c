// SPDX-License-Identifier: Apache-2.0
// `nowcast report --scoreboard`: how good the estimates were, as table, CSV or JSON.
#include <inttypes.h>
#include <stdio.h>

#include "base/csv.h"
#include "base/text.h"
#include "cli/report_priv.h"
#include "query/scoreboard_json.h"

enum { PLACES = 9, PLACES_TABLE = 2 };

const char *const scoreboard_horizon_labels[SCORE_HORIZONS] = {"5 minutes", "1 hour", "24 hours", "at last"};

void scoreboard_add_percent(struct buf *b, int64_t ratio, bool sign)
{
	int64_t tenths = ((ratio < 0 ? -ratio : ratio) + 5) / 10;
	buf_addf(b, "%s%" PRId64 ".%d%%",
	         ratio < 0 && tenths ? "-"
	         : sign && tenths    ? "+"
	                             : "",
	         tenths / 10, (int)(tenths % 10));
}

void scoreboard_add_causes(struct buf *b, const struct score *s)
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

static void add_score_line(struct buf *b, const struct scoreboard_day *d, int k)
{
	const struct score *s = &d->at[k];
	struct buf cell = BUF_INIT;
	char usd[USD_SIZE];
	buf_addf(b, "%-10.*s  %-9s %5" PRId64 " %14s", STR_ARG(d->day), scoreboard_horizon_labels[k], s->hours,
	         usd_format(s->billed, PLACES_TABLE, usd));
	const int64_t ratios[] = {scoreboard_ratio(s->missed, s->billed),
	                          scoreboard_ratio(scoreboard_bias(s), s->billed),
	                          scoreboard_ratio(s->covered, s->billed), scoreboard_ratio(s->width, s->billed)};
	for (int i = 0; i < 4; i++) {
		buf_clear(&cell);
		if (i >= 2 && k == SCORE_LAST)
			buf_adds(&cell, "-");
		else
			scoreboard_add_percent(&cell, ratios[i], i == 1);
		buf_addf(b, " %9s", cell.data);
	}
	buf_adds(b, "  ");
	scoreboard_add_causes(b, s);
	buf_addc(b, '\n');
	buf_release(&cell);
}

static void add_worst_callers(struct buf *b, const struct scoreboard_day *d)
{
	char usd[USD_SIZE];
	for (int k = 0; k < SCORE_HORIZONS; k++) {
		if (!d->nworst[k])
			continue;
		buf_addf(b, "\nMissed most on %.*s, %s after the hour, in USD:\n", STR_ARG(d->day),
		         k == SCORE_LAST ? "long" : scoreboard_horizon_labels[k]);
		for (int i = 0; i < d->nworst[k]; i++)
			buf_addf(b, "%14s  %-12s %.*s\n", usd_format(d->worst[k][i].missed, PLACES_TABLE, usd),
			         score_cause_names[d->worst[k][i].cause], STR_ARG(d->worst[k][i].principal));
		return;
	}
}

void scoreboard_write_table(const struct scoreboard *s, struct buf *b)
{
	if (s->n == 0)
		return;
	buf_adds(b,
	         "How good the estimates were, by hour and caller; `after` is how old the hour was then:\n\n");
	buf_addf(b, "%-10s  %-9s %5s %14s %9s %9s %9s %9s  %s\n", "day", "after", "hours", "billed", "off by",
	         "bias", "in band", "width", "because of");
	for (int i = s->n > 1 ? -1 : 0; i < s->n; i++) {
		const struct scoreboard_day *d = i < 0 ? &s->total : &s->days[i];
		for (int k = 0; k < SCORE_HORIZONS; k++)
			if (d->at[k].hours)
				add_score_line(b, d, k);
	}
	add_worst_callers(b, &s->days[0]);
}

// ---- csv ----------------------------------------------------------------------------------------

static void write_csv_row(struct csv_writer *w, const struct scoreboard_day *d, int k)
{
	const struct score *s = &d->at[k];
	csv_str(w, d->day);
	csv_strz(w, score_horizon_names[k]);
	csv_int(w, s->hours);
	csv_int(w, s->cells);
	csv_usd(w, s->billed, PLACES);
	csv_usd(w, s->estimated, PLACES);
	csv_usd(w, s->missed, PLACES);
	if (k == SCORE_LAST) { // it had no band
		csv_empty(w);
		csv_empty(w);
	} else {
		csv_usd(w, s->covered, PLACES);
		csv_usd(w, s->width, PLACES);
	}
	for (int i = 0; i < SCORE_CAUSES; i++)
		csv_usd(w, s->cause[i], PLACES);
	csv_end_row(w);
}

static void write_csv(const struct scoreboard *s, struct buf *b)
{
	static const char *const columns[] = {"day",        "as_of",       "hours",
	                                      "cells",      "billed_usd",  "estimated_usd",
	                                      "missed_usd", "covered_usd", "width_usd"};
	struct csv_writer w = CSV_WRITER(b);
	struct buf name = BUF_INIT;
	for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
		csv_strz(&w, columns[i]);
	for (int i = 0; i < SCORE_CAUSES; i++) {
		buf_clear(&name);
		buf_addf(&name, "%s_usd", score_cause_names[i]);
		csv_str(&w, buf_str(&name));
	}
	buf_release(&name);
	csv_end_row(&w);
	for (int i = 0; i < s->n; i++)
		for (int k = 0; k < SCORE_HORIZONS; k++)
			if (s->days[i].at[k].hours)
				write_csv_row(&w, &s->days[i], k);
}

static void write_json(const struct scoreboard *s, struct buf *b)
{
	struct json_writer j = JSON_WRITER(b);
	jw_object(&j, NULL);
	scoreboard_json(&j, s);
	jw_end(&j);
	buf_addc(b, '\n');
}

// ---- the command --------------------------------------------------------------------------------

static const struct format {
	const char *name;
	void (*write)(const struct scoreboard *, struct buf *);
} formats[] = {{"table", scoreboard_write_table}, {"csv", write_csv}, {"json", write_json}};

static const struct format *find_format(const char *name)
{
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

int report_scoreboard(struct command *c)
{
	struct err err = ERR_INIT;
	struct scoreboard s = {0};
	struct buf b = BUF_INIT;
	const char *period = NULL, *name = "table";
	char month[8];
	if (!report_take_period(c, month, &period, &err) || !command_option(c, "--format", &name, &err) ||
	    !command_done(c, 0, 0, &err))
		return command_fail(c, &err);
	const struct format *format = find_format(name);
	bool good =
		format || err_set(&err, ERR_CONFIG, "--format: expected table, csv or json, got \"%s\"", name);
	good = good && scoreboard_load(&s, &c->conf, period, &err);
	if (good) {
		format->write(&s, &b);
		(void)!text_print(stdout, &b); // main looks whether all was written
	}
	if (good && s.n == 0)
		fputs(
			"nowcast report: no day has a score yet: `nowcast reconcile` computes it, for hours that are final\n",
			stderr);
	buf_release(&b);
	scoreboard_release(&s);
	return good ? STATUS_OK : command_fail(c, &err);
}
