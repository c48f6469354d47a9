// SPDX-License-Identifier: Apache-2.0
// The constants below are properties of the method, not of one traffic: `make accuracy` measures their effect
// on many worlds.
#include "estimator/learn.h"

#include <math.h>
#include <string.h>

#include "base/arn.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "estimator/equations.h"
#include "estimator/fit.h"
#include "estimator/fit_doubt.h"
#include "estimator/solve.h"

// billed calls of a role count like so many of a session that the bill does not have
#define ROLE_CALLS 25.0

// What all hours and the bill say of each principal.
struct training_set {
	int32_t n, nroles;
	struct str *names;
	struct map index, roles; // hash of a name -> position
	int32_t *role;           // of a principal
	struct equations_hour *hours;
	double *exact_calls[METRIC_KINDS], *exact_tokens[METRIC_KINDS];
	double *billed, *billed_tokens[METRIC_KINDS]; // calls and tokens of the bill
	bool *has_bill;          // of a principal: the bill has it, and not only its role
	double *ttl_known, *ttl_1h;
	double *calls[METRIC_KINDS]; // of the cells
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

// Returns its position.
static int32_t add_principal(struct training_set *c, struct str name)
{
	bool added;
	int32_t at = *map_add(&c->index, name_key(name), c->n, &added);
	if (!added)
		return at;
	int32_t *role = map_add(&c->roles, name_key(arn_without_session(name)), c->nroles, &added);
	c->nroles += added;
	c->role[c->n] = *role;
	c->names[c->n++] = name;
	return at;
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

// Collects the principals of all statistics, oldest first, and the callers of this hour that the bill knows.
static void collect_principals(struct training_set *c, const struct hour_stats *stats, int n,
                               const struct evidence_of_hours *from, const struct hour_callers *h,
                               struct arena *arena)
{
	size_t most = (size_t)from->nbilled_means;
	for (int i = 0; i < n; i++)
		most += (size_t)stats[i].n;
	c->names = arena_alloc(arena, (most + 1) * sizeof *c->names);
	c->role = arena_alloc(arena, (most + 1) * sizeof *c->role);
	for (int i = 0; i < n; i++) {
		int32_t *at = arena_alloc(arena, ((size_t)stats[i].n + 1) * sizeof *at);
		for (int32_t k = 0; k < stats[i].n; k++)
			at[k] = add_principal(c, stats[i].names[k]);
		if (stats[i].n > 0)
			c->hours[i] = (struct equations_hour){&stats[i], at};
	}
	for (int i = 0; i < from->nbilled_means; i++)
		if (calls_in_hour(h, from->billed_means[i].arn))
			add_principal(c, from->billed_means[i].arn);
	size_t size = (size_t)c->n;
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		c->exact_calls[kind] = solve_zeros(arena, size);
		c->exact_tokens[kind] = solve_zeros(arena, size);
		c->billed_tokens[kind] = solve_zeros(arena, size);
	}
	c->billed = solve_zeros(arena, size);
	c->has_bill = arena_alloc(arena, (size + 1) * sizeof *c->has_bill);
	memset(c->has_bill, 0, (size + 1) * sizeof *c->has_bill);
	c->ttl_known = solve_zeros(arena, size);
	c->ttl_1h = solve_zeros(arena, size);
}

static void add_hour(struct training_set *c, const struct equations_hour *h)
{
	for (int32_t i = 0; h->stats && i < h->stats->n; i++) {
		int32_t at = h->at[i];
		c->ttl_known[at] += h->stats->ttl_known[i];
		c->ttl_1h[at] += h->stats->ttl_1h[i];
		for (int kind = 0; kind < METRIC_KINDS; kind++) {
			c->exact_calls[kind][at] += h->stats->exact_calls[kind][i];
			c->exact_tokens[kind][at] += h->stats->exact_tokens[kind][i];
		}
	}
}

// `part`: of the tokens. `whole_prompt`: the metric counts reads and writes of the cache as input, so their
// mean is learned as that.
static void add_bill(struct training_set *c, int32_t at, const struct billed_means *t, double calls,
                     bool whole_prompt)
{
	double part = calls / (double)t->calls;
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		bool cached = kind == TOKENS_CACHE_READ || kind == TOKENS_CACHE_WRITE;
		int to = cached && whole_prompt ? TOKENS_INPUT : kind;
		c->billed_tokens[to][at] += part * (double)t->tokens[kind];
	}
	c->billed[at] += calls;
}

