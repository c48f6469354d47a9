// SPDX-License-Identifier: Apache-2.0
#include "estimator/apportion.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"

__extension__ typedef unsigned __int128 u128;

struct remainder {
	uint64_t left; // of the division by the sum of the weights
	int index;
};

static int by_remainder(const void *a, const void *b)
{
	const struct remainder *x = a, *y = b;
	if (x->left != y->left)
		return x->left > y->left ? -1 : 1;
	return x->index - y->index;
}

void apportion(int64_t total, const int64_t *weights, int n, int64_t *shares)
{
	assert(n > 0 && total >= 0);
	uint64_t sum = 0;
	for (int i = 0; i < n; i++) {
		assert(weights[i] >= 0);
		sum += (uint64_t)weights[i];
	}
	bool equal = sum == 0;
	if (equal)
		sum = (uint64_t)n;
	if (n == 1) {
		shares[0] = total;
		return;
	}
	struct remainder few[64], *rest = n <= 64 ? few : xmalloc((size_t)n * sizeof *rest);
	int64_t left = total;
	for (int i = 0; i < n; i++) {
		u128 product = (u128)(uint64_t)total * (equal ? 1 : (uint64_t)weights[i]);
		shares[i] = (int64_t)(product / sum);
		rest[i] = (struct remainder){(uint64_t)(product % sum), i};
		left -= shares[i];
	}
	assert(left >= 0 && left < n);
	if (left > 0)
		qsort(rest, (size_t)n, sizeof *rest, by_remainder);
	for (int i = 0; i < left; i++)
		shares[rest[i].index]++;
	if (rest != few)
		free(rest);
}
