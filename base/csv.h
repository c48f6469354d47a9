// SPDX-License-Identifier: Apache-2.0
// Writes CSV (RFC 4180) into a buffer: quotes and commas are its matter. Every row has as many fields as the
// first one, which names them; a row that has not is a bug of the caller.
//
//     struct csv_writer csv = CSV_WRITER(&buf);
//     csv_strz(&csv, "caller");
//     csv_strz(&csv, "tokens");
//     csv_end_row(&csv);
//     csv_str(&csv, arn);
//     csv_int(&csv, 1200);
//     csv_end_row(&csv);                   caller,tokens\narn:aws:...,1200\n
#ifndef NOWCAST_BASE_CSV_H
#define NOWCAST_BASE_CSV_H

#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/usd.h"

struct csv_writer {
	struct buf *out; // the caller may empty it between rows
	int fields;      // of every row; 0: the first row is not complete yet
	int written;     // fields of the row in hand
};

#define CSV_WRITER(buf) ((struct csv_writer){.out = (buf)})

// Text for people. A spreadsheet would run some texts as a formula: those that begin with = @ + - or a tab
// and are no number. They get an apostrophe in front, which spreadsheets take for "this is text". Everything
// else comes through as it is, control characters too: CSV is data. text_print keeps those from a terminal.
void csv_str(struct csv_writer *w, struct str s);
void csv_strz(struct csv_writer *w, const char *z);

// Text of a file that is read again, such as a price file: quoted, but without the apostrophe.
void csv_verbatim(struct csv_writer *w, struct str s);

void csv_int(struct csv_writer *w, int64_t v);
void csv_usd(struct csv_writer *w, struct usd usd, int places);
void csv_empty(struct csv_writer *w); // a field without a value

void csv_end_row(struct csv_writer *w);

#endif
