// SPDX-License-Identifier: Apache-2.0
// Bytes of somebody else's making, made safe to print: JSON strings, CSV fields, labels of Prometheus, HTML,
// base64, and secrets blotted out.
#ifndef NOWCAST_BASE_TEXT_H
#define NOWCAST_BASE_TEXT_H

#include <stdio.h>

#include "base/buf.h"
#include "base/str.h"

// Length of the control character that begins at `i`, 0 if none does: what terminals obey (C0, DEL, U+0080 to
// U+009F), or what turns the order of what is read (U+202A to U+202E, U+2066 to U+2069).
size_t text_control(struct str s, size_t i);

// Makes text fit for a line on a terminal, in place: each byte of a control character becomes a question
// mark.
void text_make_plain(char *text, size_t len);
void text_make_plain_lines(char *text, size_t len); // the same, line by line: line breaks stay

// Writes what was built; a terminal gets it without what it would obey (in place), a file or a pipe as it is.
// False: not all.
bool text_print(FILE *f, struct buf *b) NC_CHECK;

// Appends a JSON string with its quotes. Control characters (text_control) are escaped; what is not UTF-8
// becomes U+FFFD.
void buf_add_json(struct buf *b, struct str s);

// Appends a field of a CSV file (RFC 4180): quoted where it holds a comma, a quote or a line break. Text that
// a spreadsheet would run as a formula (it begins with = @ + - or a tab, and is no number) gets an apostrophe
// in front, which spreadsheets take as "text". All else comes through as it is, control characters too: a CSV
// is data. Who prints one does it by text_print.
void buf_add_csv(struct buf *b, struct str s);

// Appends the value of a label in Prometheus' text format, without its quotes. One piece that is not UTF-8
// would make a scrape fail as a whole: it becomes U+FFFD. Control characters become one blank each.
void buf_add_label(struct buf *b, struct str s);

// Appends text for HTML, in elements and in attributes between double quotes. Control characters but line
// breaks become a question mark each.
void buf_add_html(struct buf *b, struct str s);

// Appends standard base64 with padding, on one line.
void buf_add_base64(struct buf *b, struct str s);

// Appends a URL, the password of its user part replaced by "****"; other text comes through as it is.
void buf_add_url_masked(struct buf *b, struct str url);

#endif
