// SPDX-License-Identifier: Apache-2.0
// The constants below are properties of the method, not of one traffic: `make accuracy` measures their effect
// on many worlds.
#include "estimator/fit.h"

#include <math.h>
#include <string.h>

#include "estimator/cache_users.h"
#include "estimator/solve.h"

// FIT_PRIOR_VARIANCE is the start of a variance that is learned; the start counts like so many principals
#define PRIOR_WEIGHT 0.5
#define PRIOR_VARIANCE_MIN 0.02
// the prior, that hours vary no more than their cells suggest, counts like so many hours
#define PRIOR_HOURS 3.0
#define NOISE_MIN 0.05        // of a call's size, as a part of its mean squared
// the least mean, as a part of the model's: a weight of 0 would exclude a caller
#define FLOOR 0.001

enum { ROUNDS = 5 };

// Variance of the principals' sizes around the typical size, their own uncertainty included.
static double learn_spread(const struct kind_stats *x, const double *users, const double *size,
                           const double *var, int n, double typical, double phi)
{
	double sum = PRIOR_WEIGHT * FIT_PRIOR_VARIANCE, weight = PRIOR_WEIGHT;
	for (int i = 0; i < n; i++) {
		double off = size[i] / typical - 1;
		if (x->n[i] + x->exact_calls[i] <= 0)
			continue;
		sum += users[i] * (off * off + phi * var[i]);
		weight += users[i];
	}
	return fmin(fmax(sum / weight, PRIOR_VARIANCE_MIN), 1);
}

// One kind while it is solved. Sizes are tokens of a call that uses such tokens; variances are parts of
// `typical` squared.
struct fit_context {
	const struct kind_stats *sums;
	int n;
	struct cache_users who;
	double *users, *size; // users: who.share
	double *A, *b;        // of the minutes' equations, in sizes
	double *M, *right;    // the same with exact calls
	double *factor, *var; // of M and the prior: Cholesky's factor, and the diagonal of the inverse
	double trust;         // weight of an equation relative to exact calls
	double typical, phi, spread;
};

// False: there are no tokens to learn from.
static bool fit_begin(struct fit_context *f, const struct kind_stats *x, int n, struct arena *arena,
                      struct fit *ret)
{
	double calls = 0, tokens = x->tokens, using = 0;
	size_t square = (size_t)n * (size_t)n;
	*f = (struct fit_context){.sums = x, .n = n, .trust = 1, .phi = 1, .spread = FIT_PRIOR_VARIANCE};
	cache_users_fit(x, n, arena, &f->who);
	f->users = f->who.share;
	for (int i = 0; i < n; i++) {
		calls += x->n[i] + x->exact_calls[i];
		tokens += x->exact_tokens[i];
		using += (x->n[i] + x->exact_calls[i]) * f->users[i];
	}
	if (calls <= 0 || tokens <= 0)
		return false;
	double **vectors[] = {&f->size, &f->b, &f->right, &f->var}, **squares[] = {&f->A, &f->M, &f->factor};
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
		*vectors[i] = solve_zeros(arena, (size_t)n);
	for (size_t i = 0; i < sizeof squares / sizeof *squares; i++)
		*squares[i] = solve_zeros(arena, square);
	f->typical = tokens / fmax(using, 1e-9 * calls);
	ret->model = tokens / calls;
	return true;
}

static void fit_equations(struct fit_context *f)
{
	const struct kind_stats *x = f->sums;
	for (int i = 0; i < f->n; i++) {
		size_t row = (size_t)i * (size_t)f->n;
		f->size[i] = f->typical;
		f->b[i] = f->users[i] * x->b[i];
		for (int k = 0; k < f->n; k++) {
			f->A[row + (size_t)k] = f->users[i] * f->users[k] * x->a[row + (size_t)k];
			f->M[row + (size_t)k] = f->trust * f->A[row + (size_t)k];
		}
		// exact calls are an equation of one caller: calls x size = tokens
		f->right[i] = f->trust * f->b[i] + x->exact_tokens[i];
		f->M[row + (size_t)i] += f->users[i] * x->exact_calls[i];
	}
}

// The noise of a call and the spread of the principals are estimated together with the means.
static void fit_solve(struct fit_context *f)
{
	const struct kind_stats *x = f->sums;
	for (int round = 0; round < ROUNDS; round++) {
		solve_nonnegative(f->M, f->right, f->n, f->typical, f->phi / f->spread, f->size);
		f->phi = fmax(NOISE_MIN, solve_error(x->squares, f->A, f->b, f->n, f->size) /
		                             kind_stats_freedom(x, f->n) / (f->typical * f->typical));
		solve_inverse_diagonal(f->M, f->n, f->phi / f->spread, f->factor, f->var);
		f->spread = learn_spread(x, f->users, f->size, f->var, f->n, f->typical, f->phi);
	}
}

