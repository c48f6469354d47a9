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

// The part of an hour's streams that ended so many minutes after they began.
static double part_of(const struct lag *lag, const struct hour *hour, int minutes)
{
	double streams = 0, ended = 0;
	for (int m = 0; m < 60 - LAG_MINUTES; m++)
		for (int32_t i = 0; i < hour->minutes[m].ncalls; i++) {
			const struct calls *c = &hour->minutes[m].calls[i];
			streams += (double)c->started;
			ended += (double)c->started * lag_part(lag, m, c, m + minutes, m + minutes);
		}
	return ended / streams;
}

static void finds_ends(struct arena *arena)
{
	static struct hour hours[HOURS];
	struct lag lag;
	double mean[LAG_MINUTES + 1] = {0}, whole = 0;
	make_hours(hours, 25, 10, true, arena);
	for (int h = 1; h < HOURS; h++) {
		struct span s = span_of(hours, h);
		lag_learn(&s, 5, &lag);
		for (int j = 0; j <= LAG_MINUTES; j++)
			mean[j] += part_of(&lag, &hours[h], j) / (HOURS - 1);
	}
	for (int j = 0; j <= LAG_MINUTES; j++)
		whole += mean[j];
	// of 100 streams 35 end later, by 45 minutes in all: those that began first are taken to end first
	if (!ok(fabs(whole - 1) < 1e-9 && fabs(mean[1] + 2 * mean[2] + 3 * mean[3] - .45) < .1,
	        "SampleCounts tell how many streams end in a later minute"))
		diag("%.3f %.3f %.3f %.3f", mean[0], mean[1], mean[2], mean[3]);
	struct span s = span_of(hours, 1);
	lag_learn(&s, 0, &lag);
	const struct calls stream = {.n = 1, .started = 1};
	ok(lag.minutes == 0 && lag_part(&lag, 7, &stream, 8, 60) == 0, "without looking back there is no lag");
	for (int m = 0; m < 60; m++)
		hours[1].minutes[m].samples[TOKENS_INPUT] = 0;
	lag_learn(&s, 5, &lag);
	ok(lag_part(&lag, 3, &stream, 3, 3) == 1 && lag_part(&lag, 3, &stream, 4, 9) == 0,
	   "where no metric tells, streams end where they began");
}

static bool is_near(double a, double b) { return fabs(a - b) < 1e-6; }

// Two streams begin, one ends in the next minute; then a third begins, and the other two end in the minute
// after.
static void first_in_first_out(void)
{
	static struct hour hour;
	struct calls calls[2] = {{.caller = 0, .n = 2, .started = 2}, {.caller = 1, .n = 1, .started = 1}};
	struct span s = {.hour = &hour};
	struct lag lag;
	for (int i = 0; i < 2; i++)
		hour.minutes[10 + i].calls = &calls[i], hour.minutes[10 + i].ncalls = 1;
	for (int i = 1; i <= 2; i++)
		hour.minutes[10 + i].metered = true, hour.minutes[10 + i].samples[TOKENS_INPUT] = i;
	lag_learn(&s, 5, &lag);
	ok(is_near(lag_part(&lag, 10, &calls[0], 11, 11), 0.5) &&
	       is_near(lag_part(&lag, 10, &calls[0], 12, 12), 0.5) &&
	       lag_part(&lag, 11, &calls[1], 12, 12) == 1,
	   "what began first ends first");
}

// Two streams begin in a minute, the one in its first ten seconds and the other in its last, or at a time
// that nobody knows; one ends in that minute.
static void longer_run_first(void)
{
	static struct hour hour;
	struct calls calls[2] = {
		{.caller = 0, .n = 1, .started = 1, .started_sixths = 1},
		{.caller = 1, .n = 1, .started = 1, .started_sixths = 6},
	};
	struct minute *at = &hour.minutes[10];
	struct span s = {.hour = &hour};
	struct lag lag;
	at->calls = calls;
	at->ncalls = 2;
	at->metered = hour.minutes[11].metered = true;
	at->samples[TOKENS_INPUT] = hour.minutes[11].samples[TOKENS_INPUT] = 1;
	lag_learn(&s, 5, &lag);
	double first = lag_part(&lag, 10, &calls[0], 10, 10);
	double other = lag_part(&lag, 10, &calls[1], 10, 10);
	// 11/12 and 1/12 of a minute: chances of a ratio of odds of 11 that add up to 1
	ok(is_near(first + other, 1) && is_near(first / (1 - first), 11 * other / (1 - other)),
	   "of two that began in a minute, the longer one has run the more likely it has ended");
	ok(is_near(lag_part(&lag, 10, &calls[0], 11, 11), 1 - first) &&
	       lag_part(&lag, 10, &calls[0], 12, 15) == 0,
	   "else it ends in the minute in which the other metric is");
	calls[0].started_sixths = calls[1].started_sixths = 0;
	lag_learn(&s, 5, &lag);
	ok(is_near(lag_part(&lag, 10, &calls[0], 10, 10), .5), "where nobody knows when they began, all are alike");
	at->samples[TOKENS_INPUT] = 2;
	hour.minutes[11].metered = false;
	lag_learn(&s, 5, &lag);
	ok(lag_part(&lag, 10, &calls[1], 10, 10) == 1, "where all ended, it says nothing");
}

// Streams of a minute, with the sixths of some of them not known, or such as no nowcast has written.
static void random_calls(struct calls *c, int32_t n)
{
	for (int32_t i = 0; i < n; i++) {
		c[i] = (struct calls){.caller = i, .started = below(3) ? below(4) : below(100000)};
		c[i].n = c[i].started + below(2);
		c[i].started_sixths = c[i].started * (1 + below(6));
		if (below(8) == 0)
			c[i].started_sixths = below(4) ? below(9) : INT64_C(999999999999999999);
	}
}

// Parts of each of the calls that ended in each minute of the hour, and what is left.
static bool are_parts(const struct lag *lag, const struct hour *hour)
{
	for (int m = 0; m < 60; m++)
		for (int32_t i = 0; i < hour->minutes[m].ncalls; i++) {
			const struct calls *c = &hour->minutes[m].calls[i];
			double all = 0;
			for (int to = m; to < 60; to++) {
				double part = lag_part(lag, m, c, to, to);
				if (!(part >= 0 && part <= 1) || (part > 0 && to > m && lag_is_over(lag, m, to)))
					return false;
				all += part;
			}
			if (!(all <= 1 + 1e-9) || fabs(all - lag_part(lag, m, c, m, 59)) > 1e-9)
				return false;
		}
	return true;
}

static void whatever_facts_say(void)
{
	enum { TIMES = 300, CALLS = 6 };
	static struct calls calls[60][CALLS];
	static struct hour hour;
	struct span s = {.hour = &hour};
	struct lag lag;
	int times = 0;
	for (bool good = true; good && times < TIMES; times += good) {
		for (int m = 0; m < 60; m++) {
			struct minute *at = &hour.minutes[m];
			*at = (struct minute){.calls = calls[m], .ncalls = (int32_t)below(CALLS + 1)};
			random_calls(at->calls, at->ncalls);
			at->metered = below(8) > 0;
			at->samples[TOKENS_INPUT] = below(2) ? below(20) : below(300000);
		}
		lag_learn(&s, (int)below(61), &lag);
		good = are_parts(&lag, &hour);
	}
	is_int(times, TIMES, "whatever facts say, parts of the streams ended in each minute");
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
	finds_ends(&arena);
	first_in_first_out();
	longer_run_first();
	whatever_facts_say();
	finds_means(&arena);
	arena_release(&arena);
	return done();
}
