// SPDX-License-Identifier: Apache-2.0
#include "store/actual.h"

#include "estimator/apportion.h"

enum { TAGSETS_MAX = 64 }; // of one caller in one hour; further ones go without a share

bool actual_read(struct str field, struct str value, struct view_row *ret)
{
	struct view_row row = {.principal = str_cut(&field, ' '), .tagset = STR("-"), .figure = {.priced = true}};
	struct str type = str_cut(&field, '@');
	int64_t tokens;
	int rate_class;
	if (!row.principal.len || row.principal.p[0] == '#' || !rate_class_parse(field, &rate_class))
		return false;
	row.figure.rate_class = (uint8_t)rate_class;
	while (row.type < TOKEN_TYPES && !str_is(type, token_type_names[row.type]))
		row.type++;
	if (row.type == TOKEN_TYPES || !usd_parse_scaled(str_cut(&value, ' '), 0, &tokens) ||
	    !usd_parse_pico(str_cut(&value, ' '), &row.figure.usd))
		return false;
	row.figure.tokens = row.figure.billed = tokens;
	if (!usd_parse_pico(str_cut(&value, ' '), &row.figure.list))
		row.figure.list = row.figure.usd;
	*ret = row;
	return true;
}

// The estimate's rows of one caller: of `type`, or, if there are none, of any type.
static int shares_of(const struct view_row *estimate, int n, struct str principal, int type,
                     struct str *ret_tagsets, int64_t *ret_weights)
{
	int found = 0;
	for (int any = 0; any < 2 && !found; any++)
		for (int i = 0; i < n && found < TAGSETS_MAX; i++) {
			const struct view_row *e = &estimate[i];
			if ((any ? e->type == TOKEN_TYPES : e->type != type) || !str_eq(e->principal, principal) ||
			    e->figure.rate_class & RATE_CLASS_UNITS)
				continue;
			if (found && str_eq(ret_tagsets[found - 1], e->tagset)) {
				ret_weights[found - 1] += e->figure.tokens;
				continue;
			}
			ret_tagsets[found] = e->tagset;
			ret_weights[found++] = e->figure.tokens;
		}
	return found;
}

// The last share takes what rounding leaves.
static struct usd part_of(struct usd whole, int64_t tokens, int64_t all)
{
	return all > 0 ? usd_muldiv(whole, tokens, all) : USD_ZERO;
}

static int lay_over(const struct view_row *a, const struct view_row *estimate, int nestimate,
                    struct view_row *out)
{
	struct str tagsets[TAGSETS_MAX];
	int64_t weights[TAGSETS_MAX], tokens[TAGSETS_MAX];
	int n = shares_of(estimate, nestimate, a->principal, a->type, tagsets, weights);
	if (n < 2 || a->figure.tokens < 0) {
		*out = *a;
		if (n)
			out->tagset = tagsets[0];
		return 1;
	}
	struct usd usd = a->figure.usd, list = a->figure.list;
	apportion(a->figure.tokens, weights, n, tokens);
	for (int i = 0; i < n; i++) {
		bool last = i == n - 1;
		out[i] = *a;
		out[i].tagset = tagsets[i];
		out[i].figure.tokens = out[i].figure.billed = tokens[i];
		out[i].figure.usd = last ? usd : part_of(a->figure.usd, tokens[i], a->figure.tokens);
		out[i].figure.list = last ? list : part_of(a->figure.list, tokens[i], a->figure.tokens);
		usd = usd_sub(usd, out[i].figure.usd);
		list = usd_sub(list, out[i].figure.list);
	}
	return n;
}

void actual_over(const struct view_row *actual, int nactual, const struct view_row *estimate, int nestimate,
                 struct arena *arena, const struct view_row **ret_rows, int *ret_nrows)
{
	struct view_row *rows = arena_alloc(arena, ((size_t)nactual + (size_t)nestimate + 1) * sizeof *rows);
	int cap = nactual + nestimate + 1, n = 0;
	for (int i = 0; i < nactual; i++) {
		if (n + TAGSETS_MAX > cap) {
			struct view_row *more = arena_alloc(arena, (size_t)(cap = 2 * cap + TAGSETS_MAX) * sizeof *more);
			if (n)
				memcpy(more, rows, (size_t)n * sizeof *more);
			rows = more;
		}
		n += lay_over(&actual[i], estimate, nestimate, rows + n);
	}
	if (n + nestimate > cap) {
		struct view_row *more = arena_alloc(arena, (size_t)(n + nestimate) * sizeof *more);
		if (n)
			memcpy(more, rows, (size_t)n * sizeof *more);
		rows = more;
	}
	for (int i = 0; i < nestimate; i++)
		if (estimate[i].type == TOKEN_TYPES || estimate[i].figure.rate_class & RATE_CLASS_UNITS)
			rows[n++] = estimate[i];
	*ret_rows = rows;
	*ret_nrows = n;
}
