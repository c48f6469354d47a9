// SPDX-License-Identifier: Apache-2.0
// `nowcast report`: the figures of a span of hours, by any grouping, for people (table), spreadsheets (csv)
// and programs (json).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/csv.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/commands.h"
#include "cli/report_priv.h"
#include "cli/table.h"
#include "query/group.h"
#include "store/view.h"

enum { USD_PLACES = 9, USD_PLACES_TABLE = 4 };

enum format { FORMAT_TABLE, FORMAT_CSV, FORMAT_JSON, FORMAT_FOCUS };

struct report {
	struct grouping by;
	enum format format;
	int64_t from, to; // hours
};

static bool parse_hour(const char *text, const char *flag, bool up, int64_t *ret, struct err *err)
{
	int64_t ms;
	if (!when_parse(str_of(text), &ms))
		return err_set(err, ERR_CONFIG,
		               "%s: expected a time like 2026-11-02T00:00:00Z or 2026-11-02, got \"%s\"", flag, text);
	*ret = (ms + (up ? MS_PER_HOUR - 1 : 0)) / MS_PER_HOUR;
	return true;
}

static bool parse_arguments(struct command *c, struct report *ret, struct err *err)
{
	const char *by = "principal", *from = "1970-01-01", *to = "9999-01-01", *format = "table";
	if (!command_option(c, "--by", &by, err) || !command_option(c, "--from", &from, err) ||
	    !command_option(c, "--to", &to, err) || !command_option(c, "--format", &format, err) ||
	    !command_done(c, 0, 0, err))
		return false;
	if (!grouping_parse(&ret->by, str_of(by), conf_team(&c->conf), err))
		return false;
	if (!parse_hour(from, "--from", false, &ret->from, err) || !parse_hour(to, "--to", true, &ret->to, err))
		return false;
	if (ret->from >= ret->to)
		return err_set(err, ERR_CONFIG, "--from %s --to %s: the span ends before it begins", from, to);
	if (strcmp(format, "table") == 0)
		ret->format = FORMAT_TABLE;
	else if (strcmp(format, "csv") == 0)
		ret->format = FORMAT_CSV;
	else if (strcmp(format, "json") == 0)
		ret->format = FORMAT_JSON;
	else if (strcmp(format, "focus") == 0)
		ret->format = FORMAT_FOCUS;
	else
		return err_set(err, ERR_CONFIG, "--format: expected table, csv, json or focus, got \"%s\"", format);
	return true;
}

// ---- csv ----------------------------------------------------------------------------------------

// Without a price, or calls of which no tokens are known: the dollars are unknown, and not 0.
static bool is_unpriced(const struct group *g)
{
	return g->tokens > 0 ? g->unpriced == g->tokens : g->tokens == 0 && g->calls > 0 && g->usd.pico == 0;
}

// Calls have no token type: a group of a token type has no number of calls.
static bool has_calls(const struct grouping *by)
{
	for (int i = 0; i < by->n; i++)
		if (by->by[i] == BY_TOKEN_TYPE)
			return false;
	return true;
}

static void write_calls(struct csv_writer *w, const struct group *g, bool known)
{
	if (known) {
		csv_int(w, g->calls);
		csv_int(w, g->failed);
	} else {
		csv_empty(w);
		csv_empty(w);
	}
}

static void print_csv(const struct report *r, const struct groups *g)
{
	static const char *const figures[] = {"tokens", "usd", "usd_low", "usd_high", "basis", "calls", "failed"};
	struct buf b = BUF_INIT;
	struct csv_writer w = CSV_WRITER(&b);
	char basis[GROUP_BASIS_SIZE];
	for (int i = 0; i < r->by.n; i++)
		csv_str(&w, r->by.name[i]);
	for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
		csv_strz(&w, figures[i]);
	csv_end_row(&w);
	for (int32_t k = 0; k < g->n; k++) {
		const struct group *x = &g->list[k];
		if (group_is_empty(x)) // the bill may have dollars for which no tokens are known, the trail calls
			continue;
		for (int i = 0; i < r->by.n; i++)
			csv_str(&w, x->keys[i]);
		csv_int(&w, x->tokens);
		const struct usd usd[] = {x->usd, x->usd_low, x->usd_high};
		for (int i = 0; i < 3; i++) {
			if (is_unpriced(x))
				csv_empty(&w);
			else
				csv_usd(&w, usd[i], USD_PLACES);
		}
		csv_strz(&w, group_basis(x, basis));
		write_calls(&w, x, has_calls(&r->by));
		csv_end_row(&w);
	}
	(void)!text_print(stdout, &b); // main looks whether all was written
	buf_release(&b);
}

// ---- json ---------------------------------------------------------------------------------------

static void write_usd(struct json_writer *j, const char *key, struct usd usd, bool priced)
{
	if (priced)
		jw_usd(j, key, usd);
	else
		jw_null(j, key);
}

static void write_group(struct json_writer *j, const struct grouping *by, const struct group *g)
{
	char basis[GROUP_BASIS_SIZE];
	bool priced = !is_unpriced(g);
	jw_line(j);
	jw_object(j, NULL);
	for (int i = 0; i < by->n; i++) {
		jw_key(j, by->name[i]);
		jw_str(j, NULL, g->keys[i].p ? g->keys[i] : STR(""));
	}
	jw_int(j, "calls", g->calls);
	jw_int(j, "failed", g->failed);
	jw_int(j, "tokens", g->tokens);
	jw_int(j, "units", g->units);
	jw_int(j, "tokens_billed", g->billed);
	jw_int(j, "tokens_exact", g->exact);
	jw_int(j, "tokens_allocated", g->allocated);
	jw_int(j, "tokens_provisional", g->provisional);
	jw_int(j, "tokens_unpriced", g->unpriced);
	jw_int(j, "tokens_unbilled", g->unbilled);
	jw_usd(j, "usd_unbilled", g->usd_unbilled);
	write_usd(j, "usd", g->usd, priced);
	write_usd(j, "usd_low", g->usd_low, priced);
	write_usd(j, "usd_high", g->usd_high, priced);
	write_usd(j, "usd_band_estimated", g->usd_band_estimated, priced);
	if (usd_cmp(g->usd_borrowed, USD_ZERO) > 0)
		write_usd(j, "usd_borrowed", g->usd_borrowed, priced);
	jw_strz(j, "basis", group_basis(g, basis));
	jw_end(j);
}

