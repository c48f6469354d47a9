// SPDX-License-Identifier: Apache-2.0
// Widths are counted in code points. Scripts with characters of double width would not line up.
#include "cli/table.h"

#include <assert.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

enum { GAP = 2, NAME_LEAST = 22, NAME_COMFORT = 34 };

void table_release(struct table *t)
{
	arena_release(&t->arena);
	free(t->cells);
	free(t->colours);
	*t = (struct table)TABLE_INIT;
}

static bool starts_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

static int width_of(struct str s)
{
	int n = 0;
	for (size_t i = 0; i < s.len; i++)
		n += starts_character(s.p[i]);
	return n;
}

void table_column(struct table *t, struct str head, enum table_kind kind, int rank)
{
	assert(t->n == 0 && t->ncolumns < TABLE_COLUMNS_MAX);
	t->columns[t->ncolumns++] = (struct table_column){head, kind, rank, width_of(head)};
}

void table_cell(struct table *t, struct str text)
{
	assert(t->ncolumns > 0);
	struct str copy = arena_str(&t->arena, text.len ? text : STR("-"));
	text_make_plain((char *)copy.p, copy.len); // names from outside must not control the terminal
	if (t->n == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 256;
		t->cells = xrealloc(t->cells, t->cap, sizeof *t->cells);
		t->colours = xrealloc(t->colours, t->cap, sizeof *t->colours);
	}
	struct table_column *column = &t->columns[t->n % (size_t)t->ncolumns];
	t->colours[t->n] = COLOUR_PLAIN;
	t->cells[t->n++] = copy;
	if (width_of(copy) > column->width)
		column->width = width_of(copy);
}

void table_paint(struct table *t, enum colour c)
{
	assert(t->n > 0);
	t->colours[t->n - 1] = c;
}

int table_rows(const struct table *t)
{
	return t->ncolumns ? (int)(t->n / (size_t)t->ncolumns) : 0;
}

// ---- fitting

// Of all columns, if no name took more than `most` characters.
static int total_width(const struct table *t, int most)
{
	int sum = -GAP;
	for (int i = 0; i < t->ncolumns; i++) {
		const struct table_column *c = &t->columns[i];
		if (c->width)
			sum += GAP + (c->kind == TABLE_NAME && c->width > most ? most : c->width);
	}
	return sum;
}

// Drops the columns of the greatest rank that are still there, if that is `least` or more. False: none is
// left.
static bool drop_least_needed(struct table *t, int least)
{
	int rank = 0;
	for (int i = 0; i < t->ncolumns; i++)
		if (t->columns[i].width && t->columns[i].rank > rank)
			rank = t->columns[i].rank;
	if (rank < least)
		return false;
	for (int i = 0; i < t->ncolumns; i++)
		if (t->columns[i].rank == rank)
			t->columns[i].width = 0;
	return true;
}

static struct table_column *widest_name(struct table *t)
{
	struct table_column *found = NULL;
	for (int i = 0; i < t->ncolumns; i++) {
		struct table_column *c = &t->columns[i];
		if (c->kind == TABLE_NAME && c->width > NAME_LEAST && (!found || c->width > found->width))
			found = c;
	}
	return found;
}

static void fit_columns(struct table *t, int width)
{
	struct table_column *c;
	while (total_width(t, NAME_COMFORT) > width && drop_least_needed(t, TABLE_EXTRA))
		;
	while (total_width(t, NAME_LEAST) > width && drop_least_needed(t, 1))
		;
	while (total_width(t, INT_MAX) > width && (c = widest_name(t)))
		c->width--;
}

// ---- printing

// `painted`: what stands before and behind the text.
static void add_cell(struct buf *b, const struct table_column *c, struct str s, bool last,
                     const char *const painted[2])
{
	int width = width_of(s), fill = c->width - width;
	if (fill < 0) { // cut at the head
		for (int drop = -fill + 1; s.len && (drop > 0 || !starts_character(*s.p)); s.p++, s.len--)
			drop -= starts_character(*s.p);
		fill = -1;
	}
	if (c->kind == TABLE_NUMBER && fill > 0)
		buf_addf(b, "%*s", fill, "");
	buf_addf(b, "%s%s%.*s%s", painted[0], fill < 0 ? "~" : "", STR_ARG(s), painted[1]);
	if (c->kind != TABLE_NUMBER && !last && fill > 0)
		buf_addf(b, "%*s", fill, "");
}

// `row`: -1: the heads.
static void print_line(const struct table *t, FILE *f, int row, const char *eol)
{
	struct buf b = BUF_INIT;
	int last = 0;
	size_t first = row < 0 ? 0 : (size_t)row * (size_t)t->ncolumns;
	for (int i = 0; i < t->ncolumns; i++)
		last = t->columns[i].width ? i : last;
	for (int i = 0; i <= last; i++) {
		if (!t->columns[i].width)
			continue;
		if (b.len)
			buf_addf(&b, "%*s", GAP, "");
		enum colour c = row < 0 ? COLOUR_HEAD : t->colours[first + (size_t)i];
		add_cell(&b, &t->columns[i], row < 0 ? t->columns[i].head : t->cells[first + (size_t)i], i == last,
		         (const char *const[]){colour_begin(f, c), colour_end(f, c)});
	}
	fprintf(f, "%s%s", b.len ? b.data : "", eol);
	buf_release(&b);
}

void table_print(struct table *t, FILE *f, int width, int rows, const char *eol)
{
	assert(t->ncolumns > 0 && t->n % (size_t)t->ncolumns == 0);
	if (width > 0)
		fit_columns(t, width);
	print_line(t, f, -1, eol);
	for (int i = 0; i < table_rows(t) && (rows < 0 || i < rows); i++)
		print_line(t, f, i, eol);
}

void table_add_left_out(const struct table *t, struct buf *b)
{
	bool any = false;
	for (int i = 0; i < t->ncolumns; i++) {
		if (t->columns[i].width)
			continue;
		buf_addf(b, "%s%.*s", any ? ", " : "", STR_ARG(t->columns[i].head));
		any = true;
	}
}

int table_terminal_width(void)
{
	struct winsize w;
	return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}

char *table_count(int64_t v, char *buf)
{
	char digits[24];
	snprintf(digits, sizeof digits, "%lld", (long long)v);
	return text_group_thousands(digits, buf);
}
