// SPDX-License-Identifier: Apache-2.0
// A table of text that fits the width where it is shown. Columns that do not fit are left out, the least
// needed first. Then the columns of names are cut at their beginnings, since ARNs differ at their ends:
//
//     principal                          tokens       usd  basis
//     ~ole/app-backend-prod/i-0a1b2c  1,204,118    1.9041  exact
//
// A column of rank 0 is always shown. Of the others those of the greatest rank are left out first, all
// together.
#ifndef NOWCAST_CLI_TABLE_H
#define NOWCAST_CLI_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "cli/colour.h"

// Columns of rank TABLE_EXTRA and above are left out as soon as names would be cut to less than 34
// characters. The others stay until names would be cut to less than 22.
enum { TABLE_COLUMNS_MAX = 16, TABLE_EXTRA = 4 };

enum table_kind {
	TABLE_NAME,   // on the left, may be cut
	TABLE_TEXT,   // on the left, never cut
	TABLE_NUMBER, // on the right, never cut
};

struct table_column {
	struct str head;
	enum table_kind kind;
	int rank;
	int width; // of its widest cell, in characters; while printing: as shown, 0 if left out
};

struct table {
	struct arena arena; // holds the cells
	struct table_column columns[TABLE_COLUMNS_MAX];
	int ncolumns;
	struct str *cells;  // row by row
	enum colour *colours; // of the cells
	size_t n, cap;
};

#define TABLE_INIT {0}

void table_release(struct table *t);

// All columns first; `head` must live as long as the table.
void table_column(struct table *t, struct str head, enum table_kind kind, int rank);

// The next cell, left to right, row by row. Copied; control characters become '?', nothing becomes '-'.
void table_cell(struct table *t, struct str text);

// Paints the cell that was added last, on a terminal.
void table_paint(struct table *t, enum colour c);

int table_rows(const struct table *t);

// Appends the heads of the columns that were left out, ", " between them; after table_print.
void table_add_left_out(const struct table *t, struct buf *b);

// Prints the heads and the first `rows` rows (-1: all), each line ended by `eol`, within `width` characters
// (0: any width). Call it once.
void table_print(struct table *t, FILE *f, int width, int rows, const char *eol);

// On a terminal it fits the terminal: its width; elsewhere 0.
int table_terminal_width(void);

// "1,234,567"; buf holds TABLE_COUNT_SIZE; returns buf.
enum { TABLE_COUNT_SIZE = 32 };
char *table_count(int64_t v, char *buf);

#endif
