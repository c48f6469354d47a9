// SPDX-License-Identifier: Apache-2.0
#include "estimator/telemetry_check.h"

#include <stdlib.h>
#include <string.h>

#include "estimator/cell.h"
#include "estimator/rate_class.h"

enum { SPAN_START = -60, SPAN_END = 120 }; // minutes of a span

// A sum of calls whose tokens of one kind telemetry names.
struct claim {
	struct calls *calls;
	int64_t tokens;
	int minute;
};

struct check {
	struct span *span;
	struct cell_reader reader;
	struct claim *claims;
	struct telemetry_calls *out;
};

static size_t count_claims(const struct hour *h)
{
	size_t n = 0;
	for (int m = 0; h && m < 60; m++)
		for (int32_t i = 0; i < h->minutes[m].ncalls; i++)
			n += h->minutes[m].calls[i].telemetry;
	return n;
}

// ---- refusing -----------------------------------------------------------------------------------

static bool is_prompt(int kind)
{
	return kind == TOKENS_INPUT || kind == TOKENS_CACHE_READ || kind == TOKENS_CACHE_WRITE;
}

// How long the prompts were is not known either then.
static void refuse_kind(struct calls *c, int kind)
{
	c->exact_n[kind] = c->exact[kind] = 0;
	if (kind == TOKENS_CACHE_WRITE)
		c->exact_n[TOKENS_CACHE_WRITE_1H] = c->exact[TOKENS_CACHE_WRITE_1H] = 0;
	if (is_prompt(kind))
		c->rate_class &= RATE_CLASS_TIER_MASK;
}

// The largest first; callers are sorted by their names.
static int by_tokens(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	const struct calls *p = x->calls, *q = y->calls;
	const int64_t left[] = {y->tokens, p->caller, x->minute, p->rate_class, p->n},
				  right[] = {x->tokens, q->caller, y->minute, q->rate_class, q->n};
	for (size_t i = 0; i < sizeof left / sizeof *left; i++)
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	int c = memcmp(p->exact, q->exact, sizeof p->exact);
	return c ? c : memcmp(p->exact_n, q->exact_n, sizeof p->exact_n);
}

static size_t list_claims(struct check *x, const struct cell *c, int kind)
{
	size_t n = 0;
	for (int m = c->first; m <= c->last; m++) {
		const struct minute *at = span_minute(x->span, m);
		for (int32_t i = 0; at && i < at->ncalls; i++) {
			struct calls *calls = &at->calls[i];
			if (calls->telemetry && calls->exact[kind] > 0 &&
			    cell_takes(c, x->span, m, &x->span->callers[calls->caller]))
				x->claims[n++] = (struct claim){calls, calls->exact[kind], m};
		}
	}
	return n;
}

static void check_cell(struct check *x, int m, int part, int kind)
{
	struct cell c;
	cell_read(&x->reader, m, part, kind, &c);
	if (c.excess == 0 || c.strangers)
		return;
	size_t n = list_claims(x, &c, kind);
	int64_t excess = c.excess;
	if (n > 1)
		qsort(x->claims, n, sizeof *x->claims, by_tokens);
	for (size_t i = 0; i < n && excess > 0; i++) {
		excess -= x->claims[i].tokens;
		refuse_kind(x->claims[i].calls, kind);
		x->claims[i].calls->refused = true;
	}
}

static void refuse_whole_prompts(struct check *x)
{
	for (int m = SPAN_START; m < SPAN_END; m++) {
		const struct minute *at = span_minute(x->span, m);
		for (int32_t i = 0; at && i < at->ncalls; i++)
			for (int kind = 0; at->calls[i].telemetry && kind < METRIC_KINDS; kind++)
				if (is_prompt(kind))
					refuse_kind(&at->calls[i], kind);
	}
}

static void count_calls(const struct span *s, struct telemetry_calls *ret)
{
	for (int m = 0; m < 60; m++) {
		const struct minute *at = span_minute(s, m);
		for (int32_t i = 0; at && i < at->ncalls; i++) {
			ret->used += at->calls[i].telemetry ? at->calls[i].n : 0;
			ret->refused += at->calls[i].refused ? at->calls[i].n : 0;
		}
	}
}

void telemetry_check(struct span *s, int lookback, struct arena *arena, struct telemetry_calls *ret)
{
	struct check x = {.span = s, .out = ret};
	const struct hour **hours[] = {&s->before, &s->hour, &s->after};
	size_t claims = 0;
	*ret = (struct telemetry_calls){0};
	for (int i = 0; i < 3; i++) {
		size_t n = count_claims(*hours[i]);
		claims += n;
		if (n)
			*hours[i] = hour_copy(*hours[i], arena);
	}
	if (!claims)
		return;
	x.claims = arena_alloc(arena, claims * sizeof *x.claims);
	if (s->whole_prompt)
		refuse_whole_prompts(&x);
	cell_reader_init(&x.reader, s, lookback, arena);
	for (int m = SPAN_START + lookback; m < SPAN_END; m++) // so that its cell is within the span
		for (int part = 0, parts = cell_parts(&x.reader, m); part < parts; part++)
			for (int kind = 0; kind < METRIC_KINDS; kind++)
				check_cell(&x, m, part, kind);
	count_calls(s, ret);
}
