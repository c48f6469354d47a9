// SPDX-License-Identifier: Apache-2.0
#include "estimator/contest.h"

#include <math.h>
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
		if (m < c->first && lag_is_over(&a->lag, m, c->first))
			continue;
		for (int32_t i = 0; at && i < at->ncalls; i++) {
			const struct calls *x = &at->calls[i];
			double part = lag_part(&a->lag, m, x, c->first, c->last);
			int64_t n = x->n - x->exact_n[kind], streams = x->started < n ? x->started : n;
			a->alike &= !calls_are_exact(x);
			if (n > 0 && (m >= c->first || part > 0) &&
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

// Variance of the logarithm of the tokens of a call: by chance, and by the doubt of its mean. 0: unknown.
static double log_variance(const struct weight *w, int kind)
{
	double mean = (double)w->milli[kind], sd = w->sd_permille[kind] / 1000.0;
	return mean > 0 ? log1p((double)w->noise_milli[kind] / mean + sd * sd) : 0;
}

// By how much a caller with one call favours that this is the larger of two calls: its part of the logarithm
// of the odds. What both ways of telling the calls apart have in common is left out.
static double favour_larger(const struct weight *w, int kind, double larger, double smaller)
{
	double mean = (double)w->milli[kind] / 1000;
	return log(larger / smaller) * log(mean / sqrt(larger * smaller)) / log_variance(w, kind);
}

static bool is_pair(const struct contests *a, const struct cell *c, const struct weight *weights, int kind)
{
	bool pair = c->larger > 0 && c->larger <= c->metric && c->residual == c->metric && a->nwho == 2;
	for (int32_t i = 0; pair && i < 2; i++)
		pair = fabs(a->ended[a->who[i]] - 1) < 0.5 && log_variance(&weights[a->who[i]], kind) > 0;
	return pair;
}

static void split_pair(struct contests *a, const struct cell *c, const struct weight *weights, int kind,
                       int64_t parts[2])
{
	double larger = (double)c->larger, smaller = fmax((double)(c->metric - c->larger), 1);
	double odds = favour_larger(&weights[a->who[0]], kind, larger, smaller) -
	              favour_larger(&weights[a->who[1]], kind, larger, smaller);
	double first = 1 / (1 + exp(-odds)), more = (double)(2 * c->larger - c->metric);
	parts[1] = c->larger - llround(first * more);
	parts[0] = c->metric - parts[1];
	a->pair_variance = first * (1 - first) * more * more;
}

void contests_parts(struct contests *a, const struct cell *c, const struct weight *weights, int kind,
                    int64_t *parts)
{
	double most = (double)(INT64_MAX / 2 / a->nwho);
	a->pair_variance = -1;
	if (is_pair(a, c, weights, kind)) {
		split_pair(a, c, weights, kind, parts);
		return;
	}
	for (int32_t i = 0; i < a->nwho; i++) {
		double part = (double)weights[a->who[i]].milli[kind] * a->ended[a->who[i]];
		parts[i] = (int64_t)(part < most ? part : most);
	}
}

// The part of a caller in the variance of a split by chance: own x others' / all is that of its tokens. Of a
// pair both parts are the same, so that half of one is.
static double chance_of(const struct contests *a, double own, const struct weight *w, int kind)
{
	return a->pair_variance >= 0 ? 2 * a->pair_variance : own * (double)w->noise_milli[kind] / 1000;
}

void contests_note(struct contests *a, int64_t residual, const int64_t *split, const struct weight *weights,
                   int kind)
{
	double all = (double)residual, chance = 0, mixed = 1;
	if (residual == 0 || a->nwho == 1)
		return;
	for (int32_t i = 0; i < a->nwho; i++) {
		double own = (double)split[i];
		chance += chance_of(a, own, &weights[a->who[i]], kind);
		mixed -= own * own / (all * all);
	}
	mixed = mixed > 0 ? mixed : 0;
	for (int32_t i = 0; i < a->nwho; i++) {
		struct contest *x = &a->by_caller[a->who[i]][kind];
		double own = (double)split[i], own_chance = chance_of(a, own, &weights[a->who[i]], kind);
		x->split += own * (all - own) / all;
		x->mixed += own * mixed;
		x->chance += chance > 0 ? own_chance * (chance - own_chance) / chance : 0;
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
