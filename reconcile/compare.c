// SPDX-License-Identifier: Apache-2.0
#include "reconcile/compare.h"

#include <stdlib.h>

#include "estimator/apportion.h"
#include "estimator/rate_class.h"
#include "store/actual.h"

void difference_add(struct difference *to, const struct difference *d)
{
	to->estimated_tokens += d->estimated_tokens;
	to->billed_tokens += d->billed_tokens;
	to->estimated = usd_add(to->estimated, d->estimated);
	to->billed = usd_add(to->billed, d->billed);
	to->list = usd_add(to->list, d->list);
	to->volume = usd_add(to->volume, d->volume);
	to->price = usd_add(to->price, d->price);
	to->attribution = usd_add(to->attribution, d->attribution);
	to->unmetered = usd_add(to->unmetered, d->unmetered);
	to->unbilled = usd_add(to->unbilled, d->unbilled);
}

// ---- pairing ------------------------------------------------------------------------------------

// Rows of one caller and type stand together, by tier.
static int by_type_then_who(const void *a, const void *b)
{
	const struct compared *x = a, *y = b;
	int c = (int)x->who.type - (int)y->who.type;
	if (!c)
		c = str_cmp(x->who.principal, y->who.principal);
	if (!c)
		c = str_cmp(x->who.tagset, y->who.tagset);
	return c ? c : x->who.rate_class - y->who.rate_class;
}

static int by_type_then_tier(const void *a, const void *b)
{
	const struct compared *x = a, *y = b;
	int c = (int)x->who.type - (int)y->who.type;
	if (!c)
		c = x->who.rate_class - y->who.rate_class;
	return c ? c : by_type_then_who(a, b);
}

// Appends the rows of tokens to out[n..]. Returns how many there are then.
static int add_side(struct compared *out, int n, const struct view_row *rows, int nrows, bool billed)
{
	for (int i = 0; i < nrows; i++) {
		const struct figure *f = &rows[i].figure;
		if (rows[i].kind != ROW_TOKENS)
			continue;
		out[n] = (struct compared){.who = rows[i]};
		out[n].who.figure = (struct figure){0};
		out[n].who.rate_class = (uint8_t)rate_class_tier(rows[i].rate_class);
		if (billed) {
			out[n].d.billed_tokens = f->tokens;
			out[n].d.billed = f->usd;
			out[n].d.list = f->list;
		} else {
			out[n].d.estimated_tokens = f->tokens;
			out[n].d.estimated = f->priced ? f->usd : USD_ZERO;
		}
		n++;
	}
	return n;
}

static int merge(struct compared *list, int n)
{
	int kept = 0;
	if (n > 1)
		qsort(list, (size_t)n, sizeof *list, by_type_then_who);
	for (int i = 0; i < n; i++) {
		if (kept && by_type_then_who(&list[kept - 1], &list[i]) == 0)
			difference_add(&list[kept - 1].d, &list[i].d);
		else
			list[kept++] = list[i];
	}
	return kept;
}

// ---- the TTL of cache writes --------------------------------------------------------------------

static int64_t positive(int64_t v)
{
	return v > 0 ? v : 0;
}

// Estimated tokens of `from` that the bill has under `to`.
static void relabel(struct difference *from, struct difference *to)
{
	int64_t more = positive(to->billed_tokens - to->estimated_tokens),
			less = positive(from->estimated_tokens - from->billed_tokens);
	int64_t tokens = more < less ? more : less;
	if (tokens == 0)
		return;
	struct usd usd = usd_muldiv(from->estimated, tokens, from->estimated_tokens);
	from->estimated_tokens -= tokens;
	to->estimated_tokens += tokens;
	from->estimated = usd_sub(from->estimated, usd);
	to->estimated = usd_add(to->estimated, usd);
}

static struct compared *find_type(struct compared *list, int n, const struct compared *like,
                                  enum token_type type)
{
	struct compared key = *like;
	key.who.type = type;
	return n ? bsearch(&key, list, (size_t)n, sizeof *list, by_type_then_who) : NULL;
}

