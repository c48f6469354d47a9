// SPDX-License-Identifier: Apache-2.0
// Lessons and the weights learned from them, as pure functions: what is written is read back, the means of a
// made-up world are found again, also if they differ by factors, the order in which minutes are listed does
// not matter, a jump is followed, doubt follows what hours say, thousands of principals stay bounded in bytes
// and time, and no figure, however large, makes a weight that is none.
#include <math.h>
#include <time.h>

#include "estimator/fit.h"
#include "estimator/fit_check.h"
#include "estimator/fit_doubt.h"
#include "estimator/learn.h"
#include "estimator/solve.h"
#include "tests/support/random.h"
#include "tests/tap.h"

enum { HOURS = 12 };

// A span whose hour is filled at random from the means of its callers.
struct lecture {
	struct hour hour;
	struct span span;
};

static struct who *make_callers(struct arena *arena, int n)
{
	struct who *callers = arena_alloc(arena, (size_t)n * sizeof *callers);
	for (int i = 0; i < n; i++) {
		char arn[96];
		snprintf(arn, sizeof arn, "arn:aws:sts::111122223333:assumed-role/role-%d/session-%05d", i / 100000,
		         i);
		callers[i] = (struct who){arena_str(arena, str_of(arn)), STR("-"), 0};
	}
	return callers;
}

// Every minute has some calls of every caller that is awake, and a metric that is their exact sum.
static void make_hour(struct lecture *l, const struct who *callers, const int64_t *means, int n,
                      int most_calls, struct arena *arena)
{
	*l = (struct lecture){.span = {.callers = callers, .ncallers = n}};
	l->span.hour = &l->hour;
	for (int m = 0; m < 60; m++) {
		struct minute *at = &l->hour.minutes[m];
		at->calls = arena_alloc(arena, (size_t)n * sizeof *at->calls);
		for (int i = 0; i < n; i++) {
			int64_t calls = below(most_calls + 1);
			if (calls == 0)
				continue;
			at->calls[at->ncalls++] = (struct calls){.caller = i, .n = calls};
			at->metric[TOKENS_INPUT] += calls * means[i];
		}
		at->metered = at->has[TOKENS_INPUT] = true;
	}
}

static struct str stats_of(const struct lecture *l, struct arena *arena)
{
	struct buf b = BUF_INIT;
	hour_stats_write(&l->span, 5, arena, &b);
	struct str s = arena_str(arena, buf_str(&b));
	buf_release(&b);
	return s;
}

static bool are_weights(const struct weights *w, int n)
{
	for (int i = 0; i < n; i++)
		for (int kind = 0; kind < METRIC_KINDS; kind++)
			if (w->callers[i].milli[kind] < 0 || w->callers[i].milli[kind] > (int64_t)1e18 ||
			    w->callers[i].sd_permille[kind] < 0 || w->callers[i].noise_milli[kind] < 0)
				return false;
	return true;
}

static void round_trip(struct arena *arena)
{
	static struct lecture l;
	struct hour_stats read;
	const int64_t means[] = {100, 2000, 30};
	make_hour(&l, make_callers(arena, 3), means, 3, 4, arena);
	struct str bytes = stats_of(&l, arena);
	ok(hour_stats_read(bytes, arena, &read) && read.n == 3, "hour statistics are read back");
	ok(str_eq(read.names[1], l.span.callers[1].arn), "with its names");
	ok(read.ncells > 50 && read.cells[0].tokens[TOKENS_INPUT] > 0 && read.cells[0].list[ALL_CALLS].n > 0,
	   "and its cells");
	bool refused = true;
	for (size_t cut = 0; cut + 1 < bytes.len; cut += 1 + bytes.len / 97)
		refused &= !hour_stats_read((struct str){bytes.p, cut}, arena, &read);
	ok(refused, "one that was cut anywhere is none");
	ok(!hour_stats_read(STR("something else that is long enough to hold a head"), arena, &read),
	   "nor is anything else");
}

static void order(struct arena *arena)
{
	static struct lecture l;
	const int64_t means[] = {100, 2000, 30, 7, 900};
	make_hour(&l, make_callers(arena, 5), means, 5, 4, arena);
	struct str one = stats_of(&l, arena);
	for (int m = 0; m < 60; m++) {
		struct minute *at = &l.hour.minutes[m];
		for (int32_t i = 0; i < at->ncalls / 2; i++) {
			struct calls t = at->calls[i];
			at->calls[i] = at->calls[at->ncalls - 1 - i];
			at->calls[at->ncalls - 1 - i] = t;
		}
	}
	ok(str_eq(one, stats_of(&l, arena)), "the order of callers within a minute does not matter, to the byte");
}

