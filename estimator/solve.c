// SPDX-License-Identifier: Apache-2.0
#include "estimator/solve.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { SWEEPS_MAX = 200 };

double *solve_zeros(struct arena *arena, size_t n)
{
	double *p = arena_alloc(arena, (n + 1) * sizeof *p);
	memset(p, 0, (n + 1) * sizeof *p);
	return p;
}

void solve_nonnegative(const double *A, const double *b, int n, double prior, double lambda, double *x)
{
	assert(lambda > 0);
	for (int sweep = 0; sweep < SWEEPS_MAX; sweep++) {
		double moved = 0, largest = 0;
		for (int i = 0; i < n; i++) {
			const double *row = A + (size_t)i * (size_t)n;
			double slope = b[i] + lambda * prior + row[i] * x[i];
			for (int k = 0; k < n; k++)
				slope -= row[k] * x[k];
			double next = slope / (row[i] + lambda);
			if (!(next > 0))
				next = 0;
			moved = fmax(moved, fabs(next - x[i]));
			largest = fmax(largest, next);
			x[i] = next;
		}
		if (moved <= 1e-6 * largest)
			return;
	}
}

double solve_error(double squares, const double *A, const double *b, int n, const double *x)
{
	double error = squares;
	for (int i = 0; i < n; i++) {
		double row = 0;
		for (int k = 0; k < n; k++)
			row += A[(size_t)i * (size_t)n + (size_t)k] * x[k];
		error += x[i] * (row - 2 * b[i]);
	}
	return fmax(error, 0);
}

// A + lambda I = LL'; row i of L holds L up to its diagonal.
static void cholesky(const double *A, int n, double lambda, double *L)
{
	for (int i = 0; i < n; i++) {
		for (int j = 0; j <= i; j++) {
			double sum = A[(size_t)i * (size_t)n + (size_t)j] + (i == j ? lambda : 0);
			for (int k = 0; k < j; k++)
				sum -= L[(size_t)i * (size_t)n + (size_t)k] * L[(size_t)j * (size_t)n + (size_t)k];
			if (i == j)
				L[(size_t)i * (size_t)n + (size_t)i] = sqrt(sum > lambda * 1e-6 ? sum : lambda * 1e-6);
			else
				L[(size_t)i * (size_t)n + (size_t)j] = sum / L[(size_t)j * (size_t)n + (size_t)j];
		}
	}
}

void solve_inverse_diagonal(const double *A, int n, double lambda, double *ret_factor, double *ret_diagonal)
{
	cholesky(A, n, lambda, ret_factor);
	// Column i of L^-1, from its diagonal down, is kept in the free upper triangle of row i. The squares of a
	// column of L^-1 sum to the diagonal of the inverse.
	for (int i = 0; i < n; i++) {
		double *column = ret_factor + (size_t)i * (size_t)n;
		double first = 1 / column[i], squares = first * first;
		for (int r = i + 1; r < n; r++) {
			const double *row = ret_factor + (size_t)r * (size_t)n;
			double sum = row[i] * first;
			for (int k = i + 1; k < r; k++)
				sum += row[k] * column[k];
			column[r] = -sum / row[r];
			squares += column[r] * column[r];
		}
		ret_diagonal[i] = squares;
	}
}

void solve_factored(const double *factor, int n, double *x)
{
	for (int i = 0; i < n; i++) {
		const double *row = factor + (size_t)i * (size_t)n;
		for (int k = 0; k < i; k++)
			x[i] -= row[k] * x[k];
		x[i] /= row[i];
	}
	for (int i = n - 1; i >= 0; i--) {
		const double *row = factor + (size_t)i * (size_t)n;
		x[i] /= row[i];
		for (int k = 0; k < i; k++)
			x[k] -= row[k] * x[i];
	}
}
