// SPDX-License-Identifier: Apache-2.0
// `price add MODEL`: appends a rate of one's own to the price file of prices.file. The file keeps its
// columns, its comments and its order; the whole of it is checked before it is replaced.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/csv.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/when.h"
#include "cli/price_priv.h"

enum { FILE_MAX = 16 << 20, COLUMNS_MAX = 32 };

// A column of the price file and the flag that gives its value: "cache_write_5m" and "--cache-write-5m".
struct cell {
	struct str column;
	const char *value; // NULL: not given
};

struct addition {
	const char *file; // NULL: the first one of prices.file
	bool dry;
	struct cell cells[COLUMNS_MAX];
	int ncells;
	struct arena arena;
};

static struct str cut_line(struct str *text)
{
	return str_trim(str_cut(text, '\n'));
}

// The columns of a price file, in its order: its first line that is neither empty nor a comment.
static struct str head_of(struct str text)
{
	while (text.len) {
		struct str line = cut_line(&text);
		if (line.len && *line.p != '#')
			return line;
	}
	return STR_NONE;
}

static bool take_cells(struct addition *a, struct command *c, struct err *err)
{
	struct buf head = BUF_INIT;
	bool good = true;
	price_file_write_head(&head);
	struct str rest = arena_str(&a->arena, head_of(buf_str(&head)));
	buf_release(&head);
	while (good && rest.len) {
		struct cell *x = &a->cells[a->ncells++];
		*x = (struct cell){.column = str_cut(&rest, ',')};
		struct str flag = arena_text(&a->arena, "--%.*s", STR_ARG(x->column));
		for (char *p = (char *)flag.p; *p; p++)
			if (*p == '_')
				*p = '-';
		good = command_option(c, flag.p, &x->value, err);
	}
	return good;
}

static struct cell *find_cell(struct addition *a, struct str column)
{
	for (int i = 0; i < a->ncells; i++)
		if (str_eq(a->cells[i].column, column))
			return &a->cells[i];
	return NULL;
}

static void set_default(struct addition *a, const char *column, const char *value)
{
	struct cell *x = find_cell(a, str_of(column));
	if (x && !x->value)
		x->value = value;
}

static bool has_rate(struct addition *a)
{
	static const char *const rates[] = {"input",          "output",         "cache_read",
	                                    "cache_write_5m", "cache_write_1h", "per_unit"};
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
		if (find_cell(a, str_of(rates[i]))->value)
			return true;
	return false;
}

// From today on, for every scope and Region, unless the flags say otherwise.
static bool parse_arguments(struct addition *a, struct command *c, struct err *err)
{
	char today[WHEN_SIZE];
	a->dry = command_switch(c, "--dry-run");
	if (!command_option(c, "--file", &a->file, err) || !take_cells(a, c, err) || !command_done(c, 1, 1, err))
		return false;
	if (!has_rate(a))
		return err_set(err, ERR_CONFIG,
		               "no rate of %s is given: --input N, --output N or another, in dollars a million tokens",
		               c->argv[0]);
	when_format(when_day_start(when_now_ms() / MS_PER_HOUR) * MS_PER_HOUR, today);
	set_default(a, "model", c->argv[0]);
	set_default(a, "scope", "any");
	set_default(a, "from", arena_text(&a->arena, "%.10s", today).p);
	set_default(a, "source", arena_text(&a->arena, "own rate, added %.10s", today).p);
	if (!a->file && c->conf.prices_file.n)
		a->file = c->conf.prices_file.items[0];
	return a->file || err_set(err, ERR_CONFIG,
	                          "no file to add to: set prices.file to the file of your own rates, or name it with --file");
}

// Appends the row under the columns of `head`. ERR_CONFIG: a value was given that has no column there.
static bool write_row(struct addition *a, struct str head, struct buf *out, struct err *err)
{
	struct csv_writer w = CSV_WRITER(out);
	bool has_column[COLUMNS_MAX] = {false};
	while (head.len) {
		struct cell *x = find_cell(a, str_trim(str_cut(&head, ',')));
		csv_verbatim(&w, x && x->value ? str_of(x->value) : STR_NONE);
		if (x)
			has_column[x - a->cells] = true;
	}
	csv_end_row(&w);
	for (int i = 0; i < a->ncells; i++)
		if (a->cells[i].value && !has_column[i])
			return err_set(err, ERR_CONFIG, "%s has no column %.*s: add the column to its first line, then the rate", a->file,
			               STR_ARG(a->cells[i].column));
	return true;
}

