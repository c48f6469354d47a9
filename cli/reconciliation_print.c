// SPDX-License-Identifier: Apache-2.0
// The reconciliation as table, CSV and JSON, and the command that prints it.
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "query/reconciliation.h"

enum { PLACES = 12, PLACES_TABLE = 2, USD_FIELDS = 9, CLASSES_SHARED = BILL_CLASSES - 1 };

static const char *const usd_names[USD_FIELDS] = {"estimated_usd",   "billed_usd",    "list_usd",
                                                  "difference_usd",  "volume_usd",    "price_usd",
                                                  "attribution_usd", "unmetered_usd", "unbilled_usd"};

static void usd_fields(const struct difference *d, struct usd *ret)
{
	struct usd list[USD_FIELDS] = {d->estimated, d->billed,      d->list,      difference_of(d), d->volume,
	                               d->price,     d->attribution, d->unmetered, d->unbilled};
	memcpy(ret, list, sizeof list);
}

static int by_size(const void *a, const void *b)
{
	const struct recon_group *x = a, *y = b;
	usd_pico dx = difference_of(&x->d).pico, dy = difference_of(&y->d).pico;
	dx = dx < 0 ? -dx : dx;
	dy = dy < 0 ? -dy : dy;
	if (dx != dy)
		return dx < dy ? 1 : -1;
	for (int i = 0; i < GROUP_KEYS_MAX; i++) {
		int c = str_cmp(x->keys[i], y->keys[i]);
		if (c)
			return c;
	}
	return 0;
}

static int by_keys(const void *a, const void *b)
{
	const struct recon_group *x = a, *y = b;
	for (int i = 0; i < GROUP_KEYS_MAX; i++) {
		int c = str_cmp(x->keys[i], y->keys[i]);
		if (c)
			return c;
	}
	return 0;
}

// ---- csv ----------------------------------------------------------------------------------------

static void print_csv(const struct recon_table *t, struct buf *b)
{
	struct usd usd[USD_FIELDS];
	char text[USD_SIZE];
	for (int i = 0; i < t->by.n; i++) {
		buf_add_csv(b, t->by.name[i]);
		buf_addc(b, ',');
	}
	buf_adds(b, "estimated_tokens,billed_tokens");
	for (int i = 0; i < USD_FIELDS; i++)
		buf_addf(b, ",%s", usd_names[i]);
	for (int i = 1; i < BILL_CLASSES; i++)
		buf_addf(b, ",shared_%s_usd", bill_class_names[i]);
	buf_addc(b, '\n');
	for (int32_t k = 0; k < t->n; k++) {
		const struct recon_group *g = &t->list[k];
		usd_fields(&g->d, usd);
		for (int i = 0; i < t->by.n; i++) {
			buf_add_csv(b, g->keys[i]);
			buf_addc(b, ',');
		}
		buf_addf(b, "%lld,%lld", (long long)g->d.estimated_tokens, (long long)g->d.billed_tokens);
		for (int i = 0; i < USD_FIELDS; i++)
			buf_addf(b, ",%s", usd_format(usd[i], PLACES, text));
		for (int i = 1; i < BILL_CLASSES; i++)
			buf_addf(b, ",%s", usd_format(g->shared[i], PLACES, text));
		buf_addc(b, '\n');
	}
}

// ---- json ---------------------------------------------------------------------------------------

static void add_json_difference(struct buf *b, const struct difference *d)
{
	struct usd usd[USD_FIELDS];
	char text[USD_SIZE];
	usd_fields(d, usd);
	buf_addf(b, "\"estimated_tokens\":%lld,\"billed_tokens\":%lld", (long long)d->estimated_tokens,
	         (long long)d->billed_tokens);
	for (int i = 0; i < USD_FIELDS; i++)
		buf_addf(b, ",\"%s\":\"%s\"", usd_names[i],
		         usd_format(usd[i], PLACES, text)); // strings: doubles would round them
}

