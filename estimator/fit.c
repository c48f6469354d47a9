// SPDX-License-Identifier: Apache-2.0
// The constants below are properties of the method, not of one traffic: `make accuracy` measures their effect
// on many worlds.
#include "estimator/fit.h"

#include <math.h>
#include <string.h>

#include "estimator/fit_check.h"
#include "estimator/fit_doubt.h"
#include "estimator/fit_filter.h"
#include "estimator/fit_prior.h"
#include "estimator/fit_spread.h"
#include "estimator/fit_walk.h"
#include "estimator/solve.h"

// The variance of sizes within roles, and of roles, while the noise is learned, as a part of the typical size
// squared. It is wide: were it narrow, what callers differ in would be taken for noise
#define FIRST_SPREAD 0.6
#define MODEL_DOUBT 0.0004   // variance of a size by what the model is wrong in, as a part of its square
// Bands: the sizes have moved by the noise that they are judged by, so that other hours are further off than
// these: by this factor, measured, of variances
#define UNSEEN 1.2
// the least mean, as a part of the model's: a weight of 0 would exclude a caller
#define FLOOR 0.001

struct sizes {
	double *size, *variance; // by position
	struct fit_check check;  // under the prior that is as wide for all
	double scale;            // of noise and doubt, by that
};

static void keep_sizes(const struct fit_filter *f, struct sizes *ret)
{
	ret->check = f->check;
	for (int32_t i = 0; i < f->n; i++) {
		ret->size[i] = fit_filter_size(f, i);
		ret->variance[i] = fit_filter_variance(f, i);
	}
}

// As far as a size is known from the prior alone, it is off in proportion to itself. A prior that is as wide
// for all does not say so; with all covariances, the one for logarithms does.
static double variance_of_large(const struct fit_filter *f, double size, double variance)
{
	double prior = fit_filter_prior(f), more = pow(size / f->typical, 2) - 1;
	return f->whole || more <= 0 ? variance : variance * (1 + fmin(variance / prior, 1) * more);
}

// Under a prior that is as wide for all, and under one for logarithms, which the sizes of the first make. The
// one is off where sizes differ by factors, the other where they are alike: the geometric mean of both, and
// the larger doubt. Once many hours were read, each takes as much of the doubt as a step adds to it: if sizes
// move by less than that, the steps are smaller. A principal that is alone is known from the learning.
static void fit_sizes(struct fit_filter *f, struct arena *arena, struct sizes *ret)
{
	*ret =
		(struct sizes){solve_zeros(arena, (size_t)f->n), solve_zeros(arena, (size_t)f->n), {.hours = 0}, 1};
	if (f->n < 2) {
		keep_sizes(f, ret);
		return;
	}
	fit_filter_judge_noise(f);
	fit_filter_run(f);
	keep_sizes(f, ret);
	f->walk *= fmin(fit_check_scale(&f->check), 1);
	fit_prior_learn(f, arena);
	fit_filter_run(f);
	for (int32_t i = 0; i < f->n; i++) {
		ret->variance[i] =
			fmax(variance_of_large(f, ret->size[i], ret->variance[i]), fit_filter_variance(f, i));
		ret->size[i] = sqrt(ret->size[i] * fit_filter_size(f, i));
	}
}

static double calls_of(const struct fit_input *in)
{
	double calls = 0;
	for (int32_t h = 0; h < in->nhours; h++)
		for (int32_t c = 0; in->hours[h].stats && c < in->hours[h].stats->ncells; c++)
			calls += in->hours[h].stats->cells[c].list[in->kind].calls;
	for (int32_t i = 0; i < in->n; i++)
		calls += in->exact_calls[i] + in->billed_calls[i];
	return calls;
}

// By how much the tokens of a principal vary by chance, as a part of them. What does not grow with the size
// of calls is taken to grow with its square root, for it cannot be much more than the calls.
static double noise_of(const struct fit_filter *f, double size)
{
	double tail = f->tail[0] > 0 ? f->tail[1] / f->tail[0] : 1;
	return tail * f->noise.together * (f->noise.own * size + f->noise.flat * f->typical);
}

static double mean_of_all(const struct fit_filter *f)
{
	double calls = calls_of(f->in), tokens = 0;
	for (int32_t c = 0; c < f->ncells; c++)
		tokens += f->cells[c].tokens;
	for (int32_t i = 0; i < f->in->n; i++)
		tokens += f->in->exact_tokens[i] + f->in->billed_tokens[i];
	return tokens / calls;
}

// What passes with the hour counts as chance: per token, of as many calls as the newest hour has.
static void set_mean(const struct fit_filter *f, const struct sizes *sizes, int32_t i, struct fit *ret)
{
	int32_t at = f->position[i];
	double share = f->in->users->share[i], size = at < 0 ? f->typical : sizes->size[at],
		   variance = at < 0 ? (f->within + f->between) * size * size
	                         : fit_check_scale_variance(f, sizes->variance[at], sizes->scale),
		   of_share = size * f->in->users->sd[i];
	variance = share * share * (variance + MODEL_DOUBT * size * size) + of_share * of_share;
	struct fit_doubt doubt =
		at < 0 ? (struct fit_doubt){UNSEEN * variance, 0} : fit_doubt_of(f, at, UNSEEN * variance);
	ret->mean[i] = fmax(share * size, FLOOR * ret->model);
	ret->sd[i] = sqrt(variance);
	ret->lasting[i] = sqrt(doubt.lasting);
	ret->noise[i] = UNSEEN * sizes->scale * noise_of(f, size);
	if (doubt.passing > 0)
		ret->passing[i] = doubt.passing * f->calls_of_hour[at] / share / ret->mean[i];
}

void fit_kind(const struct fit_input *in, struct arena *arena, struct fit *ret)
{
	size_t n = (size_t)in->n;
	struct fit_filter f;
	struct sizes sizes;
	*ret = (struct fit){.mean = solve_zeros(arena, n),
	                    .sd = solve_zeros(arena, n),
	                    .lasting = solve_zeros(arena, n),
	                    .noise = solve_zeros(arena, n),
	                    .passing = solve_zeros(arena, n)};
	if (!fit_filter_init(&f, in, arena))
		return;
	fit_filter_set_spread(&f, FIRST_SPREAD, FIRST_SPREAD);
	fit_walk_learn(&f, in->walk);
	fit_spread_learn(&f, arena);
	fit_sizes(&f, arena, &sizes);
	ret->walk = f.walk;
	ret->moves = f.moves;
	ret->alike = fit_check_alike(&f.check);
	ret->model = mean_of_all(&f);
	sizes.scale = fit_check_scale(&sizes.check);
	for (int32_t i = 0; i < in->n; i++)
		set_mean(&f, &sizes, i, ret);
	ret->noise_typical = UNSEEN * sizes.scale * noise_of(&f, f.typical);
	ret->role_sd = sqrt(f.within);
	ret->model_sd = sqrt(f.within + f.between);
}
