// SPDX-License-Identifier: Apache-2.0
// Reads the cells of many hours one after the other, the oldest first, and keeps what they say of the sizes
// of calls: a Kalman filter. A size is the mean tokens of a principal's calls that use such tokens.
//
//     size of a principal  =  typical + its role's part + its own part        (prior: normal, independent)
//     tokens of a cell     =  sum over its calls of their principals' sizes + noise
//     size in the next hour that it calls in  =  size + a step of variance walk x size^2
//
//     variance of the noise  =  together x sum over calls of (own x size^2 + flat x typical^2)
//                                 + AT_ONCE x sum over principals of calls x (calls - 1) x size^2
//
// `own` and `flat` are chance: how much calls of one principal differ, in proportion to its size or not.
// `together` says how much more the noise of a whole hour is than that of its cells, because minutes near
// each other go together. AT_ONCE: the calls of a principal within a minute are larger or smaller at once; of
// a single call that is chance.
//
// The estimate is the best linear one, so it needs no shape of distribution. With many principals their
// covariances are left out; roles are then estimated beside them.
#ifndef NOWCAST_ESTIMATOR_FIT_FILTER_H
#define NOWCAST_ESTIMATOR_FIT_FILTER_H

#include "estimator/fit.h"

enum { FIT_LAGS = 15 /* minutes */ };

struct fit_noise {
	double own, flat, together;
};

// How far sizes moved in an hour, and cells were off, beside how far they were expected to (fit_check.h).
struct fit_check {
	double squares, cells; // of what cells were off by, in variances; as many as there should be: one a cell
	double hours; // after the first
	double moves, expected; // squares, in variances; as many as there should be: one a caller and hour
	double products[3]; // of moves: with themselves, with those of another kind, of these with themselves
	double pairs; // moves of both kinds
};

struct fit_cell {
	int32_t begin, n, hour; // its entries are begin .. begin + n - 1
	double tokens, users;   // users: calls that use such tokens, the sum over the entries
};

struct fit_filter {
	const struct fit_input *in;
	struct fit_cell *cells;
	int32_t ncells;
	int32_t n;                // principals that use such tokens; positions below are theirs
	int32_t *position;        // of a principal; -1: it uses none
	int32_t *role;            // of the principal at a position
	int32_t *principal; // ... and which it is
	int32_t *who;             // of an entry: the position of its principal
	double *calls;            // ... and its calls that use such tokens
	double typical;           // mean tokens of a call that uses such tokens
	bool whole;               // all covariances are kept
	// of positions, then of roles and of the model: these only where not all covariances are kept
	int32_t nstates;
	double *state, *covariance; // tokens; tokens squared: n rows, or one a state
	size_t width;             // of a row: n, made even
	int32_t *seen;            // of a position: the hour in which it last called; -1: in none
	double *size_before, *before; // of a position: its size in the newest hour, before the cells of that; the
		// variance of that
	double *calls_of_hour; // ... and its calls that use such tokens in these
	double *step, *role_calls; // work
	// what it assumes
	double within, between;   // variances of sizes within roles, and of roles, as parts of typical^2
	double *prior, *prior_role; // the variance that each own part begins with, by position, and each role's
	double walk;
	struct fit_noise noise;
	// what it has seen
	bool scores;              // whether to find the score, which takes a logarithm a cell
	double score;             // the logarithm of the probability of the cells, each given those before it
	struct fit_check check;   // of the hours of a run
	float *moves; // of sizes in a run: by hour and principal, in standard deviations; 0: none
	double *chance, *noisy;   // of a cell: variance by chance; that of its noise
	double *residual;         // of a cell, after its hour, in standard deviations
	double squares[3], shown[2]; // regression of squares on what own and flat would make of them
	double tail[2];           // squares in variances, bounded as outliers are; and hardly bounded
	double products[2];       // of residuals: with themselves; with those of the FIT_LAGS cells before, the
	                          // less the farther
};

// Lists the cells of the input and its typical size. False: there are no tokens to learn from.
bool fit_filter_init(struct fit_filter *f, const struct fit_input *in, struct arena *arena);

// All sizes begin with the same variances.
void fit_filter_set_spread(struct fit_filter *f, double within, double between);

// Reads hours, all of them where one principal is alone, and learns noise.own and noise.flat, each hour from
// those before and itself; sets the score. Returns how many it read.
double fit_filter_learn(struct fit_filter *f);

// Judges the noise of all cells by the sizes as they are now known.
void fit_filter_judge_noise(struct fit_filter *f);

// Reads all hours, with that noise, and sets the check.
void fit_filter_run(struct fit_filter *f);

static inline double fit_filter_least(const struct fit_filter *f)
{
	return 0.01 * f->typical;
}

// Of the principal at a position, as it is known now: its size, at least a hundredth of the typical one.
static inline double fit_filter_size(const struct fit_filter *f, int32_t at)
{
	double size = f->state[at], least = fit_filter_least(f);
	if (!f->whole)
		size += f->state[f->n + f->role[at]] + f->state[f->nstates - 1];
	return size > least ? size : least; // fmax is a call
}

// Its variance, and that of a prior that is as wide for all.
double fit_filter_variance(const struct fit_filter *f, int32_t at);
double fit_filter_prior(const struct fit_filter *f);

// Calls of principal i that are known one by one or billed, and use such tokens.
double fit_filter_exact(const struct fit_filter *f, int32_t i);

#endif
