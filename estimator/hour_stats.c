// SPDX-License-Identifier: Apache-2.0
#include "estimator/hour_stats_priv.h"

#include <math.h>
#include <string.h>

#include "estimator/cell.h"
#include "estimator/lag.h"
#include "estimator/solve.h"
#include "estimator/who_set.h"

void hour_stats_init(struct hour_stats *ret, int32_t n, struct arena *arena)
{
	ret->n = n;
	ret->ttl_known = solve_zeros(arena, (size_t)n);
	ret->ttl_1h = solve_zeros(arena, (size_t)n);
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		ret->exact_calls[kind] = solve_zeros(arena, (size_t)n);
		ret->exact_tokens[kind] = solve_zeros(arena, (size_t)n);
	}
}

// The principals that call in the hour or in the minutes before. Returns the position of each caller's
// principal. Callers are sorted by ARN, so those of one principal are adjacent.
static int32_t *find_principals(const struct span *s, int lookback, struct arena *arena,
                                struct hour_stats *ret)
{
	size_t size = (size_t)s->ncallers + 1;
	int32_t n = 0, *index = arena_alloc(arena, size * sizeof *index);
	bool *called = arena_alloc(arena, size * sizeof *called);
	memset(called, 0, size * sizeof *called);
	for (int m = -lookback; m < 60; m++) {
		const struct minute *at = span_minute(s, m);
		for (int32_t i = 0; at && i < at->ncalls; i++)
			called[at->calls[i].caller] |= at->calls[i].n > 0;
	}
	ret->names = arena_alloc(arena, size * sizeof *ret->names);
	for (int32_t i = 0; i < s->ncallers; i++) {
		if (called[i] && (n == 0 || !str_eq(ret->names[n - 1], s->callers[i].arn)))
			ret->names[n++] = s->callers[i].arn;
		index[i] = n - 1; // callers without calls are never looked up
	}
	hour_stats_init(ret, n, arena);
	return index;
}

// ---- the cells ----------------------------------------------------------------------------------

// Calls by principal while they are counted.
struct tally {
	double *counts;  // zero for those who are not in `who`
	struct who_set who;
	int32_t *listed, n; // them, once they are counted
};

struct stats_builder {
	const struct span *span;
	const int32_t *index; // principal of a caller
	int lookback;         // minutes before the hour that its statistics are computed from
	struct lag lag;
	struct tally tally;
	struct hour_stats *out;
	int32_t cells_cap, entries_cap;
	struct arena *arena;
};

static void *grown(struct arena *arena, const void *old, size_t used, size_t size)
{
	void *p = arena_alloc(arena, size);
	if (used)
		memcpy(p, old, used);
	return p;
}

static void tally_add(struct tally *t, int32_t who, double calls)
{
	if (calls <= 0)
		return;
	who_set_add(&t->who, who);
	t->counts[who] += calls;
}

// Empties the tally into a list of the statistics.
static struct call_list tally_take(struct stats_builder *b)
{
	struct tally *t = &b->tally;
	struct hour_stats *s = b->out;
	struct call_list ret = {.begin = s->nentries};
	t->n = who_set_take(&t->who, t->listed);
	if (s->nentries + t->n > b->entries_cap) {
		b->entries_cap = (s->nentries + t->n) * 2;
		s->who = grown(b->arena, s->who, (size_t)s->nentries * sizeof *s->who,
		               (size_t)b->entries_cap * sizeof *s->who);
		s->calls = grown(b->arena, s->calls, (size_t)s->nentries * sizeof *s->calls,
		                 (size_t)b->entries_cap * sizeof *s->calls);
	}
	for (int32_t i = 0; i < t->n; i++) {
		int32_t who = t->listed[i];
		double calls = round(t->counts[who] * CALL_PARTS) / CALL_PARTS;
		t->counts[who] = 0;
		if (calls <= 0)
			continue;
		s->who[s->nentries] = who;
		s->calls[s->nentries++] = calls;
		ret.calls += calls;
		ret.n++;
	}
	t->n = 0;
	return ret;
}

static double calls_here(const struct calls *c, int kind, bool here, double part)
{
	int64_t n = kind == ALL_CALLS ? c->n : c->n - c->exact_n[kind];
	int64_t streams = c->started < n ? c->started : n;
	return n > 0 ? (here ? (double)(n - streams) : 0) + part * (double)streams : 0;
}

// The calls that are estimated to have ended in a cell, whose last minute is `last`: all of them, or those
// whose tokens of a kind are unknown. ret_exact: by kind, whether there are some whose tokens are known.
static struct call_list list_calls(struct stats_builder *b, const struct cell *cell, int last, int kind,
                                   bool ret_exact[METRIC_KINDS])
{
	int first = cell->first;
	int earliest = first - b->lag.minutes < -b->lookback ? -b->lookback : first - b->lag.minutes;
	for (int m = earliest; m <= last; m++) {
		const struct minute *at = span_minute(b->span, m);
		if (m < first && lag_is_over(&b->lag, m, first))
			continue;
		for (int32_t i = 0; at && i < at->ncalls; i++) {
			const struct calls *c = &at->calls[i];
			double part = lag_part(&b->lag, m, c, first, last);
			if (!(m >= first || part > 0) ||
			    !cell_takes(cell, b->span, m, &b->span->callers[c->caller]))
				continue;
			for (int k = 0; k < METRIC_KINDS; k++)
				ret_exact[k] |= c->exact_n[k] > 0;
			tally_add(&b->tally, b->index[c->caller], calls_here(c, kind, m >= first, part));
		}
	}
	return tally_take(b);
}

