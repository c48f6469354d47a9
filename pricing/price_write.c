// SPDX-License-Identifier: Apache-2.0
// Writes rows as the text of a price file, for the importers. price_file.c reads the same rows from it again.
#include <assert.h>

#include "base/csv.h"
#include "base/when.h"
#include "pricing/price_file.h"

static const char *const columns[] = {"model",          "scope",  "region",     "account",
                                      "tier",           "from",   "to",         "prompt_tokens_over",
                                      "input",          "output", "cache_read", "cache_write_5m",
                                      "cache_write_1h", "unit",   "per_unit",   "source"};

enum { COLUMNS = sizeof columns / sizeof *columns };

void price_file_write_head(struct buf *csv)
{
	struct csv_writer w = CSV_WRITER(csv);
	for (int i = 0; i < COLUMNS; i++)
		csv_strz(&w, columns[i]);
	csv_end_row(&w);
}

// A decimal without trailing zeros.
static void write_usd(struct csv_writer *w, struct usd usd, int places)
{
	char text[USD_SIZE];
	size_t n = strlen(usd_format(usd, places, text));
	while (memchr(text, '.', n) && (text[n - 1] == '0' || text[n - 1] == '.'))
		if (text[--n] == '.')
			break;
	csv_verbatim(w, (struct str){text, n});
}

void price_row_add_model(struct buf *ret, const struct price_row *r)
{
	if (r->profile.len)
		buf_addf(ret, "%.*s.", STR_ARG(r->profile));
	buf_addstr(ret, r->model);
}

void price_file_write_row(struct buf *csv, const struct price_row *r)
{
	struct csv_writer w = {.out = csv, .fields = COLUMNS};
	struct buf model = BUF_INIT;
	char from[WHEN_SIZE] = "", to[WHEN_SIZE] = "";
	assert(r->from_ms < r->to_ms && r->source);
	if (r->from_ms > 0)
		when_format(r->from_ms, from);
	if (r->to_ms != INT64_MAX)
		when_format(r->to_ms, to);
	price_row_add_model(&model, r);
	csv_verbatim(&w, buf_str(&model)); // from an import: it may be any text
	buf_release(&model);
	csv_strz(&w, r->scope == SCOPE_GLOBAL ? "global" : "regional");
	csv_verbatim(&w, r->region);
	csv_verbatim(&w, r->account);
	csv_strz(&w, price_tier_names[r->tier]);
	csv_strz(&w, from);
	csv_strz(&w, to);
	if (r->prompt_over)
		csv_int(&w, r->prompt_over);
	else
		csv_empty(&w);
	for (int t = 0; t < TOKEN_TYPES; t++) {
		if (r->rate[t] != RATE_UNKNOWN)
			write_usd(&w, usd_price(1000000, r->rate[t]), 6);
		else
			csv_empty(&w);
	}
	csv_verbatim(&w, r->unit);
	if (r->unit.len && r->per_unit != RATE_UNKNOWN)
		write_usd(&w, (struct usd){r->per_unit}, 12);
	else
		csv_empty(&w);
	csv_verbatim(&w, str_of(r->source));
	csv_end_row(&w);
}
