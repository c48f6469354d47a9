// SPDX-License-Identifier: Apache-2.0
#include "estimator/cell.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void cell_reader_init(struct cell_reader *r, const struct span *span, int lookback, struct arena *arena)
{
	size_t n = (size_t)span->ncallers + 1;
	assert(lookback >= 0 && lookback <= 60);
	*r = (struct cell_reader){
		.span = span,
		.lookback = lookback,
		.lacking = arena_alloc(arena, n * sizeof(int64_t)),
		.listed = arena_alloc(arena, n * sizeof(int32_t)),
	};
	memset(r->lacking, 0, n * sizeof(int64_t));
}

static int first_minute(const struct cell_reader *r, int m)
{
	int first = m;
	while (m - (first - 1) <= r->lookback) {
		const struct minute *before = span_minute(r->span, first - 1);
		if (before && before->metered)
			break;
		first--;
	}
	return first;
}

static void add_lacking_calls(struct cell_reader *r, const struct minute *m, int kind)
{
	for (int32_t i = 0; m && i < m->ncalls; i++) {
		int64_t n = m->calls[i].n - m->calls[i].exact_n[kind];
		int32_t who = m->calls[i].caller;
		if (n <= 0)
			continue;
		if (r->lacking[who] == 0)
			r->listed[r->nlisted++] = who;
		r->lacking[who] += n;
	}
}

static int compare_int32(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

bool cell_read(struct cell_reader *r, int m, int kind, struct cell *ret)
{
	const struct minute *metered = span_minute(r->span, m);
	int64_t exact = 0;
	if (!metered || !metered->metered)
		return false;
	for (int32_t i = 0; i < r->nlisted; i++)
		r->lacking[r->listed[i]] = 0;
	r->nlisted = 0;
	int first = first_minute(r, m);
	for (int i = first; i <= m; i++) {
		const struct minute *at = span_minute(r->span, i);
		for (int32_t k = 0; at && k < at->ncalls; k++)
			exact += at->calls[k].exact[kind];
		add_lacking_calls(r, at, kind);
	}
	int64_t beyond = metered->metric[kind] - exact;
	for (int i = first - 1; beyond > 0 && r->nlisted == 0 && m - i <= r->lookback; i--)
		add_lacking_calls(r, span_minute(r->span, i), kind);
	qsort(r->listed, (size_t)r->nlisted, sizeof *r->listed, compare_int32);
	*ret = (struct cell){
		.residual = beyond > 0 ? beyond : 0,
		.excess = beyond < 0 ? -beyond : 0,
		.samples = metered->samples[kind],
		.first = first,
		.callers = r->listed,
		.lacking = r->lacking,
		.ncallers = r->nlisted,
	};
	for (int32_t i = 0; i < r->nlisted; i++)
		ret->calls += r->lacking[r->listed[i]];
	assert(ret->residual == 0 || ret->excess == 0);
	return true;
}

bool cell_is_covered(const struct cell_reader *r, int m)
{
	for (int i = m; i - m <= r->lookback && i < 120; i++) {
		const struct minute *at = span_minute(r->span, i);
		if (at && at->metered)
			return true;
	}
	return false;
}
