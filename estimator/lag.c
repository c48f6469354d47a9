// SPDX-License-Identifier: Apache-2.0
#include "estimator/lag.h"

#include <math.h>
#include <string.h>

enum { MINUTES_MAX = LAG_MINUTES + 60, ROUNDS = 30 };
static const double TOLERANCE = 1e-6; // of the streams that ended

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

// How long the streams had run, in minutes, at the end of the minute `after` minutes after that in which they
// began; in the mean, for they may have begun at any time of a sixth, or of the minute.
static double run_of(const struct calls *c, int after)
{
	double sixth = c->started_sixths > 0 ? (double)c->started_sixths / (double)c->started - .5 : 3;
	return after + 1 - fmin(fmax(sixth, .5), 5.5) / 6; // some sixths may not be known
}

// Of the streams of a minute that were open before, to have ended `after` minutes later.
static double chance_of(const double *odds, int after, const struct calls *c)
{
	double x = odds[after] * run_of(c, after);
	return isinf(x) ? 1 : x / (1 + x);
}

// The part of the streams that was open at the end of the minute `after` minutes after that in which they
// began. `odds`: of that minute.
static double open_part(const double *odds, const struct calls *c, int after)
{
	double open = 1;
	for (int j = 0; j <= after && j <= LAG_MINUTES && open > 0; j++)
		open *= 1 - chance_of(odds, j, c);
	return open;
}

// Sets odds[after] so that `ended` of the streams of the minute ended then, fewer than were open: by Newton's
// method, from the odds of their mean run, which are too low, as the chance is a concave function of the run.
static void solve_odds(const struct minute *m, double *odds, int after, double ended)
{
	double all = 0, run = 0, sum, slope;
	for (int32_t k = 0; k < m->ncalls; k++) {
		const struct calls *c = &m->calls[k];
		double open = c->started > 0 ? (double)c->started * open_part(odds, c, after - 1) : 0;
		all += open;
		run += open * run_of(c, after);
	}
	odds[after] = all > ended ? ended / (all - ended) * all / run : INFINITY;
	for (int round = 0; round < ROUNDS && !isinf(odds[after]); round++) {
		sum = slope = 0;
		for (int32_t k = 0; k < m->ncalls; k++) {
			const struct calls *c = &m->calls[k];
			if (c->started <= 0)
				continue;
			double open = (double)c->started * open_part(odds, c, after - 1);
			double chance = chance_of(odds, after, c);
			sum += open * chance;
			slope += open * chance * (1 - chance) / odds[after];
		}
		if (ended - sum <= TOLERANCE * ended)
			break;
		odds[after] += (ended - sum) / slope;
	}
}

static void learn_odds(const struct span *s, struct lag *l, const struct streams *x,
                       double (*ended)[LAG_MINUTES + 1])
{
	for (int i = 0; i < x->n; i++) {
		double open = x->begun[i], *odds = l->odds[i];
		for (int j = 0; j <= l->minutes; j++) {
			if (ended[i][j] > 0 && ended[i][j] < open)
				solve_odds(span_minute(s, i - l->minutes), odds, j, ended[i][j]);
			else
				odds[j] = ended[i][j] > 0 ? INFINITY : 0;
			open -= ended[i][j];
		}
	}
}

void lag_learn(const struct span *s, int lookback, struct lag *ret)
{
	struct streams x = {0};
	double left[MINUTES_MAX], ended[MINUTES_MAX][LAG_MINUTES + 1] = {{0}};
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
			ended[first][i - first] = part;
			left[first] -= part;
			ends -= part;
			if (left[first] > 0)
				break;
		}
	}
	learn_odds(s, ret, &x, ended);
}

bool lag_is_over(const struct lag *l, int begun, int first)
{
	if (begun + l->minutes < 0 || begun >= 60)
		return true;
	for (int j = 0; j <= l->minutes && begun + j < first; j++)
		if (isinf(l->odds[begun + l->minutes][j]))
			return true;
	return first > begun + l->minutes;
}

double lag_part(const struct lag *l, int begun, const struct calls *c, int first, int last)
{
	if (begun + l->minutes < 0 || begun >= 60 || last < begun || c->started <= 0)
		return 0;
	const double *odds = l->odds[begun + l->minutes];
	return open_part(odds, c, first - 1 - begun) - open_part(odds, c, last - begun);
}
