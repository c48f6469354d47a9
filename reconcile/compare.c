// SPDX-License-Identifier: Apache-2.0
#include "reconcile/compare.h"

#include <stdlib.h>

#include "estimator/apportion.h"
#include "estimator/rate_class.h"

void difference_add(struct difference *to, const struct difference *d)
{
	to->estimated_tokens += d->estimated_tokens;
	to->billed_tokens += d->billed_tokens;
	to->estimated = usd_add(to->estimated, d->estimated);
	to->billed = usd_add(to->billed, d->billed);
	to->list = usd_add(to->list, d->list);
	to->volume = usd_add(to->volume, d->volume);
	to->price = usd_add(to->price, d->price);
	to->ttl = usd_add(to->ttl, d->ttl);
	to->attribution = usd_add(to->attribution, d->attribution);
	to->unmetered = usd_add(to->unmetered, d->unmetered);
	to->unbilled = usd_add(to->unbilled, d->unbilled);
}

const char *const difference_part_names[DIFFERENCE_PARTS] = {"volume",      "price",     "ttl",
                                                             "attribution", "unmetered", "unbilled"};

void difference_parts(const struct difference *d, struct usd ret[DIFFERENCE_PARTS])
{
	const struct usd parts[DIFFERENCE_PARTS] = {d->volume,      d->price,     d->ttl,
	                                            d->attribution, d->unmetered, d->unbilled};
	memcpy(ret, parts, sizeof parts);
}

// ---- pairing ------------------------------------------------------------------------------------

// Rows of one caller and type stand together, by tier.
static int by_type_then_who(const void *a, const void *b)
{
	const struct compared *x = a, *y = b;
	int c = (int)x->who.kind - (int)y->who.kind;
	if (!c)
		c = (int)x->who.type - (int)y->who.type;
	if (!c)
		c = str_cmp(x->who.principal, y->who.principal);
	if (!c)
		c = str_cmp(x->who.tagset, y->who.tagset);
	return c ? c : x->who.rate_class - y->who.rate_class;
}

static int by_type_then_tier(const void *a, const void *b)
{
	const struct compared *x = a, *y = b;
	int c = (int)x->who.kind - (int)y->who.kind;
	if (!c)
		c = (int)x->who.type - (int)y->who.type;
	if (!c)
		c = x->who.rate_class - y->who.rate_class;
	return c ? c : by_type_then_who(a, b);
}

enum side { ESTIMATED, BILLED, NOT_BILLED };

