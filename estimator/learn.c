// SPDX-License-Identifier: Apache-2.0
// The constants below are properties of the method, not of one traffic: `make accuracy` measures their effect
// on many worlds.
#include "estimator/learn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arn.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "estimator/fit.h"
#include "estimator/solve.h"

#define FORGET_AN_HOUR 0.985  // half is forgotten in two days
// the weight of an hour's own statistics once others exist: more would fit the chance of that hour
#define OWN_HOUR 0.25
// an hour counts at most as much as so many median hours: an hour ten times as busy is seldom typical
#define HOUR_WEIGHT_MAX 2.0

enum { LEARN_PRINCIPALS = 128 };

// The sums of the statistics of all hours, and those of each hour. Square arrays are n x n, row by row.
struct training_set {
	int n;
	struct str *names;
	struct map index; // hash of a name -> position
	struct kind_stats by_kind[METRIC_KINDS]; // .a and .s are square here
	double *ttl_known, *ttl_1h, *billed; // billed: calls in the bill
	struct fit_hour *hours[METRIC_KINDS]; // those that were added
	int nhours;
};

// A span lists the callers of all hours that were read together. Weights must not depend on which these are,
// so only the callers of the hour count.
struct hour_callers {
	const struct span *span;
	const bool *called; // by position in the span's callers
};

static struct hour_callers find_callers(const struct span *s, int lookback, struct arena *arena)
{
	bool *called = arena_alloc(arena, ((size_t)s->ncallers + 1) * sizeof *called);
	memset(called, 0, ((size_t)s->ncallers + 1) * sizeof *called);
	for (int m = -lookback; m < 60; m++) {
		const struct minute *at = span_minute(s, m);
		for (int32_t i = 0; at && i < at->ncalls; i++)
			called[at->calls[i].caller] = true;
	}
	return (struct hour_callers){s, called};
}

static uint64_t name_key(struct str name)
{
	return hash64(name.p, name.len);
}

// ---- adding up ----------------------------------------------------------------------------------

static void add_principal(struct training_set *c, struct str name)
{
	bool added;
	if (c->n == LEARN_PRINCIPALS)
		return;
	map_add(&c->index, name_key(name), c->n, &added);
	if (added)
		c->names[c->n++] = name;
}