static void recovers(struct arena *arena)
{
	static struct lecture l;
	enum { N = 12 };
	struct who *callers = make_callers(arena, N);
	int64_t means[N];
	struct str stats[HOURS];
	struct weights w;
	double off = 0, all = 0;
	for (int i = 0; i < N; i++)
		means[i] = 100 + below(3000);
	for (int h = 0; h < HOURS; h++) {
		make_hour(&l, callers, means, N, 3, arena);
		stats[h] = stats_of(&l, arena);
	}
	learn_weights(&(struct evidence_of_hours){stats, HOURS, NULL, 0}, &l.span, 5, arena, &w);
	for (int i = 0; i < N; i++) {
		off += fabs((double)w.callers[i].milli[TOKENS_INPUT] / 1000 - (double)means[i]);
		all += (double)means[i];
	}
	if (!ok(off / all < 0.05, "the means of %d callers are found from their minutes", N))
		diag("off by %.1f %%", 100 * off / all);
	int64_t before = w.callers[0].milli[TOKENS_INPUT];
	means[0] *= 100;
	for (int h = 0; h < HOURS; h++) {
		make_hour(&l, callers, means, N, 3, arena);
		stats[h] = stats_of(&l, arena);
	}
	learn_weights(&(struct evidence_of_hours){stats, HOURS, NULL, 0}, &l.span, 5, arena, &w);
	int64_t after = w.callers[0].milli[TOKENS_INPUT];
	if (!ok(after > 50 * before && after < 150 * before, "a mean that jumps a hundredfold is followed"))
		diag("from %lld to %lld thousandths", (long long)before, (long long)after);
	ok(are_weights(&w, N), "and the others keep weights");
}

static void many(struct arena *arena)
{
	static struct lecture l;
	enum { N = 5000 };
	int64_t *means = arena_alloc(arena, N * sizeof *means);
	clock_t begun = clock();
	struct str stats[24];
	struct weights w;
	for (int i = 0; i < N; i++)
		means[i] = 1 + below(100000);
	make_hour(&l, make_callers(arena, N), means, N, 2, arena);
	for (int h = 0; h < 24; h++)
		stats[h] = stats_of(&l, arena);
	if (!ok(stats[0].len < 128 * 1024, "the statistics of %d principals are small", N))
		diag("%zu bytes", stats[0].len);
	learn_weights(&(struct evidence_of_hours){stats, 24, NULL, 0}, &l.span, 5, arena, &w);
	int64_t spent = 1000 * (int64_t)(clock() - begun) / CLOCKS_PER_SEC; // of a processor
	if (!ok(spent < 20000, "and learned from in bounded time"))
		diag("%lld ms", (long long)spent);
	ok(are_weights(&w, N), "every one of them has a weight");
	int64_t least = INT64_MAX;
	for (int i = 0; i < N; i++)
		least = w.callers[i].milli[TOKENS_INPUT] < least ? w.callers[i].milli[TOKENS_INPUT] : least;
	ok(least > 0, "and nobody starves");
}

static double off_by(const struct weights *w, int caller, double want)
{
	return fabs((double)w->callers[caller].milli[TOKENS_INPUT] / 1000 - want) / want;
}

// Three who call for the first time, beside two who have called before: one of the same role as the first,
// one with the tags of the second, one of neither. A sixth calls in another hour that was read with this one.
static void newcomers(struct arena *arena)
{
	static struct lecture l;
	static const int64_t means[] = {400, 8000};
	struct who callers[] = {
		{STR("arn:aws:sts::111122223333:assumed-role/chat/ann"), STR("-"), 0},
		{STR("arn:aws:sts::111122223333:assumed-role/code/bea"), STR("tags-of-search"), 0},
		{STR("arn:aws:sts::111122223333:assumed-role/chat/new"), STR("tags-of-search"), 0},
		{STR("arn:aws:sts::111122223333:assumed-role/other/new"), STR("tags-of-search"), 0},
		{STR("arn:aws:sts::111122223333:assumed-role/unlike/new"), STR("-"), 0},
		{STR("arn:aws:sts::111122223333:assumed-role/zzz/away"), STR("-"), 0},
	};
	struct calls first[5];
	struct str stats[HOURS];
	struct weights w;
	for (int h = 0; h < HOURS; h++) {
		make_hour(&l, callers, means, 2, 4, arena);
		stats[h] = stats_of(&l, arena);
	}
	l.span.ncallers = 6;
	for (int i = 0; i < 5; i++)
		first[i] = (struct calls){.caller = i, .n = 1};
	l.hour.minutes[0].calls = first;
	l.hour.minutes[0].ncalls = 5;
	learn_weights(&(struct evidence_of_hours){stats, HOURS, NULL, 0}, &l.span, 5, arena, &w);
	ok(off_by(&w, 2, 400) < 0.1 && w.callers[2].source[TOKENS_INPUT] == WEIGHT_ROLE,
	   "a new session takes the mean of its role");
	ok(w.callers[5].milli[TOKENS_INPUT] == 0 && w.callers[5].source[TOKENS_INPUT] == WEIGHT_NONE,
	   "who does not call in the hour has no weight");
	ok(off_by(&w, 3, 8000) < 0.1 && w.callers[3].source[TOKENS_INPUT] == WEIGHT_TAGS,
	   "a new role that of the callers with its tags");
	ok(off_by(&w, 4, 4200) < 0.1 && w.callers[4].source[TOKENS_INPUT] == WEIGHT_MODEL,
	   "who is like nobody that of the model");
}

