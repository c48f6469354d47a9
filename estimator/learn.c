// SPDX-License-Identifier: Apache-2.0
// Means are fractions of integers, rounded to thousandths of a token, so that every machine computes the same weights.
#include "estimator/learn.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/map.h"

enum { SHRINK_CALLS = 3 }; // the model's mean counts as that many calls of the principal

struct tally {
	int64_t n[METRIC_SLOTS], tokens[METRIC_SLOTS];
};

static uint64_t arn_key(struct str arn)
{
	return XXH3_64bits(arn.p, arn.len);
}

// Exact calls by principal: callers are sorted by arn, so those of one principal stand together.
void lesson_write(const struct span *s, const struct hour_usage *u, struct buf *ret)
{
	struct tally *by_caller = xcalloc((size_t)s->ncallers + 1, sizeof *by_caller);
	bool any = false;
	for (int m = 0; m < 60; m++) {
		const struct minute *at = span_minute(s, m);
		for (int32_t i = 0; at && i < at->ncalls; i++) {
			const struct calls *c = &at->calls[i];
			for (int slot = 0; slot < METRIC_SLOTS; slot++) {
				by_caller[c->caller].n[slot] += c->exact_n[slot];
				by_caller[c->caller].tokens[slot] += c->exact[slot];
			}
		}
	}
	for (int slot = 0; slot < METRIC_SLOTS; slot++)
		any |= u->lacking[slot] > 0;
	if (any) {
		buf_adds(ret, "*");
		for (int slot = 0; slot < METRIC_SLOTS; slot++)
			buf_addf(ret, " %lld %lld", (long long)u->lacking[slot], (long long)u->residual[slot]);
		buf_addc(ret, '\n');
	}
	for (int32_t i = 0; i < s->ncallers;) {
		struct tally t = {0};
		struct str arn = s->callers[i].arn;
		bool exact = false;
		for (; i < s->ncallers && str_eq(s->callers[i].arn, arn); i++) {
			for (int slot = 0; slot < METRIC_SLOTS; slot++) {
				t.n[slot] += by_caller[i].n[slot];
				t.tokens[slot] += by_caller[i].tokens[slot];
				exact |= t.n[slot] > 0;
			}
		}
		if (!exact)
			continue;
		buf_addstr(ret, arn);
		for (int slot = 0; slot < METRIC_SLOTS; slot++)
			buf_addf(ret, " %lld %lld", (long long)t.n[slot], (long long)t.tokens[slot]);
		buf_addc(ret, '\n');
	}
	free(by_caller);
}

static bool read_number(struct str *line, int64_t *ret)
{
	struct str word = str_cut(line, ' ');
	int64_t v = 0;
	if (word.len == 0 || word.len > 18)
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (word.p[i] < '0' || word.p[i] > '9')
			return false;
		v = v * 10 + (word.p[i] - '0');
	}
	*ret = v;
	return true;
}

static bool read_tally(struct str line, struct tally *ret)
{
	for (int slot = 0; slot < METRIC_SLOTS; slot++)
		if (!read_number(&line, &ret->n[slot]) || !read_number(&line, &ret->tokens[slot]))
			return false;
	return true;
}

static void add_tally(struct tally *to, const struct tally *t)
{
	for (int slot = 0; slot < METRIC_SLOTS; slot++) {
		to->n[slot] += t->n[slot];
		to->tokens[slot] += t->tokens[slot];
	}
}

// Tokens a call in thousandths; 0: not known. A mean that is known is at least 1, so that nobody starves.
static int64_t mean_milli(int64_t tokens, int64_t n)
{
	__extension__ __int128 milli = (__extension__ (__int128)tokens * 1000 + n / 2) / (n ? n : 1);
	if (n == 0)
		return 0;
	return milli < 1 ? 1 : milli > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)milli;
}

static int64_t shrunk_milli(int64_t tokens, int64_t n, int64_t model_milli)
{
	__extension__ __int128 milli = (__extension__ (__int128)tokens * 1000 + (__extension__ (__int128)model_milli * SHRINK_CALLS)) / (n + SHRINK_CALLS);
	return milli < 1 ? 1 : milli > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)milli;
}

void learn_weights(const struct str *lessons, int n, const struct span *s, struct arena *arena, struct weights *ret)
{
	struct map principals = MAP_INIT; // of arn_key -> index into tallies, for the span's callers
	struct tally *tallies = xcalloc((size_t)s->ncallers + 1, sizeof *tallies), shared = {0}, exact = {0};
	bool added;
	for (int32_t i = 0; i < s->ncallers; i++)
		map_add(&principals, arn_key(s->callers[i].arn), i, &added);
	for (int i = 0; i < n; i++) {
		struct str text = lessons[i];
		while (text.len) {
			struct str line = str_cut(&text, '\n'), who = str_cut(&line, ' ');
			struct tally t;
			if (!read_tally(line, &t))
				continue;
			if (str_is(who, "*")) {
				add_tally(&shared, &t);
				continue;
			}
			add_tally(&exact, &t);
			int32_t *at = map_find(&principals, arn_key(who));
			if (at)
				add_tally(&tallies[*at], &t);
		}
	}
	ret->per_caller = arena_alloc(arena, ((size_t)s->ncallers + 1) * sizeof *ret->per_caller);
	for (int slot = 0; slot < METRIC_SLOTS; slot++) {
		int64_t model = exact.n[slot] ? mean_milli(exact.tokens[slot], exact.n[slot]) : mean_milli(shared.tokens[slot], shared.n[slot]);
		for (int32_t i = 0; i < s->ncallers; i++) {
			const struct tally *t = &tallies[*map_find(&principals, arn_key(s->callers[i].arn))];
			ret->per_caller[i][slot] = t->n[slot] ? shrunk_milli(t->tokens[slot], t->n[slot], model) : model;
		}
	}
	free(tallies);
	map_release(&principals);
}
