// SPDX-License-Identifier: Apache-2.0
#include "estimator/allocate.h"

#include <string.h>

#include "estimator/apportion.h"
#include "estimator/contest.h"

struct allocation {
	struct cell_reader reader;
	struct contests contests;
	const struct weights *weights;
	int64_t *parts, *split; // as `who`
	struct hour_usage *out;
};

// The longest prompt of the calls whose sum the metric of a cell shows: every other one had a token at least.
static int64_t longest_prompt(const struct cell *c)
{
	int64_t others = c->samples > 1 ? c->samples - 1 : 0;
	return c->metric > others ? c->metric - others : c->metric;
}

static void note_longest(int64_t *to, int64_t tokens)
{
	if (*to < tokens)
		*to = tokens;
}

static void allocate_cell(struct allocation *a, int m, int part, int kind)
{
	struct cell c;
	cell_read(&a->reader, m, part, kind, &c);
	a->out->metered[kind] += c.metric;
	a->out->excess[kind] += c.excess;
	bool prompts = kind == TOKENS_INPUT && a->reader.span->whole_prompt;
	if (c.ncallers == 0) {
		a->out->unattributed[kind] += c.residual;
		if (prompts)
			note_longest(&a->out->prompt_max, longest_prompt(&c));
		return;
	}
	for (int32_t i = 0; prompts && i < c.ncallers; i++)
		note_longest(&a->out->callers[c.callers[i]].prompt_max, longest_prompt(&c));
	if (c.residual == 0)
		return;
	struct contests *x = &a->contests;
	contests_find(x, &c, kind);
	contests_parts(x, &c, a->weights->callers, kind, a->parts);
	apportion(c.residual, a->parts, x->nwho, a->split);
	for (int32_t i = 0; i < x->nwho; i++)
		a->out->callers[x->who[i]].by_kind[kind].allocated += a->split[i];
	contests_note(x, c.residual, a->split, a->weights->callers, kind);
}

static int64_t product(int64_t a, int64_t b)
{
	int64_t ret;
	return __builtin_mul_overflow(a, b, &ret) ? INT64_MAX : ret;
}

// Thousandths of a token: what calls are taken to put out, at most what their requests allow. Of calls
// without a limit the mean counts.
static int64_t within_limits(const struct calls *c, int64_t waiting, int64_t each, int64_t milli)
{
	int64_t limited = c->exact_n[TOKENS_OUTPUT_MAX] < waiting ? c->exact_n[TOKENS_OUTPUT_MAX] : waiting, most;
	if (limited <= 0 || __builtin_add_overflow(product(c->exact[TOKENS_OUTPUT_MAX], 1000),
	                                           product(waiting - limited, each), &most))
		return milli;
	return milli < most ? milli : most;
}

void caller_usage_add(struct caller_usage *u, const struct calls *c)
{
	u->calls += c->n;
	u->failed += c->failed;
	u->exact_1h += c->exact[TOKENS_CACHE_WRITE_1H];
	if (c->exact_n[TOKENS_CACHE_WRITE_1H] == c->exact_n[TOKENS_CACHE_WRITE])
		u->exact_ttl += c->exact[TOKENS_CACHE_WRITE];
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		u->by_kind[kind].exact += c->exact[kind];
		u->telemetry[kind] += c->telemetry ? c->exact[kind] : 0;
	}
}

static void add_calls_of_minute(struct allocation *a, int m)
{
	const struct minute *at = span_minute(a->reader.span, m);
	for (int32_t i = 0; at && i < at->ncalls; i++) {
		const struct calls *c = &at->calls[i];
		struct caller_usage *u = &a->out->callers[c->caller];
		bool covered = cell_is_covered(&a->reader, m, &a->reader.span->callers[c->caller]);
		caller_usage_add(u, c);
		for (int kind = 0; kind < METRIC_KINDS && !covered; kind++) {
			int64_t waiting = c->n - c->exact_n[kind], each = a->weights->callers[c->caller].milli[kind];
			if (waiting <= 0)
				continue;
			int64_t milli = product(waiting, each);
			if (kind == TOKENS_OUTPUT)
				milli = within_limits(c, waiting, each, milli);
			u->by_kind[kind].provisional += milli / 1000 + (milli % 1000 >= 500);
		}
	}
}

// The uncertainty of the split. What it means for a group depends on the other callers (query/group.h).
static void set_uncertainty(const struct allocation *a, int32_t i)
{
	const struct weight *w = &a->weights->callers[i];
	struct caller_usage *u = &a->out->callers[i];
	u->ttl_permille = w->ttl_permille;
	u->ttl_source = ttl_is_known(w->ttl_permille) ? TTL_OF_CALLER : TTL_ASSUMED;
	u->ttl_may_be_1h = w->ttl_may_be_1h;
	u->weight = w;
	if (u->by_kind[TOKENS_INPUT].exact || u->by_kind[TOKENS_INPUT].provisional)
		u->prompt_max = 0;
	contests_doubt(&a->contests, i, w, u);
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
	contests_init(&a.contests, s, lookback, arena);
	memset(ret, 0, sizeof *ret);
	ret->ttl_permille = TTL_UNKNOWN;
	ret->ttl_source = TTL_ASSUMED;
	ret->callers = arena_alloc(arena, n * sizeof *ret->callers);
	memset(ret->callers, 0, n * sizeof *ret->callers);
	cell_reader_init(&a.reader, s, lookback, arena);
	for (int m = 0; m < 60; m++) {
		add_calls_of_minute(&a, m);
		for (int part = 0, parts = cell_parts(&a.reader, m); part < parts; part++)
			for (int kind = 0; kind < METRIC_KINDS; kind++)
				allocate_cell(&a, m, part, kind);
	}
	contests_close(&a.contests);
	for (int32_t i = 0; i < s->ncallers; i++)
		set_uncertainty(&a, i);
}