// Two who call alike, but only the second writes to the cache.
static void make_unlike_hour(struct lecture *l, const struct who *callers, struct arena *arena)
{
	static const int64_t means[] = {0, 5000};
	make_hour(l, callers, means, 2, 6, arena);
	for (int m = 0; m < 60; m++) {
		struct minute *at = &l->hour.minutes[m];
		at->has[TOKENS_CACHE_WRITE] = true;
		for (int32_t i = 0; i < at->ncalls; i++) {
			at->metric[TOKENS_CACHE_WRITE] += at->calls[i].n * (at->calls[i].caller ? 8000 + below(800) : 0);
			// as if of a call that ended elsewhere
			at->samples[TOKENS_CACHE_WRITE] += at->calls[i].caller || below(20) == 0 ? at->calls[i].n : 0;
		}
	}
}

// Who took none of a thousand times takes none, whatever the minutes seem to say; and the more tokens a call,
// the more chance.
static void unlike(struct arena *arena)
{
	static struct lecture l;
	struct who *callers = make_callers(arena, 2);
	struct billed_means bill[] = {{.arn = callers[0].arn, .calls = 3000},
	                              {.arn = callers[1].arn, .calls = 3000}};
	struct str stats[HOURS];
	struct weights w;
	int64_t doubt = 0;
	bill[1].tokens[TOKENS_INPUT] = bill[1].calls * 5000;
	bill[1].tokens[TOKENS_CACHE_WRITE] = bill[1].calls * 8400;
	for (int h = 0; h < HOURS; h++) {
		make_unlike_hour(&l, callers, arena);
		stats[h] = stats_of(&l, arena);
	}
	for (int h = 0; h < HOURS; h++) {
		learn_weights(&(struct evidence_of_hours){&stats[h], 1, NULL, 0}, &l.span, 5, arena, &w);
		doubt += w.callers[0].sd_permille[TOKENS_CACHE_WRITE];
	}
	if (!ok(doubt / HOURS > 500, "one hour does not tell for sure who uses the cache"))
		diag("%lld permille in the mean", (long long)doubt / HOURS);
	learn_weights(&(struct evidence_of_hours){stats, HOURS, bill, 2}, &l.span, 5, arena, &w);
	if (!ok(w.callers[0].milli[TOKENS_CACHE_WRITE] < 20 * 1000,
	        "who was never billed such tokens is given hardly any"))
		diag("%lld thousandths", (long long)w.callers[0].milli[TOKENS_CACHE_WRITE]);
	ok(w.callers[0].noise_milli[TOKENS_INPUT] < w.callers[1].noise_milli[TOKENS_INPUT],
	   "the longer a call, the more is left to chance");
}

// Very many callers. Those of every other role never write to the cache, the others as much as their role.
static void many_unlike(struct arena *arena)
{
	static struct lecture l;
	enum { N = 120, OF_ROLE = 6 };
	struct who *callers = make_callers(arena, N);
	int64_t *means = arena_alloc(arena, N * sizeof *means);
	struct str stats[HOURS];
	struct weights w;
	double off = 0, all = 0;
	for (int i = 0; i < N; i++) {
		means[i] = 1000;
		callers[i].arn = arena_text(arena, "arn:aws:sts::111122223333:assumed-role/role-%02d/s-%d", i / OF_ROLE,
		                            i % OF_ROLE);
	}
	for (int h = 0; h < HOURS; h++) {
		make_hour(&l, callers, means, N, 1, arena);
		for (int m = 0; m < 60; m++) {
			struct minute *at = &l.hour.minutes[m];
			at->has[TOKENS_CACHE_WRITE] = true;
			for (int32_t i = 0; i < at->ncalls; i++) {
				int role = at->calls[i].caller / OF_ROLE;
				at->samples[TOKENS_CACHE_WRITE] += role % 2 ? at->calls[i].n : 0;
				at->metric[TOKENS_CACHE_WRITE] += role % 2 ? at->calls[i].n * 1000 * role : 0;
			}
		}
		stats[h] = stats_of(&l, arena);
	}
	learn_weights(&(struct evidence_of_hours){stats, HOURS, NULL, 0}, &l.span, 5, arena, &w);
	for (int i = 0; i < N; i++) {
		double want = i / OF_ROLE % 2 ? 1000.0 * (i / OF_ROLE) : 0;
		off += fabs((double)w.callers[i].milli[TOKENS_CACHE_WRITE] / 1000 - want);
		all += want;
	}
	if (!ok(off / all < 0.4, "roles of very many callers are told apart, beside those who use no such tokens"))
		diag("off by %.1f %%", 100 * off / all);
}

// Callers each of a role of its own, who call every second minute and whose calls differ by chance: an hour,
// written to *ret_stats.
static void make_hour_by_chance(struct lecture *l, const struct who *callers, const int64_t *means, int n,
                                struct arena *arena, struct str *ret_stats)
{
	make_hour(l, callers, means, n, 1, arena);
	for (int m = 0; m < 60; m++) {
		struct minute *at = &l->hour.minutes[m];
		at->metric[TOKENS_INPUT] = 0;
		for (int32_t i = 0; i < at->ncalls; i++)
			at->metric[TOKENS_INPUT] += means[at->calls[i].caller] * (1 + below(2000)) / 1000;
	}
	*ret_stats = stats_of(l, arena);
}

