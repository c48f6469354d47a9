// SPDX-License-Identifier: Apache-2.0
#include "estimator/fit_walk.h"

#include <math.h>

// The residuals go together less than the noise, since the sizes take up a part of it: by this factor
#define TAKEN_UP 3.0
#define LIKELIHOOD 0.5   // the cells of an hour are not independent, so that their likelihoods count in part
// how much likelier steady means are, before there is evidence, as a logarithm: without a bill; and with one,
// of which a pace that is not there forgets in an hour what was known of a day
#define STEADY_FIRST 0.5
#define STEADY_BILLED 4.0

// Variance of a step in an hour, as a part of the size squared. The last is steady.
static const double walks[] = {0.1, 0.02, 0};

enum { WALKS = sizeof walks / sizeof *walks };

// How much more the noise of an hour is than that of its cells: residuals that are alike for some minutes add
// up (Newey and West). It takes hours to see that.
static double learn_together(const struct fit_filter *f, double hours)
{
	double near = f->products[0] > 0 ? 2 * f->products[1] / f->products[0] : 0;
	return 1 + TAKEN_UP * fmax(near, 0) * hours / (hours + 1);
}

static void learn_noise(struct fit_filter *f, double walk)
{
	f->walk = walk;
	f->noise = (struct fit_noise){0.5, 0.5, 1};
	f->noise.together = learn_together(f, fit_filter_learn(f));
}

static double steady_first(const struct fit_input *in)
{
	for (int32_t i = 0; i < in->n; i++)
		if (in->billed_calls[i] > 0)
			return STEADY_BILLED;
	return STEADY_FIRST;
}

void fit_walk_learn(struct fit_filter *f, const double *walk)
{
	struct fit_noise noise[WALKS], mean = {0};
	double score[WALKS], best = -INFINITY, all = 0, mean_walk = 0, steady = steady_first(f->in);
	f->scores = !walk && f->n > 1;
	if (!f->scores) {
		learn_noise(f, walk ? *walk : 0);
		return;
	}
	for (int i = 0; i < WALKS; i++) {
		learn_noise(f, walks[i]);
		noise[i] = f->noise;
		score[i] = LIKELIHOOD * f->score + (walks[i] > 0 ? 0 : steady);
		best = fmax(best, score[i]);
	}
	for (int i = 0; i < WALKS; i++)
		all += score[i] = exp(score[i] - best);
	for (int i = 0; i < WALKS; i++) {
		double part = score[i] / all;
		mean_walk += part * walks[i];
		mean.own += part * noise[i].own;
		mean.flat += part * noise[i].flat;
		mean.together += part * noise[i].together;
	}
	f->walk = mean_walk;
	f->noise = mean;
}