static void print_json(const struct report *r, const struct groups *g)
{
	struct buf b = BUF_INIT;
	struct json_writer j = JSON_WRITER(&b);
	jw_array(&j, NULL);
	for (int32_t k = 0; k < g->n; k++)
		if (!group_is_empty(&g->list[k]))
			write_group(&j, &r->by, &g->list[k]);
	jw_line(&j);
	jw_end(&j);
	buf_addc(&b, '\n');
	(void)!text_print(stdout, &b); // main looks whether all was written
	buf_release(&b);
}

// ---- table --------------------------------------------------------------------------------------

static void add_usd(struct table *table, struct usd usd, bool known)
{
	char text[USD_SIZE];
	table_cell(table, known ? str_of(usd_format(usd, USD_PLACES_TABLE, text)) : STR("-"));
}

static void add_row(const struct report *r, const struct group *x, struct table *table)
{
	char tokens[TABLE_COUNT_SIZE], calls[TABLE_COUNT_SIZE], basis[GROUP_BASIS_SIZE];
	bool priced = !is_unpriced(x);
	for (int i = 0; i < r->by.n; i++)
		table_cell(table, x->keys[i]);
	table_cell(table, str_of(table_count(x->tokens, tokens)));
	add_usd(table, x->usd, priced);
	add_usd(table, x->usd_low, priced);
	add_usd(table, x->usd_high, priced);
	table_cell(table, str_of(group_basis(x, basis)));
	table_cell(table, has_calls(&r->by) ? str_of(table_count(x->calls, calls)) : STR("-"));
}

static int terminal_width(void)
{
	struct winsize w;
	return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}

// On a terminal it fits the terminal; elsewhere nothing is cut.
static void print_table(const struct report *r, const struct groups *g, struct groups *total)
{
	struct table table = TABLE_INIT;
	for (int i = 0; i < r->by.n; i++)
		table_column(&table, r->by.name[i], TABLE_NAME, 0);
	table_column(&table, STR("tokens"), TABLE_NUMBER, 1);
	table_column(&table, STR("usd"), TABLE_NUMBER, 0);
	table_column(&table, STR("low"), TABLE_NUMBER, 3);
	table_column(&table, STR("high"), TABLE_NUMBER, 3);
	table_column(&table, STR("basis"), TABLE_TEXT, 2);
	table_column(&table, STR("calls"), TABLE_NUMBER, 4);
	for (int32_t k = 0; k < g->n; k++)
		if (!group_is_empty(&g->list[k]))
			add_row(r, &g->list[k], &table);
	if (r->by.n && g->n > 1 && total->n == 1) {
		struct group sum = total->list[0];
		sum.keys[0] = STR("total");
		for (int i = 1; i < r->by.n; i++)
			sum.keys[i] = STR(" ");
		add_row(r, &sum, &table);
	}
	table_print(&table, stdout, terminal_width(), -1, "\n");
	table_release(&table);
}

// ---- the command --------------------------------------------------------------------------------

struct report_sums {
	struct groups *groups, *total;
};

static bool add_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct report_sums *s = user;
	return groups_add(s->groups, v, model_hour) && groups_add(s->total, v, model_hour);
}

int cmd_report(struct command *c)
{
	struct err err = ERR_INIT;
	struct report r = {.format = FORMAT_TABLE};
	struct view *v = NULL;
	struct groups groups, total;
	if (command_switch(c, "--reconciliation"))
		return report_reconciliation(c);
	if (command_switch(c, "--scoreboard"))
		return report_scoreboard(c);
	if (!parse_arguments(c, &r, &err) ||
	    !view_open(&v, redis_target_of(&c->conf), &err))
		return command_fail(c, &err);
	if (r.format == FORMAT_FOCUS) {
		bool wrote = report_focus(v, r.from, r.to, stdout, &err);
		view_close(v);
		return wrote ? STATUS_OK : command_fail(c, &err);
	}
	groups_init(&groups, &r.by);
	groups_init(&total, &(struct grouping){0});
	bool good = view_each(v, r.from, r.to, add_model_hour, &(struct report_sums){&groups, &total}, &err);
	bool in_time = grouping_in_time(&r.by);
	if (good && r.format == FORMAT_TABLE && !in_time)
		groups_sort_by_usd(&groups);
	else
		groups_sort_by_key(&groups);
	if (good && r.format == FORMAT_CSV)
		print_csv(&r, &groups);
	else if (good && r.format == FORMAT_JSON)
		print_json(&r, &groups);
	else if (good && groups.n == 0)
		fprintf(stderr, "nowcast report: no figures in that span (nowcast doctor shows what has arrived)\n");
	else if (good)
		print_table(&r, &groups, &total);
	groups_release(&groups);
	groups_release(&total);
	view_close(v);
	if (good && fflush(stdout) != 0)
		good = err_set(&err, ERR_FATAL, "cannot write the report");
	return good ? STATUS_OK : command_fail(c, &err);
}