static void set_roles_apart(struct who *callers, int n, struct arena *arena)
{
	for (int i = 0; i < n; i++)
		callers[i].arn = arena_text(arena, "arn:aws:sts::111122223333:assumed-role/role-%02d/s", i);
}

// The sum of the differences from the true means, of all.
static double off_of(const struct weights *w, const int64_t *means, int n)
{
	double off = 0, all = 0;
	for (int i = 0; i < n; i++) {
		off += fabs((double)w->callers[i].milli[TOKENS_INPUT] / 1000 - (double)means[i]);
		all += (double)means[i];
	}
	return off / all;
}

// After an hour of callers whose means are a factor of two from each other.
static double off_of_factors(struct arena *arena)
{
	static struct lecture l;
	enum { N = 12 };
	struct who *callers = make_callers(arena, N);
	int64_t means[N];
	struct weights w;
	struct str stats;
	set_roles_apart(callers, N, arena);
	for (int i = 0; i < N; i++)
		means[i] = 20LL << i;
	make_hour_by_chance(&l, callers, means, N, arena, &stats);
	learn_weights(&(struct evidence_of_hours){&stats, 1, NULL, 0}, &l.span, 5, arena, &w);
	return off_of(&w, means, N);
}

// After a day in which every mean rises or falls by a quarter or a fifth each hour.
static double off_of_walks(struct arena *arena)
{
	static struct lecture l;
	enum { N = 5, DAY = 24 };
	struct who *callers = make_callers(arena, N);
	int64_t means[N];
	struct weights w;
	struct str stats[DAY];
	set_roles_apart(callers, N, arena);
	for (int i = 0; i < N; i++)
		means[i] = 2000;
	for (int h = 0; h < DAY; h++) {
		for (int i = 0; i < N; i++)
			means[i] = below(2) ? means[i] * 5 / 4 : means[i] * 4 / 5;
		make_hour_by_chance(&l, callers, means, N, arena, &stats[h]);
	}
	learn_weights(&(struct evidence_of_hours){stats, DAY, NULL, 0}, &l.span, 5, arena, &w);
	return off_of(&w, means, N);
}

static void factors(struct arena *arena)
{
	enum { WORLDS = 50 };
	double off = 0;
	for (int i = 0; i < WORLDS; i++)
		off += off_of_factors(arena) / WORLDS;
	if (!ok(off < 0.42, "means that differ by factors are not drawn to the middle"))
		diag("off by %.1f %%", 100 * off);
}

static void walks(struct arena *arena)
{
	enum { WORLDS = 120 };
	double off = 0;
	for (int i = 0; i < WORLDS; i++)
		off += off_of_walks(arena) / WORLDS;
	if (!ok(off < 0.16, "means that walk are followed"))
		diag("off by %.1f %%", 100 * off);
}

// The pace that a fit finds in a day whose means are steady, or walk by a quarter an hour, when another kind
// has the pace `other`.
static double pace_of_day(bool walks, double other, struct arena *arena)
{
	static struct lecture l;
	enum { N = 5, DAY = 24 };
	struct who *callers = make_callers(arena, N);
	struct hour_stats read[DAY];
	struct equations_hour hours[DAY];
	struct cache_users users = {.share = solve_zeros(arena, N), .sd = solve_zeros(arena, N)};
	const double *none = solve_zeros(arena, N);
	int32_t each[N];
	int64_t means[N];
	struct str stats;
	struct fit fit;
	set_roles_apart(callers, N, arena);
	for (int i = 0; i < N; i++) {
		means[i] = 2000;
		users.share[i] = 1;
		each[i] = i;
	}
	for (int h = 0; h < DAY; h++) {
		for (int i = 0; walks && i < N; i++)
			means[i] = below(2) ? means[i] * 5 / 4 : means[i] * 4 / 5;
		make_hour_by_chance(&l, callers, means, N, arena, &stats);
		if (!hour_stats_read(stats, arena, &read[h]) || read[h].n != N)
			return NAN;
		hours[h] = (struct equations_hour){&read[h], each};
	}
	fit_kind(&(struct fit_input){.hours = hours,
	                             .nhours = DAY,
	                             .n = N,
	                             .nroles = N,
	                             .role = each,
	                             .kind = TOKENS_INPUT,
	                             .users = &users,
	                             .exact_calls = none,
	                             .exact_tokens = none,
	                             .billed_calls = none,
	                             .billed_tokens = none,
	                             .walk = &other},
	         arena, &fit);
	return fit.walk;
}

