// SPDX-License-Identifier: Apache-2.0
// Small dense least squares with a prior: x >= 0 that minimises x'Ax - 2b'x + sum lambda (x - prior)^2.
#ifndef NOWCAST_ESTIMATOR_SOLVE_H
#define NOWCAST_ESTIMATOR_SOLVE_H

#include "base/arena.h"

double *solve_zeros(struct arena *arena, size_t n); // n zeros, in `arena`

// A: n x n, symmetric, positive semidefinite, row by row. x holds the start and, on return, the solution.
// lambda > 0. Coordinate descent in a fixed order: the same input gives the same output.
void solve_nonnegative(const double *A, const double *b, int n, double prior, double lambda, double *x);

// The residual sum of squares of the equations that A and b sum up: x'Ax - 2b'x + `squares`, where `squares`
// are the squares of their right sides. At least 0.
double solve_error(double squares, const double *A, const double *b, int n, const double *x);

// The diagonal of (A + lambda I)^-1. `ret_factor` has room for n x n; it returns the factor for
// solve_factored.
void solve_inverse_diagonal(const double *A, int n, double lambda, double *ret_factor, double *ret_diagonal);

// x = (A + lambda I)^-1 x, for the A and lambda that were factored.
void solve_factored(const double *factor, int n, double *x);

#endif
