// SPDX-License-Identifier: Apache-2.0
#include "estimator/fit_check.h"

#include <math.h>

#define MOVE_MAX 3.0       // standard deviations: a size that moves by more counts as so much
#define BOUNDED_MEAN 0.995 // the mean of the square of a standard normal variable that is bounded so
#define PRIOR 2.0          // so many moves, or cells, as expected, so that the first ones do not decide alone
#define CHANCE_SDS 1.0     // standard deviations of a correlation by chance, which is taken off
#define EXPECTED_MIN 1e-3  // of the variance: of what an hour says less about, it says nothing

void fit_check_hour(struct fit_filter *f, int32_t hour)
{
	struct fit_check *to = &f->check;
	size_t n = (size_t)f->in->n;
	double squares = 0, weights = 0, of_weights = 0;
	for (int32_t i = 0; i < f->n; i++) {
		double expected = f->before[i] - fit_filter_variance(f, i);
		if (!(f->calls_of_hour[i] > 0) || !(expected > EXPECTED_MIN * f->before[i]))
			continue;
		double weight = f->calls_of_hour[i] * sqrt(expected),
			   move = (fit_filter_size(f, i) - f->size_before[i]) / sqrt(expected);
		move = fmax(fmin(move, MOVE_MAX), -MOVE_MAX);
		squares += weight * move * move / BOUNDED_MEAN;
		weights += weight;
		of_weights += weight * weight;
		size_t at = (size_t)hour * n + (size_t)f->principal[i];
		f->moves[at] = (float)move;
		double other = f->in->moves ? (double)f->in->moves[at] : 0;
		if (other != 0) {
			to->products[0] += weight * move * move;
			to->products[1] += weight * move * other;
			to->products[2] += weight * other * other;
			to->pairs++;
		}
	}
	to->hours++;
	if (!(weights > 0))
		return;
	double callers = weights * weights / of_weights; // so many that count alike
	to->moves += callers * squares / weights;
	to->expected += callers;
}

// Drawn to `prior` while few have moved.
static double ratio_of_moves(const struct fit_check *c, double prior)
{
	return (PRIOR * prior + c->moves) / (PRIOR + c->expected);
}

double fit_check_scale(const struct fit_check *c)
{
	return ratio_of_moves(c, (PRIOR + c->squares) / (PRIOR + c->cells));
}

double fit_check_moves(const struct fit_check *c)
{
	return ratio_of_moves(c, 1);
}

double fit_check_alike(const struct fit_check *c)
{
	double both = sqrt(c->products[0] * c->products[2]);
	return both > 0 ? fmax(c->products[1] / both - CHANCE_SDS / sqrt(c->pairs), 0) : 0;
}

double fit_check_scale_variance(const struct fit_filter *f, double variance, double scale)
{
	double prior = fit_filter_prior(f);
	return variance < prior ? 1 / ((1 / variance - 1 / prior) / scale + 1 / prior) : variance;
}