static void print_json(const struct recon_report *r, const struct recon_table *t, struct buf *b)
{
	char text[USD_SIZE];
	buf_adds(b, "{\"period\":");
	buf_add_json(b, r->period);
	for (int i = 0; i < r->nstatus; i++) {
		buf_addc(b, ',');
		buf_add_json(b, r->status[i][0]);
		buf_addc(b, ':');
		buf_add_json(b, r->status[i][1]);
	}
	buf_addf(b, ",\"not_final_usd\":\"%s\",\n\"total\":{", usd_format(r->waiting, PLACES, text));
	add_json_difference(b, &r->total);
	buf_adds(b, "},\n\"rows\":[");
	for (int32_t k = 0; k < t->n; k++) {
		buf_adds(b, k ? ",\n {" : "\n {");
		for (int i = 0; i < t->by.n; i++) {
			buf_add_json(b, t->by.name[i]);
			buf_addc(b, ':');
			buf_add_json(b, t->list[k].keys[i]);
			buf_addc(b, ',');
		}
		add_json_difference(b, &t->list[k].d);
		for (int i = 1; i < BILL_CLASSES; i++)
			buf_addf(b, ",\"shared_%s_usd\":\"%s\"", bill_class_names[i],
			         usd_format(t->list[k].shared[i], PLACES, text));
		buf_addc(b, '}');
	}
	buf_adds(b, "\n],\n\"apart\":[");
	for (int i = 0; i < r->napart; i++) {
		buf_addf(b, "%s\n {\"class\":\"%s\",\"account\":", i ? "," : "", bill_class_names[r->apart[i].class]);
		buf_add_json(b, r->apart[i].account);
		buf_adds(b, ",\"what\":");
		buf_add_json(b, r->apart[i].what);
		buf_addf(b, ",\"usd\":\"%s\"}", usd_format(r->apart[i].usd, PLACES, text));
	}
	buf_adds(b, "\n],\n\"scoreboard\":");
	scoreboard_json(&r->board, b);
	buf_adds(b, ",\n\"notes\":");
	buf_add_json(b, r->notes);
	buf_adds(b, "}\n");
}

// ---- table --------------------------------------------------------------------------------------

static void add_cell(struct buf *b, struct str s, int width)
{
	size_t at = b->len;
	buf_addf(b, "%-*.*s  ", width, STR_ARG(s));
	text_make_plain(b->data + at, b->len - at);
}

static void add_figures(struct buf *b, const struct difference *d)
{
	static const int shown[] = {0, 1, 3, 4, 5, 6, 7, 8};
	struct usd usd[USD_FIELDS];
	char text[USD_SIZE];
	usd_fields(d, usd);
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		buf_addf(b, "%12s", usd_format(usd[shown[i]], PLACES_TABLE, text));
	buf_addc(b, '\n');
}

static void print_table(const struct recon_report *r, const struct recon_table *t, struct buf *b)
{
	int widths[GROUP_KEYS_MAX];
	char text[USD_SIZE];
	buf_addf(
		b,
		"Billing period %.*s, in USD. Billed less estimated = volume + price + attribution + unmetered + unbilled.\n\n",
		STR_ARG(r->period));
	for (int i = 0; i < t->by.n; i++) {
		widths[i] = (int)t->by.name[i].len < 5 ? 5 : (int)t->by.name[i].len;
		for (int32_t k = 0; k < t->n; k++)
			if ((int)t->list[k].keys[i].len > widths[i])
				widths[i] = (int)t->list[k].keys[i].len;
		add_cell(b, t->by.name[i], widths[i]);
	}
	buf_addf(b, "%12s%12s%12s%12s%12s%12s%12s%12s\n", "estimated", "billed", "difference", "volume", "price",
	         "attribution", "unmetered", "unbilled");
	for (int32_t k = 0; k < t->n; k++) {
		for (int i = 0; i < t->by.n; i++)
			add_cell(b, t->list[k].keys[i].len ? t->list[k].keys[i] : STR("-"), widths[i]);
		add_figures(b, &t->list[k].d);
	}
	for (int i = 0; i < t->by.n; i++)
		add_cell(b, i ? STR("") : STR("total"), widths[i]);
	add_figures(b, &r->total);
	if (r->waiting.pico)
		buf_addf(b, "\n%s USD of estimates are in hours that are not final yet.\n",
		         usd_format(r->waiting, PLACES_TABLE, text));
	if (r->napart)
		buf_adds(b, "\nBilled apart:\n");
	for (int i = 0; i < r->napart; i++)
		buf_addf(b, "  %-12s %-14.*s %14s  %.*s\n", bill_class_names[r->apart[i].class],
		         STR_ARG(r->apart[i].account), usd_format(r->apart[i].usd, PLACES_TABLE, text),
		         STR_ARG(r->apart[i].what));
	if (r->board.n)
		buf_addc(b, '\n');
	scoreboard_table(&r->board, b);
	buf_addc(b, '\n');
	for (int i = 0; i < r->nstatus; i++)
		if (str_starts(r->status[i][0], STR("watermark ")) || str_is(r->status[i][0], "export") ||
		    str_is(r->status[i][0], "granularity"))
			buf_addf(b, "%.*s: %.*s\n", STR_ARG(r->status[i][0]), STR_ARG(r->status[i][1]));
	if (r->notes.len)
		buf_addf(b, "\n%.*s", STR_ARG(r->notes));
}