static bool calls_in_hour(const struct hour_callers *h, struct str arn)
{
	const struct span *s = h->span;
	int32_t low = 0, high = s->ncallers;
	while (low < high) {
		int32_t middle = low + (high - low) / 2;
		if (str_cmp(s->callers[middle].arn, arn) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	bool called = false; // by a session with any tags
	for (; low < s->ncallers && str_eq(s->callers[low].arn, arn); low++)
		called |= h->called[low];
	return called;
}

// Collects the callers of this hour that the bill knows, then the principals of all statistics, newest first.
// Beyond LEARN_PRINCIPALS they are summed as others.
static void collect_principals(struct training_set *c, const struct hour_stats *stats, int n,
                               const struct evidence_of_hours *from, const struct hour_callers *h,
                               struct arena *arena)
{
	c->names = arena_alloc(arena, LEARN_PRINCIPALS * sizeof *c->names);
	add_principal(c, STR(HOUR_STATS_OTHERS));
	for (int i = 0; i < from->nbilled_means; i++)
		if (calls_in_hour(h, from->billed_means[i].arn))
			add_principal(c, from->billed_means[i].arn);
	for (int i = n - 1; i >= 0; i--)
		for (int k = 0; k < stats[i].n; k++)
			add_principal(c, stats[i].names[k]);
	size_t size = (size_t)c->n;
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		c->by_kind[kind] = (struct kind_stats){.b = solve_zeros(arena, size),
		                                       .c = solve_zeros(arena, size),
		                                       .exact_calls = solve_zeros(arena, size),
		                                       .exact_tokens = solve_zeros(arena, size),
		                                       .n = solve_zeros(arena, size),
		                                       .a = solve_zeros(arena, size * size),
		                                       .s = solve_zeros(arena, size * size)};
	c->ttl_known = solve_zeros(arena, size);
	c->ttl_1h = solve_zeros(arena, size);
	c->billed = solve_zeros(arena, size);
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		c->hours[kind] = arena_alloc(arena, ((size_t)n + 1) * sizeof *c->hours[kind]);
}

// Adds a triangle to a symmetric square.
static void add_triangle(double *to, int n, const double *triangle, const int32_t *at, int count, double part)
{
	for (int i = 0; i < count; i++) {
		for (int k = 0; k <= i; k++, triangle++) {
			to[(size_t)at[i] * (size_t)n + (size_t)at[k]] += part * *triangle;
			if (i != k)
				to[(size_t)at[k] * (size_t)n + (size_t)at[i]] += part * *triangle;
		}
	}
}

static void add_kind(struct kind_stats *to, int n, const struct kind_stats *x, const int32_t *at, int count,
                     double part)
{
	to->cells += part * x->cells;
	to->calls += part * x->calls;
	to->tokens += part * x->tokens;
	to->squares += part * x->squares;
	to->sampled_calls += part * x->sampled_calls;
	to->samples += part * x->samples;
	for (int i = 0; i < count; i++) {
		to->b[at[i]] += part * x->b[i];
		to->c[at[i]] += part * x->c[i];
		to->n[at[i]] += part * x->n[i];
		to->exact_calls[at[i]] += part * x->exact_calls[i];
		to->exact_tokens[at[i]] += part * x->exact_tokens[i];
	}
	add_triangle(to->a, n, x->a, at, count, part);
	add_triangle(to->s, n, x->s, at, count, part);
}

// The weight of an hour's equations of a kind: the trace of A.
static double hour_weight(const struct hour_stats *l, int kind)
{
	const double *a = l->by_kind[kind].a;
	double sum = 0;
	for (int i = 0; i < l->n; a += ++i)
		sum += a[i];
	return sum;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

// The median weight of the hours that have one; 0 if none has.
static double usual_hour_weight(const struct hour_stats *stats, int n, int kind, struct arena *arena)
{
	double *all = solve_zeros(arena, (size_t)n);
	int some = 0;
	for (int i = 0; i < n; i++) {
		all[some] = hour_weight(&stats[i], kind);
		some += all[some] > 0;
	}
	qsort(all, (size_t)some, sizeof *all, compare_doubles);
	return some ? all[some / 2] : 0;
}

static void add_hour(struct training_set *c, const struct hour_stats *l, double part,
                     const double usual[METRIC_KINDS], struct arena *arena)
{
	int32_t *at = arena_alloc(arena, HOUR_STATS_PRINCIPALS * sizeof *at);
	for (int i = 0; i < l->n; i++) {
		int32_t *known = map_find(&c->index, name_key(l->names[i]));
		at[i] = known ? *known : 0;
		c->ttl_known[at[i]] += part * l->ttl_known[i];
		c->ttl_1h[at[i]] += part * l->ttl_1h[i];
	}
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		double weight = hour_weight(l, kind), most = HOUR_WEIGHT_MAX * usual[kind];
		struct fit_hour *h = &c->hours[kind][c->nhours];
		*h = (struct fit_hour){.sums = &l->by_kind[kind],
		                       .at = at,
		                       .n = l->n,
		                       .part = weight > most ? part * most / weight : part};
		add_kind(&c->by_kind[kind], c->n, h->sums, at, l->n, h->part);
	}
	c->nhours++;
}

// `whole_prompt`: the metric counts reads and writes of the cache as input, so their mean is learned as that.
static void add_bill(struct training_set *c, const struct billed_means *t, bool whole_prompt)
{
	int32_t *at = map_find(&c->index, name_key(t->arn));
	if (!at)
		return;
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		bool cached = kind == TOKENS_CACHE_READ || kind == TOKENS_CACHE_WRITE;
		int to = cached && whole_prompt ? TOKENS_INPUT : kind;
		c->by_kind[kind].exact_calls[*at] += (double)t->calls;
		c->by_kind[to].exact_tokens[*at] += (double)t->tokens[kind];
	}
	c->billed[*at] += (double)t->calls;
	c->ttl_known[*at] += (double)t->tokens[TOKENS_CACHE_WRITE];
	c->ttl_1h[*at] += (double)t->tokens[TOKENS_CACHE_WRITE_1H];
}

// ---- for the callers of the hour ----------------------------------------------------------------

// Calls and tokens of principals with evidence, summed over a role or over a set of session tags.
struct cohort_sums {
	double calls[METRIC_KINDS], tokens[METRIC_KINDS];
};

struct cohorts {
	struct map index; // hash of a role or of a set of session tags -> position
	struct cohort_sums *list;
	int32_t n;
};

static void add_to_cohort(struct cohorts *f, struct str cohort, const struct training_set *c,
                          const struct fit *fits, int32_t who)
{
	bool added;
	int32_t at = *map_add(&f->index, name_key(cohort), f->n, &added);
	if (added)
		f->list[f->n++] = (struct cohort_sums){0};
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		double n = c->by_kind[kind].n[who] + c->by_kind[kind].exact_calls[who];
		f->list[at].calls[kind] += n;
		f->list[at].tokens[kind] += n * fits[kind].mean[who];
	}
}

