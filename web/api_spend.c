// SPDX-License-Identifier: Apache-2.0
// Sums: the present spans beside past ones (summary), a span by group (breakdown).
#include <assert.h>

#include "alert/spikes.h"
#include "base/when.h"
#include "query/comparison.h"
#include "query/figure_json.h"
#include "query/group_sum.h"
#include "query/observed_json.h"
#include "query/span.h"
#include "web/api.h"

enum { HOURS_PER_DAY = 24 };

// ---- summary ------------------------------------------------------------------------------------

static bool has_calls(const struct api_query *q)
{
	return group_has_calls(&q->by, &q->only);
}

static void write_span(struct json_writer *j, const char *name, struct time_span s, const struct group *g,
                       bool calls, const struct observed *o)
{
	jw_object(j, name);
	figure_json_span(j, s.from, s.to);
	observed_json_part(j, "observed", o, s.from * 60, s.to * 60);
	figure_json_members(j, g, calls);
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
	jw_usd_if(j, "usd", c.minutes, c.before);
	jw_usd_if(j, "usd_now", c.minutes, c.now);
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
		struct time_span of;
	} spans[] = {
		{"hour", {hour, hour + 1}},      {"last_24h", {hour - HOURS_PER_DAY + 1, hour + 1}},
		{"today", {day, hour + 1}},      {"yesterday", {day - HOURS_PER_DAY, day}},
		{"month", {month, hour + 1}},    {"last_month", {before, month}},
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
		if (!api_sum(a, q, spans[i].of.from, spans[i].of.to, &g, err))
			return false;
		write_span(j, spans[i].name, spans[i].of, &g, has_calls(q), seen);
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

static void write_figure(struct json_writer *j, const char *name, const struct group *g, bool calls)
{
	jw_object(j, name);
	figure_json_units(j, g, calls);
	jw_end(j);
}

static void write_unsure(struct json_writer *j, const struct spikes *s, const struct api_query *q,
                         const struct group *g)
{
	int64_t since_ms = spikes_since(s, &q->by, g);
	if (since_ms)
		jw_time(j, "split_unsure_since", since_ms);
}

bool api_breakdown(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct groups g;
	struct group total, other = {0};
	int64_t shown = 0, matching = 0, all = 0;
	struct spikes spikes = {.n = 0};
	struct view *v = rollups_view(a->rollups);
	groups_init(&g, &q->by);
	if (!api_sum_groups(a, q, q->from, q->to, &g, err) ||
	    !api_sum(a, q, q->from, q->to, &total, err) ||
	    (grouping_find(&q->by, BY_PRINCIPAL) >= 0 &&
	     !spikes_read(&spikes, &a->spikes, view_redis(v), view_prefix(v), q->from, q->to, err))) {
		groups_release(&g);
		spikes_release(&spikes);
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
			group_add_figures(&other, &g.list[i]);
			continue;
		}
		shown++;
		jw_line(j);
		jw_object(j, NULL);
		figure_json_keys(j, &q->by, g.list[i].keys);
		figure_json_units(j, &g.list[i], has_calls(q));
		write_unsure(j, &spikes, q, &g.list[i]);
		jw_end(j);
	}
	jw_end(j);
	assert(shown <= matching && matching <= all);
	group_set_band(&other);
	jw_int(j, "shown", shown);
	jw_int(j, "matching", matching);
	jw_int(j, "all", all);
	write_figure(j, "other", &other, has_calls(q));
	write_figure(j, "total", &total, group_has_calls(&(struct grouping){0}, &q->only));
	jw_end(j);
	groups_release(&g);
	spikes_release(&spikes);
	return true;
}
