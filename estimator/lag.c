// SPDX-License-Identifier: Apache-2.0
#include "estimator/lag.h"

#include <string.h>

enum { MINUTES_MAX = LAG_MINUTES + 60 };

// By minute, from `minutes` before the hour: streams that began; streams that ended, -1 where nobody knows.
struct streams {
	int n;
	double begun[MINUTES_MAX], ended[MINUTES_MAX];
};

static void count_streams(const struct span *s, int minutes, struct streams *ret)
{
	ret->n = minutes + 60;
	for (int i = 0; i < ret->n; i++) {
		const struct minute *m = span_minute(s, i - minutes);
		int64_t plain = 0, begun = 0;
		for (int32_t k = 0; m && k < m->ncalls; k++) {
			plain += m->calls[k].n - m->calls[k].started;
			begun += m->calls[k].started;
		}
		ret->begun[i] = (double)begun;
		int64_t samples = m && m->metered ? m->samples[TOKENS_INPUT] : 0;
		ret->ended[i] = samples <= 0      ? (m && m->metered ? -1 : 0)
		                : samples > plain ? (double)(samples - plain)
		                                  : 0;
	}
}

// Streams that were open before the first minute: as few as explain all ends.
static double open_before(const struct streams *x)
{
	double open = 0, least = 0;
	for (int i = 0; i < x->n; i++) {
		open += x->begun[i] - (x->ended[i] < 0 ? x->begun[i] : x->ended[i]);
		least = open < least ? open : least;
	}
	return -least;
}

void lag_learn(const struct span *s, int lookback, struct lag *ret)
{
	struct streams x = {0};
	double left[MINUTES_MAX];
	int minutes = lookback < LAG_MINUTES ? lookback : LAG_MINUTES, first = 0;
	*ret = (struct lag){.minutes = minutes};
	count_streams(s, minutes, &x);
	double before = open_before(&x);
	memcpy(left, x.begun, sizeof left);
	for (int i = 0; i < x.n; i++) {
		double ends = x.ended[i], known = ends < 0 ? 0 : ends < before ? ends : before;
		before -= known;
		ends -= known;
		for (; first <= i; first++) {
			bool overdue = i - first >= minutes || x.ended[i] < 0;
			double part = overdue || left[first] <= ends ? left[first] : ends > 0 ? ends : 0;
			if (x.begun[first] > 0)
				ret->part[first][i - first] = part / x.begun[first];
			left[first] -= part;
			ends -= part;
			if (left[first] > 0)
				break;
		}
	}
}

double lag_part(const struct lag *l, int begun, int first, int last)
{
	double part = 0;
	if (begun + l->minutes < 0 || begun >= 60)
		return 0;
	for (int j = first > begun ? first - begun : 0; j <= l->minutes && begun + j <= last; j++)
		part += l->part[begun + l->minutes][j];
	return part;
}
