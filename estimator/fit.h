// SPDX-License-Identifier: Apache-2.0
// The mean tokens of a call of each principal, for one token kind, from the cells of many hours, and the
// standard error of that mean. fit_filter.h says what is assumed and how the cells are read. Everything that
// it needs to know of the traffic is learned from the cells: how much calls differ by chance, whether that
// grows with the size of those who called, how far the noise of minutes near each other goes together, how
// much principals differ within a role and roles among each other, and whether means move. The noise and the
// standard errors are scaled by how far hours move the sizes (fit_check.h).
#ifndef NOWCAST_ESTIMATOR_FIT_H
#define NOWCAST_ESTIMATOR_FIT_H

#include "base/arena.h"
#include "estimator/cache_users.h"
#include "estimator/equations.h"

// What the fit of one kind reads. Arrays are by principal, of which there are `n`.
struct fit_input {
	const struct equations_hour *hours;         // oldest first; the newest is the one to be estimated
	int32_t nhours, n, nroles;
	const int32_t *role;                        // 0 .. nroles - 1
	int kind;
	const struct cache_users *users;            // how many of the calls use such tokens
	const double *exact_calls, *exact_tokens;   // calls known one by one, of all hours
	const double *billed_calls, *billed_tokens; // those of the bill
	// how fast means move, as another kind has it; NULL: it is learned
	const double *walk;
	const float *moves; // of the sizes of another kind (struct fit); NULL: none
};

struct fit {
	double *mean;      // tokens of a call, by principal
	double *sd;        // standard deviation of that
	double *lasting;   // the same, as far as it lasts from hour to hour, for bands (fit_doubt.h)
	double *noise; // by principal: variance of a sum of its calls by chance, tokens per token
	double *passing; // the same, by the doubt of its mean that passes with the hour
	float *moves; // of sizes, by hour and principal, in standard deviations; 0: none
	double alike; // how much these go together with those of the other kind (fit_check.h)
	// of a caller of which only the role is known, or only the model: standard deviation of its mean, as a
	// part of it
	double role_sd, model_sd;
	double model, noise_typical; // the mean over all principals; their noise
	double walk;       // how fast means move: variance of a step in an hour, as a part of the mean squared
};

// Results live in `arena`.
void fit_kind(const struct fit_input *in, struct arena *arena, struct fit *ret);

#endif