// The residuals of the hours, each taken as one equation per principal.
struct hour_residuals {
	double hours;        // that have equations
	double *moved;       // by principal: sum of squares of the steps by which each would move the size
	double off, using;   // sum of squares of the residual tokens; calls that used such tokens
};

static void add_hour_residuals(const struct fit_context *f, const struct fit_hour *h, double *gradient,
                               double *size, struct hour_residuals *ret)
{
	const struct kind_stats *x = h->sums;
	const double *a = x->a;
	double off = x->tokens;
	for (int i = 0; i < f->n; i++)
		gradient[i] = 0;
	for (int i = 0; i < h->n; i++) {
		size[i] = f->users[h->at[i]] * f->size[h->at[i]];
		off -= x->n[i] * size[i];
		ret->using += h->part * x->n[i] * f->users[h->at[i]];
	}
	for (int i = 0; i < h->n; i++) {
		double *own = &gradient[h->at[i]], part = f->trust * h->part * f->users[h->at[i]];
		*own += part * x->b[i];
		for (int k = 0; k <= i; k++, a++) {
			*own -= part * *a * size[k];
			if (k < i)
				gradient[h->at[k]] -= f->trust * h->part * f->users[h->at[k]] * *a * size[i];
		}
	}
	ret->off += h->part * off * off;
	solve_factored(f->factor, f->n, gradient);
	for (int i = 0; i < f->n; i++)
		ret->moved[i] += gradient[i] * gradient[i];
	ret->hours += h->part;
}

static void sum_hour_residuals(const struct fit_context *f, const struct fit_hour *hours, int n,
                               struct arena *arena, struct hour_residuals *ret)
{
	double *gradient = solve_zeros(arena, (size_t)f->n), *size = solve_zeros(arena, HOUR_STATS_PRINCIPALS);
	*ret = (struct hour_residuals){.moved = solve_zeros(arena, (size_t)f->n)};
	for (int i = 0; i < n; i++)
		if (hours[i].sums->cells > 0)
			add_hour_residuals(f, &hours[i], gradient, size, ret);
}

// The noise of a call as whole hours show it, as a part of the typical size squared.
static double hourly_noise(const struct fit_context *f, const struct hour_residuals *o)
{
	if (o->hours <= 1 || o->using <= 0)
		return f->phi;
	double shown = o->off / o->using / (f->typical * f->typical) * o->hours / (o->hours - 1);
	return f->phi + fmax(shown - f->phi, 0) * o->hours / (o->hours + PRIOR_HOURS);
}

// The noise of a principal is proportional to the size of its calls.
static double noise_by_size(const struct fit_context *f, double noise)
{
	double calls = 0, squares = 0;
	for (int i = 0; i < f->n; i++) {
		double used = f->users[i] * (f->sums->n[i] + f->sums->exact_calls[i]), size = f->size[i] / f->typical;
		calls += used;
		squares += used * size * size;
	}
	return squares > 0 ? noise * calls / squares : noise;
}

void fit_kind(const struct kind_stats *sums, int n, const struct fit_hour *hours, int nhours,
              struct arena *arena, struct fit *ret)
{
	struct fit_context f;
	struct hour_residuals o;
	*ret = (struct fit){.mean = solve_zeros(arena, (size_t)n),
	                    .sd = solve_zeros(arena, (size_t)n),
	                    .noise = solve_zeros(arena, (size_t)n)};
	if (!fit_begin(&f, sums, n, arena, ret))
		return;
	fit_equations(&f);
	fit_solve(&f);
	sum_hour_residuals(&f, hours, nhours, arena, &o);
	// correlated noise within an hour makes its equations weaker evidence
	f.trust = f.phi / hourly_noise(&f, &o);
	fit_equations(&f);
	fit_solve(&f);
	sum_hour_residuals(&f, hours, nhours, arena, &o);
	double noise = hourly_noise(&f, &o), own = noise_by_size(&f, noise);
	ret->noise_typical = own * f.typical;
	for (int i = 0; i < n; i++) {
		size_t diagonal = (size_t)i * (size_t)n + (size_t)i;
		double model_var = fmax(f.phi * f.var[i], fmin(noise * f.var[i], f.spread)) * f.typical * f.typical;
		double by_minutes = f.M[diagonal] > 0 ? f.trust * f.A[diagonal] / f.M[diagonal] : 1;
		ret->mean[i] = fmax(f.users[i] * fmax(f.size[i], 0), FLOOR * ret->model);
		double size_var = fmax(model_var, o.moved[i]), users_var = by_minutes * f.who.sd[i] * f.who.sd[i];
		ret->sd[i] = sqrt(f.users[i] * f.users[i] * size_var + f.size[i] * f.size[i] * users_var);
		ret->noise[i] = own * fmax(f.size[i], 0);
	}
}
