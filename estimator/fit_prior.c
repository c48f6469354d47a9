// SPDX-License-Identifier: Apache-2.0
#include "estimator/fit_prior.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "estimator/fit_spread.h"
#include "estimator/solve.h"

#define SPREAD_MIN 1e-3
#define SIZE_LEAST 0.05 // of the typical size: of less the logarithm is noise
#define SIZE_FLOOR 0.4  // of the mean that it is drawn to: so small a size does not narrow its prior
#define NEAR 1e-3

// What is known of a part of the logarithm of a size: its value, and how much of its variance the cells have
// explained, 0 to 1.
struct part {
	double log, known;
};

struct role_part {
	struct part is;
	double mean, common; // of its members: the mean of the logarithms; covariance of two of them, in the mean
	int32_t members;
};

// The variance of a normal prior around `mean` that pulls `size` as strongly as a log-normal one of variance
// 1 would: size x the logarithmic mean of the two.
static double unit_prior(double size, double mean)
{
	double x = fmax(size / mean, SIZE_FLOOR) - 1, part = fabs(x) < NEAR ? 1 + x / 2 : x / log1p(x);
	return (1 + x) * part * mean * mean;
}

// `variance`: what is left of `prior`, as the filter sees it; less than nothing, where the covariance that
// was taken off is that of others, of whom less is known. Residuals that go together say less than that.
static struct part part_of(const struct fit_filter *f, double log, double variance, double prior)
{
	double left = fmin(fmax(variance / (prior * f->typical * f->typical), 0), 1), in_cells = 1 - left,
		   known = in_cells / (in_cells + f->noise.together * left);
	assert(known >= 0 && known <= 1);
	return (struct part){in_cells > 0 ? log * known / in_cells : 0, known};
}

static double log_size(const struct fit_filter *f, int32_t i)
{
	return log(fmax(fit_filter_size(f, i) / f->typical, SIZE_LEAST));
}

// The mean covariance of two members; roles are states of their own where not all covariances are kept.
static void find_common(const struct fit_filter *f, struct role_part *roles)
{
	for (int32_t i = 0; f->whole && i < f->n; i++)
		for (int32_t k = 0; k < i; k++)
			if (f->role[i] == f->role[k])
				roles[f->role[i]].common += f->covariance[(size_t)i * f->width + (size_t)k];
	for (int32_t r = 0; r < f->in->nroles; r++) {
		double members = roles[r].members, pairs = members * (members - 1) / 2;
		roles[r].common = f->whole ? roles[r].common / fmax(pairs, 1) : f->covariance[f->n + r];
	}
}

// Who is alone in its role shares what is known of it with the role, by their variances.
static void find_parts(const struct fit_filter *f, struct part *own, struct role_part *roles)
{
	double both = f->within + f->between;
	for (int32_t i = 0; i < f->n; i++) {
		struct role_part *r = &roles[f->role[i]];
		r->members++;
		r->mean += log_size(f, i);
	}
	for (int32_t r = 0; r < f->in->nroles; r++)
		roles[r].mean /= fmax(roles[r].members, 1);
	find_common(f, roles);
	for (int32_t i = 0; i < f->n; i++) {
		struct role_part *r = &roles[f->role[i]];
		double variance = fit_filter_variance(f, i);
		if (r->members == 1) {
			struct part x = part_of(f, r->mean, variance, both);
			own[i] = (struct part){x.log * f->within / both, x.known * f->within / both};
			r->is = (struct part){x.log * f->between / both, x.known * f->between / both};
		} else {
			own[i] = part_of(f, log_size(f, i) - r->mean, variance - r->common, f->within);
			r->is = part_of(f, r->mean, r->common, f->between);
		}
	}
}

// Sums for a spread; the start of it.
struct sums {
	double squares, known;
};

static const struct sums first_sums = {FIT_SPREAD_COUNT * FIT_SPREAD_FIRST, FIT_SPREAD_COUNT};

static double spread_of(struct sums s)
{
	return fmax(s.squares / s.known, SPREAD_MIN);
}

static void add_part(struct sums *s, struct part x, double mean, double freedom)
{
	s->squares += x.known > 0 ? (x.log - mean) * (x.log - mean) : 0;
	s->known += x.known * freedom;
}

static double spread_within(const struct fit_filter *f, const struct part *own)
{
	struct sums s = first_sums;
	for (int32_t i = 0; i < f->n; i++)
		add_part(&s, own[i], 0, 1);
	return spread_of(s);
}

static double spread_between(const struct fit_filter *f, const struct role_part *roles)
{
	struct sums s = first_sums;
	double sum = 0, weight = 0;
	for (int32_t r = 0; r < f->in->nroles; r++) {
		sum += roles[r].is.known * roles[r].is.log;
		weight += roles[r].is.known;
	}
	for (int32_t r = 0; weight > 0 && r < f->in->nroles; r++)
		add_part(&s, roles[r].is, sum / weight, 1 - roles[r].is.known / weight);
	return spread_of(s);
}

void fit_prior_learn(struct fit_filter *f, struct arena *arena)
{
	size_t nroles = (size_t)f->in->nroles + 1;
	struct part *own = arena_alloc(arena, ((size_t)f->n + 1) * sizeof *own);
	struct role_part *roles = arena_alloc(arena, nroles * sizeof *roles);
	memset(roles, 0, nroles * sizeof *roles);
	find_parts(f, own, roles);
	double within = spread_within(f, own), between = spread_between(f, roles);
	for (int32_t i = 0; i < f->n; i++) {
		const struct role_part *r = &roles[f->role[i]];
		double role = f->typical * exp(r->is.log), size = role * exp(own[i].log);
		// who is alone in its role has one prior, whose parts are alike
		bool alone = r->members == 1;
		f->prior[i] = within * unit_prior(size, alone ? f->typical : role);
		f->prior_role[f->role[i]] = between * unit_prior(alone ? size : role, f->typical);
	}
}
