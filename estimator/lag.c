// SPDX-License-Identifier: Apache-2.0
#include "estimator/lag.h"

#include "estimator/solve.h"

enum { N_MAX = LAG_MINUTES + 1 };

// The prior of the shares: longer lags are less likely, so that chance alone does not produce them.
static const double likely[N_MAX] = {1, 1.0 / 2, 1.0 / 4, 1.0 / 8, 1.0 / 16, 1.0 / 32};

// Charged calls of a minute, and those of them that are streams of which only the start is known.
static void count_calls(const struct minute *m, double *ret_all, double *ret_begun)
{
	int64_t all = 0, begun = 0;
	for (int32_t i = 0; m && i < m->ncalls; i++) {
		all += m->calls[i].n;
		begun += m->calls[i].started;
	}
	*ret_all = (double)all;
	*ret_begun = (double)begun;
}

void lag_learn(const struct span *s, int lookback, struct lag *ret)
{
	double all[60 + LAG_MINUTES], begun[60 + LAG_MINUTES], A[N_MAX * N_MAX] = {0}, b[N_MAX] = {0};
	double streams = 0, equations = 0, whole = 0;
	int minutes = lookback < LAG_MINUTES ? lookback : LAG_MINUTES, n = minutes + 1;
	*ret = (struct lag){.minutes = minutes, .share = {1}};
	for (int m = -minutes; m < 60; m++)
		count_calls(span_minute(s, m), &all[m + minutes], &begun[m + minutes]);
	for (int m = 0; m < 60; m++) {
		const struct minute *at = span_minute(s, m);
		if (!at || !at->metered || at->samples[TOKENS_INPUT] <= 0)
			continue;
		const double *now = &begun[m + minutes];
		double ended = (double)at->samples[TOKENS_INPUT] - (all[m + minutes] - now[0]);
		for (int j = 0; j < n; j++) {
			b[j] += likely[j] * now[-j] * ended;
			for (int k = 0; k < n; k++)
				A[j * n + k] += likely[j] * now[-j] * likely[k] * now[-k];
		}
		streams += now[0];
		equations++;
	}
	if (streams <= 0)
		return;
	// Whether a stream ends in its minute or the next is chance: a fifth of the streams is the variance of
	// their number.
	solve_nonnegative(A, b, n, 0, 0.2 * streams / equations, ret->share);
	for (int j = 0; j < n; j++)
		whole += ret->share[j] *= likely[j];
	for (int j = 0; j < n; j++)
		ret->share[j] = whole > 0 ? ret->share[j] / whole : j == 0;
}

double lag_part(const struct lag *l, int begun, int first, int last)
{
	double part = 0;
	for (int j = first > begun ? first - begun : 0; j <= l->minutes && begun + j <= last; j++)
		part += l->share[j];
	return part;
}