// The pace of another kind is an upper bound: what is steady would be forgotten at the pace of what moves.
static void paces(struct arena *arena)
{
	enum { WORLDS = 40 };
	const double other = 0.1;
	double steady = 0, walking = 0;
	for (int i = 0; i < WORLDS; i++) {
		steady += pace_of_day(false, other, arena) / WORLDS;
		walking += pace_of_day(true, other, arena) / WORLDS;
	}
	if (!ok(steady < 0.6 * other, "means that are steady do not take the pace of those that move"))
		diag("%.3f of %.3f", steady, other);
	if (!ok(walking > 1.2 * steady && walking <= other, "... and means that walk take more of it"))
		diag("%.3f and %.3f of %.3f", walking, steady, other);
}

// Of callers that a bill has, after two hours.
static double off_of_billed(struct arena *arena)
{
	static struct lecture l;
	enum { N = 5, BILLED_CALLS = 500 };
	struct who *callers = make_callers(arena, N);
	struct billed_means bill[N];
	int64_t means[N];
	struct weights w;
	struct str stats[2];
	set_roles_apart(callers, N, arena);
	for (int i = 0; i < N; i++) {
		means[i] = 500LL << i;
		bill[i] = (struct billed_means){.arn = callers[i].arn, .calls = BILLED_CALLS};
		bill[i].tokens[TOKENS_INPUT] = BILLED_CALLS * means[i];
	}
	for (int h = 0; h < 2; h++)
		make_hour_by_chance(&l, callers, means, N, arena, &stats[h]);
	learn_weights(&(struct evidence_of_hours){stats, 2, bill, N}, &l.span, 5, arena, &w);
	return off_of(&w, means, N);
}

static void billed(struct arena *arena)
{
	enum { WORLDS = 40 };
	double off = 0;
	for (int i = 0; i < WORLDS; i++)
		off += off_of_billed(arena) / WORLDS;
	if (!ok(off < 0.03, "what a bill says is not forgotten in an hour"))
		diag("off by %.1f %%", 100 * off);
}

// What a caller's mean may be off by is divided, by how fast the doubt shrinks.
static void doubts(void)
{
	enum { WIDTH = 2, READ = 20 };
	double state[] = {100}, before[] = {400}, after[WIDTH] = {400}, none[] = {0}, calls[] = {5};
	struct fit_filter f = {.n = 1, .whole = true, .width = WIDTH, .state = state, .typical = 100};
	f.before = before;
	f.covariance = after;
	f.calls_of_hour = calls;
	f.check.hours = READ - 1;
	struct fit_doubt unmoved = fit_doubt_of(&f, 0, 300);
	after[0] = 400 - 400.0 / READ;
	struct fit_doubt steady = fit_doubt_of(&f, 0, 300);
	after[0] = 200;
	struct fit_doubt moving = fit_doubt_of(&f, 0, 300);
	f.calls_of_hour = none;
	struct fit_doubt silent = fit_doubt_of(&f, 0, 300);
	ok(unmoved.lasting == 300 && unmoved.passing == 0, "what is not learned lasts");
	ok(fabs(steady.lasting - 200) < 5 && fabs(steady.lasting + steady.passing - 300) < 1e-9,
	   "of what steady means may be off by, two thirds last");
	ok(moving.lasting < 75 && fabs(moving.lasting + moving.passing - 300) < 1e-9,
	   "where each hour is learned anew, most passes");
	ok(silent.lasting == 300 && silent.passing == 0,
	   "who does not call in the hour has nothing that passes with it");
}

// Cells show in the first hour whether noise and doubt are taken for too large; moves do later.
static void scales(void)
{
	struct fit_check none = {0}, quiet = {.squares = 12, .cells = 60}, moved = quiet;
	moved.moves = moved.expected = 100;
	ok(fit_check_scale(&none) == 1, "nothing seen: noise and doubt are what they are taken for");
	ok(fit_check_scale(&quiet) < 0.25, "cells that are off by little narrow the doubt before any size has moved");
	ok(fit_check_scale(&moved) > 0.95, "... less than many moves that are as expected");
}

// Callers whose bill is known, and who write to the cache in one call of four: of how many the mean writes of
// a call are known to a tenth.
static int known_writes(struct arena *arena)
{
	static struct lecture l;
	enum { N = 5, BILLED_CALLS = 500, MEAN = 1000, EACH = 4 };
	struct who *callers = make_callers(arena, N);
	struct billed_means bill[N];
	int64_t means[N] = {0};
	struct weights w;
	struct str stats;
	int known = 0;
	for (int i = 0; i < N; i++) {
		bill[i] = (struct billed_means){.arn = callers[i].arn, .calls = BILLED_CALLS};
		bill[i].tokens[TOKENS_CACHE_WRITE] = BILLED_CALLS * MEAN;
	}
	make_hour(&l, callers, means, N, 3, arena);
	for (int m = 0; m < 60; m++) {
		struct minute *at = &l.hour.minutes[m];
		at->has[TOKENS_CACHE_WRITE] = true;
		for (int32_t i = 0; i < at->ncalls; i++)
			for (int64_t k = 0; k < at->calls[i].n; k++)
				at->samples[TOKENS_CACHE_WRITE] += below(EACH) == 0;
		at->metric[TOKENS_CACHE_WRITE] = at->samples[TOKENS_CACHE_WRITE] * MEAN * EACH;
	}
	stats = stats_of(&l, arena);
	learn_weights(&(struct evidence_of_hours){&stats, 1, bill, N}, &l.span, 5, arena, &w);
	for (int i = 0; i < N; i++)
		known += w.callers[i].sd_permille[TOKENS_CACHE_WRITE] < 100;
	return known;
}

