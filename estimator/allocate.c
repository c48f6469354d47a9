// SPDX-License-Identifier: Apache-2.0
#include "estimator/allocate.h"

#include <string.h>

#include "estimator/apportion.h"

struct allocation {
	struct cell_reader reader;
	const struct weights *weights;
	int64_t *parts, *split; // by position in the cell's callers
	struct hour_usage *out;
};

// weight x calls, kept within what apportion takes.
static int64_t bounded_weight(int64_t weight, int64_t calls, int32_t n)
{
	int64_t product, most = INT64_MAX / 2 / (n ? n : 1);
	if (__builtin_mul_overflow(weight, calls, &product) || product > most)
		return most;
	return product;
}

static void allocate_cell(struct allocation *a, int m, int part, int kind)
{
	struct cell c;
	cell_read(&a->reader, m, part, kind, &c);
	a->out->metered[kind] += c.metric;
	a->out->excess[kind] += c.excess;
	if (c.ncallers == 0) {
		a->out->unattributed[kind] += c.residual;
		return;
	}
	for (int32_t i = 0; i < c.ncallers; i++)
		a->parts[i] = bounded_weight(a->weights->callers[c.callers[i]].milli[kind], c.lacking[c.callers[i]],
		                             c.ncallers);
	apportion(c.residual, a->parts, c.ncallers, a->split);
	for (int32_t i = 0; i < c.ncallers; i++)
		a->out->callers[c.callers[i]].by_kind[kind].allocated += a->split[i];
}

static void add_calls_of_minute(struct allocation *a, int m)
{
	const struct minute *at = span_minute(a->reader.span, m);
	for (int32_t i = 0; at && i < at->ncalls; i++) {
		const struct calls *c = &at->calls[i];
		struct caller_usage *u = &a->out->callers[c->caller];
		bool covered = cell_is_covered(&a->reader, m, &a->reader.span->callers[c->caller]);
		u->calls += c->n;
		u->failed += c->failed;
		u->exact_1h += c->exact[TOKENS_CACHE_WRITE_1H];
		if (c->exact_n[TOKENS_CACHE_WRITE_1H] == c->exact_n[TOKENS_CACHE_WRITE])
			u->exact_ttl += c->exact[TOKENS_CACHE_WRITE];
		for (int kind = 0; kind < METRIC_KINDS; kind++) {
			int64_t waiting = c->n - c->exact_n[kind], each = a->weights->callers[c->caller].milli[kind],
					milli;
			u->by_kind[kind].exact += c->exact[kind];
			if (covered || waiting <= 0)
				continue;
			if (__builtin_mul_overflow(waiting, each, &milli))
				milli = INT64_MAX;
			u->by_kind[kind].provisional += milli / 1000 + (milli % 1000 >= 500);
		}
	}
}

// The uncertainty of the split. What it means for a group depends on the other callers (query/group.h).
static void set_uncertainty(const struct weight *w, struct caller_usage *u)
{
	u->ttl_permille = w->ttl_permille;
	u->ttl_may_be_1h = w->ttl_may_be_1h;
	u->weight = w;
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		int64_t tokens = u->by_kind[kind].allocated;
		if (__builtin_mul_overflow(tokens, w->sd_permille[kind], &u->spread[kind]))
			u->spread[kind] = INT64_MAX;
		if (__builtin_mul_overflow(tokens, w->noise_milli[kind], &u->noise[kind]))
			u->noise[kind] = INT64_MAX;
		u->spread[kind] /= 1000;
		u->noise[kind] /= 1000;
	}
}

void allocate_hour(const struct span *s, const struct weights *w, int lookback, struct arena *arena,
                   struct hour_usage *ret)
{
	size_t n = (size_t)s->ncallers + 1;
	struct allocation a = {
		.weights = w,
		.parts = arena_alloc(arena, n * sizeof(int64_t)),
		.split = arena_alloc(arena, n * sizeof(int64_t)),
		.out = ret,
	};
	memset(ret, 0, sizeof *ret);
	ret->callers = arena_alloc(arena, n * sizeof *ret->callers);
	memset(ret->callers, 0, n * sizeof *ret->callers);
	cell_reader_init(&a.reader, s, lookback, arena);
	for (int m = 0; m < 60; m++) {
		add_calls_of_minute(&a, m);
		for (int part = 0, parts = cell_parts(&a.reader, m); part < parts; part++)
			for (int kind = 0; kind < METRIC_KINDS; kind++)
				allocate_cell(&a, m, part, kind);
	}
	for (int32_t i = 0; i < s->ncallers; i++)
		set_uncertainty(&w->callers[i], &ret->callers[i]);
}