// Appends the rows of tokens and units to out[n..]; NOT_BILLED ones are taken off the estimate. Returns how
// many there are then.
static int add_side(struct compared *out, int n, const struct view_row *rows, int nrows, enum side side)
{
	for (int i = 0; i < nrows; i++) {
		const struct figure *f = &rows[i].figure;
		if (rows[i].kind != ROW_TOKENS && rows[i].kind != ROW_UNITS)
			continue;
		struct difference *d = &out[n].d;
		struct usd estimated = f->priced ? f->usd : USD_ZERO;
		out[n] = (struct compared){.who = rows[i]};
		out[n].who.figure = (struct figure){0};
		out[n].who.rate_class = (uint8_t)rate_class_tier(rows[i].rate_class);
		if (side == BILLED)
			*d = (struct difference){.billed_tokens = f->tokens, .billed = f->usd, .list = f->list};
		else if (side == ESTIMATED)
			*d = (struct difference){.estimated_tokens = f->tokens, .estimated = estimated};
		else
			*d = (struct difference){.estimated_tokens = -f->tokens,
			                         .estimated = usd_sub(USD_ZERO, estimated)};
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

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

// Estimated tokens that the bill does not have, and billed ones that were not estimated.
static int64_t surplus_of(const struct difference *d)
{
	return positive(d->estimated_tokens - d->billed_tokens);
}

static int64_t lack_of(const struct difference *d)
{
	return positive(d->billed_tokens - d->estimated_tokens);
}

// Moves estimated tokens, with their dollars. Returns what the tokens were worth, the TTL included.
static struct usd move_tokens(struct difference *from, struct difference *to, int64_t tokens)
{
	if (tokens == 0)
		return USD_ZERO;
	struct usd usd = usd_muldiv(from->estimated, tokens, from->estimated_tokens),
			   ttl = usd_muldiv(from->ttl, tokens, from->estimated_tokens);
	from->estimated_tokens -= tokens;
	to->estimated_tokens += tokens;
	from->estimated = usd_sub(from->estimated, usd);
	to->estimated = usd_add(to->estimated, usd);
	from->ttl = usd_sub(from->ttl, ttl);
	to->ttl = usd_add(to->ttl, ttl);
	return usd_add(usd, ttl);
}

// Cache writes that were estimated under one TTL, and are of the other.
static void move_writes(struct compared *from, struct compared *to, int64_t tokens)
{
	enum { RATE_5M = 5, RATE_1H = 8 }; // 1.25 : 2
	bool longer = to->who.type == TOKEN_CACHE_WRITE_1H;
	struct usd worth = move_tokens(&from->d, &to->d, tokens),
			   more = usd_muldiv(worth, RATE_1H - RATE_5M, longer ? RATE_5M : RATE_1H);
	to->d.ttl = longer ? usd_add(to->d.ttl, more) : usd_sub(to->d.ttl, more);
}

static struct compared *find_type(struct compared *list, int n, const struct compared *like,
                                  enum token_type type)
{
	struct compared key = *like;
	key.who.type = type;
	return n ? bsearch(&key, list, (size_t)n, sizeof *list, by_type_then_who) : NULL;
}

static bool is_write(const struct compared *c, enum token_type type)
{
	return c->who.kind == ROW_TOKENS && c->who.type == type;
}

// First those of one caller.
static void relabel_own_writes(struct compared *list, int n)
{
	for (int i = 0; i < n; i++) {
		struct compared *hour = &list[i], *five = is_write(hour, TOKEN_CACHE_WRITE_1H)
		                                             ? find_type(list, n, hour, TOKEN_CACHE_WRITE_5M)
		                                             : NULL;
		if (!five)
			continue;
		move_writes(five, hour, min64(surplus_of(&five->d), lack_of(&hour->d)));
		move_writes(hour, five, min64(surplus_of(&hour->d), lack_of(&five->d)));
	}
}

// Then those of all: what a caller was given too much of one TTL, while the bill has more of the other than
// all were given. The caller's own row of the other TTL may be new: the list has room. Returns how many rows
// there are then.
static int relabel_other_writes(struct compared *list, int n, enum token_type from, enum token_type to)
{
	int64_t surplus = 0, lack = 0;
	int all = n;
	for (int i = 0; i < n; i++) {
		surplus += is_write(&list[i], from) ? list[i].d.estimated_tokens - list[i].d.billed_tokens : 0;
		lack += is_write(&list[i], to) ? list[i].d.billed_tokens - list[i].d.estimated_tokens : 0;
	}
	for (int i = 0; i < n; i++) {
		int64_t tokens = min64(surplus_of(&list[i].d), positive(min64(surplus, lack)));
		if (!is_write(&list[i], from) || !tokens)
			continue;
		struct compared *other = find_type(list, n, &list[i], to);
		if (!other) {
			other = &list[all++];
			*other = (struct compared){.who = list[i].who};
			other->who.type = to;
		}
		move_writes(&list[i], other, tokens);
		surplus -= tokens;
		lack -= tokens;
	}
	return merge(list, all);
}

// The estimate may not know of tiers, or have believed what was asked for.
static void relabel_tiers(struct compared *list, int n)
{
	for (int i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && list[end].who.type == list[i].who.type &&
		                  list[end].who.kind == list[i].who.kind &&
		                  str_eq(list[end].who.principal, list[i].who.principal) &&
		                  str_eq(list[end].who.tagset, list[i].who.tagset);)
			end++;
		for (int to = i; to < end; to++)
			for (int from = i; from < end; from++)
				if (from != to)
					move_tokens(&list[from].d, &list[to].d,
					            min64(surplus_of(&list[from].d), lack_of(&list[to].d)));
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
	struct usd worth = usd_add(all.estimated, all.ttl);
	bool seen = all.estimated_tokens > 0, was_billed = all.billed_tokens || all.billed.pico;
	for (int i = 0; i < n; i++)
		weights[i] = positive(all.billed_tokens > 0 ? list[i].d.billed_tokens : list[i].d.estimated_tokens);
	if (seen && was_billed)
		apportion(more < 0 ? -more : more, weights, n, volume);
	for (int i = 0; i < n; i++) {
		struct difference *d = &list[i].d;
		struct usd whole = usd_sub(usd_sub(d->billed, d->estimated), d->ttl);
		if (!seen) {
			d->unmetered = whole;
		} else if (!was_billed) {
			d->unbilled = whole;
		} else {
			int64_t tokens = more < 0 ? -volume[i] : volume[i];
			d->volume = usd_muldiv(worth, tokens, all.estimated_tokens);
			d->attribution =
				usd_muldiv(worth, d->billed_tokens - d->estimated_tokens - tokens, all.estimated_tokens);
			d->price = usd_sub(usd_sub(whole, d->volume), d->attribution);
		}
	}
}

// What was not billed joins the parts.
static int add_unbilled(struct compared *list, int n, const struct actual_rows *over)
{
	int end = add_side(list, n, over->unbilled, over->nunbilled, ESTIMATED);
	for (int i = n; i < end; i++)
		list[i].d.unbilled = usd_sub(USD_ZERO, list[i].d.estimated);
	return merge(list, end);
}

void compare_rows(const struct actual_sides *s, struct arena *arena, struct compared **ret, int *ret_n)
{
	struct actual_rows over;
	actual_over(s, arena, &over);
	// the writes of each caller may need a row of the other TTL
	size_t most = 2 * ((size_t)over.nrows + (size_t)over.nunbilled + (size_t)s->nestimate) + 1;
	struct compared *list = arena_alloc(arena, most * sizeof *list);
	int n = add_side(list, 0, s->estimate, s->nestimate, ESTIMATED);
	n = add_side(list, n, over.unbilled, over.nunbilled, NOT_BILLED);
	n = merge(list, add_side(list, n, over.rows, over.nrows, BILLED));
	relabel_own_writes(list, n);
	n = relabel_other_writes(list, n, TOKEN_CACHE_WRITE_5M, TOKEN_CACHE_WRITE_1H);
	n = relabel_other_writes(list, n, TOKEN_CACHE_WRITE_1H, TOKEN_CACHE_WRITE_5M);
	relabel_tiers(list, n);
	if (n > 1)
		qsort(list, (size_t)n, sizeof *list, by_type_then_tier);
	for (int i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && list[end].who.kind == list[i].who.kind &&
		                  list[end].who.type == list[i].who.type &&
		                  list[end].who.rate_class == list[i].who.rate_class;)
			end++;
		explain(list + i, end - i, arena);
	}
	*ret = list;
	*ret_n = add_unbilled(list, n, &over);
}

void compare_model_hour(const struct model_hour *model_hour, struct arena *arena, struct compared **ret,
                        int *ret_n)
{
	const struct actual_sides sides = {model_hour->actual, model_hour->estimate, model_hour->nactual,
	                                   model_hour->nestimate};
	compare_rows(&sides, arena, ret, ret_n);
}
