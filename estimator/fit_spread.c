// SPDX-License-Identifier: Apache-2.0
#include "estimator/fit_spread.h"

#include <math.h>
#include <string.h>

#include "estimator/solve.h"

#define MEAN_VARIANCE 0.1 // of the mean of all around the typical size, as a part of its square
#define SPREAD_MIN 1e-3
#define KNOWN_MIN 0.01    // a principal of which less is known says nothing of the spread
#define OUTLIER 9.0       // in variances

enum { ROUNDS = 30 };

// ---- all covariances are kept -------------------------------------------------------------------------

// In units of the typical size.
struct effects {
	const struct fit_filter *f;
	double *off, *variance;     // by position, from the cells alone; variance 0: they say nothing
	double *part, *doubt;       // by role: its part of the size, and the variance of that; doubt 0: unknown
	double within, between, mean;
};

// An estimate under a normal prior is the mean of what the prior says and what the cells say, weighted by
// their information.
static void undo_prior(struct effects *x)
{
	const struct fit_filter *f = x->f;
	double unit = f->typical * f->typical, prior = (f->within + f->between + MEAN_VARIANCE) * unit;
	for (int32_t i = 0; i < f->n; i++) {
		double known = 1 - fit_filter_variance(f, i) / prior;
		if (known < KNOWN_MIN)
			continue;
		x->variance[i] = fmax(fit_filter_variance(f, i) / known / unit, SPREAD_MIN * SPREAD_MIN);
		x->off[i] = (fit_filter_size(f, i) - f->typical) / known / f->typical;
	}
}

// The parts of the roles under the present spread; returns the sum of their expected squares, for *ret_n.
static double estimate_roles(struct effects *x, double *ret_n)
{
	const struct fit_filter *f = x->f;
	double sum = 0, weight = 1 / MEAN_VARIANCE, squares = 0;
	memset(x->part, 0, (size_t)f->in->nroles * sizeof *x->part);
	memset(x->doubt, 0, (size_t)f->in->nroles * sizeof *x->doubt);
	for (int32_t i = 0; i < f->n; i++) {
		double of = x->variance[i] > 0 ? 1 / (x->variance[i] + x->within) : 0;
		x->part[f->role[i]] += of * x->off[i];
		x->doubt[f->role[i]] += of;
	}
	for (int32_t r = 0; r < f->in->nroles; r++) {
		double of = x->doubt[r] > 0 ? 1 / (1 / x->doubt[r] + x->between) : 0;
		sum += of > 0 ? of * x->part[r] / x->doubt[r] : 0;
		weight += of;
	}
	x->mean = sum / weight;
	*ret_n = 0;
	for (int32_t r = 0; r < f->in->nroles; r++) {
		if (!(x->doubt[r] > 0))
			continue;
		double doubt = 1 / (x->doubt[r] + 1 / x->between);
		x->part[r] = doubt * (x->part[r] - x->doubt[r] * x->mean);
		x->doubt[r] = doubt;
		squares += fmin(x->part[r] * x->part[r], OUTLIER * x->between) + doubt;
		++*ret_n;
	}
	return squares;
}

// The same of the principals' own parts.
static double estimate_own(const struct effects *x, double *ret_n)
{
	double squares = 0;
	*ret_n = 0;
	for (int32_t i = 0; i < x->f->n; i++) {
		int32_t r = x->f->role[i];
		if (!(x->variance[i] > 0))
			continue;
		double part = x->within / (x->variance[i] + x->within),
			   own = part * (x->off[i] - x->mean - x->part[r]);
		squares += fmin(own * own, OUTLIER * x->within) + part * x->variance[i] + part * part * x->doubt[r];
		++*ret_n;
	}
	return squares;
}

static double spread_of(double squares, double n)
{
	return fmax((squares + FIT_SPREAD_COUNT * FIT_SPREAD_FIRST) / (n + FIT_SPREAD_COUNT), SPREAD_MIN);
}

static void learn_from_all(struct fit_filter *f, struct arena *arena)
{
	size_t n = (size_t)f->n, roles = (size_t)f->in->nroles;
	struct effects x = {.f = f,
	                    .off = solve_zeros(arena, n),
	                    .variance = solve_zeros(arena, n),
	                    .part = solve_zeros(arena, roles),
	                    .doubt = solve_zeros(arena, roles),
	                    .within = f->within,
	                    .between = f->between};
	undo_prior(&x);
	for (int round = 0; round < ROUNDS; round++) {
		double nroles, nown, of_roles = estimate_roles(&x, &nroles), of_own = estimate_own(&x, &nown);
		x.between = spread_of(of_roles, nroles);
		x.within = spread_of(of_own, nown);
	}
	fit_filter_set_spread(f, x.within, x.between);
}

// ---- they are not ---------------------------------------------------------------------------------------

// The mean of a role, weighted by what is known of its principals.
struct role_mean {
	double sum, weight;
};

static double learn_between(const struct fit_filter *f, const struct role_mean *roles)
{
	double unit = f->typical * f->typical, sum = 0, weight = 0, squares = 0, known = 0;
	for (int32_t r = 0; r < f->in->nroles; r++) {
		double variance = 1 / roles[r].weight + f->between * unit;
		if (roles[r].weight > 0) {
			sum += roles[r].sum / roles[r].weight / variance;
			weight += 1 / variance;
		}
	}
	for (int32_t r = 0; r < f->in->nroles; r++) {
		double part = f->between * unit / (1 / roles[r].weight + f->between * unit);
		if (roles[r].weight > 0) {
			squares += pow(part * (roles[r].sum / roles[r].weight - sum / weight), 2) / unit;
			known += part;
		}
	}
	return spread_of(squares, known);
}

// A role's mean is made of its principals' sizes, so that these deviate from it by less than from the true
// one; the only principal of a role says nothing of what is within roles.
static void learn_from_sizes(struct fit_filter *f, struct arena *arena)
{
	struct role_mean *roles = arena_alloc(arena, ((size_t)f->in->nroles + 1) * sizeof *roles);
	double unit = f->typical * f->typical, squares = 0, known = 0;
	memset(roles, 0, ((size_t)f->in->nroles + 1) * sizeof *roles);
	for (int32_t i = 0; i < f->n; i++) {
		double weight = 1 / (fit_filter_variance(f, i) + f->within * unit);
		roles[f->role[i]].sum += weight * fit_filter_size(f, i);
		roles[f->role[i]].weight += weight;
	}
	for (int32_t i = 0; i < f->n; i++) {
		const struct role_mean *role = &roles[f->role[i]];
		double part = 1 - fit_filter_variance(f, i) / (f->within * unit);
		if (part < KNOWN_MIN)
			continue;
		double off = fit_filter_size(f, i) - role->sum / role->weight,
			   weight = 1 / (fit_filter_variance(f, i) + f->within * unit);
		squares += fmin(off * off / unit, OUTLIER * part * f->within);
		known += part * (1 - weight / role->weight);
	}
	fit_filter_set_spread(f, spread_of(squares, known), learn_between(f, roles));
}

void fit_spread_learn(struct fit_filter *f, struct arena *arena)
{
	if (f->whole)
		learn_from_all(f, arena);
	else
		learn_from_sizes(f, arena);
}
