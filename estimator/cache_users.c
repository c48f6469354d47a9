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
#define DOUBT 0.01       // the least doubt of what another kind tells
#define PRIOR_WEIGHT 5   // the start counts like so many principals
#define VARIANCE_MIN 1e-6
#define RIDGE 1e-9       // keeps the system regular where there are no counts
#define CALM 1e-3
#define STEADY 0.02 // a change of chance that no longer counts

enum { ROUNDS = 5, SWEEPS = 8, ROUND_SWEEPS = 2, DENSE_MAX = 96 };

struct kinds {
	double never;           // part of the principals
	double share, variance; // of the shares of the others
};

// The counts' equations while they are solved: each cell weighs 1 / the count that is expected of it, since
// chance grows with that. By its own count, it would weigh the more, the fewer of its calls happened to use
// such tokens, and shares would come out too small.
struct share_solver {
	const struct equations *x;
	const double *idle_calls;            // as cache_users_fit takes them
	double *idle;                        // of each: its idle calls, as a cell of their own weighs
	const double *told_never;            // as cache_users_fit takes it
	double *counted_as;                  // of a cell: 1 / its expected count; 0: its count is unknown
	double *residual;                    // of a cell: what the shares do not explain of its count, by that
	double *share;                       // of each principal
	double *var;                         // of each, in units of chance
	double *diagonal;                    // of each: sum of calls^2 / expected count, and idle calls
	double *pull, *expected;             // what each is drawn to, and how strongly
	// of few principals, the equations summed up: n x n sums of calls x calls / expected count, with idle
	// calls; and of each the sum of calls x count / expected count. NULL: of many
	double *system, *counted;
	double chance;                       // variance of a count, as a part of it
	double cells, squares;               // that have counts; of these, the sum of count^2 / expected count
	struct arena *arena;
};

// fmax is a call.
static inline double at_least(double x, double least)
{
	return x > least ? x : least;
}

static bool is_seen(const struct share_solver *c, int32_t i)
{
	return c->diagonal[i] > 0;
}

static double normal_density(double off, double variance)
{
	return exp(-off * off / (2 * variance)) / sqrt(variance);
}

// The probability that principal i never uses such tokens, given its counts.
static double never_does(const struct share_solver *c, const struct kinds *k, int32_t i, double variance)
{
	double prior = c->told_never ? fmin(fmax(c->told_never[i], DOUBT), 1 - DOUBT) : k->never;
	double never = prior * normal_density(c->share[i], variance),
		   does = (1 - prior) * normal_density(c->share[i] - k->share, variance + k->variance);
	return never + does > 0 ? never / (never + does) : 0;
}

// The degrees of freedom: cells minus the unknowns, but at least half of the cells.
static double freedom(const struct share_solver *c)
{
	return fmax(c->cells - fmin(c->x->n, c->cells / 2), 1);
}

// The share of the calls of those who do at all.
static double share_of_users(const struct share_solver *c, double mean)
{
	double calls = 0, can = 0;
	for (int32_t i = 0; i < c->x->n; i++)
		for (int32_t e = c->x->first[i]; e < c->x->first[i + 1]; e++) {
			calls += c->x->calls[e];
			can += c->x->calls[e] * (1 - c->told_never[i]);
		}
	return can > 0 ? fmin(mean * calls / can, 1) : 1;
}

