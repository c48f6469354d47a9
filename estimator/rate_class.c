// SPDX-License-Identifier: Apache-2.0
// Most metrics know no rate classes, so the split of a cell among callers (allocate.c) does not either: a
// caller's part is divided among its rate classes afterwards, call by call alike, which for one caller in one
// hour is as good as anything that is known.
#include "estimator/rate_class.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "estimator/apportion.h"
#include "estimator/tier_metric.h"

__extension__ typedef __int128 wide;

static const int64_t limits[] = {RATE_CLASS_LIMITS};

enum { LIMITS = sizeof limits / sizeof *limits };

_Static_assert(LIMITS + 1 <= RATE_CLASS_BAND_MASK, "a band fits into its bits");

int rate_class_of(enum price_tier tier, int64_t prompt, bool complete)
{
	int band = 1;
	if (!complete && prompt <= limits[0])
		return (int)tier;
	while (band <= LIMITS && prompt > limits[band - 1])
		band++;
	return (int)tier | band << RATE_CLASS_BAND_SHIFT | (complete ? 0 : RATE_CLASS_AT_LEAST);
}

void rate_class_prompt(int rate_class, int64_t *ret_from, int64_t *ret_to)
{
	int band = rate_class_band(rate_class);
	*ret_from = band < 2 ? 0 : limits[band - 2 < LIMITS ? band - 2 : LIMITS - 1] + 1;
	*ret_to = band == 0 || band > LIMITS || rate_class & RATE_CLASS_AT_LEAST ? INT64_MAX : limits[band - 1];
}

char *rate_class_format(int rate_class, char *buf)
{
	int64_t from, to;
	const char *tier = price_tier_names[rate_class_tier(rate_class)];
	rate_class_prompt(rate_class, &from, &to);
	if (!rate_class_prompt_known(rate_class))
		snprintf(buf, RATE_CLASS_TEXT_SIZE, "%s%s", rate_class_tier(rate_class) ? "@" : "",
		         rate_class_tier(rate_class) ? tier : "");
	else if (from == 0)
		snprintf(buf, RATE_CLASS_TEXT_SIZE, "@%s<=%lld", tier, (long long)limits[0]);
	else
		snprintf(buf, RATE_CLASS_TEXT_SIZE, "@%s>%lld%s", tier, (long long)from - 1,
		         rate_class & RATE_CLASS_AT_LEAST ? "+" : "");
	return buf;
}

bool rate_class_parse(struct str text, int *ret)
{
	char buf[RATE_CLASS_TEXT_SIZE];
	int tier = 0, band = 0, open = 0;
	struct str word = text;
	if (!text.len) {
		*ret = 0;
		return true;
	}
	for (word.len = 0; word.len < text.len && text.p[word.len] >= 'a' && text.p[word.len] <= 'z';)
		word.len++;
	while (tier < PRICE_TIERS && !str_is(word, price_tier_names[tier]))
		tier++;
	if (tier == PRICE_TIERS)
		return false;
	if (word.len < text.len) {
		band = text.p[word.len] == '<' ? 1 : 2;
		open = str_ends(text, STR("+")) ? RATE_CLASS_AT_LEAST : 0;
		struct str number = {text.p + word.len + 1, text.len - word.len - 1};
		int64_t limit = 0;
		for (size_t i = 0; i < number.len && i < 9; i++)
			limit = number.p[i] >= '0' && number.p[i] <= '9' ? 10 * limit + (number.p[i] - '0') : limit;
		while (band > 1 && band <= LIMITS && limits[band - 2] != limit)
			band++;
	}
	int rate_class = tier | band << RATE_CLASS_BAND_SHIFT | open;
	if (!str_is(text, rate_class_format(rate_class, buf) + 1)) // nothing but what is written here is read
		return false;
	*ret = rate_class;
	return true;
}

// ---- splitting ----------------------------------------------------------------------------------

struct rate_class_calls {
	struct rate_class_usage out;
	// calls without tokens, of the hour, and of the minutes before it
	int64_t lacking[METRIC_KINDS], before[METRIC_KINDS];
};

struct splitting {
	struct arena *arena;
	struct rate_class_calls *v;
	int32_t n, cap;
	struct map index;
	bool any; // a rate class other than 0
};

static struct rate_class_calls *find(struct splitting *x, int32_t caller, uint8_t rate_class)
{
	bool added;
	int32_t *at = map_add(&x->index, (uint64_t)(uint32_t)caller * RATE_CLASSES + rate_class, x->n, &added);
	if (!added)
		return &x->v[*at];
	if (x->n == x->cap) {
		struct rate_class_calls *more =
			arena_alloc(x->arena, (size_t)(x->cap = x->cap ? 2 * x->cap : 64) * sizeof *more);
		if (x->n)
			memcpy(more, x->v, (size_t)x->n * sizeof *more);
		x->v = more;
	}
	x->v[x->n] = (struct rate_class_calls){.out = {.caller = caller, .rate_class = rate_class}};
	return &x->v[x->n++];
}

static void add_calls(struct splitting *x, const struct calls *c, bool in_hour)
{
	struct rate_class_calls *l = find(x, c->caller, c->rate_class);
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		*(in_hour ? &l->lacking[kind] : &l->before[kind]) +=
			c->n > c->exact_n[kind] ? c->n - c->exact_n[kind] : 0;
	if (in_hour)
		caller_usage_add(&l->out.usage, c);
}

