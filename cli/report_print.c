// SPDX-License-Identifier: Apache-2.0
// Prints the sums of `nowcast report` for spreadsheets (csv), programs (json) and people (table).
#include <stdio.h>

#include "base/buf.h"
#include "base/csv.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "base/when.h"
#include "cli/report_priv.h"
#include "cli/table.h"
#include "query/figure_json.h"
#include "query/short_names.h"

enum { USD_PLACES = 9, USD_PLACES_TABLE = 4 };

// ---- csv ----------------------------------------------------------------------------------------

static bool has_calls(const struct report *r)
{
	return group_has_calls(&r->by, &r->of.only);
}

// What the same group came to in the span before; NULL: nothing.
static const struct group *group_before(const struct report *r, const struct group *g)
{
	return r->before ? groups_find(r->before, g->keys) : NULL;
}

static struct usd usd_before(const struct report *r, const struct group *g)
{
	const struct group *before = group_before(r, g);
	return before ? before->usd : USD_ZERO;
}

// A span before that had tokens without a price, or that was not observed, has unknown dollars, and so has
// what has changed since.
static bool knows_before(const struct report *r, const struct group *g)
{
	const struct group *before = group_before(r, g);
	return !r->before_unknown && (!before || !group_is_unpriced(before));
}

static bool knows_change(const struct report *r, const struct group *g)
{
	return knows_before(r, g) && !group_is_unpriced(g);
}

