// SPDX-License-Identifier: Apache-2.0
#include "query/change.h"

#include <assert.h>
#include <stdlib.h>

const char *const change_part_names[CHANGE_PARTS] = {"calls", "tokens", "rate", "added", "gone"};

#define MODEL_KEYS BY_MODEL, BY_REGION, BY_TIER
#define MODEL_NAMES STR("model"), STR("region"), STR("tier")
const struct grouping change_tokens = {
	.n = CHANGE_MODEL_KEYS + 1, .by = {MODEL_KEYS, BY_TOKEN_TYPE}, .name = {MODEL_NAMES, STR("token_type")}};
const struct grouping change_calls = {.n = CHANGE_MODEL_KEYS, .by = {MODEL_KEYS}, .name = {MODEL_NAMES}};

// ---- pairs --------------------------------------------------------------------------------------

static int compare_keys(const struct str *x, const struct str *y, int n)
{
	for (int i = 0; i < n; i++) {
		int c = str_cmp(x[i], y[i]);
		if (c)
			return c;
	}
	return 0;
}

int32_t group_pairs_make(struct groups *now, struct groups *then, struct group_pair *ret)
{
	int32_t n = 0;
	assert(now->by.n == then->by.n);
	groups_sort(now, ORDER_NAME);
	groups_sort(then, ORDER_NAME);
	for (int32_t i = 0, k = 0; i < now->n || k < then->n; n++) {
		int c = i == now->n    ? 1
		        : k == then->n ? -1
		                       : compare_keys(now->list[i].keys, then->list[k].keys, now->by.n);
		const struct group *x = c <= 0 ? &now->list[i++] : NULL, *y = c >= 0 ? &then->list[k++] : NULL;
		ret[n] = (struct group_pair){x ? x->keys : y->keys, x, y,
		                             usd_sub(x ? x->usd : USD_ZERO, y ? y->usd : USD_ZERO)};
	}
	assert(n <= now->n + then->n);
	return n;
}

static struct usd absolute(struct usd u)
{
	return u.pico < 0 ? usd_sub(USD_ZERO, u) : u;
}

static int compare_by_change(const void *x, const void *y)
{
	const struct group_pair *a = x, *b = y;
	int c = usd_cmp(absolute(b->change), absolute(a->change));
	return c ? c : str_cmp(a->keys[0], b->keys[0]);
}

void group_pairs_sort(struct group_pair *list, int32_t n)
{
	if (n > 1)
		qsort(list, (size_t)n, sizeof *list, compare_by_change);
}

bool group_pair_is_sure(const struct group_pair *p)
{
	return (p->now && usd_cmp(p->now->usd_low, p->then ? p->then->usd_high : USD_ZERO) > 0) ||
	       (p->then && usd_cmp(p->now ? p->now->usd_high : USD_ZERO, p->then->usd_low) < 0);
}

// ---- parts --------------------------------------------------------------------------------------

// Of one model, Region and tier: the token types that both spans have.
struct shared {
	struct usd before, volume;
};

static void add_part(struct usd *parts, enum change_part part, struct usd u)
{
	parts[part] = usd_add(parts[part], u);
}

// One token type of a model.
static void add_tokens(const struct group_pair *p, struct shared *s, struct usd *parts)
{
	struct usd now = p->now ? p->now->usd : USD_ZERO, then = p->then ? p->then->usd : USD_ZERO;
	int64_t t1 = p->now ? p->now->tokens : 0, t0 = p->then ? p->then->tokens : 0;
	if (t0 <= 0 || t1 <= 0) { // a bill may take back more than it charges
		add_part(parts, CHANGE_ADDED, now);
		add_part(parts, CHANGE_GONE, usd_sub(USD_ZERO, then));
		return;
	}
	struct usd at_former_rate = usd_muldiv(then, t1, t0);
	add_part(parts, CHANGE_RATE, usd_sub(now, at_former_rate));
	s->before = usd_add(s->before, then);
	s->volume = usd_add(s->volume, usd_sub(at_former_rate, then));
}

// `calls` NULL: there were none in either span.
static void divide_volume(const struct shared *s, const struct group_pair *calls, struct usd *parts)
{
	int64_t c1 = calls && calls->now ? calls->now->calls : 0,
			c0 = calls && calls->then ? calls->then->calls : 0;
	struct usd by_calls = c0 > 0 && c1 > 0 ? usd_sub(usd_muldiv(s->before, c1, c0), s->before) : USD_ZERO;
	add_part(parts, CHANGE_CALLS, by_calls);
	add_part(parts, CHANGE_TOKENS, usd_sub(s->volume, by_calls));
}

void change_split(struct groups *tokens_now, struct groups *tokens_then, struct groups *calls_now,
                  struct groups *calls_then, struct usd ret[CHANGE_PARTS])
{
	struct group_pair *tokens = xcalloc((size_t)(tokens_now->n + tokens_then->n) + 1, sizeof *tokens),
					  *calls = xcalloc((size_t)(calls_now->n + calls_then->n) + 1, sizeof *calls);
	int32_t ntokens = group_pairs_make(tokens_now, tokens_then, tokens),
			ncalls = group_pairs_make(calls_now, calls_then, calls), at = 0;
	for (int part = 0; part < CHANGE_PARTS; part++)
		ret[part] = USD_ZERO;
	for (int32_t i = 0, end; i < ntokens; i = end) {
		struct shared s = {USD_ZERO, USD_ZERO};
		for (end = i; end < ntokens && !compare_keys(tokens[end].keys, tokens[i].keys, CHANGE_MODEL_KEYS);
		     end++)
			add_tokens(&tokens[end], &s, ret);
		while (at < ncalls && compare_keys(calls[at].keys, tokens[i].keys, CHANGE_MODEL_KEYS) < 0)
			at++;
		bool same = at < ncalls && !compare_keys(calls[at].keys, tokens[i].keys, CHANGE_MODEL_KEYS);
		divide_volume(&s, same ? &calls[at] : NULL, ret);
	}
	free(tokens);
	free(calls);
}
