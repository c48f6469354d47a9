// SPDX-License-Identifier: Apache-2.0
// `nowcast report --reconciliation`: the estimate beside the bill, as table, CSV or JSON. Its HTML page is
// report_html.c.
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/csv.h"
#include "base/text.h"
#include "cli/report_priv.h"
#include "query/scoreboard_json.h"

enum { PLACES = 12, PLACES_TABLE = 2, USD_FIELDS = 4 + DIFFERENCE_PARTS, PAGE_TABLES = GROUP_KEYS_MAX + 1 };

static const char *const usd_names[USD_FIELDS] = {
	"estimated_usd", "billed_usd", "list_usd",        "difference_usd", "volume_usd",
	"price_usd",     "ttl_usd",    "attribution_usd", "unmetered_usd",  "unbilled_usd"};

static void usd_fields(const struct difference *d, struct usd *ret)
{
	const struct usd sides[] = {d->estimated, d->billed, d->list, difference_of(d)};
	memcpy(ret, sides, sizeof sides);
	difference_parts(d, ret + 4);
}

// ---- csv ----------------------------------------------------------------------------------------

static void add_class_name(struct csv_writer *w, enum bill_class class)
{
	struct buf name = BUF_INIT;
	buf_addf(&name, "shared_%s_usd", bill_class_names[class]);
	csv_str(w, buf_str(&name));
	buf_release(&name);
}

static void write_csv(const struct recon_table *t, struct buf *b)
{
	struct csv_writer w = CSV_WRITER(b);
	struct usd usd[USD_FIELDS];
	for (int i = 0; i < t->by.n; i++)
		csv_str(&w, t->by.name[i]);
	csv_strz(&w, "estimated_tokens");
	csv_strz(&w, "billed_tokens");
	for (int i = 0; i < USD_FIELDS; i++)
		csv_strz(&w, usd_names[i]);
	for (int i = 1; i < BILL_CLASSES; i++)
		add_class_name(&w, (enum bill_class)i);
	csv_end_row(&w);
	for (int32_t k = 0; k < t->n; k++) {
		const struct recon_group *g = &t->list[k];
		usd_fields(&g->d, usd);
		for (int i = 0; i < t->by.n; i++)
			csv_str(&w, g->keys[i]);
		csv_int(&w, g->d.estimated_tokens);
		csv_int(&w, g->d.billed_tokens);
		for (int i = 0; i < USD_FIELDS; i++)
			csv_usd(&w, usd[i], PLACES);
		for (int i = 1; i < BILL_CLASSES; i++)
			csv_usd(&w, g->shared[i], PLACES);
		csv_end_row(&w);
	}
}

// ---- json ---------------------------------------------------------------------------------------

// Dollars of all twelve places, as a string: a double would round them.
static void write_usd(struct json_writer *j, const char *key, struct usd usd)
{
	char text[USD_SIZE];
	jw_strz(j, key, usd_format(usd, PLACES, text));
}

static void write_difference(struct json_writer *j, const struct difference *d)
{
	struct usd usd[USD_FIELDS];
	usd_fields(d, usd);
	jw_int(j, "estimated_tokens", d->estimated_tokens);
	jw_int(j, "billed_tokens", d->billed_tokens);
	for (int i = 0; i < USD_FIELDS; i++)
		write_usd(j, usd_names[i], usd[i]);
}

static void write_group(struct json_writer *j, const struct grouping *by, const struct recon_group *g)
{
	struct buf key = BUF_INIT;
	jw_line(j);
	jw_object(j, NULL);
	for (int i = 0; i < by->n; i++) {
		jw_key(j, by->name[i]);
		jw_str(j, NULL, g->keys[i].p ? g->keys[i] : STR(""));
	}
	write_difference(j, &g->d);
	for (int i = 1; i < BILL_CLASSES; i++) {
		buf_clear(&key);
		buf_addf(&key, "shared_%s_usd", bill_class_names[i]);
		write_usd(j, key.data, g->shared[i]);
	}
	jw_end(j);
	buf_release(&key);
}

static void write_other_charge(struct json_writer *j, const struct recon_charge *c)
{
	jw_line(j);
	jw_object(j, NULL);
	jw_strz(j, "class", bill_class_names[c->class]);
	jw_str(j, "account", c->account);
	jw_str(j, "what", c->what);
	write_usd(j, "usd", c->usd);
	jw_end(j);
}