// The files of prices.file without the one that is about to be made, which may be among them already.
static struct conf_list files_in_force(struct addition *a, const struct conf_list *files)
{
	struct conf_list ret = {.items = arena_alloc(&a->arena, (files->n + 1) * sizeof *ret.items)};
	bool exists = access(a->file, F_OK) == 0;
	for (size_t i = 0; i < files->n; i++)
		if (exists || strcmp(files->items[i], a->file) != 0)
			ret.items[ret.n++] = files->items[i];
	return ret;
}

// A rate that a row leaves out is looked up in the other sources: a discount may be meant for it, too.
static void print_rates_left_out(struct addition *a, bool known)
{
	static const char *const rates[] = {"input", "output", "cache_read", "cache_write_5m", "cache_write_1h"};
	struct buf left = BUF_INIT;
	size_t n = 0;
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
		if (!find_cell(a, str_of(rates[i]))->value)
			buf_addf(&left, "%s%s", n++ ? ", " : "", rates[i]);
	if (n && n < sizeof rates / sizeof *rates)
		printf("not given, so %s: %s\n", known ? "as before" : "unpriced", left.data);
	buf_release(&left);
}

// A misspelt model gets a rate that no call asks for.
static bool is_known(const struct prices *old, struct str model)
{
	struct nearest near = nearest_of(model);
	for (size_t i = 0; i < prices_count(old); i++) {
		const struct price_rows *rows = catalogue_rows(prices_source(old, i).catalogue);
		for (size_t k = 0; k < rows->n; k++) {
			if (str_eq(rows->v[k].model, model))
				return true;
			nearest_try(&near, rows->v[k].model);
		}
	}
	printf("no source has a model %.*s so far%s%.*s%s\n", STR_ARG(model), near.word.len ? ": did you mean " : "",
	       STR_ARG(near.word), near.word.len ? "?" : "");
	return false;
}

static void print_changes(struct addition *a, const struct conf *conf, const struct price_rows *rows)
{
	struct conf before = *conf;
	struct prices *old;
	struct price_diff d;
	before.prices_file = files_in_force(a, &conf->prices_file);
	price_diff_in_force(&d, &old, &before, rows);
	bool known = is_known(old, rows->v[0].model);
	price_warn_of_region(old, rows->v[0].region);
	price_print_diff(&d);
	print_rates_left_out(a, known);
	if (!d.n)
		puts("the rates in force are these already");
	price_diff_release(&d);
	prices_free(old);
}

// The row alone, as a price file of its own: what is wrong with it is told before the file is touched.
static bool check_row(struct addition *a, const struct conf *conf, struct err *err)
{
	struct buf one = BUF_INIT;
	struct price_rows rows;
	price_file_write_head(&one);
	struct str head = arena_str(&a->arena, head_of(buf_str(&one)));
	bool good = write_row(a, head, &one, err) && price_file_read(&rows, buf_str(&one), "the rate", err);
	if (good) {
		print_changes(a, conf, &rows);
		price_rows_release(&rows);
	}
	buf_release(&one);
	return good;
}

static bool add_row(struct addition *a, const struct conf *conf, struct err *err)
{
	struct buf text = BUF_INIT;
	struct price_rows rows;
	bool exists = access(a->file, F_OK) == 0;
	bool good = !exists || file_read(a->file, FILE_MAX, &text, err);
	if (good && !head_of(buf_str(&text)).len)
		price_file_write_head(&text);
	if (good && text.len && text.data[text.len - 1] != '\n')
		buf_addc(&text, '\n');
	struct str head = arena_str(&a->arena, head_of(buf_str(&text)));
	good = good && write_row(a, head, &text, err) && price_file_read(&rows, buf_str(&text), a->file, err);
	if (good) {
		size_t n = rows.nlines;
		price_rows_release(&rows);
		good = a->dry || file_replace(a->file, buf_str(&text), err);
		if (good && !a->dry && !conf_list_has(&conf->prices_file, str_of(a->file)))
			printf("%s is not in prices.file: its rates are not used\n", a->file);
		else if (good && !a->dry)
			printf("%s: one row added, %zu in all. A running daemon loads them on SIGHUP; `nowcast reprice --from T` "
			       "applies them to hours already computed\n",
			       a->file, n);
	}
	buf_release(&text);
	return good;
}

bool price_verb_add(struct command *c, int *ret_status, struct err *err)
{
	struct addition a = {0};
	(void)ret_status;
	bool good = parse_arguments(&a, c, err) && check_row(&a, &c->conf, err) &&
	            (add_row(&a, &c->conf, err) || err_prefix(err, "nothing was added"));
	arena_release(&a.arena);
	return good;
}
