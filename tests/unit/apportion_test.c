// SPDX-License-Identifier: Apache-2.0
// The largest-remainder method as a property: the shares add up to the token, each is within one of its exact
// part, equal weights differ by one at most and the lower index is first. Prints its seed; NOWCAST_SEED
// repeats one.
#include "estimator/apportion.h"
#include "tests/support/random.h"
#include "tests/tap.h"

enum { N_MAX = 200 };

__extension__ typedef __int128 i128;

static void one(const char *what, int64_t total, const int64_t *weights, int n, const int64_t *want)
{
	int64_t shares[8];
	bool same = true;
	apportion(total, weights, n, shares);
	for (int i = 0; i < n; i++)
		same &= shares[i] == want[i];
	if (!ok(same, "%s", what))
		for (int i = 0; i < n; i++)
			diag("share %d is %lld, want %lld", i, (long long)shares[i], (long long)want[i]);
}

#define W(...) (const int64_t[]){__VA_ARGS__}, (int)(sizeof (const int64_t[]){__VA_ARGS__} / sizeof(int64_t))
#define SHARES(...) (const int64_t[]){__VA_ARGS__}

static void examples(void)
{
	one("alone", 7, W(0), SHARES(7));
	one("nothing to split", 0, W(3, 4), SHARES(0, 0));
	one("in proportion", 100, W(1, 3), SHARES(25, 75));
	one("no weights are equal weights; the odd one to the lower index", 3, W(0, 0), SHARES(2, 1));
	one("a weight of zero beside others gets nothing", 10, W(0, 5, 5), SHARES(0, 5, 5));
	one("the largest remainder is served first", 10, W(1, 1, 4), SHARES(2, 2, 6));
	one("remainders that tie go by index", 2, W(1, 1, 1), SHARES(1, 1, 0));
	one("fewer tokens than takers", 1, W(1, 1000000), SHARES(0, 1));
	one("the largest figures", INT64_MAX, W(INT64_MAX / 4, INT64_MAX / 4),
	    SHARES(INT64_MAX / 2 + 1, INT64_MAX / 2));
}

static int64_t some_size(void)
{
	return below(4) == 0 ? 0 : (int64_t)(rng() >> (2 + below(61)));
}

// True if the shares of `total` by the weights are what they should be.
static bool holds(int64_t total, const int64_t *weights, int n)
{
	int64_t shares[N_MAX];
	i128 sum = 0, given = 0;
	bool good = true;
	for (int i = 0; i < n; i++)
		sum += weights[i];
	apportion(total, weights, n, shares);
	for (int i = 0; i < n; i++) {
		i128 whole = sum ? sum : n, part = (i128)total * (sum ? weights[i] : 1),
			 off = (i128)shares[i] * whole - part;
		given += shares[i];
		good &= shares[i] >= 0 && off < whole && -off < whole;
		for (int k = 0; k < i; k++)
			if (weights[k] == weights[i])
				good &= shares[k] == shares[i] || shares[k] == shares[i] + 1;
	}
	return good && given == total;
}

int main(void)
{
	int64_t weights[N_MAX];
	bool good = true;
	diag("NOWCAST_SEED=%llu", (unsigned long long)seed_rng());
	examples();
	for (int round = 0; good && round < 5000; round++) {
		int n = 1 + (int)below(below(10) ? 12 : N_MAX);
		for (int i = 0; i < n; i++) {
			weights[i] = some_size() / n;
			if (i && below(3) == 0)
				weights[i] = weights[i - 1];
		}
		good = holds(some_size(), weights, n);
	}
	ok(good, "sums are exact, shares within one, ties by index");
	return done();
}