// ---- the command --------------------------------------------------------------------------------

// "5%" of what is billed, or "12.50" dollars.
static bool passes(const struct recon_report *r, const char *threshold, bool *ret, struct err *err)
{
	struct str s = str_of(threshold);
	int64_t micro;
	bool percent = str_ends(s, STR("%"));
	s.len -= percent;
	if (!usd_parse_scaled(s, 6, &micro) || micro < 0)
		return err_set(
			err, ERR_CONFIG,
			"--threshold: expected dollars or a percentage of what is billed, such as 100 or 2.5%%; got \"%s\"",
			threshold);
	usd_pico difference = difference_of(&r->total).pico;
	difference = difference < 0 ? -difference : difference;
	struct usd limit =
		percent ? usd_muldiv(r->total.billed, micro, 100000000) : (struct usd){(usd_pico)micro * 1000000};
	*ret = difference > limit.pico;
	return true;
}

static bool print(const struct recon_report *r, const char *format, struct err *err)
{
	struct buf b = BUF_INIT;
	const struct recon_table *t = &r->tables[0];
	bool table = strcmp(format, "table") == 0, page = strcmp(format, "html") == 0;
	for (int i = 0; i < r->ntables; i++) {
		struct recon_table *x = &r->tables[i];
		bool in_time = grouping_in_time(&x->by);
		if (x->n > 1)
			qsort(x->list, (size_t)x->n, sizeof *x->list, (table || page) && !in_time ? by_size : by_keys);
	}
	if (table)
		print_table(r, t, &b);
	else if (strcmp(format, "csv") == 0)
		print_csv(t, &b);
	else if (strcmp(format, "json") == 0)
		print_json(r, t, &b);
	else
		recon_print_html(r, &b);
	bool good = text_print(stdout, &b) && fflush(stdout) == 0;
	buf_release(&b);
	return good || err_set(err, ERR_FATAL, "cannot write the report");
}

static bool parse_groupings(const char *by, bool html, struct str team_tag, struct grouping *ret,
                            struct err *err)
{
	static const char *const pages[] = {"team", "principal", "model", "hour"};
	if (!html)
		return grouping_parse(ret, str_of(by), team_tag, err);
	for (int i = 0; i < 4; i++)
		if (!grouping_parse(&ret[i], str_of(pages[i]), team_tag, err))
			return false;
	return true;
}

int cmd_report_reconciliation(struct command *c)
{
	struct err err = ERR_INIT;
	const char *by = "principal", *period = NULL, *format = "table", *threshold = NULL;
	struct grouping groupings[4];
	struct recon_report r;
	bool passed = false;
	bool good = command_option(c, "--by", &by, &err) && command_option(c, "--period", &period, &err) &&
	            command_option(c, "--format", &format, &err) &&
	            command_option(c, "--threshold", &threshold, &err) && command_done(c, 0, 0, &err);
	bool html = strcmp(format, "html") == 0;
	if (good && !html && strcmp(format, "table") && strcmp(format, "csv") && strcmp(format, "json"))
		good = err_set(&err, ERR_CONFIG, "--format: expected table, csv, json or html, got \"%s\"", format);
	good = good && parse_groupings(by, html, str_of(c->conf.team_tag), groupings, &err);
	if (!good || !recon_report_read(&r, &c->conf, period, groupings, html ? 4 : 1, &err))
		return command_fail(c, &err);
	static const char nothing[] =
		"nothing has been reconciled yet: nowcast reconcile FOLDER|s3://BUCKET/PREFIX reads a bill";
	if (!r.nperiods && threshold)
		good = err_set(&err, ERR_FATAL, "--threshold: %s", nothing);
	else if (!r.nperiods)
		fprintf(stderr, "nowcast report: %s\n", nothing);
	good = good && print(&r, format, &err) && (!threshold || passes(&r, threshold, &passed, &err));
	recon_report_release(&r);
	return !good ? command_fail(c, &err) : passed ? STATUS_THRESHOLD : STATUS_OK;
}
