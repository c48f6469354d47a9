// SPDX-License-Identifier: Apache-2.0
#include "store/actual.h"

#include "estimator/apportion.h"
#include "estimator/rate_class.h"

enum { TAGSETS_MAX = 4096 }; // of one caller in one hour; further ones go without a share

void actual_format_field(const struct actual_row *r, struct buf *ret)
{
	char rate_class[RATE_CLASS_TEXT_SIZE];
	buf_addstr(ret, r->principal);
	buf_addc(ret, ' ');
	if (r->kind == ROW_UNITS) {
		buf_adds(ret, "units");
		return;
	}
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
	if (r->tagset.len)
		buf_addf(ret, " %.*s", STR_ARG(r->tagset));
}

bool actual_read(struct str field, struct str value, struct view_row *ret)
{
	struct view_row row = {.principal = str_cut(&field, ' '), .tagset = STR("-"), .figure = {.priced = true}};
	struct figure *f = &row.figure;
	struct str name = str_cut(&field, '@');
	int rate_class, type = 0;
	while (type < TOKEN_TYPES && !str_is(name, token_type_names[type]))
		type++;
	row.kind = type < TOKEN_TYPES ? ROW_TOKENS : ROW_UNITS;
	if (!row.principal.len || (row.kind == ROW_UNITS && !str_is(name, "units")) ||
	    !rate_class_parse(field, &rate_class) || !usd_parse_scaled(str_cut(&value, ' '), 0, &f->tokens) ||
	    !usd_parse_pico(str_cut(&value, ' '), &f->usd))
		return false;
	if (!usd_parse_pico(str_cut(&value, ' '), &f->list))
		f->list = f->usd;
	if (value.len)
		row.tagset = value;
	if (row.kind == ROW_TOKENS) {
		row.type = (enum token_type)type;
		row.rate_class = (uint8_t)rate_class;
	}
	f->billed = f->tokens;
	if (!figure_is_valid(f))
		return false;
	*ret = row;
	return true;
}

// ---- tags ---------------------------------------------------------------------------------------

