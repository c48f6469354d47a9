// SPDX-License-Identifier: Apache-2.0
#include "estimator/solve.h"

#include <math.h>
#include <string.h>

double *solve_zeros(struct arena *arena, size_t n)
{
	double *p = arena_alloc(arena, (n + 1) * sizeof *p);
	memset(p, 0, (n + 1) * sizeof *p);
	return p;
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

void solve_inverse_diagonal(const double *A, int n, double lambda, double *factor, double *ret_diagonal)
{
	cholesky(A, n, lambda, factor);
	// Column i of L^-1, from its diagonal down, is kept in the free upper triangle of row i. The squares of a
	// column of L^-1 sum to the diagonal of the inverse.
	for (int i = 0; i < n; i++) {
		double *column = factor + (size_t)i * (size_t)n;
		double first = 1 / column[i], squares = first * first;
		for (int r = i + 1; r < n; r++) {
			const double *row = factor + (size_t)r * (size_t)n;
			double sum = row[i] * first;
			for (int k = i + 1; k < r; k++)
				sum += row[k] * column[k];
			column[r] = -sum / row[r];
			squares += column[r] * column[r];
		}
		ret_diagonal[i] = squares;
	}
}
