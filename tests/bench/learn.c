// SPDX-License-Identifier: Apache-2.0
// What learning and allocation of one hour cost with very many callers: PRINCIPALS of whom each calls each of
// MODELS models now and then, a day of statistics before. Prints processor seconds, memory and what a
// statistics weighs.
//
//     learn_bench PRINCIPALS MODELS
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "estimator/allocate.h"
#include "estimator/learn.h"
#include "tests/support/random.h"

enum { HOUR_STATS = 24, AWAKE = 5 /* one minute in so many */, MOST_CALLS = 4, LOOKBACK = 5 };

struct model_hour {
	struct hour hour;
	struct span span;
};

static struct who *make_callers(struct arena *arena, int n)
{
	struct who *callers = arena_alloc(arena, (size_t)n * sizeof *callers);
	for (int i = 0; i < n; i++)
		callers[i] = (struct who){
			arena_text(arena, "arn:aws:sts::111122223333:assumed-role/role-%03d/session-%05d", i / 100, i),
			STR("-"), 0};
	return callers;
}

static void make_hour(struct model_hour *x, const struct who *callers, int n, struct arena *arena)
{
	*x = (struct model_hour){.span = {.callers = callers, .ncallers = n}};
	x->span.hour = &x->hour;
	for (int m = 0; m < 60; m++) {
		struct minute *at = &x->hour.minutes[m];
		at->calls = arena_alloc(arena, (size_t)n * sizeof *at->calls);
		at->metered = true;
		for (int i = 0; i < n; i++) {
			int64_t calls = below(AWAKE) ? 0 : 1 + below(MOST_CALLS);
			if (calls == 0)
				continue;
			at->calls[at->ncalls++] = (struct calls){.caller = i, .n = calls, .started = below(calls + 1)};
			for (int kind = 0; kind < METRIC_KINDS; kind++) {
				at->metric[kind] += calls * (100 + i % 97 * 50);
				at->samples[kind] += calls;
			}
		}
	}
}

static double processor_seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	int principals = argc > 1 ? atoi(argv[1]) : 5000, models = argc > 2 ? atoi(argv[2]) : 30;
	struct arena kept = ARENA_INIT, facts = ARENA_INIT, work = ARENA_INIT;
	struct buf hour_stats = BUF_INIT;
	struct str stats[HOUR_STATS];
	struct model_hour x;
	struct rusage usage;
	double spent = 0;
	int64_t tokens = 0;
	rng_state = 1;
	const struct who *callers = make_callers(&kept, principals);
	for (int i = 0; i < HOUR_STATS; i++) {
		make_hour(&x, callers, principals, &facts);
		hour_stats_write(&x.span, LOOKBACK, &work, &hour_stats);
		stats[i] = arena_str(&kept, buf_str(&hour_stats));
		buf_clear(&hour_stats);
		arena_reset(&facts);
		arena_reset(&work);
	}
	for (int i = 0; i < models; i++) {
		struct weights weights;
		struct hour_usage u;
		make_hour(&x, callers, principals, &facts);
		double begun = processor_seconds();
		hour_stats_write(&x.span, LOOKBACK, &work, &hour_stats);
		learn_weights(&(struct evidence_of_hours){stats, HOUR_STATS, NULL, 0}, &x.span, LOOKBACK, &work,
		              &weights);
		allocate_hour(&x.span, &weights, LOOKBACK, &work, &u);
		spent += processor_seconds() - begun;
		for (int k = 0; k < principals; k++)
			tokens += u.callers[k].by_kind[0].allocated;
		buf_clear(&hour_stats);
		arena_reset(&facts);
		arena_reset(&work);
	}
	getrusage(RUSAGE_SELF, &usage);
	printf(
		"%d principals on each of %d models: an hour of all takes %.2f s of a processor (%.2f %% of that hour), %ld MB at most, hour statistics of %zu KB, %lld input tokens allocated\n",
		principals, models, spent, 100 * spent / 3600, usage.ru_maxrss / 1024, stats[0].len / 1024,
		(long long)tokens);
	buf_release(&hour_stats);
	arena_release(&kept);
	arena_release(&facts);
	arena_release(&work);
	return tokens > 0 ? 0 : 1;
}