static void add_cell(struct stats_builder *b, struct cell_reader *reader, int m, int part)
{
	struct hour_stats *s = b->out;
	struct stats_cell x = {0};
	struct cell c;
	bool exact[METRIC_KINDS] = {false}, ignored[METRIC_KINDS] = {false};
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		cell_read(reader, m, part, kind, &c);
		if (kind == 0)
			x.list[ALL_CALLS] = list_calls(b, &c, m, ALL_CALLS, exact);
		x.list[kind] = exact[kind] ? list_calls(b, &c, m, kind, ignored) : x.list[ALL_CALLS];
		x.tokens[kind] = c.residual;
		x.samples[kind] = c.samples;
	}
	if (x.list[ALL_CALLS].n == 0)
		return;
	if (s->ncells == b->cells_cap) {
		b->cells_cap = b->cells_cap ? b->cells_cap * 2 : 64;
		s->cells = grown(b->arena, s->cells, (size_t)s->ncells * sizeof *s->cells,
		                 (size_t)b->cells_cap * sizeof *s->cells);
	}
	s->cells[s->ncells++] = x;
}

// ---- bounding them --------------------------------------------------------------------------------

static struct call_list add_up_lists(struct stats_builder *b, const struct hour_stats *from, int32_t begin,
                                     int32_t end, int kind)
{
	for (int32_t c = begin; c < end; c++)
		for (int32_t i = 0; i < from->cells[c].list[kind].n; i++) {
			int32_t at = from->cells[c].list[kind].begin + i;
			tally_add(&b->tally, from->who[at], from->calls[at]);
		}
	return tally_take(b);
}

static bool lists_are_one(const struct hour_stats *s, int32_t begin, int32_t end, int kind)
{
	bool one = true;
	for (int32_t c = begin; c < end; c++)
		one &= s->cells[c].list[kind].begin == s->cells[c].list[ALL_CALLS].begin;
	return one;
}

static void add_up_cells(struct stats_builder *b, const struct hour_stats *from, int32_t begin, int32_t end)
{
	struct stats_cell *to = &b->out->cells[b->out->ncells++];
	*to = (struct stats_cell){.list[ALL_CALLS] = add_up_lists(b, from, begin, end, ALL_CALLS)};
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		bool counted = true;
		to->list[kind] = lists_are_one(from, begin, end, kind) ? to->list[ALL_CALLS]
		                                                       : add_up_lists(b, from, begin, end, kind);
		for (int32_t c = begin; c < end; c++) {
			int64_t sum;
			if (!__builtin_add_overflow(to->tokens[kind], from->cells[c].tokens[kind], &sum))
				to->tokens[kind] = sum;
			if (!__builtin_add_overflow(to->samples[kind], from->cells[c].samples[kind], &sum))
				to->samples[kind] = sum;
			counted &= from->cells[c].samples[kind] > 0 || from->cells[c].tokens[kind] == 0;
		}
		if (!counted)
			to->samples[kind] = 0;
	}
}

// Adds up as few neighbours as brings the entries within the bound.
static void bound_entries(struct stats_builder *b)
{
	struct hour_stats all = *b->out;
	for (int32_t each = 2; b->out->nentries > HOUR_STATS_ENTRIES && each < 2 * all.ncells; each *= 2) {
		b->out->ncells = b->out->nentries = 0;
		b->out->cells = arena_alloc(b->arena, (size_t)all.ncells * sizeof *all.cells);
		b->out->who = NULL;
		b->out->calls = NULL;
		b->entries_cap = 0;
		for (int32_t c = 0; c < all.ncells; c += each)
			add_up_cells(b, &all, c, c + each < all.ncells ? c + each : all.ncells);
	}
}

static void add_exact(const struct span *s, const int32_t *index, struct hour_stats *l)
{
	for (int m = 0; m < 60; m++) {
		const struct minute *at = span_minute(s, m);
		for (int32_t i = 0; at && i < at->ncalls; i++) {
			const struct calls *c = &at->calls[i];
			int32_t p = index[c->caller];
			if (c->n <= 0)
				continue;
			for (int kind = 0; kind < METRIC_KINDS; kind++) {
				l->exact_calls[kind][p] += (double)c->exact_n[kind];
				l->exact_tokens[kind][p] += (double)c->exact[kind];
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
	int32_t *index = find_principals(s, lookback, arena, &l);
	if (l.n == 0)
		return;
	struct stats_builder b = {.span = s,
	                          .index = index,
	                          .lookback = lookback,
	                          .tally = {.counts = solve_zeros(arena, (size_t)l.n),
	                                    .who = who_set_new(l.n, arena),
	                                    .listed = arena_alloc(arena, (size_t)l.n * sizeof(int32_t))},
	                          .out = &l,
	                          .arena = arena};
	lag_learn(s, lookback, &b.lag);
	cell_reader_init(&reader, s, lookback, arena);
	for (int m = 0; m < 60; m++)
		for (int part = 0, parts = cell_parts(&reader, m); part < parts; part++)
			add_cell(&b, &reader, m, part);
	bound_entries(&b);
	add_exact(s, index, &l);
	hour_stats_encode(&l, ret);
}