static void billed_writes(struct arena *arena)
{
	enum { WORLDS = 20 };
	int known = 0;
	for (int i = 0; i < WORLDS; i++)
		known += known_writes(arena);
	if (!ok(known > 3 * WORLDS, "which calls write is not known, but what they write in the mean is billed"))
		diag("of %d callers, of %d", known, 5 * WORLDS);
}

// Callers who all write to the cache in one call of eight, but different amounts: how far the mean writes of
// each are off after some hours.
static double off_of_seldom(struct arena *arena)
{
	static struct lecture l;
	enum { N = 4, EACH = 8 };
	struct who *callers = make_callers(arena, N);
	const int64_t none[N] = {0};
	struct str stats[HOURS];
	struct weights w;
	double off = 0;
	set_roles_apart(callers, N, arena);
	for (int h = 0; h < HOURS; h++) {
		make_hour(&l, callers, none, N, 2, arena);
		for (int m = 0; m < 60; m++) {
			struct minute *at = &l.hour.minutes[m];
			for (int32_t i = 0; i < at->ncalls; i++)
				for (int64_t k = 0; k < at->calls[i].n; k++) {
					bool writes = below(EACH) == 0;
					at->has[TOKENS_CACHE_WRITE] |= writes;
					at->samples[TOKENS_CACHE_WRITE] += writes;
					at->metric[TOKENS_CACHE_WRITE] += writes ? 8000LL << at->calls[i].caller : 0;
				}
		}
		stats[h] = stats_of(&l, arena);
	}
	learn_weights(&(struct evidence_of_hours){stats, HOURS, NULL, 0}, &l.span, 5, arena, &w);
	for (int i = 0; i < N; i++)
		off += fabs((double)w.callers[i].milli[TOKENS_CACHE_WRITE] / (double)(1000000LL << i) - 1) / N;
	return off;
}

static void seldom_writes(struct arena *arena)
{
	enum { WORLDS = 40 };
	double off = 0;
	for (int i = 0; i < WORLDS; i++)
		off += off_of_seldom(arena) / WORLDS;
	if (!ok(off < 0.27, "minutes in which nobody writes do not make writes small"))
		diag("off by %.1f %%", 100 * off);
}

// What lasts of the doubt about input, in the mean, after a day in which the means of both kinds walk: at
// once, or apart.
static double doubt_of_walks(bool at_once, struct arena *arena)
{
	static struct lecture l;
	enum { N = 5, DAY = 24 };
	struct who *callers = make_callers(arena, N);
	int64_t means[2][N];
	struct weights w;
	struct str stats[DAY];
	double doubt = 0;
	set_roles_apart(callers, N, arena);
	for (int i = 0; i < N; i++)
		means[0][i] = means[1][i] = 2000;
	for (int h = 0; h < DAY; h++) {
		for (int i = 0; i < N; i++) {
			bool input_rises = below(2), output_rises = at_once ? input_rises : below(2);
			means[0][i] = input_rises ? means[0][i] * 5 / 4 : means[0][i] * 4 / 5;
			means[1][i] = output_rises ? means[1][i] * 5 / 4 : means[1][i] * 4 / 5;
		}
		make_hour_by_chance(&l, callers, means[0], N, arena, &stats[h]);
		for (int m = 0; m < 60; m++) {
			struct minute *at = &l.hour.minutes[m];
			at->metric[TOKENS_OUTPUT] = 0;
			at->has[TOKENS_OUTPUT] = at->has[TOKENS_INPUT];
			at->samples[TOKENS_OUTPUT] = at->samples[TOKENS_INPUT];
			for (int32_t i = 0; i < at->ncalls; i++)
				at->metric[TOKENS_OUTPUT] += means[1][at->calls[i].caller] * (1 + below(2000)) / 1000;
		}
		stats[h] = stats_of(&l, arena);
	}
	learn_weights(&(struct evidence_of_hours){stats, DAY, NULL, 0}, &l.span, 5, arena, &w);
	for (int i = 0; i < N; i++)
		doubt += (double)w.callers[i].lasting_permille[TOKENS_INPUT] / N;
	return doubt;
}

static void kinds_at_once(struct arena *arena)
{
	enum { WORLDS = 20 };
	double at_once = 0, apart = 0;
	for (int i = 0; i < WORLDS; i++) {
		at_once += doubt_of_walks(true, arena) / WORLDS;
		apart += doubt_of_walks(false, arena) / WORLDS;
	}
	if (!ok(at_once > 1.3 * apart, "kinds that move at once leave more doubt than kinds that move apart"))
		diag("%.0f and %.0f permille", at_once, apart);
}

