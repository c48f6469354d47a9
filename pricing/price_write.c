// SPDX-License-Identifier: Apache-2.0
// Writes rows as the text of a price file, for the importers. price_file.c reads the same rows from it again.
#include <assert.h>

#include "base/when.h"
#include "pricing/price_file.h"

void price_file_write_head(struct buf *csv)
{
	buf_adds(
		csv,
		"model,scope,region,account,tier,from,to,prompt_tokens_over,input,output,cache_read,cache_write_5m,cache_write_1h,"
		"unit,per_unit,source\n");
}

static void write_quoted(struct buf *csv, struct str text)
{
	bool quote = false;
	for (size_t i = 0; i < text.len; i++)
		quote |= text.p[i] == ',' || text.p[i] == '"' || text.p[i] == '\r' || text.p[i] == '\n';
	if (!quote) {
		buf_addstr(csv, text);
		return;
	}
	buf_addc(csv, '"');
	for (size_t i = 0; i < text.len; i++)
		buf_addf(csv, "%s%c", text.p[i] == '"' ? "\"" : "", text.p[i]);
	buf_addc(csv, '"');
}

// A decimal without trailing zeros.
static void write_usd(struct buf *csv, struct usd usd, int places)
{
	char text[USD_SIZE];
	size_t n = strlen(usd_format(usd, places, text));
	while (memchr(text, '.', n) && (text[n - 1] == '0' || text[n - 1] == '.'))
		if (text[--n] == '.')
			break;
	buf_add(csv, text, n);
}

void price_file_write_row(struct buf *csv, const struct price_row *r)
{
	char from[WHEN_SIZE] = "", to[WHEN_SIZE] = "";
	assert(r->from_ms < r->to_ms && r->source);
	if (r->from_ms > 0)
		when_format(r->from_ms, from);
	if (r->to_ms != INT64_MAX)
		when_format(r->to_ms, to);
	write_quoted(csv, r->model); // from an import: it may be any text
	buf_addf(csv, ",%s,", r->scope == SCOPE_GLOBAL ? "global" : "regional");
	write_quoted(csv, r->region);
	buf_addf(csv, ",%.*s,%s,%s,%s,", STR_ARG(r->account), price_tier_names[r->tier], from, to);
	if (r->prompt_over)
		buf_addf(csv, "%lld", (long long)r->prompt_over);
	for (int t = 0; t < TOKEN_TYPES; t++) {
		buf_addc(csv, ',');
		if (r->rate[t] != RATE_UNKNOWN)
			write_usd(csv, usd_price(1000000, r->rate[t]), 6);
	}
	buf_addc(csv, ',');
	write_quoted(csv, r->unit);
	buf_addc(csv, ',');
	if (r->unit.len && r->per_unit != RATE_UNKNOWN)
		write_usd(csv, (struct usd){r->per_unit}, 12);
	buf_addc(csv, ',');
	write_quoted(csv, str_of(r->source));
	buf_addc(csv, '\n');
}