// The residual of the counts is the chance of the users: a count of calls that each use such tokens with
// probability `share` has a variance of (1 - share) x itself. So the residual gives the share, and the mean
// then gives the part of those who never do. Where there are too few cells to see two kinds, there is one.
static struct kinds first_kinds(const struct share_solver *c, double mean)
{
	double doubt = 1 + sqrt(2 / freedom(c)),
		   share = fmax(c->told_never ? share_of_users(c, mean) : 1 - c->chance * doubt, mean);
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
		for (int32_t i = 0; i < c->x->n; i++) {
			if (!is_seen(c, i))
				continue;
			double var = c->chance * c->var[i], left = var * k.variance / (var + k.variance);
			double mean = left * (c->share[i] / var + k.share / k.variance), off = mean - k.share,
				   does = 1 - never_does(c, &k, i, var);
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

// Draws principal i to `expected`, as strongly as `variance` is small.
static void shrink_to(struct share_solver *c, int32_t i, double expected, double variance)
{
	c->pull[i] = c->chance / fmax(variance, VARIANCE_MIN);
	c->expected[i] = expected;
}

// What the residuals of the cells of principal i say of its share.
static double residual_slope(const struct share_solver *c, int32_t i)
{
	const int32_t *cell = c->x->cell;
	const double *calls = c->x->calls, *residual = c->residual;
	double slope = c->pull[i] * (c->expected[i] - c->share[i]) - c->idle[i] * c->share[i];
	for (int32_t e = c->x->first[i], end = c->x->first[i + 1]; e < end; e++)
		slope += calls[e] * residual[cell[e]];
	return slope;
}

// Takes what a share explains off the residuals.
static void subtract_share(struct share_solver *c, int32_t i, double share)
{
	const int32_t *restrict cell = c->x->cell;
	const double *restrict calls = c->x->calls, *restrict counted_as = c->counted_as;
	double *restrict residual = c->residual;
	for (int32_t e = c->x->first[i], end = c->x->first[i + 1]; e < end; e++)
		residual[cell[e]] -= calls[e] * share * counted_as[cell[e]];
}

static double system_slope(const struct share_solver *c, int32_t i)
{
	const double *row = c->system + (size_t)i * (size_t)c->x->n;
	double slope = c->pull[i] * (c->expected[i] - c->share[i]) + c->counted[i];
	for (int32_t k = 0; k < c->x->n; k++)
		slope -= row[k] * c->share[k];
	return slope;
}

static double move_share(struct share_solver *c, int32_t i)
{
	double slope = c->system ? system_slope(c, i) : residual_slope(c, i),
		   next = c->share[i] + slope / (c->diagonal[i] + c->pull[i] + RIDGE),
		   step = (next > 0 ? next : 0) - c->share[i];
	c->share[i] += step;
	if (!c->system && step != 0)
		subtract_share(c, i, step);
	return fabs(step);
}

static void find_residuals(struct share_solver *c)
{
	const struct equations *x = c->x;
	if (c->system)
		return;
	for (int32_t k = 0; k < x->ncells; k++)
		c->residual[k] = (double)x->samples[k] * c->counted_as[k];
	for (int32_t i = 0; i < x->n; i++)
		subtract_share(c, i, c->share[i]);
}

// The residuals are those of the shares, before and after.
static void solve_shares(struct share_solver *c, int sweeps)
{
	double moved = 1;
	for (int sweep = 0; sweep < sweeps && moved > CALM; sweep++) {
		moved = 0;
		for (int32_t i = 0; i < c->x->n; i++)
			moved = at_least(move_share(c, i), moved);
	}
	for (int32_t i = 0; i < c->x->n; i++)
		c->share[i] = fmin(c->share[i], 1);
	find_residuals(c);
}

// The residual of the solution per degree of freedom: sum of (s - sum m share)^2 / s.
static double residual_variance(const struct share_solver *c)
{
	const struct equations *x = c->x;
	double error = c->system ? c->squares : 0;
	for (int32_t i = 0; c->system && i < x->n; i++) {
		const double *row = c->system + (size_t)i * (size_t)x->n;
		double sum = -2 * c->counted[i] - c->idle[i] * c->share[i];
		for (int32_t k = 0; k < x->n; k++)
			sum += row[k] * c->share[k];
		error += c->share[i] * sum;
	}
	for (int32_t k = 0; !c->system && k < x->ncells; k++)
		if (c->counted_as[k] > 0)
			error += c->residual[k] * c->residual[k] / c->counted_as[k];
	return fmax(CHANCE_MIN, error / freedom(c));
}

static void sum_up(struct share_solver *c)
{
	const struct equations *x = c->x;
	size_t n = (size_t)x->n;
	double *row = solve_zeros(c->arena, (size_t)x->ncells);
	c->system = solve_zeros(c->arena, n * n);
	c->counted = solve_zeros(c->arena, n);
	for (int32_t i = 0; i < x->n; i++) {
		for (int32_t e = x->first[i]; e < x->first[i + 1]; e++) {
			row[x->cell[e]] = x->calls[e] * c->counted_as[x->cell[e]];
			c->counted[i] += row[x->cell[e]] * (double)x->samples[x->cell[e]];
		}
		c->system[(size_t)i * n + (size_t)i] = c->diagonal[i];
		for (int32_t k = 0; k < i; k++) {
			double sum = 0;
			for (int32_t e = x->first[k]; e < x->first[k + 1]; e++)
				sum += row[x->cell[e]] * x->calls[e];
			c->system[(size_t)i * n + (size_t)k] = c->system[(size_t)k * n + (size_t)i] = sum;
		}
		for (int32_t e = x->first[i]; e < x->first[i + 1]; e++)
			row[x->cell[e]] = 0;
	}
}

// The variance of each share, in units of chance. With many principals the others are taken to be known.
static void find_variances(struct share_solver *c)
{
	size_t n = (size_t)c->x->n;
	for (size_t i = 0; i < n; i++)
		c->var[i] = 1 / (c->diagonal[i] + c->pull[i] + RIDGE);
	if (!c->system)
		return;
	double *drawn = solve_zeros(c->arena, n * n);
	memcpy(drawn, c->system, n * n * sizeof *drawn);
	for (size_t i = 0; i < n; i++)
		drawn[i * (n + 1)] += c->pull[i];
	solve_inverse_diagonal(drawn, (int)n, RIDGE, solve_zeros(c->arena, n * n), c->var);
}

// All principals shrunk to the mean as weakly as possible: the widest spread is that of always and never.
static void solve_alike(struct share_solver *c, double share)
{
	double before = 0;
	for (int round = 0; round < ROUNDS && fabs(c->chance - before) > STEADY * c->chance; round++) {
		for (int32_t i = 0; i < c->x->n; i++)
			shrink_to(c, i, share, share * (1 - share));
		solve_shares(c, c->system ? SWEEPS : ROUND_SWEEPS); // the next round goes on from there
		before = c->chance;
		c->chance = residual_variance(c);
	}
	find_variances(c);
}

static void solve_kinds(struct share_solver *c, const struct kinds *k, double *ret_never)
{
	for (int32_t i = 0; i < c->x->n; i++) {
		double never = never_does(c, k, i, c->chance * c->var[i]), does = 1 - never;
		shrink_to(c, i, does * k->share, does * (k->variance + never * k->share * k->share));
		ret_never[i] = never;
	}
	solve_shares(c, SWEEPS);
	find_variances(c);
}

// Of all cells whose count is known.
static double mean_share(const struct equations *x)
{
	double calls = 0, samples = 0;
	for (int32_t k = 0; k < x->ncells; k++)
		if (x->samples[k] >= 0) {
			calls += x->all[k];
			samples += (double)x->samples[k];
		}
	return samples > 0 ? samples / calls : 1;
}

// Expects the same share of every principal. By its own share, which the counts gave, an error by chance
// would confirm itself.
static void weigh_cells(struct share_solver *c, double share)
{
	const struct equations *x = c->x;
	for (int32_t k = 0; k < x->ncells; k++) {
		double samples = (double)x->samples[k];
		c->counted_as[k] = samples >= 0 && x->all[k] > 0 ? 1 / (x->all[k] * share) : 0;
		c->squares += samples * samples * c->counted_as[k];
		c->cells += c->counted_as[k] > 0;
	}
	for (int32_t i = 0; i < x->n; i++) {
		c->diagonal[i] = c->idle[i] = c->idle_calls[i] / share;
		for (int32_t e = x->first[i]; e < x->first[i + 1]; e++)
			c->diagonal[i] += x->calls[e] * x->calls[e] * c->counted_as[x->cell[e]];
	}
	if (x->n <= DENSE_MAX)
		sum_up(c);
	find_residuals(c);
}

void cache_users_fit(const struct equations *x, const double *idle, const double *never, struct arena *arena,
                     struct cache_users *ret)
{
	size_t n = (size_t)x->n;
	struct share_solver c = {.x = x, .idle_calls = idle, .told_never = never, .chance = 1, .arena = arena};
	double share = mean_share(x);
	bool has_counts = share < EVERYBODY;
	*ret = (struct cache_users){.share = solve_zeros(arena, n), .sd = solve_zeros(arena, n)};
	for (size_t i = 0; i < n; i++)
		ret->share[i] = has_counts ? share : 1;
	if (!has_counts)
		return;
	double **vectors[] = {&c.var, &c.idle, &c.diagonal, &c.pull, &c.expected, &ret->never};
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
		*vectors[i] = solve_zeros(arena, n);
	c.share = ret->share;
	c.residual = solve_zeros(arena, (size_t)x->ncells);
	c.counted_as = solve_zeros(arena, (size_t)x->ncells);
	weigh_cells(&c, share);
	solve_alike(&c, share);
	struct kinds kinds = learn_kinds(&c, first_kinds(&c, share));
	solve_kinds(&c, &kinds, ret->never);
	for (size_t i = 0; i < n; i++)
		ret->sd[i] = sqrt(c.chance * c.var[i]);
}
