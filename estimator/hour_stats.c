// SPDX-License-Identifier: Apache-2.0
#include "estimator/hour_stats_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "estimator/cell.h"
#include "estimator/lag.h"
#include "estimator/solve.h"

void hour_stats_init(struct hour_stats *ret, int n, struct arena *arena)
{
	ret->n = n;
	ret->ttl_known = solve_zeros(arena, (size_t)n);
	ret->ttl_1h = solve_zeros(arena, (size_t)n);
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		struct kind_stats *x = &ret->by_kind[kind];
		*x = (struct kind_stats){.b = solve_zeros(arena, (size_t)n),
		                         .c = solve_zeros(arena, (size_t)n),
		                         .exact_calls = solve_zeros(arena, (size_t)n),
		                         .exact_tokens = solve_zeros(arena, (size_t)n),
		                         .n = solve_zeros(arena, (size_t)n),
		                         .a = solve_zeros(arena, hour_stats_triangle(n)),
		                         .s = solve_zeros(arena, hour_stats_triangle(n))};
	}
}

double kind_stats_freedom(const struct kind_stats *sums, int n)
{
	return fmax(sums->cells - fmin(n, sums->cells / 2), 1);
}

// ---- principals ---------------------------------------------------------------------------------

struct principal {
	struct str arn;
	int64_t calls;
};

static int by_calls_descending(const void *a, const void *b)
{
	const struct principal *x = a, *y = b;
	if (x->calls != y->calls)
		return x->calls > y->calls ? -1 : 1;
	return str_cmp(x->arn, y->arn);
}

static int by_arn(const void *a, const void *b)
{
	return str_cmp(((const struct principal *)a)->arn, ((const struct principal *)b)->arn);
}

// Calls of the hour by principal. Callers are sorted by ARN, so those of one principal are adjacent.
static struct principal *count_principals(const struct span *s, int lookback, struct arena *arena,
                                          int32_t *ret_n)
{
	int64_t *calls = arena_alloc(arena, ((size_t)s->ncallers + 1) * sizeof *calls);
	struct principal *all = arena_alloc(arena, ((size_t)s->ncallers + 1) * sizeof *all);
	int32_t n = 0;
	memset(calls, 0, ((size_t)s->ncallers + 1) * sizeof *calls);
	for (int m = -lookback; m < 60; m++) {
		const struct minute *at = span_minute(s, m);
		for (int32_t i = 0; at && i < at->ncalls; i++)
			calls[at->calls[i].caller] += at->calls[i].n;
	}
	for (int32_t i = 0; i < s->ncallers; i++) {
		if (calls[i] == 0)
			continue;
		if (n && str_eq(all[n - 1].arn, s->callers[i].arn))
			all[n - 1].calls += calls[i];
		else
			all[n++] = (struct principal){s->callers[i].arn, calls[i]};
	}
	*ret_n = n;
	return all;
}

// Chooses the principals of the statistics. Returns the position of each caller's principal.
static int32_t *choose_principals(const struct span *s, int lookback, struct arena *arena,
                                  struct hour_stats *l)
{
	int32_t n, *index = arena_alloc(arena, ((size_t)s->ncallers + 1) * sizeof *index);
	struct principal *all = count_principals(s, lookback, arena, &n);
	bool others = n > HOUR_STATS_PRINCIPALS;
	if (others) {
		qsort(all, (size_t)n, sizeof *all, by_calls_descending);
		n = HOUR_STATS_PRINCIPALS - 1;
		qsort(all, (size_t)n, sizeof *all, by_arn);
		all[n++] = (struct principal){.arn = STR(HOUR_STATS_OTHERS)};
	}
	l->names = arena_alloc(arena, ((size_t)n + 1) * sizeof *l->names);
	for (int32_t i = 0; i < n; i++)
		l->names[i] = all[i].arn;
	for (int32_t i = 0, k = 0; i < s->ncallers; i++) {
		while (k < n && !str_is(all[k].arn, HOUR_STATS_OTHERS) && str_cmp(all[k].arn, s->callers[i].arn) < 0)
			k++;
		bool distinguished = k < n && str_eq(all[k].arn, s->callers[i].arn);
		index[i] = distinguished ? k : n - 1; // callers without calls are never looked up
	}
	hour_stats_init(l, n, arena);
	return index;
}

// ---- the sums -----------------------------------------------------------------------------------

// Calls that ended in a cell, by principal.
struct counted {
	double *counts;             // zero between cells
	double calls;               // their sum
	int32_t listed[HOUR_STATS_PRINCIPALS];
	int n;
	bool exact[METRIC_KINDS];   // there are some whose tokens of that kind are known
};

struct stats_builder {
	const struct span *span;
	const int32_t *index;       // principal of a caller
	int lookback;               // minutes before the hour that its statistics are computed from
	struct lag lag;
	struct counted all, lacking;
};

enum { ALL_CALLS = METRIC_KINDS }; // instead of a kind

static void add_calls(struct counted *to, int32_t p, const struct calls *c, int kind, bool here, double part)
{
	int64_t n = kind == ALL_CALLS ? c->n : c->n - c->exact_n[kind];
	int64_t streams = c->started < n ? c->started : n;
	double count = (here ? (double)(n - streams) : 0) + part * (double)streams;
	for (int k = 0; k < METRIC_KINDS; k++)
		to->exact[k] |= c->exact_n[k] > 0;
	if (n <= 0 || count <= 0)
		return;
	if (to->counts[p] == 0)
		to->listed[to->n++] = p;
	to->counts[p] += count;
	to->calls += count;
}

