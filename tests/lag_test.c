// SPDX-License-Identifier: Apache-2.0
// What the metric's SampleCounts tell of when streams end, and what that does to the weights: of two callers,
// one small and one large, of whose streams many end in a later minute, the means are found as if every end
// were known.
#include <math.h>

#include "estimator/lag.h"
#include "estimator/learn.h"
#include "tests/support/random.h"
#include "tests/tap.h"

enum { CALLERS = 2, SMALL = 500, LARGE = 9000, HOURS = 6 };

static struct minute *minute_of(struct hour hours[HOURS], int m)
{
	return m < 60 * HOURS ? &hours[m / 60].minutes[m % 60] : NULL;
}

// Every call is a stream; a stream of `late` in a hundred ends in the next minute, one of `later` two minutes
// on.
static void make_hours(struct hour hours[HOURS], int late, int later, bool tell_starts, struct arena *arena)
{
	static const int64_t means[CALLERS] = {SMALL, LARGE};
	memset(hours, 0, HOURS * sizeof *hours);
	for (int m = 0; m < 60 * HOURS; m++) {
		struct minute *at = minute_of(hours, m);
		at->calls = arena_alloc(arena, CALLERS * sizeof *at->calls);
		at->ncalls = CALLERS;
		at->metered = at->has[TOKENS_INPUT] = true;
		for (int i = 0; i < CALLERS; i++) {
			int64_t n = below(8);
			at->calls[i] = (struct calls){.caller = i, .n = n, .started = tell_starts ? n : 0};
		}
	}
	for (int m = 0; m < 60 * HOURS; m++) {
		const struct minute *at = minute_of(hours, m);
		for (int i = 0; i < CALLERS; i++) {
			for (int64_t k = 0; k < at->calls[i].n; k++) {
				int chance = (int)below(100);
				struct minute *end = minute_of(hours, m + (chance < later          ? 2
				                                           : chance < later + late ? 1
				                                                                   : 0));
				if (!end)
					continue;
				end->metric[TOKENS_INPUT] += means[i];
				end->samples[TOKENS_INPUT]++;
			}
		}
	}
}

static struct span span_of(const struct hour hours[HOURS], int h)
{
	static struct who callers[CALLERS];
	callers[0] = (struct who){STR("arn:aws:iam::111122223333:user/a-small-one"), STR("-"), 0};
	callers[1] = (struct who){STR("arn:aws:iam::111122223333:user/large"), STR("-"), 0};
	return (struct span){
		.before = h ? &hours[h - 1] : NULL, .hour = &hours[h], .callers = callers, .ncallers = CALLERS};
}

static void finds_shares(struct arena *arena)
{
	static struct hour hours[HOURS];
	struct lag lag;
	double mean[3] = {0};
	make_hours(hours, 25, 10, true, arena);
	for (int h = 1; h < HOURS; h++) {
		struct span s = span_of(hours, h);
		double whole = 0;
		lag_learn(&s, 5, &lag);
		for (int j = 0; j <= lag.minutes; j++)
			whole += lag.share[j];
		if (fabs(whole - 1) > 1e-9)
			mean[0] = -1;
		for (int j = 0; j < 3; j++)
			mean[j] += lag.share[j] / (HOURS - 1);
	}
	if (!ok(fabs(mean[0] - .65) < .2 && fabs(mean[1] - .25) < .15 && fabs(mean[2] - .10) < .1 &&
	            mean[0] > mean[1] && mean[1] > mean[2],
	        "SampleCounts tell about how many streams end in the same minute, the next, the one after"))
		diag("%.3f %.3f %.3f", mean[0], mean[1], mean[2]);
	struct span s = span_of(hours, 1);
	lag_learn(&s, 0, &lag);
	ok(lag.minutes == 0 && lag.share[0] == 1, "without looking back there is no lag");
	for (int m = 0; m < 60; m++)
		hours[1].minutes[m].samples[TOKENS_INPUT] = 0;
	lag_learn(&s, 5, &lag);
	ok(lag.share[0] == 1 && lag_part(&lag, 3, 3, 3) == 1 && lag_part(&lag, 3, 4, 9) == 0,
	   "where no metric tells, streams end where they began");
}

// How far the weight of the small caller is off, as a part of it.
static double error_of_small(bool tell_starts, struct arena *arena)
{
	static struct hour hours[HOURS];
	struct str stats[HOURS];
	struct weights w;
	make_hours(hours, 30, 0, tell_starts, arena);
	for (int h = 0; h < HOURS; h++) {
		struct span s = span_of(hours, h);
		struct buf b = BUF_INIT;
		hour_stats_write(&s, 5, arena, &b);
		stats[h] = arena_str(arena, buf_str(&b));
		buf_release(&b);
	}
	struct span s = span_of(hours, HOURS - 1);
	learn_weights(&(struct evidence_of_hours){stats, HOURS, NULL, 0}, &s, 5, arena, &w);
	return fabs((double)w.callers[0].milli[TOKENS_INPUT] / 1000 - SMALL) / SMALL;
}

static void finds_means(struct arena *arena)
{
	double known = 0, blind = 0;
	for (int round = 0; round < 10; round++) {
		known += error_of_small(true, arena) / 10;
		blind += error_of_small(false, arena) / 10;
		arena_reset(arena);
	}
	if (!ok(known < 0.5 * blind,
	        "the mean of a small caller beside a large one is found at least twice as well"))
		diag("off by %.3f of it, %.3f where starts are taken for ends", known, blind);
}

int main(void)
{
	struct arena arena = ARENA_INIT;
	diag("NOWCAST_SEED=%llu", (unsigned long long)seed_rng());
	finds_shares(&arena);
	finds_means(&arena);
	arena_release(&arena);
	return done();
}
