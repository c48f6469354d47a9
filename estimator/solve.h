// SPDX-License-Identifier: Apache-2.0
// Small dense systems, by Cholesky's factors.
#ifndef NOWCAST_ESTIMATOR_SOLVE_H
#define NOWCAST_ESTIMATOR_SOLVE_H

#include "base/arena.h"

double *solve_zeros(struct arena *arena, size_t n); // n zeros, in `arena`

// The diagonal of (A + lambda I)^-1. A: n x n, symmetric, positive semidefinite, row by row; lambda > 0.
// `factor` is room for n x n.
void solve_inverse_diagonal(const double *A, int n, double lambda, double *factor, double *ret_diagonal);

#endif
