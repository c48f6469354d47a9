// SPDX-License-Identifier: Apache-2.0
// Sums: the present spans beside past ones (summary), a span by group (breakdown), what changed (movers).
#include <assert.h>
#include <stdlib.h>

#include "base/when.h"
#include "query/comparison.h"
#include "query/figure_json.h"
#include "query/observed_json.h"
#include "web/api.h"

enum { HOURS_PER_DAY = 24, WHOLE_MINUTES = 54 };

// ---- summary ------------------------------------------------------------------------------------

static void write_span(struct json_writer *j, const char *name, int64_t from, int64_t to,
                       const struct group *g, const struct observed *o)
{
	jw_object(j, name);
	figure_json_span(j, from, to);
	observed_json_part(j, "observed", o, from * 60, to * 60);
	figure_json_members(j, g);
	jw_end(j);
}

// What the present day or month so far is compared with: the same minutes of the one before, if they were
// observed of both.
static bool write_so_far(struct json_writer *j, const char *name, struct api *a,
                         const struct comparison_query *q, struct err *err)
{
	struct comparison c;
	if (!comparison_read(&c, a->rollups, q, err))
		return false;
	jw_object(j, name);
	jw_time(j, "from", q->before * MS_PER_HOUR);
	jw_time(j, "to", q->before * MS_PER_HOUR + q->minutes * MS_PER_MINUTE);
	if (c.minutes) {
		jw_usd(j, "usd", c.before);
		jw_usd(j, "usd_now", c.now);
	} else {
		jw_null(j, "usd");
		jw_null(j, "usd_now");
	}
	jw_int(j, "minutes", c.minutes);
	jw_int(j, "minutes_so_far", c.of);
	jw_end(j);
	return true;
}

bool api_summary(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	int64_t hour = q->now_ms / MS_PER_HOUR, minute = q->now_ms / MS_PER_MINUTE, first, last;
	int64_t day = when_day_start(hour), month = when_month_start(hour), before = when_month_start(month - 1);
	int64_t of_month = minute - month * 60, most = (month - before) * 60; // April has no 31st
	struct {
		const char *name;
		int64_t from, to;
	} spans[] = {
		{"hour", hour, hour + 1}, {"last_24h", hour - HOURS_PER_DAY + 1, hour + 1}, {"today", day, hour + 1},
		{"yesterday", day - HOURS_PER_DAY, day}, {"month", month, hour + 1}, {"last_month", before, month},
	};
	const struct comparison_query days = {&q->only, day, day - HOURS_PER_DAY, minute - day * 60, q->now_ms},
								  months = {&q->only, month, before, of_month < most ? of_month : most,
	                                        q->now_ms};
	const struct observed *seen = api_observed(a, q, before, hour + 1, err);
	if (!seen || !rollups_extent(a->rollups, &first, &last, err))
		return false;
	jw_object(j, NULL);
	jw_time(j, "now", q->now_ms);
	for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
		struct group g;
		if (!api_sum(a, q, spans[i].from, spans[i].to, &g, err))
			return false;
		write_span(j, spans[i].name, spans[i].from, spans[i].to, &g, seen);
	}
	if (!write_so_far(j, "yesterday_so_far", a, &days, err) ||
	    !write_so_far(j, "last_month_so_far", a, &months, err))
		return false;
	seen = api_observed(a, q, before, hour + 1, err);
	if (!seen)
		return false;
	observed_json_gaps(j, seen, day * 60, (hour + 1) * 60);
	if (last) {
		jw_object(j, "extent");
		figure_json_span(j, first, last + 1);
		jw_end(j);
	} else {
		jw_null(j, "extent");
	}
	jw_end(j);
	return true;
}

// ---- breakdown ----------------------------------------------------------------------------------

// ASCII letters match without case.
static bool contains_text(struct str s, struct str what)
{
	for (size_t i = 0; i + what.len <= s.len; i++)
		if (strncasecmp(s.p + i, what.p, what.len) == 0)
			return true;
	return false;
}

static bool matches_search(const struct group *g, const struct api_query *q)
{
	for (int i = 0; q->search.len && i < q->by.n; i++)
		if (contains_text(g->keys[i], q->search))
			return true;
	return !q->search.len;
}

static void write_figure(struct json_writer *j, const char *name, const struct group *g)
{
	jw_object(j, name);
	figure_json_units(j, g);
	jw_end(j);
}

bool api_breakdown(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct groups g;
	struct group total, other = {0};
	int64_t shown = 0, matching = 0, all = 0;
	groups_init(&g, &q->by);
	if (!api_sum_groups(a, q, q->from, q->to, &g, err) ||
	    !api_sum(a, q, q->from, q->to, &total, err)) {
		groups_release(&g);
		return false;
	}
	breakdown_sort(&g, q->order);
	jw_object(j, NULL);
	figure_json_span(j, q->from, q->to);
	jw_array(j, "groups");
	for (int32_t i = 0; i < g.n; i++) {
		if (group_is_empty(&g.list[i]))
			continue;
		bool fits = matches_search(&g.list[i], q);
		all++;
		matching += fits;
		if (!fits || shown == q->limit) {
			group_add(&other, &g.list[i]);
			continue;
		}
		shown++;
		jw_line(j);
		jw_object(j, NULL);
		figure_json_keys(j, &q->by, g.list[i].keys);
		figure_json_units(j, &g.list[i]);
		jw_end(j);
	}
	jw_end(j);
	assert(shown <= matching && matching <= all);
	jw_int(j, "shown", shown);
	jw_int(j, "matching", matching);
	jw_int(j, "all", all);
	write_figure(j, "other", &other);
	write_figure(j, "total", &total);
	jw_end(j);
	groups_release(&g);
	return true;
}