static bool has_tags(const struct who *who)
{
	return !str_is(who->tagset, "-");
}

static void find_cohorts(struct cohorts *f, const struct training_set *c, const struct fit *fits,
                         const struct hour_callers *h, struct arena *arena)
{
	const struct span *s = h->span;
	f->list = arena_alloc(arena, (size_t)(c->n + s->ncallers + 1) * sizeof *f->list);
	for (int32_t i = 1; i < c->n; i++)
		add_to_cohort(f, arn_without_session(c->names[i]), c, fits, i);
	for (int32_t i = 0; i < s->ncallers; i++) {
		const int32_t *at = map_find(&c->index, name_key(s->callers[i].arn));
		if (h->called[i] && at && *at && has_tags(&s->callers[i]))
			add_to_cohort(f, s->callers[i].tagset, c, fits, *at);
	}
}

static bool cohort_mean(const struct cohorts *f, struct str cohort, int kind, double *ret)
{
	const int32_t *at = map_find(&f->index, name_key(cohort));
	if (!at || f->list[*at].calls[kind] <= 0)
		return false;
	*ret = f->list[*at].tokens[kind] / f->list[*at].calls[kind];
	return true;
}

static int64_t milli(double tokens)
{
	return tokens <= 0     ? 0
	       : tokens < 1e-3 ? 1
	       : tokens > 1e15 ? (int64_t)1e18
	                       : (int64_t)llround(tokens * 1000);
}

static void set_weight(struct weight *w, int kind, double mean, double sd, double noise,
                       enum weight_source source)
{
	w->noise_milli[kind] = milli(noise);
	w->source[kind] = mean > 0 ? source : WEIGHT_NONE;
	w->milli[kind] = milli(mean);
	w->sd_permille[kind] = mean > 0 ? (int32_t)llround(fmin(sd / mean, 10) * 1000) : 0;
}

// A 5-minute write costs 1.25 times the input, a 1-hour write twice, a read a tenth. A caller that reads this
// share or less of what could be cached pays more with 1-hour writes than with 5-minute writes that are never
// read.
#define HIT_PAYS_1H ((2.0 - 1.25) / (2.0 - 0.1))
#define DOUBT_SDS 1.0 // standard deviations

// No metric says which TTL a write has. A caller is taken to use 1-hour writes only where they may pay,
// within the uncertainty of the weights.
static bool may_pay_for_1h(const struct weight *w)
{
	double sd[] = {w->sd_permille[TOKENS_CACHE_READ] / 1000.0, w->sd_permille[TOKENS_CACHE_WRITE] / 1000.0};
	double read = (double)w->milli[TOKENS_CACHE_READ] * (1 + DOUBT_SDS * sd[0]);
	double written = (double)w->milli[TOKENS_CACHE_WRITE] * fmax(1 - DOUBT_SDS * sd[1], 0);
	return read > HIT_PAYS_1H * (read + written);
}

