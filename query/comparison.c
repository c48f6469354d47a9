// SPDX-License-Identifier: Apache-2.0
#include "query/comparison.h"

#include <stdlib.h>

#include "base/when.h"

enum { HOUR = 60, BY_MINUTE_MAX = 3 }; // hours of a span whose minutes are read; others are spread evenly

struct comparing {
	const struct comparison_query *q;
	struct rollups *rollups;
	bool *same;     // minutes that were observed of both
	struct usd *usd; // of each hour of the span in hand
	int64_t first, hours;
};

static void add_hours(void *user, const struct groups *g)
{
	struct comparing *c = user;
	for (int32_t i = 0; i < g->n; i++) {
		int64_t ms = 0;
		when_parse(g->list[i].keys[0], &ms);
		int64_t at = ms / MS_PER_HOUR - c->first;
		if (at >= 0 && at < c->hours)
			c->usd[at] = g->list[i].usd;
	}
}

// Of an hour, what its compared minutes come to.
static bool add_part(struct comparing *c, int64_t hour, int64_t observed, int *by_minute, struct usd *ret,
                     struct err *err)
{
	const bool *same = c->same + hour * HOUR;
	int64_t n = 0, length = c->q->minutes - hour * HOUR < HOUR ? c->q->minutes - hour * HOUR : HOUR;
	for (int i = 0; i < length; i++)
		n += same[i];
	if (n == 0 || c->usd[hour].pico == 0)
		return true;
	if (n >= observed) {
		*ret = usd_add(*ret, c->usd[hour]);
		return true;
	}
	if (++*by_minute > BY_MINUTE_MAX) {
		*ret = usd_add(*ret, usd_muldiv(c->usd[hour], n, observed));
		return true;
	}
	const struct usd *minutes =
		rollups_minutes(c->rollups, c->q->only, c->first + hour, c->q->now_ms, err);
	for (int i = 0; minutes && i < length; i++)
		*ret = same[i] ? usd_add(*ret, minutes[i]) : *ret;
	return minutes != NULL;
}

// The newest hours first: the last one is compared in part, as a rule.
static bool sum_span(struct comparing *c, const struct observed *o, int64_t first, struct usd *ret,
                     struct err *err)
{
	const struct grouping hourly = {.n = 1, .by = {BY_HOUR}, .name = {STR("hour")}};
	const struct rollups_query q = {&hourly, c->q->only, first, first + c->hours,
	                                c->q->now_ms / MS_PER_HOUR};
	int by_minute = 0;
	c->first = first;
	memset(c->usd, 0, (size_t)c->hours * sizeof *c->usd);
	bool good = rollups_each(c->rollups, &q, add_hours, c, err);
	for (int64_t h = c->hours - 1; good && h >= 0; h--) {
		int64_t minute = (first + h) * HOUR;
		int64_t observed = observed_count(o, minute, minute + HOUR, MINUTE_OBSERVED);
		good = add_part(c, h, observed, &by_minute, ret, err);
	}
	return good;
}

bool comparison_read(struct comparison *ret, struct rollups *f, const struct comparison_query *q,
                     struct err *err)
{
	int64_t hours = (q->minutes + HOUR - 1) / HOUR, from = q->before < q->from ? q->before : q->from,
			to = (q->before < q->from ? q->from : q->before) + hours;
	const struct observed *o = rollups_observed(f, q->only, from, to, q->now_ms, err);
	struct comparing c = {.q = q, .rollups = f, .hours = hours};
	struct comparison found = {.now = USD_ZERO, .before = USD_ZERO};
	if (!o)
		return false;
	c.same = xcalloc((size_t)q->minutes + 1, sizeof *c.same);
	c.usd = xcalloc((size_t)hours + 1, sizeof *c.usd);
	for (int64_t i = 0; i < q->minutes; i++) {
		c.same[i] = observed_is(o, q->from * HOUR + i) && observed_is(o, q->before * HOUR + i);
		found.minutes += c.same[i];
	}
	found.of = q->minutes - observed_count(o, q->from * HOUR, q->from * HOUR + q->minutes, MINUTE_COMING);
	bool good = found.minutes == 0 || (sum_span(&c, o, q->from, &found.now, err) &&
	                                   sum_span(&c, o, q->before, &found.before, err));
	free(c.same);
	free(c.usd);
	if (good)
		*ret = found;
	return good;
}
