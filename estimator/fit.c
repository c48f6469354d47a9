// SPDX-License-Identifier: Apache-2.0
// The constants below are properties of the method, not of one traffic: `make accuracy` measures their effect
// on many worlds.
#include "estimator/fit.h"

#include <math.h>
#include <string.h>

#include "estimator/fit_check.h"
#include "estimator/fit_filter.h"
#include "estimator/fit_spread.h"
#include "estimator/solve.h"

// The variance of sizes within roles, and of roles, while the noise is learned, as a part of the typical size
// squared. It is wide: were it narrow, what callers differ in would be taken for noise
#define FIRST_SPREAD 0.6
// The residuals go together less than the noise, since the sizes take up a part of it: by this factor
#define TAKEN_UP 3.0
#define MODEL_DOUBT 0.0004   // variance of a size by what the model is wrong in, as a part of its square
#define AGREE 1.0            // standard errors of the mean of the hours
// the least mean, as a part of the model's: a weight of 0 would exclude a caller
#define FLOOR 0.001

// How fast means may move: variance of a step in an hour, as a part of the size squared. The first is steady.
static const double walks[] = {0, 0.004, 0.02, 0.08};

enum { WALKS = sizeof walks / sizeof *walks };

// How much more the noise of an hour is than that of its cells: residuals that are alike for some minutes add
// up (Newey and West). It takes hours to see that.
static double learn_together(const struct fit_filter *f, double hours)
{
	double sum = 0;
	if (!(f->products[0] > 0))
		return 1;
	for (int k = 1; k <= FIT_LAGS; k++)
		sum += 2 * (1 - k / (FIT_LAGS + 1.0)) * f->products[k];
	return 1 + TAKEN_UP * fmax(sum / f->products[0], 0) * hours / (hours + 1);
}

// ---- whether means move -------------------------------------------------------------------------------

struct outcome {
	double *size, *variance; // by position
	double *score;           // by hour
	double walk;
	struct fit_check check;
};

static struct outcome outcome_new(const struct fit_filter *f, struct arena *arena)
{
	size_t n = (size_t)f->n;
	return (struct outcome){solve_zeros(arena, n), solve_zeros(arena, n),
	                        solve_zeros(arena, (size_t)f->in->nhours), 0, {0, 0}};
}

static void keep(const struct fit_filter *f, struct outcome *ret)
{
	ret->walk = f->walk;
	ret->check = f->check;
	for (int32_t i = 0; i < f->n; i++) {
		ret->size[i] = fit_filter_size(f, i);
		ret->variance[i] = fit_filter_variance(f, i);
	}
}

// By how much the hours after the first are likelier than if means were steady, all together; 0 if they do
// not agree on it.
static double gain_of(const struct fit_filter *f, const double *steady)
{
	double sum = 0, squares = 0, hours = -1;
	for (int32_t h = 0; h < f->in->nhours; h++) {
		double gain = f->score[h] - steady[h];
		if (f->score[h] == 0)
			continue;
		sum += hours < 0 ? 0 : gain;
		squares += hours < 0 ? 0 : gain * gain;
		hours++;
	}
	double error = hours > 1 ? sqrt(fmax(squares - sum * sum / hours, 0) * hours / (hours - 1)) : 0;
	return hours > 1 && sum > AGREE * error ? sum : 0;
}

// Takes the pace under which each hour was the most likely after those before it. The noise within an hour
// is correlated, so it is the hours that count. Faster ones are tried while they are better.
static void fit_sizes(struct fit_filter *f, const double *walk, struct arena *arena, struct outcome *ret)
{
	double best = 0;
	*ret = outcome_new(f, arena);
	for (int i = 0; i < (walk ? 1 : WALKS); i++) {
		f->walk = walk ? *walk : walks[i];
		fit_filter_run(f, walk == NULL);
		double gain = i > 0 ? gain_of(f, ret->score) : 0;
		if (i > 0 && gain <= best)
			break;
		if (i == 0)
			memcpy(ret->score, f->score, (size_t)f->in->nhours * sizeof *f->score);
		best = gain;
		keep(f, ret);
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

void fit_kind(const struct fit_input *in, struct arena *arena, struct fit *ret)
{
	size_t n = (size_t)in->n;
	struct fit_filter f;
	struct outcome sizes;
	*ret = (struct fit){.mean = solve_zeros(arena, n),
	                    .sd = solve_zeros(arena, n),
	                    .noise = solve_zeros(arena, n)};
	if (!fit_filter_init(&f, in, arena))
		return;
	f.within = f.between = FIRST_SPREAD;
	f.noise = (struct fit_noise){0.5, 0.5, 1};
	f.noise.together = learn_together(&f, fit_filter_learn(&f));
	fit_spread_learn(&f, arena);
	fit_filter_judge_noise(&f);
	fit_sizes(&f, in->walk, arena, &sizes);
	ret->walk = sizes.walk;
	ret->model = mean_of_all(&f);
	double scale = fit_check_scale(&sizes.check);
	for (int32_t i = 0; i < in->n; i++) {
		int32_t at = f.position[i];
		double share = in->users->share[i], size = at < 0 ? f.typical : sizes.size[at],
			   variance = at < 0 ? (f.within + f.between) * size * size
		                         : fit_check_scale_variance(&f, sizes.variance[at], scale);
		variance *= fmax(pow(size / f.typical, 2), 1);
		variance += MODEL_DOUBT * size * size;
		ret->mean[i] = fmax(share * size, FLOOR * ret->model);
		ret->sd[i] = sqrt(share * share * variance + size * size * in->users->sd[i] * in->users->sd[i]);
		ret->noise[i] = scale * noise_of(&f, size);
	}
	ret->noise_typical = scale * noise_of(&f, f.typical);
	ret->role_sd = sqrt(f.within);
	ret->model_sd = sqrt(f.within + f.between);
}