static void write_json(const struct recon_report *r, const struct recon_table *t, struct buf *b)
{
	struct json_writer j = JSON_WRITER(b);
	jw_object(&j, NULL);
	jw_str(&j, "period", r->period);
	for (int i = 0; i < r->nstatus; i++) {
		jw_key(&j, r->status[i][0]);
		jw_str(&j, NULL, r->status[i][1]);
	}
	write_usd(&j, "not_final_usd", r->waiting);
	jw_int(&j, "estimated_tokens_unpriced", r->unpriced);
	jw_line(&j);
	jw_object(&j, "total");
	write_difference(&j, &r->total);
	jw_end(&j);
	jw_line(&j);
	jw_array(&j, "rows");
	for (int32_t k = 0; k < t->n; k++)
		write_group(&j, &t->by, &t->list[k]);
	jw_end(&j);
	jw_line(&j);
	jw_array(&j, "apart");
	for (int i = 0; i < r->ncharges; i++)
		write_other_charge(&j, &r->charges[i]);
	jw_end(&j);
	jw_line(&j);
	jw_object(&j, "scoreboard");
	scoreboard_json(&j, &r->board);
	jw_end(&j);
	jw_line(&j);
	jw_str(&j, "notes", r->notes.p ? r->notes : STR(""));
	jw_end(&j);
	buf_addc(b, '\n');
}

// ---- table --------------------------------------------------------------------------------------

static void add_name_cell(struct buf *b, struct str s, int width)
{
	size_t at = b->len;
	buf_addf(b, "%-*.*s  ", width, STR_ARG(s));
	text_make_plain(b->data + at, b->len - at);
}

static void add_figures(struct buf *b, const struct difference *d)
{
	static const int shown[] = {0, 1, 3, 4, 5, 6, 7, 8, 9};
	struct usd usd[USD_FIELDS];
	char text[USD_SIZE];
	usd_fields(d, usd);
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		buf_addf(b, "%12s", usd_format(usd[shown[i]], PLACES_TABLE, text));
	buf_addc(b, '\n');
}

static void write_rows(const struct recon_report *r, const struct recon_table *t, struct buf *b)
{
	int widths[GROUP_KEYS_MAX];
	buf_addf(
		b,
		"Billing period %.*s, in USD. Billed less estimated = volume + price + ttl + attribution + unmetered + unbilled.\n\n",
		STR_ARG(r->period));
	for (int i = 0; i < t->by.n; i++) {
		widths[i] = (int)t->by.name[i].len < 5 ? 5 : (int)t->by.name[i].len;
		for (int32_t k = 0; k < t->n; k++)
			if ((int)t->list[k].keys[i].len > widths[i])
				widths[i] = (int)t->list[k].keys[i].len;
		add_name_cell(b, t->by.name[i], widths[i]);
	}
	buf_addf(b, "%12s%12s%12s", "estimated", "billed", "difference");
	for (int i = 0; i < DIFFERENCE_PARTS; i++)
		buf_addf(b, "%12s", difference_part_names[i]);
	buf_addc(b, '\n');
	for (int32_t k = 0; k < t->n; k++) {
		for (int i = 0; i < t->by.n; i++)
			add_name_cell(b, t->list[k].keys[i].len ? t->list[k].keys[i] : STR("-"), widths[i]);
		add_figures(b, &t->list[k].d);
	}
	for (int i = 0; i < t->by.n; i++)
		add_name_cell(b, i ? STR("") : STR("total"), widths[i]);
	add_figures(b, &r->total);
}

static void write_table(const struct recon_report *r, const struct recon_table *t, struct buf *b)
{
	char text[USD_SIZE];
	if (t->n)
		write_rows(r, t, b);
	else
		buf_addf(b, "Billing period %.*s: there is nothing to compare, since no hour with figures is final yet.\n",
		         STR_ARG(r->period));
	if (r->waiting.pico)
		buf_addf(b, "\n%s USD of estimates are in hours that are not final yet.\n",
		         usd_format(r->waiting, PLACES_TABLE, text));
	if (r->unpriced)
		buf_addf(b,
		         "\n%" PRId64 " tokens have no price: their estimate is unknown, and counts as 0 here. `nowcast "
		         "doctor` names the models.\n",
		         r->unpriced);
	if (r->ncharges)
		buf_adds(b, "\nOther charges on the bill:\n");
	for (int i = 0; i < r->ncharges; i++) {
		const struct recon_charge *c = &r->charges[i];
		buf_addf(b, "  %-12s %-14.*s %14s  %.*s\n", bill_class_names[c->class], STR_ARG(c->account),
		         usd_format(c->usd, PLACES_TABLE, text), STR_ARG(c->what));
	}
	if (r->board.n)
		buf_addc(b, '\n');
	scoreboard_write_table(&r->board, b);
	buf_addc(b, '\n');
	for (int i = 0; i < r->nstatus; i++)
		if (str_starts(r->status[i][0], STR("watermark ")) || str_is(r->status[i][0], "export") ||
		    str_is(r->status[i][0], "granularity"))
			buf_addf(b, "%.*s: %.*s\n", STR_ARG(r->status[i][0]), STR_ARG(r->status[i][1]));
	if (r->notes.len)
		buf_addf(b, "\n%.*s", STR_ARG(r->notes));
}

// ---- the command --------------------------------------------------------------------------------

struct threshold {
	bool percent;  // of what is billed, else dollars
	int64_t micro;
};

