// SPDX-License-Identifier: Apache-2.0
#include "estimator/tier_metric.h"

#include <stdlib.h>
#include <string.h>

#include "estimator/apportion.h"

__extension__ typedef __int128 wide;

bool tier_metric_known(const struct span *s)
{
	for (int m = 0; m < 60; m++) {
		const struct minute *at = span_minute(s, m);
		if (at && at->of_tier)
			return true;
	}
	return false;
}

static int64_t tier_tokens(const struct span *s, int tier, int kind)
{
	int64_t sum = 0;
	for (int m = 0; m < 60; m++) {
		const struct minute *at = span_minute(s, m);
		if (at && at->of_tier && __builtin_add_overflow(sum, at->of_tier[tier][kind], &sum))
			return INT64_MAX;
	}
	return sum;
}

static int64_t metered_tokens(const struct shares *x)
{
	return x->exact + x->allocated; // provisional tokens have no metric yet
}

static int64_t part_of(int64_t whole, int64_t tokens, int64_t all)
{
	return all > 0 ? (int64_t)((wide)whole * tokens / all) : 0;
}

static int64_t subtract_part(int64_t *from, int64_t part)
{
	*from -= part;
	return part;
}

// Moves tokens of one kind: allocated ones first, since they are less certain.
static void move_tokens(struct caller_usage *from, struct caller_usage *to, int kind, int64_t tokens)
{
	struct shares *f = &from->by_kind[kind], *t = &to->by_kind[kind];
	int64_t allocated = tokens < f->allocated ? tokens : f->allocated, exact = tokens - allocated;
	to->spread[kind] +=
		subtract_part(&from->spread[kind], part_of(from->spread[kind], allocated, f->allocated));
	to->cache_unknown[kind] +=
		subtract_part(&from->cache_unknown[kind],
	                  part_of(from->cache_unknown[kind], allocated, f->allocated + f->provisional));
	to->noise[kind] += subtract_part(&from->noise[kind], part_of(from->noise[kind], allocated, f->allocated));
	if (kind == TOKENS_CACHE_WRITE) {
		to->exact_1h += subtract_part(&from->exact_1h, part_of(from->exact_1h, exact, f->exact));
		to->exact_ttl += subtract_part(&from->exact_ttl, part_of(from->exact_ttl, exact, f->exact));
	}
	to->telemetry[kind] +=
		subtract_part(&from->telemetry[kind], part_of(from->telemetry[kind], exact, f->exact));
	t->allocated += subtract_part(&f->allocated, allocated);
	t->exact += subtract_part(&f->exact, exact);
}

static int by_caller_and_rate_class(const void *a, const void *b)
{
	const struct rate_class_usage *x = a, *y = b;
	return x->caller != y->caller ? (x->caller > y->caller) - (x->caller < y->caller)
	                              : x->rate_class - y->rate_class;
}

struct tier_shift {
	struct rate_class_usage *v;
	int32_t had, n;           // rows that calls are in; with those added here
	// by row and tier: the row of the same caller and prompt band in that tier; -1: not searched yet
	int32_t *row_in_tier;
	int64_t *weights, *parts; // by rate class
};

static struct rate_class_usage *find_row_in_tier(struct tier_shift *x, int32_t i, int tier)
{
	const struct rate_class_usage l = x->v[i];
	uint8_t rate_class = (uint8_t)((l.rate_class & ~7) | tier);
	int32_t *at = &x->row_in_tier[i * PRICE_TIERS + tier];
	// standard is the first of a caller's tiers
	for (int32_t k = i + 1; *at < 0 && k < x->had && x->v[k].caller == l.caller; k++)
		if (x->v[k].rate_class == rate_class)
			*at = k;
	if (*at < 0) {
		*at = x->n++;
		x->v[*at] = (struct rate_class_usage){
			.caller = l.caller,
			.rate_class = rate_class,
			.usage = {.ttl_permille = l.usage.ttl_permille,
		              .ttl_source = l.usage.ttl_source,
		              .ttl_may_be_1h = l.usage.ttl_may_be_1h,
		              .prompt_max = l.usage.prompt_max}};
	}
	return &x->v[*at];
}

static void shift_tier(struct tier_shift *x, int tier, int kind, int64_t want)
{
	int64_t pool = 0;
	for (int32_t i = 0; i < x->had; i++) {
		const struct shares *shares = &x->v[i].usage.by_kind[kind];
		if (rate_class_tier(x->v[i].rate_class) == (enum price_tier)tier)
			want -= metered_tokens(shares);
		x->weights[i] = rate_class_tier(x->v[i].rate_class) == TIER_STANDARD ? metered_tokens(shares) : 0;
		pool += x->weights[i];
	}
	want = want < pool ? want : pool;
	if (want <= 0)
		return;
	apportion(want, x->weights, x->had, x->parts);
	for (int32_t i = 0; i < x->had; i++)
		if (x->parts[i])
			move_tokens(&x->v[i].usage, &find_row_in_tier(x, i, tier)->usage, kind, x->parts[i]);
}

struct rate_class_usage *tier_metric_shift(const struct span *s, const struct rate_class_usage *v, int32_t *n,
                                           struct arena *arena)
{
	size_t had = (size_t)*n, room = had * PRICE_TIERS + 1;
	struct tier_shift x = {
		.v = arena_alloc(arena, room * sizeof *x.v),
		.had = *n,
		.n = *n,
		.row_in_tier = arena_alloc(arena, room * sizeof *x.row_in_tier),
		.weights = arena_alloc(arena, (had + 1) * sizeof *x.weights),
		.parts = arena_alloc(arena, (had + 1) * sizeof *x.parts),
	};
	memset(x.row_in_tier, 0xff, room * sizeof *x.row_in_tier);
	if (had)
		memcpy(x.v, v, had * sizeof *x.v);
	for (int tier = TIER_STANDARD + 1; had && tier < PRICE_TIERS; tier++)
		for (int kind = 0; kind < METRIC_KINDS; kind++)
			shift_tier(&x, tier, kind, tier_tokens(s, tier, kind));
	if (x.n > 1)
		qsort(x.v, (size_t)x.n, sizeof *x.v, by_caller_and_rate_class);
	*n = x.n;
	return x.v;
}
