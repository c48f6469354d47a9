// SPDX-License-Identifier: Apache-2.0
#include "store/actual.h"

#include "estimator/apportion.h"
#include "estimator/rate_class.h"

enum { TAGSETS_MAX = 64 }; // of one caller in one hour; further ones go without a share

void actual_format_field(const struct actual_row *r, struct buf *ret)
{
	char rate_class[RATE_CLASS_TEXT_SIZE];
	buf_addstr(ret, r->principal);
	buf_addc(ret, ' ');
	buf_adds(ret, token_type_names[r->type]);
	buf_adds(ret, rate_class_format(r->rate_class, rate_class));
}

void actual_format_value(const struct actual_row *r, struct buf *ret)
{
	char text[USD_SIZE];
	buf_adds(ret, usd_format_pico((struct usd){r->tokens}, text));
	buf_addc(ret, ' ');
	buf_adds(ret, usd_format_pico(r->usd, text));
	buf_addc(ret, ' ');
	buf_adds(ret, usd_format_pico(r->list, text));
}

bool actual_read(struct str field, struct str value, struct view_row *ret)
{
	struct view_row row = {.principal = str_cut(&field, ' '), .tagset = STR("-"), .figure = {.priced = true}};
	struct figure *f = &row.figure;
	struct str name = str_cut(&field, '@');
	int rate_class, type = 0;
	while (type < TOKEN_TYPES && !str_is(name, token_type_names[type]))
		type++;
	if (!row.principal.len || type == TOKEN_TYPES || !rate_class_parse(field, &rate_class) ||
	    !usd_parse_scaled(str_cut(&value, ' '), 0, &f->tokens) ||
	    !usd_parse_pico(str_cut(&value, ' '), &f->usd))
		return false;
	if (!usd_parse_pico(str_cut(&value, ' '), &f->list))
		f->list = f->usd;
	row.type = (enum token_type)type;
	row.rate_class = (uint8_t)rate_class;
	f->billed = f->tokens;
	if (!figure_is_valid(f))
		return false;
	*ret = row;
	return true;
}

// The tags under which the estimate has tokens of one caller, and how many: of `type`, or, if there are none,
// of any type.
static int shares_of(const struct view_row *estimate, int n, struct str principal, enum token_type type,
                     struct str *ret_tagsets, int64_t *ret_weights)
{
	int found = 0;
	for (int any = 0; any < 2 && !found; any++)
		for (int i = 0; i < n && found < TAGSETS_MAX; i++) {
			const struct view_row *e = &estimate[i];
			if (e->kind != ROW_TOKENS || (!any && e->type != type) || !str_eq(e->principal, principal))
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

// Writes a billed row, or one for each set of tags of its caller. Returns how many, at most TAGSETS_MAX.
static int split_by_tags(const struct view_row *a, const struct view_row *estimate, int nestimate,
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
		struct figure *f = &out[i].figure;
		out[i] = *a;
		out[i].tagset = tagsets[i];
		f->tokens = f->billed = tokens[i];
		f->usd = last ? usd : part_of(a->figure.usd, tokens[i], a->figure.tokens);
		f->list = last ? list : part_of(a->figure.list, tokens[i], a->figure.tokens);
		figure_check(f);
		usd = usd_sub(usd, f->usd);
		list = usd_sub(list, f->list);
	}
	return n;
}

// Makes room for `more` rows behind the first `n`.
static struct view_row *reserve(struct view_row *rows, int n, int more, int *cap, struct arena *arena)
{
	if (n + more <= *cap)
		return rows;
	*cap = 2 * *cap + more;
	struct view_row *new = arena_alloc(arena, (size_t)*cap * sizeof *new);
	if (n)
		memcpy(new, rows, (size_t)n * sizeof *new);
	return new;
}

void actual_over(const struct view_row *actual, int nactual, const struct view_row *estimate, int nestimate,
                 struct arena *arena, const struct view_row **ret_rows, int *ret_nrows)
{
	int cap = nactual + nestimate + 1, n = 0;
	struct view_row *rows = arena_alloc(arena, (size_t)cap * sizeof *rows);
	for (int i = 0; i < nactual; i++) {
		rows = reserve(rows, n, TAGSETS_MAX, &cap, arena);
		n += split_by_tags(&actual[i], estimate, nestimate, rows + n);
	}
	rows = reserve(rows, n, nestimate, &cap, arena);
	for (int i = 0; i < nestimate; i++)
		if (estimate[i].kind != ROW_TOKENS)
			rows[n++] = estimate[i];
	*ret_rows = rows;
	*ret_nrows = n;
}