// Hours of one caller beside another, whose calls take more in some hours and less in others, by `permille`.
static int32_t doubt_of(const struct who *callers, int64_t permille, struct arena *arena)
{
	static struct lecture l;
	struct str stats[HOURS];
	struct weights w;
	for (int h = 0; h < HOURS; h++) {
		const int64_t means[] = {1000 + (h % 2 ? permille : -permille), 2000};
		make_hour(&l, callers, means, 2, 6, arena);
		stats[h] = stats_of(&l, arena);
	}
	learn_weights(&(struct evidence_of_hours){stats, HOURS, NULL, 0}, &l.span, 5, arena, &w);
	return w.callers[0].sd_permille[TOKENS_INPUT];
}

static void hours_apart(struct arena *arena)
{
	struct who *callers = make_callers(arena, 2);
	int32_t steady = doubt_of(callers, 0, arena), moody = doubt_of(callers, 500, arena);
	if (!ok(moody > 2 * steady, "hours that contradict each other leave more doubt than hours that agree"))
		diag("%d and %d permille", (int)steady, (int)moody);
}

// Every other minute takes half as much again as usual and those between half as much, so that hours are
// alike although minutes are not. What is left to chance, in thousandths of a token per token, by hours.
static int64_t chance_of(const struct who *callers, int hours, struct arena *arena)
{
	static const int64_t means[] = {1000, 2000};
	static struct lecture l;
	struct str stats[HOURS];
	struct weights w;
	for (int h = 0; h < hours; h++) {
		make_hour(&l, callers, means, 2, 6, arena);
		for (int m = 0; m < 60; m++)
			l.hour.minutes[m].metric[TOKENS_INPUT] =
				l.hour.minutes[m].metric[TOKENS_INPUT] * (m % 2 ? 3 : 1) / 2;
		stats[h] = stats_of(&l, arena);
	}
	learn_weights(&(struct evidence_of_hours){stats, hours, NULL, 0}, &l.span, 5, arena, &w);
	return w.callers[0].noise_milli[TOKENS_INPUT];
}

static void hours_alike(struct arena *arena)
{
	enum { WORLDS = 20 };
	struct who *callers = make_callers(arena, 2);
	int64_t first = 0, later = 0;
	for (int i = 0; i < WORLDS; i++) {
		first += chance_of(callers, 1, arena);
		later += chance_of(callers, HOURS, arena);
	}
	if (!ok(2 * later < first, "hours that agree leave less to chance than their minutes seem to"))
		diag("%lld and %lld thousandths", (long long)first, (long long)later);
}

// One caller alone, who reads `read` tokens a call from the cache and writes a thousand.
static bool may_pay(int64_t read, struct arena *arena)
{
	static struct lecture l;
	static const int64_t means[] = {100};
	struct str stats[HOURS];
	struct weights w;
	for (int h = 0; h < HOURS; h++) {
		make_hour(&l, make_callers(arena, 1), means, 1, 6, arena);
		for (int m = 0; m < 60; m++) {
			struct minute *at = &l.hour.minutes[m];
			at->metric[TOKENS_CACHE_READ] = at->metric[TOKENS_INPUT] / 100 * read;
			at->metric[TOKENS_CACHE_WRITE] = at->metric[TOKENS_INPUT] / 100 * 1000;
		}
		stats[h] = stats_of(&l, arena);
	}
	learn_weights(&(struct evidence_of_hours){stats, HOURS, NULL, 0}, &l.span, 5, arena, &w);
	return w.callers[0].ttl_may_be_1h;
}

static void ttl(struct arena *arena)
{
	ok(!may_pay(300, arena), "who reads little of what it writes has no use for the longer TTL");
	ok(may_pay(900, arena), "who reads nearly as much as it writes may have it");
}

// Roles of which one member calls often, so that more is known of it than of what it has in common with the
// others, who call once an hour. What calls take goes up and down for minutes: the noise goes together.
static double off_of_known(struct arena *arena)
{
	static struct lecture l;
	enum { ROLES = 12, EACH = 4, N = ROLES * EACH, OFTEN = 20, WAVE = 40 };
	struct who *callers = make_callers(arena, N);
	int64_t means[N];
	struct str stats;
	struct weights w;
	double off = 0;
	for (int i = 0; i < N; i++) {
		callers[i].arn = arena_text(arena, "arn:aws:sts::111122223333:assumed-role/role-%02d/%d", i / EACH, i % EACH);
		means[i] = 100LL << below(6);
	}
	make_hour(&l, callers, means, N, 0, arena);
	for (int m = 0; m < 60; m++) {
		struct minute *at = &l.hour.minutes[m];
		for (int i = 0; i < N; i++) {
			int64_t calls = i % EACH ? m == 30 : m % ROLES == i / EACH ? OFTEN : 0;
			double usual = (double)(calls * means[i]);
			if (calls)
				at->calls[at->ncalls++] = (struct calls){.caller = i, .n = calls};
			at->metric[TOKENS_INPUT] += (int64_t)(usual * (1 + 0.8 * sin(6.2832 * m / WAVE)));
		}
	}
	stats = stats_of(&l, arena);
	learn_weights(&(struct evidence_of_hours){&stats, 1, NULL, 0}, &l.span, 5, arena, &w);
	for (int i = 0; i < N; i += EACH)
		off += off_by(&w, i, (double)means[i]) / ROLES;
	return off;
}

