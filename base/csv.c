// SPDX-License-Identifier: Apache-2.0
#include "base/csv.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

static void begin_field(struct csv_writer *w)
{
	assert(!w->fields || w->written < w->fields);
	if (w->written++)
		buf_addc(w->out, ',');
}

// Whether a spreadsheet may take a text for a formula ("CSV Injection" in the pages of OWASP): by its first
// character, also where that is as wide as a Chinese one. Numbers are none.
static bool is_formula(struct str s)
{
	size_t i = 1;
	if (str_starts(s, STR("\xef\xbc\x9d")) || str_starts(s, STR("\xef\xbc\xa0")) ||
	    str_starts(s, STR("\xef\xbc\x8b")) || str_starts(s, STR("\xef\xbc\x8d")))
		return true;
	if (!s.len || !memchr("=@+-\t\r\n", s.p[0], 7))
		return false;
	while (i < s.len && (s.p[0] == '+' || s.p[0] == '-') &&
	       ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.'))
		i++;
	return i < s.len || (s.len == 1 && s.p[0] != '-');
}

static void add_quoted(struct buf *b, struct str s, const char *prefix)
{
	bool quote = false;
	for (size_t i = 0; i < s.len; i++)
		quote |= memchr(",\"\n\r", s.p[i], 4) != NULL;
	if (quote)
		buf_addc(b, '"');
	buf_adds(b, prefix);
	for (size_t i = 0; i < s.len; i++) {
		if (s.p[i] == '"')
			buf_addc(b, '"');
		buf_addc(b, s.p[i]);
	}
	if (quote)
		buf_addc(b, '"');
}

void csv_str(struct csv_writer *w, struct str s)
{
	begin_field(w);
	add_quoted(w->out, s, is_formula(s) ? "'" : "");
}

void csv_strz(struct csv_writer *w, const char *z)
{
	csv_str(w, str_of(z));
}

void csv_verbatim(struct csv_writer *w, struct str s)
{
	begin_field(w);
	add_quoted(w->out, s, "");
}

void csv_int(struct csv_writer *w, int64_t v)
{
	begin_field(w);
	buf_addf(w->out, "%lld", (long long)v);
}

void csv_usd(struct csv_writer *w, struct usd usd, int places)
{
	char text[USD_SIZE];
	begin_field(w);
	buf_adds(w->out, usd_format(usd, places, text));
}

void csv_empty(struct csv_writer *w)
{
	begin_field(w);
}

void csv_end_row(struct csv_writer *w)
{
	assert(w->written > 0 && (!w->fields || w->written == w->fields));
	w->fields = w->written;
	w->written = 0;
	buf_addc(w->out, '\n');
}