bool report_shows(const struct report *r, const struct group *g)
{
	const struct group *before = group_before(r, g);
	return !group_is_empty(g) || (before && !group_is_empty(before));
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

static void write_usd_cell(struct csv_writer *w, struct usd usd, bool known)
{
	if (known)
		csv_usd(w, usd, USD_PLACES);
	else
		csv_empty(w);
}

// The bill may have dollars for which no tokens are known, the trail calls: these are unknown, and empty.
void report_print_csv(const struct report *r, const struct groups *g)
{
	static const char *const figures[] = {"tokens", "usd", "usd_low", "usd_high", "basis", "calls", "failed"};
	struct buf b = BUF_INIT;
	struct csv_writer w = CSV_WRITER(&b);
	char basis[GROUP_BASIS_SIZE];
	for (int i = 0; i < r->by.n; i++)
		csv_str(&w, r->by.name[i]);
	for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
		csv_strz(&w, figures[i]);
	if (r->before) {
		csv_strz(&w, "usd_previous");
		csv_strz(&w, "usd_change");
	}
	csv_end_row(&w);
	for (int32_t k = 0; k < g->n; k++) {
		const struct group *x = &g->list[k];
		for (int i = 0; i < r->by.n; i++)
			csv_str(&w, x->keys[i]);
		csv_int(&w, x->tokens);
		const struct usd usd[] = {x->usd, x->usd_low, x->usd_high};
		for (int i = 0; i < 3; i++)
			write_usd_cell(&w, usd[i], !group_is_unpriced(x));
		csv_strz(&w, group_basis(x, basis));
		write_calls(&w, x, has_calls(r));
		if (r->before) {
			write_usd_cell(&w, usd_before(r, x), knows_before(r, x));
			write_usd_cell(&w, usd_sub(x->usd, usd_before(r, x)), knows_change(r, x));
		}
		csv_end_row(&w);
	}
	(void)!text_print(stdout, &b); // main looks whether all was written
	buf_release(&b);
}

// ---- json ---------------------------------------------------------------------------------------

static void write_group(struct json_writer *j, const struct report *r, const struct group *g)
{
	const struct grouping *by = &r->by;
	char basis[GROUP_BASIS_SIZE];
	bool priced = !group_is_unpriced(g);
	int64_t unsure_ms = spikes_since(&r->spikes, by, g);
	jw_line(j);
	jw_object(j, NULL);
	for (int i = 0; i < by->n; i++) {
		jw_key(j, by->name[i]);
		jw_str(j, NULL, g->keys[i].p ? g->keys[i] : STR(""));
	}
	figure_json_calls(j, g, has_calls(r));
	jw_int(j, "tokens", g->tokens);
	jw_int(j, "units", g->units);
	jw_int(j, "tokens_billed", g->billed);
	jw_int(j, "tokens_exact", g->exact);
	if (g->telemetry)
		jw_int(j, "tokens_telemetry", g->telemetry);
	jw_int(j, "tokens_allocated", g->allocated);
	jw_int(j, "tokens_provisional", g->provisional);
	jw_int(j, "tokens_unpriced", g->unpriced);
	jw_int(j, "tokens_unbilled", g->unbilled);
	jw_usd(j, "usd_unbilled", g->usd_unbilled);
	jw_usd_if(j, "usd", priced, g->usd);
	jw_usd_if(j, "usd_low", priced, g->usd_low);
	jw_usd_if(j, "usd_high", priced, g->usd_high);
	jw_usd_if(j, "usd_band_estimated", priced, g->usd_band_estimated);
	if (usd_cmp(g->usd_ttl_estimated, USD_ZERO) > 0)
		jw_usd_if(j, "usd_ttl_estimated", priced, g->usd_ttl_estimated);
	if (usd_cmp(g->usd_borrowed, USD_ZERO) > 0)
		jw_usd_if(j, "usd_borrowed", priced, g->usd_borrowed);
	jw_strz(j, "basis", group_basis(g, basis));
	if (unsure_ms)
		jw_time(j, "split_unsure_since", unsure_ms);
	if (r->before) {
		jw_usd_if(j, "usd_previous", knows_before(r, g), usd_before(r, g));
		jw_usd_if(j, "usd_change", knows_change(r, g), usd_sub(g->usd, usd_before(r, g)));
	}
	jw_end(j);
}

void report_print_json(const struct report *r, const struct groups *g)
{
	struct buf b = BUF_INIT;
	struct json_writer j = JSON_WRITER(&b);
	jw_array(&j, NULL);
	for (int32_t k = 0; k < g->n; k++)
		write_group(&j, r, &g->list[k]);
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

// `before`: NULL: unknown.
static void add_change(struct table *table, const struct usd *before, struct usd now, bool known)
{
	char text[USD_SIZE + 1] = "+";
	struct usd change = usd_sub(now, before ? *before : USD_ZERO);
	bool up = usd_cmp(change, USD_ZERO) > 0;
	add_usd(table, before ? *before : USD_ZERO, before != NULL);
	usd_format(change, USD_PLACES_TABLE, text + up);
	table_cell(table, before && known ? str_of(text) : STR("-"));
	if (before && known)
		table_paint(table, up ? COLOUR_BAD : usd_cmp(change, USD_ZERO) < 0 ? COLOUR_GOOD : COLOUR_PLAIN);
}

// `names`: what to show for its keys.
static void add_row(const struct report *r, const struct group *x, const struct str *names,
                    const struct usd *before, struct table *table)
{
	char tokens[TABLE_COUNT_SIZE], calls[TABLE_COUNT_SIZE], basis[GROUP_BASIS_SIZE];
	bool priced = !group_is_unpriced(x);
	for (int i = 0; i < r->by.n; i++)
		table_cell(table, names[i]);
	table_cell(table, str_of(table_count(x->tokens, tokens)));
	add_usd(table, x->usd, priced);
	if (r->before)
		add_change(table, before, x->usd, priced);
	add_usd(table, x->usd_low, priced);
	add_usd(table, x->usd_high, priced);
	table_cell(table, str_of(group_basis(x, basis)));
	table_cell(table, has_calls(r) ? str_of(table_count(x->calls, calls)) : STR("-"));
}

// A row of several groups.
static void add_sum(const struct report *r, const struct group *of, struct str name,
                    const struct usd *before, struct table *table)
{
	struct str names[GROUP_KEYS_MAX] = {name};
	for (int i = 1; i < r->by.n; i++)
		names[i] = STR(" ");
	add_row(r, of, names, before, table);
}

// "2026-11-16 00:00 to 2026-11-18 15:00 UTC"
static void print_span(struct time_span s, const char *before)
{
	char from[WHEN_SIZE], to[WHEN_SIZE];
	when_format(s.from * MS_PER_HOUR, from);
	when_format(s.to * MS_PER_HOUR, to);
	printf("%s%.10s %.5s to %.10s %.5s UTC", before, from, from + 11, to, to + 11);
}

// The present hour is compared with a whole one.
static void print_unfinished(const struct report *r)
{
	char hour[WHEN_SIZE];
	int64_t now = r->of.now_ms / MS_PER_HOUR;
	if (r->of.span.from <= now && now < r->of.span.to)
		printf("; the hour of %.5s is not over", when_format(now * MS_PER_HOUR, hour) + 11);
}

// A column that is missing is missed silently otherwise.
static void print_left_out(const struct table *table)
{
	struct buf heads = BUF_INIT;
	table_add_left_out(table, &heads);
	if (heads.len)
		printf("no room for: %.*s (--format csv has all)\n", STR_ARG(buf_str(&heads)));
	buf_release(&heads);
}

// The callers of a table whose calls have jumped.
static void print_unsure(const struct report *r, const struct groups *g, const struct str *names)
{
	enum { SHOWN_MAX = 5 };
	int key = grouping_find(&r->by, BY_PRINCIPAL), n = 0;
	char when[WHEN_SIZE];
	for (size_t i = 0; i < r->spikes.n; i++) {
		const struct spike *s = &r->spikes.list[i];
		int32_t k = 0; // its first row of which something was split
		while (k < g->n && !(str_eq(g->list[k].keys[key], s->caller) &&
		                     spikes_since(&r->spikes, &r->by, &g->list[k])))
			k++;
		if (k == g->n || n++ >= SHOWN_MAX)
			continue;
		when_format(s->since_ms, when);
		printf("split unsure: the calls of %.*s jumped at %.10s %.5s, and tokens are split by what its calls used before\n",
		       STR_ARG(names[(size_t)k * (size_t)r->by.n + (size_t)key]), when, when + 11);
	}
	if (n > SHOWN_MAX)
		printf("split unsure: %d more (--format json has all)\n", n - SHOWN_MAX);
}

void report_print_table(const struct report *r, const struct groups *g, const struct groups *total)
{
	int width = table_terminal_width();
	struct table table = TABLE_INIT;
	struct arena arena = ARENA_INIT;
	struct str *names = short_names_of_groups(&arena, g, g->n, r->full || !width);
	for (int i = 0; i < r->by.n; i++)
		table_column(&table, r->by.name[i], TABLE_NAME, 0);
	table_column(&table, STR("tokens"), TABLE_NUMBER, 1);
	table_column(&table, STR("usd"), TABLE_NUMBER, 0);
	if (r->before) {
		table_column(&table, STR("previous"), TABLE_NUMBER, 0);
		table_column(&table, STR("change"), TABLE_NUMBER, 0);
	}
	table_column(&table, STR("low"), TABLE_NUMBER, 3);
	table_column(&table, STR("high"), TABLE_NUMBER, 3);
	table_column(&table, STR("basis"), TABLE_TEXT, 2);
	table_column(&table, STR("calls"), TABLE_NUMBER, 4);
	for (int32_t k = 0; k < g->n; k++) {
		struct usd before = usd_before(r, &g->list[k]);
		add_row(r, &g->list[k], names + (size_t)k * (size_t)r->by.n,
		        knows_before(r, &g->list[k]) ? &before : NULL, &table);
	}
	if (r->nothers)
		add_sum(r, &r->others, arena_text(&arena, "(%d other%s)", (int)r->nothers, text_s(r->nothers)),
		        r->before_unknown ? NULL : &r->others_before, &table);
	if (r->by.n && g->n + r->nothers > 1 && total->n == 1)
		add_sum(r, &total->list[0], STR("total"), r->before_unknown ? NULL : &r->total_before, &table);
	table_print(&table, stdout, width, -1, "\n");
	print_span(r->of.span, "");
	if (r->before) {
		print_span(r->of.before, ", compared with ");
		print_unfinished(r);
	}
	putchar('\n');
	print_left_out(&table);
	print_unsure(r, g, names);
	table_release(&table);
	arena_release(&arena);
}
