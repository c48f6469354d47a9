// SPDX-License-Identifier: Apache-2.0
#include "estimator/cache_users.h"

#include <math.h>
#include <string.h>

#include "estimator/solve.h"

#define EVERYBODY 0.97   // from this share of all calls on, every principal is taken to use such tokens
#define CHANCE_MIN 0.01  // variance of a count, as a part of it
// the start: variance of the users' shares, as a part of share x (1 - share)
#define SPREAD 0.05
#define NEVER_MIN 0.02   // the start: the least part of principals that never do
#define PRIOR_WEIGHT 5   // the start counts like so many principals
#define VARIANCE_MIN 1e-6
#define RIDGE 1e-9       // keeps the system regular where there are no counts

enum { ROUNDS = 5 };

struct kinds {
	double never;           // part of the principals
	double share, variance; // of the shares of the others
};

// The counts' equations while they are solved.
struct share_solver {
	const struct kind_stats *sums;
	int n;
	const double *counts;                // S, with exact calls that took none: no users, all of them
	double *share;                       // of each principal
	double *var;                         // of each, in units of chance
	double *system, *right, *factor;     // S and c with what each is drawn to
	double chance;                       // variance of a count, as a part of it
};

static double normal_density(double off, double variance)
{
	return exp(-off * off / (2 * variance)) / sqrt(variance);
}

// The probability that a principal never uses such tokens, given its counts.
static double never_does(const struct kinds *k, double share, double variance)
{
	double never = k->never * normal_density(share, variance),
		   does = (1 - k->never) * normal_density(share - k->share, variance + k->variance);
	return never + does > 0 ? never / (never + does) : 0;
}

// The residual of the counts is the chance of the users: a count of calls that each use such tokens with
// probability `share` has a variance of (1 - share) x itself. So the residual gives the share, and the mean
// then gives the part of those who never do. Where there are too few cells to see two kinds, there is one.
static struct kinds first_kinds(const struct share_solver *c, double mean)
{
	double doubt = 1 + sqrt(2 / kind_stats_freedom(c->sums, c->n)), share = fmax(1 - c->chance * doubt, mean);
	return (struct kinds){fmax(1 - mean / share, NEVER_MIN), share,
	                      fmax(SPREAD * share * (1 - share), VARIANCE_MIN)};
}

// Expectation maximisation: the kind of each principal, and the parameters of the kinds, in turns.
static struct kinds learn_kinds(const struct share_solver *c, struct kinds first)
{
	struct kinds k = first;
	for (int round = 0; round < ROUNDS; round++) {
		double known = PRIOR_WEIGHT, never = known * first.never, others = PRIOR_WEIGHT,
			   sum = others * first.share, squares = others * first.variance;
		for (int i = 0; i < c->n; i++) {
			if (c->sums->n[i] + c->sums->exact_calls[i] <= 0)
				continue;
			double var = c->chance * c->var[i], left = var * k.variance / (var + k.variance);
			double mean = left * (c->share[i] / var + k.share / k.variance), off = mean - k.share,
				   does = 1 - never_does(&k, c->share[i], var);
			known++;
			never += 1 - does;
			others += does;
			sum += does * mean;
			squares += does * (off * off + left);
		}
		k = (struct kinds){never / known, sum / others, fmax(squares / others, VARIANCE_MIN)};
	}
	return k;
}

// The equation of one principal, shrunk to `expected` according to its variance.
static void shrink_to(struct share_solver *c, int i, double expected, double variance)
{
	size_t row = (size_t)i * (size_t)c->n;
	double pull = c->chance / fmax(variance, VARIANCE_MIN);
	memcpy(c->system + row, c->counts + row, (size_t)c->n * sizeof *c->system);
	c->system[row + (size_t)i] += pull;
	c->right[i] = c->sums->c[i] + pull * expected;
}

static void solve_shares(struct share_solver *c)
{
	solve_nonnegative(c->system, c->right, c->n, 0, RIDGE, c->share);
	for (int i = 0; i < c->n; i++)
		c->share[i] = fmin(c->share[i], 1);
}

// The residual of the solution per degree of freedom: sum of (s - sum m share)^2 / s. (The sum of s^2 / s is
// the sum of the samples.)
static double residual_variance(const struct share_solver *c)
{
	double error = solve_error(c->sums->samples, c->sums->s, c->sums->c, c->n, c->share);
	return fmax(CHANCE_MIN, error / kind_stats_freedom(c->sums, c->n));
}

// All principals shrunk to the mean as weakly as possible: the widest spread is that of always and never.
static void solve_alike(struct share_solver *c, double share)
{
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < c->n; i++)
			shrink_to(c, i, share, share * (1 - share));
		solve_shares(c);
		c->chance = residual_variance(c);
	}
	solve_inverse_diagonal(c->system, c->n, RIDGE, c->factor, c->var);
}

static void solve_kinds(struct share_solver *c, const struct kinds *k)
{
	for (int i = 0; i < c->n; i++) {
		double never = never_does(k, c->share[i], c->chance * c->var[i]), does = 1 - never;
		shrink_to(c, i, does * k->share, does * (k->variance + never * k->share * k->share));
	}
	solve_shares(c);
	solve_inverse_diagonal(c->system, c->n, RIDGE, c->factor, c->var);
}

static double *counts_of(const struct kind_stats *sums, int n, struct arena *arena)
{
	size_t size = (size_t)n;
	double *counts = solve_zeros(arena, size * size);
	memcpy(counts, sums->s, size * size * sizeof *counts);
	for (size_t i = 0; i < size; i++)
		counts[i * size + i] += sums->exact_tokens[i] > 0 ? 0 : sums->exact_calls[i];
	return counts;
}

void cache_users_fit(const struct kind_stats *sums, int n, struct arena *arena, struct cache_users *ret)
{
	size_t size = (size_t)n, square = size * size;
	double share = sums->sampled_calls > 0 ? sums->samples / sums->sampled_calls : 1;
	bool has_counts = share < EVERYBODY;
	*ret = (struct cache_users){.share = solve_zeros(arena, size), .sd = solve_zeros(arena, size)};
	for (int i = 0; i < n; i++)
		ret->share[i] = has_counts ? share : 1;
	if (!has_counts)
		return;
	struct share_solver c = {.sums = sums,
	                     .n = n,
	                     .counts = counts_of(sums, n, arena),
	                     .share = ret->share,
	                     .var = solve_zeros(arena, size),
	                     .system = solve_zeros(arena, square),
	                     .right = solve_zeros(arena, size),
	                     .factor = solve_zeros(arena, square),
	                     .chance = 1};
	solve_alike(&c, share);
	struct kinds kinds = learn_kinds(&c, first_kinds(&c, share));
	solve_kinds(&c, &kinds);
	for (int i = 0; i < n; i++)
		ret->sd[i] = sqrt(c.chance * c.var[i]);
}