static void relabel_writes(struct compared *list, int n)
{
	for (int i = 0; i < n; i++) {
		struct compared *other = list[i].who.type == TOKEN_CACHE_WRITE_1H
		                             ? find_type(list, n, &list[i], TOKEN_CACHE_WRITE_5M)
		                             : NULL;
		if (!other)
			continue;
		relabel(&other->d, &list[i].d);
		relabel(&list[i].d, &other->d);
	}
}

// The estimate may not know of tiers, or have believed what was asked for.
static void relabel_tiers(struct compared *list, int n)
{
	for (int i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && list[end].who.type == list[i].who.type &&
		                  str_eq(list[end].who.principal, list[i].who.principal) &&
		                  str_eq(list[end].who.tagset, list[i].who.tagset);)
			end++;
		for (int to = i; to < end; to++)
			for (int from = i; from < end; from++)
				if (from != to)
					relabel(&list[from].d, &list[to].d);
	}
}

// ---- the causes ---------------------------------------------------------------------------------

// All callers of one token type and tier.
static void explain(struct compared *list, int n, struct arena *arena)
{
	struct difference all = {0};
	for (int i = 0; i < n; i++)
		difference_add(&all, &list[i].d);
	int64_t *weights = arena_alloc(arena, (size_t)n * sizeof *weights),
			*volume = arena_alloc(arena, (size_t)n * sizeof *volume);
	int64_t more = all.billed_tokens - all.estimated_tokens;
	bool seen = all.estimated_tokens > 0, was_billed = all.billed_tokens || all.billed.pico;
	for (int i = 0; i < n; i++)
		weights[i] = positive(all.billed_tokens > 0 ? list[i].d.billed_tokens : list[i].d.estimated_tokens);
	if (seen && was_billed)
		apportion(more < 0 ? -more : more, weights, n, volume);
	for (int i = 0; i < n; i++) {
		struct difference *d = &list[i].d;
		struct usd whole = usd_sub(d->billed, d->estimated);
		if (!seen) {
			d->unmetered = whole;
		} else if (!was_billed) {
			d->unbilled = whole;
		} else {
			int64_t tokens = more < 0 ? -volume[i] : volume[i];
			d->volume = usd_muldiv(all.estimated, tokens, all.estimated_tokens);
			d->attribution = usd_muldiv(all.estimated, d->billed_tokens - d->estimated_tokens - tokens,
			                            all.estimated_tokens);
			d->price = usd_sub(usd_sub(whole, d->volume), d->attribution);
		}
	}
}

void compare_rows(const struct view_row *estimate, int nestimate, const struct view_row *billed, int nbilled,
                  struct arena *arena, struct compared **ret, int *ret_n)
{
	struct compared *list = arena_alloc(arena, ((size_t)nbilled + (size_t)nestimate + 1) * sizeof *list);
	int n = add_side(list, 0, estimate, nestimate, false);
	n = merge(list, add_side(list, n, billed, nbilled, true));
	// A caller's one-hour writes may be billed, and estimated under the other TTL only: both rows are there,
	// since the bill's is.
	relabel_writes(list, n);
	relabel_tiers(list, n);
	if (n > 1)
		qsort(list, (size_t)n, sizeof *list, by_type_then_tier);
	for (int i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && list[end].who.type == list[i].who.type &&
		                  list[end].who.rate_class == list[i].who.rate_class;)
			end++;
		explain(list + i, end - i, arena);
	}
	*ret = list;
	*ret_n = n;
}

void compare_model_hour(const struct model_hour *model_hour, struct arena *arena, struct compared **ret,
                        int *ret_n)
{
	const struct view_row *billed;
	int nbilled;
	actual_over(model_hour->actual, model_hour->nactual, model_hour->estimate, model_hour->nestimate, arena,
	            &billed, &nbilled);
	compare_rows(model_hour->estimate, model_hour->nestimate, billed, nbilled, arena, ret, ret_n);
}
