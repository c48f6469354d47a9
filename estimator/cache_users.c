// SPDX-License-Identifier: Apache-2.0
#include "estimator/cache_users.h"

#include <math.h>
#include <string.h>

#include "estimator/solve.h"

#define EVERYBODY 0.97   // from this share of users on, everybody is one
#define CHANCE_MIN 0.01  // variance of a count, as a part of it
// variance of the shares of those who do, as a part of what always and never would make of it, ...
#define SPREAD 0.05
#define NEVER_MIN 0.02   // ... and the part of those who never do, as they are at first ...
#define PRIOR_WEIGHT 5   // ... and for how many principals what all counts together say of the kinds counts
#define VARIANCE_MIN 1e-6
#define RIDGE 1e-9       // keeps what no count tells of solvable

enum { ROUNDS = 5 };

struct kinds {
	double never;           // part of the principals
	double share, variance; // of the shares of the others
};

// The counts' equations while they are solved.
struct counting {
	const struct kind_stats *sums;
	int n;
	const double *counts;                // S, with exact calls that took none: no users, all of them
	double *share;                       // of each principal
	double *var;                         // of each, in units of chance
	double *system, *right, *factor;     // S and c with what each is drawn to
	double chance;                       // variance of a count, as a part of it
};

static double bell(double off, double variance)
{
	return exp(-off * off / (2 * variance)) / sqrt(variance);
}

// How likely it is that a principal never does, by what the counts say of it.
static double never_does(const struct kinds *k, double share, double variance)
{
	double never = k->never * bell(share, variance),
		   does = (1 - k->never) * bell(share - k->share, variance + k->variance);
	return never + does > 0 ? never / (never + does) : 0;
}

// What is left of the counts is the chance of those who do: a count of calls that each use such tokens with
// `share` varies by 1 - share of itself. So it says which share that is, and then the mean says how many
// never do. Where few cells leave open whether there are two kinds, there is one.
static struct kinds first_kinds(const struct counting *c, double mean)
{
	double doubt = 1 + sqrt(2 / kind_stats_freedom(c->sums, c->n)), share = fmax(1 - c->chance * doubt, mean);
	return (struct kinds){fmax(1 - mean / share, NEVER_MIN), share,
	                      fmax(SPREAD * share * (1 - share), VARIANCE_MIN)};
}

// Who is likely of which kind, and what the kinds then are, in turns.
static struct kinds learn_kinds(const struct counting *c, struct kinds first)
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

// One principal's equation, drawn to `expected` as strongly as its variance asks for.
static void draw(struct counting *c, int i, double expected, double variance)
{
	size_t row = (size_t)i * (size_t)c->n;
	double pull = c->chance / fmax(variance, VARIANCE_MIN);
	memcpy(c->system + row, c->counts + row, (size_t)c->n * sizeof *c->system);
	c->system[row + (size_t)i] += pull;
	c->right[i] = c->sums->c[i] + pull * expected;
}

static void solve(struct counting *c)
{
	solve_nonnegative(c->system, c->right, c->n, 0, RIDGE, c->share);
	for (int i = 0; i < c->n; i++)
		c->share[i] = fmin(c->share[i], 1);
}

// What is left of the counts against the solution, a count: sum of (s - sum m share)^2 / s, and s^2 / s sums
// to the samples.
static double chance_left(const struct counting *c)
{
	double error = solve_error(c->sums->samples, c->sums->s, c->sums->c, c->n, c->share);
	return fmax(CHANCE_MIN, error / kind_stats_freedom(c->sums, c->n));
}

// All drawn to the mean, as weakly as can be: nothing lies further apart than those who always do and who
// never do.
static void solve_alike(struct counting *c, double share)
{
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < c->n; i++)
			draw(c, i, share, share * (1 - share));
		solve(c);
		c->chance = chance_left(c);
	}
	solve_inverse_diagonal(c->system, c->n, RIDGE, c->factor, c->var);
}

static void solve_kinds(struct counting *c, const struct kinds *k)
{
	for (int i = 0; i < c->n; i++) {
		double never = never_does(k, c->share[i], c->chance * c->var[i]), does = 1 - never;
		draw(c, i, does * k->share, does * (k->variance + never * k->share * k->share));
	}
	solve(c);
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
	bool told = share < EVERYBODY;
	*ret = (struct cache_users){.share = solve_zeros(arena, size), .sd = solve_zeros(arena, size)};
	for (int i = 0; i < n; i++)
		ret->share[i] = told ? share : 1;
	if (!told)
		return;
	struct counting c = {.sums = sums,
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
