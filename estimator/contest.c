// SPDX-License-Identifier: Apache-2.0
#include "estimator/contest.h"

#include <string.h>

void contests_init(struct contests *a, const struct span *s, int lookback, struct arena *arena)
{
	size_t n = (size_t)s->ncallers + 1;
	*a = (struct contests){.span = s, .lookback = lookback, .enders = who_set_new(s->ncallers, arena)};
	a->ended = arena_alloc(arena, n * sizeof *a->ended);
	a->who = arena_alloc(arena, n * sizeof *a->who);
	a->by_caller = arena_alloc(arena, n * sizeof *a->by_caller);
	memset(a->ended, 0, n * sizeof *a->ended);
	memset(a->by_caller, 0, n * sizeof *a->by_caller);
	lag_learn(s, lookback, &a->lag);
}

static void add_ended(struct contests *a, int32_t who, double calls)
{
	if (!(calls > 0))
		return;
	who_set_add(&a->enders, who);
	a->ended[who] += calls;
}

void contests_find(struct contests *a, const struct cell *c, int kind)
{
	const struct span *s = a->span;
	if (a->alike && a->last == c->last && a->project == c->project)
		return;
	a->alike = true;
	a->last = c->last;
	a->project = c->project;
	int first =
		c->first - a->lag.minutes < -a->lookback ? -a->lookback : c->first - a->lag.minutes;
	for (int32_t i = 0; i < a->nwho; i++)
		a->ended[a->who[i]] = 0;
	for (int m = first; m <= c->last; m++) {
		const struct minute *at = span_minute(s, m);
		double part = at ? lag_part(&a->lag, m, c->first, c->last) : 0;
		bool ended = m >= c->first || part > 0;
		for (int32_t i = 0; at && ended && i < at->ncalls; i++) {
			const struct calls *x = &at->calls[i];
			int64_t n = x->n - x->exact_n[kind], streams = x->started < n ? x->started : n;
			a->alike &= !calls_are_exact(x);
			if (n > 0 && (m >= c->first || streams > 0) &&
			    cell_takes(c, s, m, &s->callers[x->caller]))
				add_ended(a, x->caller, (m >= c->first ? (double)(n - streams) : 0) + part * (double)streams);
		}
	}
	a->nwho = who_set_take(&a->enders, a->who);
	if (a->nwho)
		return;
	a->alike = false;
	for (int32_t i = 0; i < c->ncallers; i++)
		add_ended(a, c->callers[i], (double)c->lacking[c->callers[i]]);
	a->nwho = who_set_take(&a->enders, a->who);
}

int64_t contests_part(const struct contests *a, int32_t i, int64_t milli)
{
	double part = (double)milli * a->ended[a->who[i]], most = (double)(INT64_MAX / 2 / a->nwho);
	return (int64_t)(part < most ? part : most);
}

void contests_note(struct contests *a, int64_t residual, const int64_t *split, const struct weight *weights,
                   int kind)
{
	double all = (double)residual, chance = 0, mixed = 1;
	if (residual == 0 || a->nwho == 1)
		return;
	for (int32_t i = 0; i < a->nwho; i++) {
		double own = (double)split[i];
		chance += own * (double)weights[a->who[i]].noise_milli[kind];
		mixed -= own * own / (all * all);
	}
	mixed = mixed > 0 ? mixed : 0;
	for (int32_t i = 0; i < a->nwho; i++) {
		struct contest *x = &a->by_caller[a->who[i]][kind];
		double own = (double)split[i],
			   own_chance = own * (double)weights[a->who[i]].noise_milli[kind];
		x->split += own * (all - own) / all;
		x->mixed += own * mixed;
		x->chance += chance > 0 ? own_chance * (chance - own_chance) / chance / 1000 : 0;
		x->mixed_chance += own_chance * mixed;
	}
}

void contests_close(struct contests *a)
{
	for (int32_t i = 0; i < a->span->ncallers; i++)
		for (int kind = 0; kind < METRIC_KINDS; kind++) {
			a->all[kind].mixed += a->by_caller[i][kind].mixed;
			a->all[kind].mixed_chance += a->by_caller[i][kind].mixed_chance;
		}
}

// Groups take own x others' / all over the hour (query/group.h). What is put in so that it comes to what was
// contested in the cells; `most`: as if all cells were mixed alike.
static double of_hour(double contested, double mixed, double all_mixed, double most)
{
	double others = all_mixed - mixed, ret = others > 0 ? contested * all_mixed / others : most;
	return contested > 0 ? (ret < most ? ret : most) : 0;
}

static int64_t bounded(double x)
{
	return x >= 9e18 ? INT64_MAX : (int64_t)x;
}

void contests_doubt(const struct contests *a, int32_t caller, const struct weight *w,
                    struct caller_usage *ret)
{
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		const struct contest *x = &a->by_caller[caller][kind], *all = &a->all[kind];
		double tokens = (double)ret->by_kind[kind].allocated, noise = (double)w->noise_milli[kind] / 1000;
		ret->spread[kind] =
			bounded(of_hour(x->split, x->mixed, all->mixed, tokens) * w->lasting_permille[kind] / 1000);
		ret->noise[kind] = bounded(of_hour(x->chance, x->mixed_chance, all->mixed_chance, tokens * noise));
	}
}
