// SPDX-License-Identifier: Apache-2.0
// Which part of each principal's calls uses such tokens, from counts of made-up cells: those who never or
// always do are told outright, those who do now and then as well as chance allows, and how far off that is is
// said.
#include <math.h>

#include "estimator/cache_users.h"
#include "estimator/solve.h"
#include "tests/support/random.h"
#include "tests/tap.h"

enum { N = 6, HOURS = 200, CELLS = 60, OFTEN = 8, SELDOM = 1 /* calls in a cell, at most */, Z90 = 1645 };

// The equations of an hour of cells; each principal makes none to `most` calls in each, and uses such tokens
// with `share` of them.
static void make_hour(struct equations *x, const double *share, int most, struct arena *arena)
{
	int32_t *first = arena_alloc(arena, (N + 1) * sizeof *first),
			*cell = arena_alloc(arena, N * CELLS * sizeof *cell);
	int64_t *samples = arena_alloc(arena, CELLS * sizeof *samples);
	double *all = solve_zeros(arena, CELLS), *calls = solve_zeros(arena, N * CELLS);
	for (int c = 0; c < CELLS; c++)
		samples[c] = 0;
	for (int i = 0; i <= N; i++)
		first[i] = i * CELLS;
	for (int i = 0; i < N * CELLS; i++) {
		int c = cell[i] = i % CELLS;
		calls[i] = (double)below(most + 1);
		all[c] += calls[i];
		for (int k = 0; k < calls[i]; k++)
			samples[c] += (double)below(1000000) < share[i / CELLS] * 1e6;
	}
	*x = (struct equations){.n = N,
	                        .ncells = CELLS,
	                        .samples = samples,
	                        .all = all,
	                        .first = first,
	                        .cell = cell,
	                        .calls = calls};
}

static const double nobody_idle[N];

struct verdict {
	double off;    // mean distance from the truth
	double high;   // mean of the differences from it
	double inside; // part of the truths within what the sd says
};

static struct verdict judge(const double *share, int most, int first, int last, struct arena *arena)
{
	struct verdict v = {0};
	double n = HOURS * (last - first);
	for (int h = 0; h < HOURS; h++) {
		struct equations x;
		struct cache_users u;
		make_hour(&x, share, most, arena);
		cache_users_fit(&x, nobody_idle, NULL, arena, &u);
		for (int i = first; i < last; i++) {
			double high = u.share[i] - share[i], off = fabs(high);
			v.off += off / n;
			v.high += high / n;
			v.inside += (off <= u.sd[i] * Z90 / 1000 + 1e-9) / n;
		}
		arena_reset(arena);
	}
	return v;
}

static void outright(struct arena *arena)
{
	const double share[N] = {0, 0, 1, 1, 1, 0};
	struct verdict v = judge(share, OFTEN, 0, N, arena);
	if (!ok(v.off < 0.005, "who always does and who never does is told from an hour of cells"))
		diag("off by %.4f", v.off);
}

static void now_and_then(struct arena *arena)
{
	const double share[N] = {0.08, 0.10, 0.12, 0.14, 0.15, 0.12};
	struct verdict v = judge(share, OFTEN, 0, N, arena);
	if (!ok(v.off < 0.05, "shares of about a tenth are found as well as an hour tells them"))
		diag("off by %.4f", v.off);
	if (!ok(v.inside > 0.8 && v.inside < 0.99, "and nine in ten lie within what is said of them"))
		diag("%.1f %%", 100 * v.inside);
}

// Cells whose count is small, or none, are no less of the truth than others.
static void small_counts(struct arena *arena)
{
	const double share[N] = {0.12, 0.12, 0.12, 0.12, 0.12, 0.12};
	struct verdict often = judge(share, OFTEN, 0, N, arena), seldom = judge(share, SELDOM, 0, N, arena);
	if (!ok(fabs(often.high) < 0.01, "small shares come out neither too small nor too large"))
		diag("%+.4f", often.high);
	if (!ok(fabs(seldom.high) < 0.01, "... nor do those of few calls, of which most cells count none"))
		diag("%+.4f", seldom.high);
}

static void both_kinds(struct arena *arena)
{
	const double share[N] = {0, 0, 0.6, 0.7, 0.8, 0.75};
	struct verdict never = judge(share, OFTEN, 0, 2, arena), others = judge(share, OFTEN, 2, N, arena);
	if (!ok(never.off < 0.025, "who never does is told apart beside those who mostly do"))
		diag("off by %.4f", never.off);
	if (!ok(others.off < 0.07, "and these are not drawn to nothing"))
		diag("off by %.4f", others.off);
	if (!ok(others.inside > 0.8, "and lie within what is said of them"))
		diag("%.1f %%", 100 * others.inside);
}

// Logs of thousands of a caller's calls, none of which took such tokens.
static void known_from_logs(struct arena *arena)
{
	const double share[N] = {0, 0.1, 0.1, 0.1, 0.1, 0.1}, idle[N] = {10000};
	struct equations x;
	struct cache_users u;
	make_hour(&x, share, OFTEN, arena);
	cache_users_fit(&x, idle, NULL, arena, &u);
	ok(u.share[0] < 0.01 && u.sd[0] < 0.02, "whose exact calls took none is no user");
}

static void unknown(struct arena *arena)
{
	struct equations x;
	struct cache_users u;
	const double all[N] = {0.99, 1, 1, 1, 1, 1};
	make_hour(&x, all, OFTEN, arena);
	cache_users_fit(&x, nobody_idle, NULL, arena, &u);
	ok(u.share[0] == 1 && u.sd[0] == 0, "where nearly all calls do, all do");
	static int64_t none[CELLS];
	for (int c = 0; c < CELLS; c++)
		none[c] = -1;
	x.samples = none;
	cache_users_fit(&x, nobody_idle, NULL, arena, &u);
	ok(u.share[3] == 1 && u.sd[3] == 0, "and where no metric counts them");
}

// Who never reads the cache never writes to it: what reads tell is taken for writes.
static void told_by_reads(struct arena *arena)
{
	const double share[N] = {0, 0, 0.2, 0.2, 0.2, 0.2}, never[N] = {1, 1, 0, 0, 0, 0};
	double alone = 0, told = 0;
	for (int h = 0; h < HOURS; h++) {
		struct equations x;
		struct cache_users u;
		make_hour(&x, share, OFTEN, arena);
		cache_users_fit(&x, nobody_idle, NULL, arena, &u);
		alone += (u.share[0] + u.share[1]) / HOURS;
		cache_users_fit(&x, nobody_idle, never, arena, &u);
		told += (u.share[0] + u.share[1]) / HOURS;
		arena_reset(arena);
	}
	if (!ok(told < alone / 2,
	        "who never reads the cache is given at most half of the writes that its counts suggest"))
		diag("%.4f, without being told %.4f", told, alone);
}

int main(void)
{
	struct arena arena = ARENA_INIT;
	diag("NOWCAST_SEED=%llu", (unsigned long long)seed_rng());
	outright(&arena);
	now_and_then(&arena);
	small_counts(&arena);
	both_kinds(&arena);
	known_from_logs(&arena);
	told_by_reads(&arena);
	unknown(&arena);
	arena_release(&arena);
	return done();
}
