// SPDX-License-Identifier: Apache-2.0
#include "estimator/equations.h"

#include <string.h>

static int32_t *zeros(struct arena *arena, size_t n)
{
	int32_t *p = arena_alloc(arena, (n + 1) * sizeof *p);
	memset(p, 0, (n + 1) * sizeof *p);
	return p;
}

void equations_build(const struct equations_hour *hours, int32_t nhours, int32_t n, struct arena *arena,
                     struct equations *ret)
{
	size_t cells = 0, entries = 0;
	int32_t *first = zeros(arena, (size_t)n + 1), at = 0;
	for (int32_t h = 0; h < nhours; h++) {
		const struct hour_stats *s = hours[h].stats;
		cells += s ? (size_t)s->ncells : 0;
		for (int32_t c = 0; s && c < s->ncells; c++) {
			const struct call_list *l = &s->cells[c].list[ALL_CALLS];
			entries += (size_t)l->n;
			for (int32_t i = l->begin; i < l->begin + l->n; i++)
				first[hours[h].at[s->who[i]] + 1]++;
		}
	}
	for (int32_t i = 0; i < n; i++)
		first[i + 1] += first[i];
	int32_t *cell = zeros(arena, entries), *next = zeros(arena, (size_t)n);
	double *all = arena_alloc(arena, (cells + 1) * sizeof *all),
		   *calls = arena_alloc(arena, (entries + 1) * sizeof *calls);
	for (int32_t h = 0; h < nhours; h++) {
		const struct hour_stats *s = hours[h].stats;
		for (int32_t c = 0; s && c < s->ncells; c++, at++) {
			const struct call_list *l = &s->cells[c].list[ALL_CALLS];
			all[at] = l->calls;
			for (int32_t i = l->begin; i < l->begin + l->n; i++) {
				int32_t who = hours[h].at[s->who[i]], to = first[who] + next[who]++;
				cell[to] = at;
				calls[to] = s->calls[i];
			}
		}
	}
	*ret = (struct equations){n, (int32_t)cells, NULL, all, first, cell, calls};
}

void equations_set_kind(struct equations *x, const struct equations_hour *hours, int32_t nhours, int kind,
                        struct arena *arena)
{
	int64_t *samples = arena_alloc(arena, ((size_t)x->ncells + 1) * sizeof *samples), *at = samples;
	for (int32_t h = 0; h < nhours; h++) {
		const struct hour_stats *s = hours[h].stats;
		for (int32_t c = 0; s && c < s->ncells; c++) {
			const struct stats_cell *cell = &s->cells[c];
			*at++ = cell->samples[kind] > 0 || cell->tokens[kind] == 0 ? cell->samples[kind] : -1;
		}
	}
	x->samples = samples;
}
