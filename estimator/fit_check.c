// SPDX-License-Identifier: Apache-2.0
#include "estimator/fit_check.h"

#include <math.h>
#include <string.h>

#define SDS_MAX 2.0         // an hour that is off by more counts as off by so many, lest one hour decides
#define BOUNDED_MEAN 0.9205 // the mean of the square of a standard normal variable that is bounded so
#define PRIOR_HOURS 3.0     // as expected, so that the first ones do not decide alone

// The variance of the sum of so many calls, by position, for want of better sizes.
static double variance_of_sum(const struct fit_filter *f, const double *calls)
{
	int32_t n = f->n, model = f->nstates - 1;
	double sum = 0, all = 0;
	for (int32_t i = 0; i < n; i++) {
		const double *row = f->covariance + (size_t)i * f->width;
		for (int32_t k = 0; f->whole && calls[i] > 0 && k < n; k++)
			sum += calls[i] * calls[k] * row[k];
		if (f->whole)
			continue;
		sum += calls[i] * calls[i] * f->covariance[i];
		f->role_calls[f->role[i]] += calls[i];
		all += calls[i];
	}
	for (int32_t i = 0; !f->whole && i < f->in->nroles; i++) {
		sum += f->role_calls[i] * f->role_calls[i] * f->covariance[n + i];
		f->role_calls[i] = 0;
	}
	return f->whole ? sum : sum + all * all * f->covariance[model];
}

void fit_check_hour(struct fit_filter *f, int32_t from, int32_t to)
{
	double off = 0, noise = 0;
	memset(f->step, 0, f->width * sizeof *f->step);
	for (int32_t c = from; c < to; c++) {
		const struct fit_cell *x = &f->cells[c];
		off += x->tokens;
		noise += f->noise.together * f->chance[c];
		for (int32_t e = x->begin; e < x->begin + x->n; e++) {
			f->step[f->who[e]] += f->calls[e];
			off -= f->calls[e] * fit_filter_size(f, f->who[e]);
		}
	}
	double squares = off * off / (noise + variance_of_sum(f, f->step));
	f->check.misses += fmin(squares, SDS_MAX * SDS_MAX) / BOUNDED_MEAN;
	f->check.hours++;
}

double fit_check_scale(const struct fit_check *c)
{
	return (PRIOR_HOURS + c->misses) / (PRIOR_HOURS + c->hours);
}

double fit_check_scale_variance(const struct fit_filter *f, double variance, double scale)
{
	double prior = fit_filter_prior(f);
	return variance < prior ? 1 / ((1 / variance - 1 / prior) / scale + 1 / prior) : variance;
}