// "5%" or "12.50".
static bool parse_threshold(struct threshold *ret, const char *text, struct err *err)
{
	struct str s = str_of(text);
	ret->percent = str_ends(s, STR("%"));
	s.len -= ret->percent;
	return (usd_parse_scaled(s, 6, &ret->micro) && ret->micro >= 0) ||
	       err_set(
			   err, ERR_CONFIG,
			   "--threshold: expected dollars or a percentage of what is billed, such as 100 or 2.5%%; got \"%s\"",
			   text);
}

// Whether the whole difference is above the threshold.
static bool is_above(const struct recon_report *r, struct threshold t)
{
	usd_pico difference = difference_of(&r->total).pico;
	struct usd limit = t.percent ? usd_muldiv(r->total.billed, t.micro, 100000000)
	                             : (struct usd){(usd_pico)t.micro * 1000000};
	return (difference < 0 ? -difference : difference) > limit.pico;
}

static void print_report(const struct recon_report *r, const char *format)
{
	struct buf b = BUF_INIT;
	const struct recon_table *t = &r->tables[0];
	assert(r->ntables > 0);
	bool table = strcmp(format, "table") == 0, page = strcmp(format, "html") == 0;
	for (int i = 0; i < r->ntables; i++) {
		if ((table || page) && !grouping_in_time(&r->tables[i].by))
			recon_table_sort_by_difference(&r->tables[i]);
		else
			recon_table_sort_by_key(&r->tables[i]);
	}
	if (table)
		write_table(r, t, &b);
	else if (strcmp(format, "csv") == 0)
		write_csv(t, &b);
	else if (strcmp(format, "json") == 0)
		write_json(r, t, &b);
	else
		report_write_html(r, &b);
	(void)!text_print(stdout, &b); // main looks whether all was written
	buf_release(&b);
}

// The page has a table for each grouping, and the hours for its chart.
static bool parse_groupings(const char *by, bool html, struct caller_sources from,
                            struct grouping ret[PAGE_TABLES], int *ret_n, struct err *err)
{
	struct grouping all;
	*ret_n = 1;
	if (!grouping_parse(html ? &all : ret,
	                    str_of(by     ? by
	                           : html ? "team,principal,model"
	                                  : "principal"),
	                    from, err))
		return false;
	for (int i = 0; html && i < all.n; i++)
		ret[i] = (struct grouping){.n = 1, .by = {all.by[i]}, .name = {all.name[i]}, .tag = {all.tag[i]}};
	if (html)
		*ret_n = all.n + 1;
	return !html || grouping_parse(&ret[all.n], STR("hour"), from, err);
}

bool report_take_period(struct command *c, char *month, const char **ret, struct err *err)
{
	int64_t now_ms = -1;
	char when[WHEN_SIZE];
	if (!command_option(c, "--period", ret, err) || !command_time(c, "--now", &now_ms, err))
		return false;
	if (c->argc > 0 && c->argv[0][0] != '-')
		return err_set(err, ERR_CONFIG,
		               "%s: this report is of a month of the bill and of no other span: --period YYYY-MM, or all",
		               c->argv[0]);
	if (*ret || now_ms < 0)
		return true;
	when_format(now_ms, when);
	snprintf(month, 8, "%.7s", when);
	*ret = month;
	return true;
}

int report_reconciliation(struct command *c)
{
	char month[8];
	struct err err = ERR_INIT;
	const char *by = NULL, *period = NULL, *format = "table", *threshold = NULL;
	struct grouping groupings[PAGE_TABLES];
	struct recon_report r;
	struct threshold limit = {0};
	bool above = false;
	int ntables = 1;
	bool good = command_option(c, "--by", &by, &err) && report_take_period(c, month, &period, &err) &&
	            command_option(c, "--format", &format, &err) &&
	            command_option(c, "--threshold", &threshold, &err) && command_done(c, 0, 0, &err);
	bool html = strcmp(format, "html") == 0;
	if (good && !html && strcmp(format, "table") && strcmp(format, "csv") && strcmp(format, "json"))
		good = err_set(&err, ERR_CONFIG, "--format: expected table, csv, json or html, got \"%s\"", format);
	good = good && (!threshold || parse_threshold(&limit, threshold, &err)) &&
	       parse_groupings(by, html, conf_sources(&c->conf), groupings, &ntables, &err);
	if (!good || !recon_report_read(&r, &c->conf, period, groupings, ntables, &err))
		return command_fail(c, &err);
	static const char nothing[] =
		"nothing has been reconciled yet: nowcast reconcile FOLDER|s3://BUCKET/PREFIX reads a bill";
	if (!r.nperiods && threshold)
		good = err_set(&err, ERR_FATAL, "--threshold: %s", nothing);
	else if (!r.nperiods)
		fprintf(stderr, "nowcast report: %s\n", nothing);
	if (good && (r.nperiods || strcmp(format, "table"))) // a table of zeros would say that nothing differs
		print_report(&r, format);
	above = good && threshold && is_above(&r, limit);
	recon_report_release(&r);
	return !good ? command_fail(c, &err) : above ? STATUS_THRESHOLD : STATUS_OK;
}