// ---- movers -------------------------------------------------------------------------------------

struct mover {
	const struct str *keys;
	const struct group *now, *then; // one may be NULL
	struct usd change;
};

static struct usd absolute(struct usd u)
{
	return u.pico < 0 ? usd_sub(USD_ZERO, u) : u;
}

static int compare_by_change(const void *x, const void *y)
{
	const struct mover *a = x, *b = y;
	int c = usd_cmp(absolute(b->change), absolute(a->change));
	return c ? c : str_cmp(a->keys[0], b->keys[0]);
}

static int compare_keys(const struct group *x, const struct group *y)
{
	for (int i = 0; i < GROUP_KEYS_MAX; i++) {
		int c = str_cmp(x->keys[i], y->keys[i]);
		if (c)
			return c;
	}
	return 0;
}

// The groups of both lists, which are sorted by their keys, as pairs of one key. Returns their number.
static int pair_groups(const struct groups *now, const struct groups *then, struct mover *ret)
{
	int n = 0;
	for (int32_t i = 0, k = 0; i < now->n || k < then->n; n++) {
		int c = i == now->n ? 1 : k == then->n ? -1 : compare_keys(&now->list[i], &then->list[k]);
		const struct group *x = c <= 0 ? &now->list[i++] : NULL, *y = c >= 0 ? &then->list[k++] : NULL;
		ret[n] = (struct mover){x ? x->keys : y->keys, x, y,
		                        usd_sub(x ? x->usd : USD_ZERO, y ? y->usd : USD_ZERO)};
	}
	assert(n <= now->n + then->n);
	qsort(ret, (size_t)n, sizeof *ret, compare_by_change);
	return n;
}

static void write_mover(struct json_writer *j, const struct grouping *by, const struct mover *m)
{
	// the bands of the two figures do not overlap
	bool sure = (m->now && usd_cmp(m->now->usd_low, m->then ? m->then->usd_high : USD_ZERO) > 0) ||
	            (m->then && usd_cmp(m->now ? m->now->usd_high : USD_ZERO, m->then->usd_low) < 0);
	jw_line(j);
	jw_object(j, NULL);
	figure_json_keys(j, by, m->keys);
	jw_usd(j, "usd", m->now ? m->now->usd : USD_ZERO);
	jw_usd(j, "usd_before", m->then ? m->then->usd : USD_ZERO);
	jw_usd(j, "change", m->change);
	jw_bool(j, "new", !m->then);
	jw_bool(j, "sure", sure);
	jw_end(j);
}

static bool is_whole(const struct observed *o, int64_t hour)
{
	return observed_count(o, hour * 60, (hour + 1) * 60, MINUTE_OBSERVED) >= WHOLE_MINUTES;
}

// Of two spans of hours, those pairs that were observed whole, or nearly.
struct pairs {
	int64_t from, before, length;
	bool *same;
	int64_t n;
};

static bool find_pairs(struct api *a, const struct api_query *q, struct pairs *ret, struct err *err)
{
	const struct observed *o = api_observed(a, q, ret->before, ret->from + ret->length, err);
	if (!o)
		return false;
	ret->same = xcalloc((size_t)ret->length + 1, sizeof *ret->same);
	for (int64_t i = 0; i < ret->length; i++) {
		ret->same[i] = is_whole(o, ret->from + i) && is_whole(o, ret->before + i);
		ret->n += ret->same[i];
	}
	return true;
}

// Adds up those hours of the span that begins at `first`.
static bool sum_pairs(struct api *a, const struct api_query *q, const struct pairs *p, int64_t first,
                      struct groups *ret, struct err *err)
{
	for (int64_t i = 0, end; i < p->length; i = end) {
		for (end = i; end < p->length && p->same[end]; end++)
			;
		if (end > i && !api_sum_groups(a, q, first + i, first + end, ret, err))
			return false;
		end += end == i;
	}
	return true;
}

static struct usd sum_usd(const struct groups *g)
{
	struct usd sum = USD_ZERO;
	for (int32_t i = 0; i < g->n; i++)
		sum = usd_add(sum, g->list[i].usd);
	return sum;
}

bool api_movers(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct groups now, then;
	int64_t hour = q->now_ms / MS_PER_HOUR, from = q->from, to = q->to;
	// the present hour is not over, so it is not compared with a whole one
	if (to > hour) {
		from -= to - hour;
		to = hour;
	}
	int64_t length = to - from;
	struct pairs pairs = {.from = from, .before = from - length, .length = length};
	groups_init(&now, &q->by);
	groups_init(&then, &q->by);
	bool good = find_pairs(a, q, &pairs, err) && sum_pairs(a, q, &pairs, from, &now, err) &&
	            sum_pairs(a, q, &pairs, from - length, &then, err);
	if (good) {
		groups_sort(&now, ORDER_NAME);
		groups_sort(&then, ORDER_NAME);
		struct mover *movers = xcalloc((size_t)(now.n + then.n) + 1, sizeof *movers);
		int n = pair_groups(&now, &then, movers);
		jw_object(j, NULL);
		figure_json_span(j, from, to);
		jw_object(j, "before");
		figure_json_span(j, from - length, from);
		jw_end(j);
		jw_int(j, "hours", pairs.n);
		jw_usd(j, "usd", sum_usd(&now));
		jw_usd(j, "usd_before", sum_usd(&then));
		jw_array(j, "movers");
		for (int i = 0; i < n && i < q->limit && movers[i].change.pico != 0; i++)
			write_mover(j, &q->by, &movers[i]);
		jw_end(j);
		jw_end(j);
		free(movers);
	}
	free(pairs.same);
	groups_release(&now);
	groups_release(&then);
	return good;
}