// The calls that are estimated to have ended in a cell, whose last minute is `last`: all of them, or those
// whose tokens of a kind are unknown.
static void count_calls(const struct stats_builder *a, const struct cell *cell, int last, int kind,
                        struct counted *to)
{
	int first = cell->first;
	for (int i = 0; i < to->n; i++)
		to->counts[to->listed[i]] = 0;
	*to = (struct counted){.counts = to->counts};
	int earliest = first - a->lag.minutes < -a->lookback ? -a->lookback : first - a->lag.minutes;
	for (int m = earliest; m <= last; m++) {
		const struct minute *at = span_minute(a->span, m);
		double part = lag_part(&a->lag, m, first, last);
		for (int32_t i = 0; at && i < at->ncalls; i++)
			if ((m >= first || (part > 0 && at->calls[i].started)) &&
			    cell_takes(cell, a->span, m, &a->span->callers[at->calls[i].caller]))
				add_calls(to, a->index[at->calls[i].caller], &at->calls[i], kind, m >= first, part);
	}
}

static void add_products(double *to, const struct counted *c, double weight)
{
	for (int i = 0; i < c->n; i++) {
		int32_t p = c->listed[i];
		double share = c->counts[p] * weight;
		for (int k = 0; k < c->n; k++)
			if (c->listed[k] <= p)
				to[hour_stats_triangle(p) + (size_t)c->listed[k]] += share * c->counts[c->listed[k]];
	}
}

static void add_samples(struct kind_stats *x, int64_t samples, const struct counted *all)
{
	for (int i = 0; i < all->n; i++)
		x->c[all->listed[i]] += all->counts[all->listed[i]];
	add_products(x->s, all, 1.0 / (double)samples);
	x->sampled_calls += all->calls;
	x->samples += (double)samples;
}

static void add_tokens(struct kind_stats *x, const struct cell *cell, const struct counted *all,
                       const struct counted *lacking)
{
	double users = cell->samples ? (double)cell->samples * (lacking->calls / all->calls) : lacking->calls;
	double weight = 1.0 / fmax(users, 1), tokens = (double)cell->residual;
	for (int i = 0; i < lacking->n; i++) {
		int32_t p = lacking->listed[i];
		x->b[p] += lacking->counts[p] * weight * tokens;
		x->n[p] += lacking->counts[p];
	}
	add_products(x->a, lacking, weight);
	x->cells++;
	x->calls += lacking->calls;
	x->tokens += tokens;
	x->squares += tokens * tokens * weight;
}

static void add_cell(struct hour_stats *l, struct cell_reader *reader, int m, int part,
                     struct stats_builder *a)
{
	struct cell c;
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		const struct counted *lacking = &a->all;
		cell_read(reader, m, part, kind, &c);
		if (kind == 0)
			count_calls(a, &c, m, ALL_CALLS, &a->all);
		if (a->all.exact[kind]) {
			count_calls(a, &c, m, kind, &a->lacking);
			lacking = &a->lacking;
		}
		if (c.samples && a->all.calls > 0)
			add_samples(&l->by_kind[kind], c.samples, &a->all);
		if (lacking->calls > 0)
			add_tokens(&l->by_kind[kind], &c, &a->all, lacking);
	}
}

static void add_exact(const struct span *s, const int32_t *index, struct hour_stats *l)
{
	for (int m = 0; m < 60; m++) {
		const struct minute *at = span_minute(s, m);
		for (int32_t i = 0; at && i < at->ncalls; i++) {
			const struct calls *c = &at->calls[i];
			int32_t p = index[c->caller];
			for (int kind = 0; kind < METRIC_KINDS; kind++) {
				l->by_kind[kind].exact_calls[p] += (double)c->exact_n[kind];
				l->by_kind[kind].exact_tokens[p] += (double)c->exact[kind];
			}
			if (c->exact_n[TOKENS_CACHE_WRITE_1H] == c->exact_n[TOKENS_CACHE_WRITE]) {
				l->ttl_known[p] += (double)c->exact[TOKENS_CACHE_WRITE];
				l->ttl_1h[p] += (double)c->exact[TOKENS_CACHE_WRITE_1H];
			}
		}
	}
}

// Whether the hour has facts of its own. It may have had some: calls that another record has moved since.
static bool has_facts(const struct hour *h)
{
	bool any = false;
	for (int m = 0; h && m < 60; m++) {
		const struct minute *at = &h->minutes[m];
		any |= at->ncalls > 0 || at->metered || at->has_units || at->of_tier;
	}
	return any;
}

void hour_stats_write(const struct span *s, int lookback, struct arena *arena, struct buf *ret)
{
	struct hour_stats l = {0};
	struct cell_reader reader;
	if (!has_facts(s->hour))
		return;
	int32_t *index = choose_principals(s, lookback, arena, &l);
	if (l.n == 0)
		return;
	struct stats_builder adding = {.span = s,
	                        .index = index,
	                        .lookback = lookback,
	                        .all.counts = solve_zeros(arena, (size_t)l.n),
	                        .lacking.counts = solve_zeros(arena, (size_t)l.n)};
	lag_learn(s, lookback, &adding.lag);
	cell_reader_init(&reader, s, lookback, arena);
	for (int m = 0; m < 60; m++)
		for (int part = 0, parts = cell_parts(&reader, m); part < parts; part++)
			add_cell(&l, &reader, m, part, &adding);
	add_exact(s, index, &l);
	hour_stats_encode(&l, ret);
}
