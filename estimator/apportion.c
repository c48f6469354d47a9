// SPDX-License-Identifier: Apache-2.0
#include "estimator/apportion.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"

__extension__ typedef unsigned __int128 u128;

enum { INSERTED = 16 }; // so many are sorted sooner by insertion

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

static void sort_remainders(struct remainder *rest, int n)
{
	if (n > INSERTED) {
		qsort(rest, (size_t)n, sizeof *rest, by_remainder);
		return;
	}
	for (int i = 1; i < n; i++) {
		struct remainder x = rest[i];
		int to = i;
		for (; to > 0 && rest[to - 1].left < x.left; to--)
			rest[to] = rest[to - 1];
		rest[to] = x;
	}
}

// total x weight / sum, which fits 64 bits; rarely, the product does not.
static inline uint64_t divide(uint64_t total, uint64_t weight, uint64_t sum, uint64_t *ret_left)
{
	uint64_t product;
	if (!__builtin_mul_overflow(total, weight, &product)) {
		*ret_left = product % sum;
		return product / sum;
	}
	u128 wide = (u128)total * weight;
	*ret_left = (uint64_t)(wide % sum);
	return (uint64_t)(wide / sum);
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
		rest[i].index = i;
		shares[i] = (int64_t)divide((uint64_t)total, equal ? 1 : (uint64_t)weights[i], sum, &rest[i].left);
		left -= shares[i];
	}
	assert(left >= 0 && left < n);
	if (left > 0)
		sort_remainders(rest, n);
	for (int i = 0; i < left; i++)
		shares[rest[i].index]++;
	if (rest != few)
		free(rest);
}