static void known_beside_unknown(struct arena *arena)
{
	enum { WORLDS = 20 };
	double off = 0;
	for (int i = 0; i < WORLDS; i++)
		off += off_of_known(arena) / WORLDS;
	if (!ok(off < 0.5, "who is known well is found beside those of its role who are not"))
		diag("off by %.1f %%", 100 * off);
}

// The input of every call is known one by one, and of one caller the output as well: no call lacks input, so
// those that lack output are others.
static void input_known(struct arena *arena)
{
	static struct lecture l;
	const int64_t input[] = {1000, 2000}, output[] = {50, 700};
	struct str stats[HOURS];
	struct weights w;
	struct who *callers = make_callers(arena, 2);
	for (int h = 0; h < HOURS; h++) {
		make_hour(&l, callers, input, 2, 3, arena);
		for (int m = 0; m < 60; m++) {
			struct minute *at = &l.hour.minutes[m];
			at->has[TOKENS_OUTPUT] = true;
			for (int32_t i = 0; i < at->ncalls; i++) {
				struct calls *c = &at->calls[i];
				for (int kind = TOKENS_INPUT; kind <= TOKENS_OUTPUT; kind++) {
					if (kind == TOKENS_OUTPUT && c->caller == 1)
						continue;
					c->exact_n[kind] = c->n;
					c->exact[kind] = c->n * (kind == TOKENS_INPUT ? input : output)[c->caller];
				}
				at->metric[TOKENS_OUTPUT] += c->n * output[c->caller];
			}
		}
		for (int m = 0; m < 60; m++) // a cell has calls of both
			if (l.hour.minutes[m].ncalls < 2)
				l.hour.minutes[m] = (struct minute){.ncalls = 0};
		stats[h] = stats_of(&l, arena);
	}
	learn_weights(&(struct evidence_of_hours){stats, HOURS, NULL, 0}, &l.span, 5, arena, &w);
	is_int(w.callers[1].source[TOKENS_OUTPUT], WEIGHT_MINUTES,
	       "output is learned from minutes, though the input of all calls is known");
	ok(off_by(&w, 0, 1000) < 0.1, "and so is the input of a caller of whom all is known");
}

// Figures from one to past what any metric may say, all kinds of nothing, exact calls that outdo the metric.
static void extremes(struct arena *arena)
{
	static struct lecture l;
	bool good = true;
	for (int round = 0; good && round < 60; round++) {
		int n = 1 + (int)below(80);
		int64_t *means = arena_alloc(arena, (size_t)n * sizeof *means);
		struct str stats[4];
		struct weights w;
		struct who *callers = make_callers(arena, n);
		for (int h = 0; h < 4; h++) {
			for (int i = 0; i < n; i++)
				means[i] = below(3) ? (int64_t)(rng() >> (30 + below(34))) : 0;
			make_hour(&l, callers, means, n, below(5) ? 3 : 100000, arena);
			for (int m = 0; m < 60; m++) {
				struct minute *at = &l.hour.minutes[m];
				at->metered = below(4);
				for (int kind = 0; kind < METRIC_KINDS; kind++) {
					if (below(3) == 0)
						at->metric[kind] = (int64_t)(rng() >> (11 + below(53)));
					at->samples[kind] = below(2) ? 0 : (int64_t)(rng() >> (24 + below(40)));
				}
				for (int32_t i = 0; i < at->ncalls; i++) {
					struct calls *c = &at->calls[i];
					c->exact_n[TOKENS_OUTPUT] = below(2) ? 0 : below(c->n + 1);
					c->exact[TOKENS_OUTPUT] =
						c->exact_n[TOKENS_OUTPUT] ? (int64_t)(rng() >> (20 + below(44))) : 0;
				}
			}
			stats[h] = stats_of(&l, arena);
		}
		learn_weights(&(struct evidence_of_hours){stats, 4, NULL, 0}, &l.span, 5, arena, &w);
		good = are_weights(&w, n);
		arena_reset(arena);
	}
	ok(good, "whatever the figures, a weight is a number from nothing to 10^15 tokens");
}

int main(void)
{
	struct arena arena = ARENA_INIT;
	diag("NOWCAST_SEED=%llu", (unsigned long long)seed_rng());
	round_trip(&arena);
	order(&arena);
	recovers(&arena);
	newcomers(&arena);
	unlike(&arena);
	many_unlike(&arena);
	factors(&arena);
	walks(&arena);
	paces(&arena);
	kinds_at_once(&arena);
	billed(&arena);
	doubts();
	scales();
	billed_writes(&arena);
	seldom_writes(&arena);
	hours_apart(&arena);
	hours_alike(&arena);
	known_beside_unknown(&arena);
	ttl(&arena);
	many(&arena);
	input_known(&arena);
	extremes(&arena);
	arena_release(&arena);
	return done();
}
