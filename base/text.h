// SPDX-License-Identifier: Apache-2.0
// Untrusted bytes, made safe to print: as JSON strings, labels of Prometheus, HTML and base64, and with
// secrets masked.
#ifndef NOWCAST_BASE_TEXT_H
#define NOWCAST_BASE_TEXT_H

#include <stdio.h>

#include "base/buf.h"
#include "base/str.h"

// Length in bytes of the control character that begins at `i`; 0 if none does. Control characters are those
// that terminals execute (C0, DEL, U+0080 to U+009F) and those that change the reading direction (U+202A to
// U+202E, U+2066 to U+2069).
size_t text_control(struct str s, size_t i);

// Makes text safe for a line on a terminal, in place: each byte of a control character becomes '?'.
void text_make_plain(char *text, size_t len);
void text_make_plain_lines(char *text, size_t len); // the same, line by line: line breaks stay

// Writes a buffer to `f`. If that is a terminal, control characters are replaced first, in `b` itself; a file
// or a pipe gets the bytes unchanged. False: not all was written.
bool text_print(FILE *f, struct buf *b) NC_CHECK;

// The ending of a noun behind its number: "%lld note%s".
static inline const char *text_s(int64_t n)
{
	return n == 1 ? "" : "s";
}

// Writes a decimal number with commas between its thousands: "-1234567.5" as "-1,234,567.5". `ret` holds
// TEXT_GROUPED_SIZE(strlen(number)) bytes; returns `ret`.
#define TEXT_GROUPED_SIZE(len) ((len) + (len) / 3 + 1)
char *text_group_thousands(const char *number, char *ret);

// Appends a JSON string with its quotes. Control characters (text_control) are escaped; bytes that are not
// UTF-8 become U+FFFD.
void buf_add_json(struct buf *b, struct str s);

// The value of a hexadecimal digit in either case, or -1.
static inline int hex_digit(char c)
{
	int lower = c | 0x20;
	return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Appends text that is percent-encoded (RFC 3986), decoded; `plus`: "+" is a blank, as in forms and in the
// names of S3. A % that two hexadecimal digits do not follow stands for itself.
void buf_add_url_decoded(struct buf *b, struct str s, bool plus);

// Appends the value of a label in Prometheus' text format, without its quotes. Bytes that are not UTF-8 would
// make the whole scrape fail: they become U+FFFD. A control character becomes one blank.
void buf_add_label(struct buf *b, struct str s);

// Appends text for HTML, for elements and for attributes in double quotes. A control character other than a
// line break becomes '?'.
void buf_add_html(struct buf *b, struct str s);

// Appends standard base64 with padding, on one line.
void buf_add_base64(struct buf *b, struct str s);

// The secret in the user part of a URL: its password; all of it where there is no colon, for Redis takes that
// as a password too. The user part ends at the last @, wherever that is: a password may hold what would have
// to be percent-encoded, a / or an @. So sometimes too much of a path is taken, and never too little of a
// password. STR_NONE: there is none, or the URL is s3://.
struct str url_secret(struct str url);

// Appends a URL with its secret replaced by "****"; other text is unchanged.
void buf_add_url_masked(struct buf *b, struct str url);

// Masks the secrets of all URLs in a text, in place. A URL ends at a blank or a double quote.
void text_mask_urls(char *text);

#endif