// A caller without evidence of a kind takes the mean of others that are like it.
static void assign_like_others(const struct cohorts *cohorts, const struct who *who, const struct fit *fit,
                               int kind, struct weight *ret)
{
	const double unknown = sqrt(2 * FIT_PRIOR_VARIANCE); // relative deviation of a caller without evidence
	double mean = fit->model;
	enum weight_source source = WEIGHT_MODEL;
	if (cohort_mean(cohorts, arn_without_session(who->arn), kind, &mean))
		source = WEIGHT_ROLE;
	else if (has_tags(who) && cohort_mean(cohorts, who->tagset, kind, &mean))
		source = WEIGHT_TAGS;
	set_weight(ret, kind, mean, unknown * mean, fit->noise_typical, source);
}

static void assign_weight(const struct training_set *c, const struct fit *fits, const struct cohorts *cohorts,
                          const struct who *who, struct weight *ret)
{
	const int32_t *at = map_find(&c->index, name_key(who->arn));
	if (at && c->ttl_known[*at] > 0)
		ret->ttl_permille = (int)llround(
			1000 * fmin(c->ttl_1h[*at] / c->ttl_known[*at], 1)); // an amendment may lower the writes alone
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		const struct fit *r = &fits[kind];
		if (at && c->by_kind[kind].n[*at] + c->by_kind[kind].exact_calls[*at] > 0)
			set_weight(ret, kind, r->mean[*at], r->sd[*at], r->noise[*at],
			           c->billed[*at] > 0                      ? WEIGHT_BILL
			           : c->by_kind[kind].exact_calls[*at] > 0 ? WEIGHT_EXACT
			                                                   : WEIGHT_MINUTES);
		else
			assign_like_others(cohorts, who, r, kind, ret);
	}
	ret->ttl_may_be_1h = !ttl_is_known(ret->ttl_permille) && may_pay_for_1h(ret);
}

static void assign_weights(const struct training_set *c, const struct fit *fits, const struct hour_callers *h,
                           struct arena *arena, struct weights *ret)
{
	const struct span *s = h->span;
	struct cohorts cohorts = {0};
	find_cohorts(&cohorts, c, fits, h, arena);
	ret->callers = arena_alloc(arena, ((size_t)s->ncallers + 1) * sizeof *ret->callers);
	for (int32_t i = 0; i < s->ncallers; i++) {
		ret->callers[i] = (struct weight){.ttl_permille = TTL_UNKNOWN};
		if (h->called[i])
			assign_weight(c, fits, &cohorts, &s->callers[i], &ret->callers[i]);
	}
	map_release(&cohorts.index);
}

void learn_weights(const struct evidence_of_hours *from, const struct span *s, int lookback,
                   struct arena *arena, struct weights *ret)
{
	int n = from->nstats, good = 0;
	struct hour_stats *read = arena_alloc(arena, ((size_t)n + 1) * sizeof *read);
	struct training_set c = {0};
	struct fit fits[METRIC_KINDS];
	struct hour_callers callers = find_callers(s, lookback, arena);
	int *hour = arena_alloc(arena, ((size_t)n + 1) * sizeof *hour);
	for (int i = 0; i < n; i++) {
		if (!hour_stats_read(from->stats[i], arena, &read[good]))
			continue;
		hour[good++] = i;
	}
	collect_principals(&c, read, good, from, &callers, arena);
	double usual[METRIC_KINDS];
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		usual[kind] = usual_hour_weight(read, good, kind, arena);
	for (int i = 0; i < good; i++)
		add_hour(&c, &read[i],
		         hour[i] == n - 1 ? fmax(OWN_HOUR, 1.0 / good) : pow(FORGET_AN_HOUR, n - 1 - hour[i]), usual,
		         arena);
	for (int i = 0; i < from->nbilled_means; i++)
		add_bill(&c, &from->billed_means[i], s->whole_prompt);
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		fit_kind(&c.by_kind[kind], c.n, c.hours[kind], c.nhours, arena, &fits[kind]);
	assign_weights(&c, fits, &callers, arena, ret);
	map_release(&c.index);
}