static void gather(struct splitting *x, const struct span *s, int lookback)
{
	for (int m = -lookback; m < 60 && !x->any; m++) {
		const struct minute *at = span_minute(s, m);
		for (int32_t i = 0; at && i < at->ncalls; i++)
			x->any |= at->calls[i].rate_class != 0;
	}
	for (int m = -lookback; m < 60 && x->any; m++) {
		const struct minute *at = span_minute(s, m);
		for (int32_t i = 0; at && i < at->ncalls; i++)
			add_calls(x, &at->calls[i], m >= 0);
	}
}

static int by_caller_and_rate_class(const void *a, const void *b)
{
	const struct rate_class_usage *x = &((const struct rate_class_calls *)a)->out,
								  *y = &((const struct rate_class_calls *)b)->out;
	return x->caller != y->caller ? (x->caller > y->caller) - (x->caller < y->caller)
	                              : x->rate_class - y->rate_class;
}

// A part of a doubt, as its tokens are a part of the allocated ones.
static int64_t part_of(int64_t whole, int64_t tokens, int64_t all)
{
	return all > 0 ? (int64_t)((wide)whole * tokens / all) : 0;
}

// One kind of one caller, whose rate classes are v[0..n-1].
static void split_kind(struct rate_class_calls *v, int32_t n, int kind, const struct caller_usage *u)
{
	int64_t weights[RATE_CLASSES] = {0}, allocated[RATE_CLASSES], provisional[RATE_CLASSES], calls = 0;
	const struct shares *all = &u->by_kind[kind];
	int64_t whole = all->allocated + all->provisional;
	for (int32_t i = 0; i < n; i++)
		calls += v[i].lacking[kind];
	for (int32_t i = 0; i < n; i++) // if none: the metric came for the calls of the minutes before
		weights[i] = calls ? v[i].lacking[kind] : v[i].before[kind];
	apportion(u->by_kind[kind].allocated, weights, n, allocated);
	apportion(u->by_kind[kind].provisional, weights, n, provisional);
	for (int32_t i = 0; i < n; i++) {
		struct caller_usage *to = &v[i].out.usage;
		to->by_kind[kind].allocated = allocated[i];
		to->by_kind[kind].provisional = provisional[i];
		to->cache_unknown[kind] = part_of(u->cache_unknown[kind], allocated[i] + provisional[i], whole);
		to->spread[kind] = part_of(u->spread[kind], allocated[i], u->by_kind[kind].allocated);
		to->noise[kind] = part_of(u->noise[kind], allocated[i], u->by_kind[kind].allocated);
	}
}

void rate_class_split(const struct span *s, int lookback, const struct hour_usage *u, struct arena *arena,
                      struct rate_classes *ret)
{
	bool tiers = tier_metric_known(s);
	struct splitting x = {.arena = arena, .any = tiers};
	*ret = (struct rate_classes){0};
	gather(&x, s, lookback);
	map_release(&x.index);
	if (!x.any)
		return;
	if (x.n > 1)
		qsort(x.v, (size_t)x.n, sizeof *x.v, by_caller_and_rate_class);
	struct rate_class_usage *out = arena_alloc(arena, ((size_t)x.n + 1) * sizeof *out);
	for (int32_t i = 0, end; i < x.n; i = end) {
		const struct caller_usage *whole = &u->callers[x.v[i].out.caller];
		for (end = i + 1; end < x.n && x.v[end].out.caller == x.v[i].out.caller;)
			end++;
		if (end == i + 1 && x.v[i].out.rate_class == 0 && !tiers)
			continue;
		for (int kind = 0; kind < METRIC_KINDS; kind++)
			split_kind(x.v + i, end - i, kind, whole);
		for (int32_t k = i; k < end; k++) {
			x.v[k].out.usage.ttl_permille = whole->ttl_permille;
			x.v[k].out.usage.ttl_source = whole->ttl_source;
			x.v[k].out.usage.ttl_may_be_1h = whole->ttl_may_be_1h;
			x.v[k].out.usage.prompt_max = whole->prompt_max;
			out[ret->n++] = x.v[k].out;
		}
	}
	if (tiers) {
		struct caller_usage *nobody = &out[ret->n].usage;
		out[ret->n++] = (struct rate_class_usage){
			.caller = s->ncallers,
			.usage = {.ttl_permille = u->ttl_permille,
		              .ttl_source = u->ttl_source,
		              .ttl_may_be_1h = true,
		              .prompt_max = u->prompt_max}};
		for (int kind = 0; kind < METRIC_KINDS; kind++) {
			nobody->by_kind[kind].allocated = u->unattributed[kind];
			nobody->cache_unknown[kind] = u->cache_unknown[kind];
		}
	}
	ret->v = tiers ? tier_metric_shift(s, out, &ret->n, arena) : out;
}

const struct rate_class_usage *rate_classes_of(const struct rate_classes *l, int32_t caller, int32_t *ret_n)
{
	int32_t low = 0, high = l->n, end;
	while (low < high) {
		int32_t middle = low + (high - low) / 2;
		if (l->v[middle].caller < caller)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < l->n && l->v[end].caller == caller;)
		end++;
	*ret_n = end - low;
	return l->v + low;
}