// The rows of one caller, which stand together: *ret_n of them, from the one that is returned.
static const struct view_row *rows_of(const struct view_row *rows, int n, struct str principal, int *ret_n)
{
	int lo = 0, hi = n;
	while (lo < hi) {
		int mid = lo + (hi - lo) / 2;
		if (str_cmp(rows[mid].principal, principal) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (hi = lo; hi < n && str_eq(rows[hi].principal, principal);)
		hi++;
	*ret_n = hi - lo;
	return lo ? rows + lo : rows; // there may be none
}

// How much a row of the estimate says of where a billed row of its caller belongs: as much as it has of the
// same kind and type, of any, or calls at the least.
static int64_t weight_of(const struct view_row *e, const struct view_row *a, int look)
{
	switch (look) {
	case 0: return e->kind == a->kind && e->type == a->type ? e->figure.tokens : 0;
	case 1: return e->kind == ROW_CALLS ? 0 : e->figure.tokens;
	default: return e->calls.charged;
	}
}

// The tags under which the estimate has a caller, `e` being its rows, and how much of each.
static int shares_of(const struct view_row *e, int n, const struct view_row *a, struct str *ret_tagsets,
                     int64_t *ret_weights)
{
	int found = 0;
	for (int look = 0; look < 3 && !found; look++)
		for (int i = 0; i < n && found < TAGSETS_MAX; i++) {
			int64_t weight = weight_of(&e[i], a, look);
			if (weight <= 0)
				continue;
			if (found && str_eq(ret_tagsets[found - 1], e[i].tagset)) {
				ret_weights[found - 1] += weight;
				continue;
			}
			ret_tagsets[found] = e[i].tagset;
			ret_weights[found++] = weight;
		}
	return found;
}

// The last share takes what rounding leaves.
static struct usd part_of(struct usd whole, int64_t tokens, int64_t all)
{
	return all > 0 ? usd_muldiv(whole, tokens, all) : USD_ZERO;
}

// Writes a billed row, or one for each set of tags of its caller. Returns how many, at most TAGSETS_MAX.
static int split_by_tags(const struct view_row *a, const struct actual_sides *s, struct view_row *out)
{
	struct str tagsets[TAGSETS_MAX];
	int64_t weights[TAGSETS_MAX], tokens[TAGSETS_MAX];
	int nown;
	const struct view_row *own = rows_of(s->estimate, s->nestimate, a->principal, &nown);
	int n = shares_of(own, nown, a, tagsets, weights);
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

// ---- what was not billed ------------------------------------------------------------------------

static bool is_billed(const struct view_row *e, const struct actual_sides *s)
{
	int n;
	rows_of(s->actual, s->nactual, e->principal, &n);
	return n > 0;
}

// How much the estimate of the model has beyond the bill, of a kind of rows. Uncounted calls are no units:
// they can be compared with nothing.
static int64_t excess_of(const struct actual_sides *s, enum row_kind kind)
{
	int64_t excess = 0;
	for (int i = 0; i < s->nestimate; i++)
		excess += s->estimate[i].kind == kind ? s->estimate[i].figure.tokens : 0;
	for (int i = 0; i < s->nactual; i++)
		excess -= s->actual[i].kind == kind ? s->actual[i].figure.tokens : 0;
	return kind == ROW_UNCOUNTED && s->nactual ? 0 : excess > 0 ? excess : 0;
}

// Cuts rows down to `all` tokens, in proportion. What is known of their tokens' evidence is lost with it.
static void cut_down(struct view_row *rows, int n, int64_t all, struct arena *arena)
{
	int64_t *weights = arena_alloc(arena, (size_t)n * sizeof *weights),
			*tokens = arena_alloc(arena, (size_t)n * sizeof *tokens);
	for (int i = 0; i < n; i++)
		weights[i] = rows[i].figure.tokens;
	apportion(all, weights, n, tokens);
	for (int i = 0; i < n; i++) {
		struct figure *f = &rows[i].figure;
		*f = (struct figure){.tokens = tokens[i],
		                     .allocated = tokens[i],
		                     .usd = part_of(f->usd, tokens[i], weights[i]),
		                     .priced = f->priced};
		figure_check(f);
	}
}

// Appends the unbilled rows of a kind to out[n..]. Returns how many there are then.
static int add_unbilled(const struct actual_sides *s, enum row_kind kind, struct arena *arena,
                        struct view_row *out, int n)
{
	int64_t excess = excess_of(s, kind), all = 0;
	int first = n, kept = n;
	for (int i = 0; excess && i < s->nestimate; i++)
		if (s->estimate[i].kind == kind && s->estimate[i].figure.tokens > 0 &&
		    !is_billed(&s->estimate[i], s)) {
			all += s->estimate[i].figure.tokens;
			out[n++] = s->estimate[i];
		}
	if (all > excess)
		cut_down(out + first, n - first, excess, arena);
	for (int i = first; i < n; i++)
		if (out[i].figure.tokens)
			out[kept++] = out[i];
	return kept;
}

// ---- both ---------------------------------------------------------------------------------------

void actual_over(const struct actual_sides *s, struct arena *arena, struct actual_rows *ret)
{
	int cap = s->nactual + s->nestimate + 1, n = 0, nunbilled = 0;
	struct view_row *rows = arena_alloc(arena, (size_t)cap * sizeof *rows),
					*unbilled = arena_alloc(arena, ((size_t)s->nestimate + 1) * sizeof *unbilled);
	for (int i = 0; i < s->nactual; i++) {
		rows = reserve(rows, n, TAGSETS_MAX, &cap, arena);
		n += split_by_tags(&s->actual[i], s, rows + n);
	}
	rows = reserve(rows, n, s->nestimate, &cap, arena);
	for (int i = 0; i < s->nestimate; i++)
		if (s->estimate[i].kind == ROW_CALLS)
			rows[n++] = s->estimate[i];
	for (enum row_kind kind = ROW_TOKENS; kind <= ROW_UNCOUNTED; kind++)
		if (kind != ROW_CALLS)
			nunbilled = add_unbilled(s, kind, arena, unbilled, nunbilled);
	*ret = (struct actual_rows){.rows = rows, .unbilled = unbilled, .nrows = n, .nunbilled = nunbilled};
}
