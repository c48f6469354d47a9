// SPDX-License-Identifier: Apache-2.0
#include "estimator/allocate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "estimator/apportion.h"

// Calls of a cell gathered by caller. `listed` holds the callers that occur, in the order of the span.
struct pool {
	int64_t *lacking;      // by caller: calls that lack the slot in question
	int32_t *listed;
	int32_t nlisted;
	int64_t *weights, *split; // by position in `listed`
};

struct allocation {
	const struct span *span;
	const struct weights *weights;
	int lookback;
	struct pool pool;
	struct hour_usage *out;
};

static int64_t lacking(const struct calls *c, int slot)
{
	return c->n - c->exact_n[slot];
}

// First minute of the cell that ends with the metered minute m.
static int cell_start(const struct allocation *a, int m)
{
	int first = m;
	while (m - (first - 1) <= a->lookback) {
		const struct minute *before = span_minute(a->span, first - 1);
		if (before && before->metered)
			break;
		first--;
	}
	return first;
}

static void pool_add(struct pool *p, const struct minute *m, int slot)
{
	for (int32_t i = 0; m && i < m->ncalls; i++) {
		int64_t n = lacking(&m->calls[i], slot);
		int32_t who = m->calls[i].caller;
		if (n <= 0)
			continue;
		if (p->lacking[who] == 0)
			p->listed[p->nlisted++] = who;
		p->lacking[who] += n;
	}
}

static void pool_clear(struct pool *p)
{
	for (int32_t i = 0; i < p->nlisted; i++)
		p->lacking[p->listed[i]] = 0;
	p->nlisted = 0;
}

static int compare_int32(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

// weight x calls, kept within what apportion takes.
static int64_t bounded_weight(int64_t weight, int64_t calls, int32_t n)
{
	int64_t product, most = INT64_MAX / 2 / (n ? n : 1);
	if (__builtin_mul_overflow(weight, calls, &product) || product > most)
		return most;
	return product;
}

static void split_residual(struct allocation *a, int slot, int64_t residual)
{
	struct pool *p = &a->pool;
	qsort(p->listed, (size_t)p->nlisted, sizeof *p->listed, compare_int32);
	for (int32_t i = 0; i < p->nlisted; i++) {
		int32_t who = p->listed[i];
		p->weights[i] = bounded_weight(a->weights->per_caller[who][slot], p->lacking[who], p->nlisted);
		a->out->lacking[slot] += p->lacking[who];
	}
	apportion(residual, p->weights, p->nlisted, p->split);
	for (int32_t i = 0; i < p->nlisted; i++)
		a->out->callers[p->listed[i]].slots[slot].allocated += p->split[i];
	a->out->residual[slot] += residual;
}

// The metered minute m of the hour.
static void allocate_cell(struct allocation *a, int m, int slot)
{
	const struct minute *metered = span_minute(a->span, m);
	int first = cell_start(a, m);
	int64_t exact = 0, residual = metered->metric[slot];
	a->out->metered[slot] += metered->metric[slot];
	for (int i = first; i <= m; i++) {
		const struct minute *at = span_minute(a->span, i);
		for (int32_t k = 0; at && k < at->ncalls; k++)
			exact += at->calls[k].exact[slot];
		pool_add(&a->pool, at, slot);
	}
	if (exact > residual) {
		a->out->excess[slot] += exact - residual;
		residual = 0;
	} else {
		residual -= exact;
	}
	for (int i = first - 1; residual > 0 && a->pool.nlisted == 0 && m - i <= a->lookback; i--)
		pool_add(&a->pool, span_minute(a->span, i), slot);
	if (a->pool.nlisted > 0)
		split_residual(a, slot, residual);
	else
		a->out->unattributed[slot] += residual;
	pool_clear(&a->pool);
}

// Whether a metric has come, or may be counted on, for the calls of minute m.
static bool is_covered(const struct allocation *a, int m)
{
	for (int i = m; i - m <= a->lookback && i < 120; i++) {
		const struct minute *at = span_minute(a->span, i);
		if (at && at->metered)
			return true;
	}
	return false;
}

static void book_calls(struct allocation *a, int m)
{
	const struct minute *at = span_minute(a->span, m);
	bool covered = is_covered(a, m);
	for (int32_t i = 0; at && i < at->ncalls; i++) {
		const struct calls *c = &at->calls[i];
		struct caller_usage *u = &a->out->callers[c->caller];
		u->calls += c->n;
		u->failed += c->failed;
		u->exact_1h += c->exact[TOKENS_CACHE_WRITE_1H];
		if (c->exact_n[TOKENS_CACHE_WRITE_1H] == c->exact_n[TOKENS_CACHE_WRITE])
			u->exact_ttl += c->exact[TOKENS_CACHE_WRITE];
		for (int slot = 0; slot < METRIC_SLOTS; slot++) {
			u->slots[slot].exact += c->exact[slot];
			int64_t waiting = lacking(c, slot), each = a->weights->per_caller[c->caller][slot], milli;
			if (covered || waiting <= 0 || __builtin_mul_overflow(waiting, each, &milli))
				continue;
			u->slots[slot].provisional += (milli + 500) / 1000;
		}
	}
}

void allocate_hour(const struct span *s, const struct weights *w, int lookback, struct arena *arena, struct hour_usage *ret)
{
	assert(lookback >= 0 && lookback <= 60);
	size_t n = (size_t)s->ncallers + 1;
	memset(ret, 0, sizeof *ret);
	ret->callers = arena_alloc(arena, n * sizeof *ret->callers);
	memset(ret->callers, 0, n * sizeof *ret->callers);
	struct allocation a = {
		.span = s,
		.weights = w,
		.lookback = lookback,
		.out = ret,
		.pool =
			{
				.lacking = arena_alloc(arena, n * sizeof(int64_t)),
				.listed = arena_alloc(arena, n * sizeof(int32_t)),
				.weights = arena_alloc(arena, n * sizeof(int64_t)),
				.split = arena_alloc(arena, n * sizeof(int64_t)),
			},
	};
	memset(a.pool.lacking, 0, n * sizeof(int64_t));
	for (int m = 0; m < 60; m++) {
		const struct minute *at = span_minute(s, m);
		book_calls(&a, m);
		if (!at || !at->metered)
			continue;
		for (int slot = 0; slot < METRIC_SLOTS; slot++)
			allocate_cell(&a, m, slot);
	}
}
