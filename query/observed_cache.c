// SPDX-License-Identifier: Apache-2.0
#include "query/observed_cache.h"

#include "base/hash.h"
#include "base/when.h"
#include "query/minutes.h"

enum {
	KEPT_MS = 1500,            // as long as sums of the present hour
	MINUTES_KEPT_MS = 300000,  // of past hours: how they are spread seldom changes
	COST_FACTOR = 30,
	DAYS_AT_ONCE = 62,         // this month and the last one in one reading
};

static bool is_place(enum group_by by)
{
	return by == BY_ACCOUNT || by == BY_REGION;
}

static uint64_t digest_filter(const struct group_filter *only, bool places)
{
	uint64_t digest = 0;
	for (int i = 0; only && i < only->by.n; i++) {
		if (places && !is_place(only->by.by[i]))
			continue;
		digest = hash64_seeded(only->value[i].p, only->value[i].len,
		                       digest * 31 + (uint64_t)only->by.by[i] * 2 + only->is_pattern[i] + 1);
		digest = hash64_seeded(only->by.name[i].p, only->by.name[i].len, digest);
	}
	return digest;
}

static bool is_fresh(int64_t read_ms, int64_t cost_ms, int64_t keep_ms)
{
	int64_t keep = cost_ms * COST_FACTOR > keep_ms ? cost_ms * COST_FACTOR : keep_ms;
	return read_ms && when_ticks_ms() - read_ms <= keep;
}

const struct observed *observed_cache_get(struct observed_cache *c, struct view *v, struct observed_query q,
                                          struct err *err)
{
	uint64_t digest = digest_filter(q.only, true);
	struct observed_slot *oldest = c->observed;
	int64_t began = when_ticks_ms(), day = q.now_ms / MS_PER_HOUR / 24;
	for (struct observed_slot *s = c->observed; s < c->observed + OBSERVED_SLOTS; s++) {
		if (s->only == digest && s->from <= q.from && s->to >= q.to &&
		    s->observed.now == q.now_ms / MS_PER_MINUTE && is_fresh(s->read_ms, s->cost_ms, KEPT_MS))
			return &s->observed;
		if (s->read_ms < oldest->read_ms)
			oldest = s;
	}
	if (q.from >= (day - DAYS_AT_ONCE) * 24 && q.to <= (day + 1) * 24) {
		q.from = (day - DAYS_AT_ONCE) * 24;
		q.to = (day + 1) * 24;
	}
	observed_release(&oldest->observed);
	oldest->read_ms = 0;
	if (!observed_load(&oldest->observed, view_redis(v), view_prefix(v), &q, err))
		return NULL;
	oldest->only = digest;
	oldest->from = q.from;
	oldest->to = q.to;
	oldest->read_ms = when_ticks_ms();
	oldest->cost_ms = oldest->read_ms - began;
	return &oldest->observed;
}

const struct usd *observed_cache_minutes(struct observed_cache *c, struct view *v,
                                         const struct group_filter *only, int64_t hour, int64_t now_ms,
                                         struct err *err)
{
	static const struct group_filter none = {.by = {.n = 0}};
	const struct grouping all = {.n = 0};
	uint64_t digest = digest_filter(only, false);
	struct minute_slot *oldest = c->minutes;
	struct group minutes[60] = {0};
	int64_t began = when_ticks_ms(), keep = now_ms / MS_PER_HOUR - hour > 2 ? MINUTES_KEPT_MS : KEPT_MS;
	for (struct minute_slot *s = c->minutes; s < c->minutes + MINUTE_SLOTS; s++) {
		if (s->only == digest && s->hour == hour && is_fresh(s->read_ms, s->cost_ms, keep))
			return s->usd;
		if (s->read_ms < oldest->read_ms)
			oldest = s;
	}
	const struct minutes_query q = {
		.by = &all, .only = only ? only : &none, .from = hour, .to = hour + 1, .now_ms = now_ms};
	oldest->read_ms = 0;
	if (!minutes_spread(v, &q, minutes, NULL, err))
		return NULL;
	for (int i = 0; i < 60; i++)
		oldest->usd[i] = minutes[i].usd;
	oldest->only = digest;
	oldest->hour = hour;
	oldest->read_ms = when_ticks_ms();
	oldest->cost_ms = oldest->read_ms - began;
	return oldest->usd;
}

void observed_cache_release(struct observed_cache *c)
{
	for (int i = 0; i < OBSERVED_SLOTS; i++)
		observed_release(&c->observed[i].observed);
}
