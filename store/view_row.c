// SPDX-License-Identifier: Apache-2.0
#include "store/view_row.h"

const char *row_name(const struct view_row *r)
{
	return r->kind == ROW_TOKENS ? token_type_names[r->type] : r->kind == ROW_CALLS ? "calls" : "units";
}

// Tokens and calls have a price together, units and uncounted calls each have their own.
static int price_group(const struct view_row *r)
{
	return row_has_units(r) ? (int)r->kind : 0;
}

int row_cmp(const struct view_row *a, const struct view_row *b)
{
	int c = str_cmp(a->principal, b->principal);
	if (!c)
		c = str_cmp(a->tagset, b->tagset);
	if (!c)
		c = price_group(a) - price_group(b);
	if (!c)
		c = a->rate_class - b->rate_class;
	if (!c)
		c = (int)a->kind - (int)b->kind;
	return c ? c : (int)a->type - (int)b->type;
}

bool row_shares_price(const struct view_row *a, const struct view_row *b)
{
	return a->rate_class == b->rate_class && price_group(a) == price_group(b) &&
	       str_eq(a->principal, b->principal) && str_eq(a->tagset, b->tagset);
}

void priced_usage_add_row(struct priced_usage *to, const struct view_row *r)
{
	to->calls += r->calls.charged;
	if (r->kind != ROW_TOKENS)
		return;
	to->tokens[r->type] += r->figure.tokens;
	if (ttl_is_doubtful((enum ttl_source)r->figure.ttl_source))
		*(r->type == TOKEN_CACHE_WRITE_1H ? &to->doubtful_1h : &to->doubtful_5m) += r->figure.assumed;
	to->cache_unknown[r->type] += r->figure.cache_unknown;
	to->prompt_max = r->figure.prompt_max > to->prompt_max ? r->figure.prompt_max : to->prompt_max;
}