// Principals that the bill does not have take part in what it says of their role, but for the TTL of cache
// writes (ttl_shares.h).
static void add_bills(struct training_set *c, const struct evidence_of_hours *from, bool whole_prompt,
                      struct arena *arena)
{
	struct billed_means *roles = arena_alloc(arena, ((size_t)c->nroles + 1) * sizeof *roles);
	memset(roles, 0, ((size_t)c->nroles + 1) * sizeof *roles);
	for (int i = 0; i < from->nbilled_means; i++) {
		const struct billed_means *t = &from->billed_means[i];
		const int32_t *at = map_find(&c->index, name_key(t->arn)),
					  *role = map_find(&c->roles, name_key(arn_without_session(t->arn)));
		if (at) {
			add_bill(c, *at, t, (double)t->calls, whole_prompt);
			c->has_bill[*at] = true;
			c->ttl_known[*at] += (double)t->tokens[TOKENS_CACHE_WRITE];
			c->ttl_1h[*at] += (double)t->tokens[TOKENS_CACHE_WRITE_1H];
		}
		if (!role)
			continue;
		roles[*role].calls += t->calls;
		for (int kind = 0; kind < BILLED_KINDS; kind++)
			roles[*role].tokens[kind] += t->tokens[kind];
	}
	for (int32_t i = 0; i < c->n; i++) {
		const struct billed_means *t = &roles[c->role[i]];
		if (c->billed[i] <= 0 && t->calls > 0)
			add_bill(c, i, t, fmin(ROLE_CALLS, (double)t->calls), whole_prompt);
	}
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

static double calls_of(const struct training_set *c, int kind, int32_t who)
{
	double sum = c->exact_calls[kind][who] + c->billed[who];
	return sum + c->calls[kind][who];
}

static void add_to_cohort(struct cohorts *f, struct str cohort, const struct training_set *c,
                          const struct fit *fits, int32_t who)
{
	bool added;
	int32_t at = *map_add(&f->index, name_key(cohort), f->n, &added);
	if (added)
		f->list[f->n++] = (struct cohort_sums){0};
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		double n = calls_of(c, kind, who);
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
	for (int32_t i = 0; i < c->n; i++)
		add_to_cohort(f, arn_without_session(c->names[i]), c, fits, i);
	for (int32_t i = 0; i < s->ncallers; i++) {
		const int32_t *at = map_find(&c->index, name_key(s->callers[i].arn));
		if (h->called[i] && at && has_tags(&s->callers[i]))
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

static int32_t permille(double sd, double mean)
{
	return mean > 0 ? (int32_t)llround(fmin(sd / mean, 10) * 1000) : 0;
}

struct learned {
	double mean, sd, lasting; // as of struct fit
	double noise; // by chance and by what passes with the hour
};

static void set_weight(struct weight *w, int kind, struct learned x, enum weight_source source)
{
	w->noise_milli[kind] = milli(x.noise);
	w->source[kind] = x.mean > 0 ? source : WEIGHT_NONE;
	w->milli[kind] = milli(x.mean);
	w->sd_permille[kind] = permille(x.sd, x.mean);
	w->lasting_permille[kind] = permille(x.lasting, x.mean);
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
	double mean = fit->model, unknown = fit->model_sd;
	enum weight_source source = WEIGHT_MODEL;
	if (cohort_mean(cohorts, arn_without_session(who->arn), kind, &mean))
		source = WEIGHT_ROLE, unknown = fit->role_sd;
	else if (has_tags(who) && cohort_mean(cohorts, who->tagset, kind, &mean))
		source = WEIGHT_TAGS;
	double sd = unknown * mean;
	set_weight(ret, kind, (struct learned){mean, sd, sd, fit->noise_typical}, source);
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
		if (at && calls_of(c, kind, *at) > 0)
			set_weight(
				ret, kind,
				(struct learned){r->mean[*at], r->sd[*at], r->lasting[*at], r->noise[*at] + r->passing[*at]},
				c->has_bill[*at]                ? WEIGHT_BILL
				: c->exact_calls[kind][*at] > 0 ? WEIGHT_EXACT
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

// Whether in every cell the same calls lack tokens of both kinds. A list without calls begins where the next
// one does.
static bool calls_are_alike(const struct training_set *c, int32_t nhours, int a, int b)
{
	bool alike = true;
	for (int32_t h = 0; h < nhours; h++) {
		const struct hour_stats *s = c->hours[h].stats;
		for (int32_t k = 0; s && k < s->ncells; k++) {
			const struct call_list *x = &s->cells[k].list[a], *y = &s->cells[k].list[b];
			alike &= x->begin == y->begin && x->n == y->n;
		}
	}
	return alike;
}

// The calls of the cells that lack tokens of a kind, by principal.
static void count_calls(struct training_set *c, int32_t nhours, int kind, struct arena *arena)
{
	if (kind > 0 && calls_are_alike(c, nhours, kind, kind - 1)) {
		c->calls[kind] = c->calls[kind - 1];
		return;
	}
	c->calls[kind] = solve_zeros(arena, (size_t)c->n);
	for (int32_t h = 0; h < nhours; h++) {
		const struct hour_stats *s = c->hours[h].stats;
		for (int32_t k = 0; s && k < s->ncells; k++) {
			const struct call_list *l = &s->cells[k].list[kind];
			for (int32_t e = l->begin; e < l->begin + l->n; e++)
				c->calls[kind][c->hours[h].at[s->who[e]]] += s->calls[e];
		}
	}
}

static void fit_kinds(struct training_set *c, int32_t nhours, struct arena *arena,
                      struct fit ret[METRIC_KINDS])
{
	struct cache_users users[METRIC_KINDS];
	struct equations all;
	double *idle = solve_zeros(arena, (size_t)c->n);
	equations_build(c->hours, nhours, c->n, arena, &all);
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		for (int32_t i = 0; i < c->n; i++) {
			double tokens = c->exact_tokens[kind][i] + c->billed_tokens[kind][i];
			idle[i] = tokens > 0 ? 0 : c->exact_calls[kind][i] + c->billed[i];
		}
		equations_set_kind(&all, c->hours, nhours, kind, arena);
		cache_users_fit(&all, idle, kind == TOKENS_CACHE_WRITE ? users[TOKENS_CACHE_READ].never : NULL, arena,
		                &users[kind]);
		count_calls(c, nhours, kind, arena);
		fit_kind(&(struct fit_input){.hours = c->hours,
		                             .nhours = nhours,
		                             .n = c->n,
		                             .nroles = c->nroles,
		                             .role = c->role,
		                             .kind = kind,
		                             .users = &users[kind],
		                             .exact_calls = c->exact_calls[kind],
		                             .exact_tokens = c->exact_tokens[kind],
		                             .billed_calls = c->billed,
		                             .billed_tokens = c->billed_tokens[kind],
		                             .walk = kind == TOKENS_INPUT ? NULL : &ret[TOKENS_INPUT].walk,
		                             .moves = kind == TOKENS_INPUT ? NULL : ret[TOKENS_INPUT].moves},
		         arena, &ret[kind]);
	}
	double wider = fit_doubt_widened(ret[TOKENS_OUTPUT].alike);
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		for (int32_t i = 0; i < c->n; i++) {
			ret[kind].lasting[i] *= sqrt(wider);
			ret[kind].passing[i] *= wider;
		}
}

void learn_weights(const struct evidence_of_hours *from, const struct span *s, int lookback,
                   struct arena *arena, struct weights *ret)
{
	int n = from->nstats;
	struct hour_stats *read = arena_alloc(arena, ((size_t)n + 1) * sizeof *read);
	struct training_set c = {0};
	struct fit fits[METRIC_KINDS];
	struct hour_callers callers = find_callers(s, lookback, arena);
	c.hours = arena_alloc(arena, ((size_t)n + 1) * sizeof *c.hours);
	memset(c.hours, 0, ((size_t)n + 1) * sizeof *c.hours);
	for (int i = 0; i < n; i++)
		if (!hour_stats_read(from->stats[i], arena, &read[i]))
			read[i].n = 0;
	collect_principals(&c, read, n, from, &callers, arena);
	for (int i = 0; i < n; i++)
		add_hour(&c, &c.hours[i]);
	add_bills(&c, from, s->whole_prompt, arena);
	fit_kinds(&c, n, arena, fits);
	assign_weights(&c, fits, &callers, arena, ret);
	map_release(&c.index);
	map_release(&c.roles);
}
