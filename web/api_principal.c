// SPDX-License-Identifier: Apache-2.0
// What is known of one principal: its sums in a span, by model and Region, when it was seen, its role, its
// tags and where they come from. As `nowcast who`, but of a span, and within the filters of the question:
// what they leave out says nothing, neither of its dollars nor of its tags.
//
// When it was seen is found in the sums by the day that a page asks for anyway. Tags are looked for in the
// last hours that it was seen in only, since every row of an hour must be looked at for them.
#include <assert.h>

#include "base/when.h"
#include "query/figure_json.h"
#include "query/principal_summary.h"
#include "store/session.h"
#include "web/api.h"

enum { HOURS_PER_DAY = 24, FACTS_HOURS = 24 };

struct seen {
	int64_t from;        // the first hour that was searched
	int64_t first, last; // hours; -1: none
	int64_t days;        // with figures
};

static bool find_hours_of_day(struct api *a, const struct api_query *q, int64_t day, struct seen *s,
                              struct err *err)
{
	struct grouping hourly = {.n = 1, .by = {BY_HOUR}, .name = {STR("hour")}};
	struct groups g;
	int64_t ms;
	groups_init(&g, &hourly);
	bool good = api_sum_groups(a, q, day, day + HOURS_PER_DAY, &g, err);
	for (int32_t i = 0; good && i < g.n; i++) {
		if (group_is_empty(&g.list[i]) || !when_parse(g.list[i].keys[0], &ms))
			continue;
		int64_t hour = ms / MS_PER_HOUR;
		s->first = s->first < 0 || hour < s->first ? hour : s->first;
		s->last = hour > s->last ? hour : s->last;
	}
	groups_release(&g);
	return good;
}

// Since the start of last month, or of the span if that is earlier.
static bool find_seen(struct api *a, const struct api_query *q, struct seen *ret, struct err *err)
{
	int64_t hour = q->now_ms / MS_PER_HOUR, from = when_month_start(when_month_start(hour) - 1), first = -1,
			last = -1, extent_first, extent_last;
	*ret = (struct seen){.from = q->from < from ? when_day_start(q->from) : from, .first = -1, .last = -1};
	if (!rollups_extent(a->rollups, &extent_first, &extent_last, err))
		return false;
	int64_t day = ret->from > extent_first ? ret->from : when_day_start(extent_first);
	for (; extent_last && day <= extent_last && day <= hour; day += HOURS_PER_DAY) {
		struct group g;
		if (!api_sum(a, q, day, day + HOURS_PER_DAY, &g, err))
			return false;
		if (group_is_empty(&g))
			continue;
		first = first < 0 ? day : first;
		last = day;
		ret->days++;
	}
	return first < 0 || (find_hours_of_day(a, q, first, ret, err) &&
	                     (last == first || find_hours_of_day(a, q, last, ret, err)));
}

// The hours whose rows are looked at, for the tags and the role.
static bool gather_facts(struct api *a, const struct api_query *q, const struct seen *seen, struct str arn,
                         struct principal_summary *ret, struct err *err)
{
	int64_t to = seen->last >= 0 && seen->last < q->to ? seen->last + 1 : q->to;
	principal_summary_init_facts(ret, q->now_ms, (struct time_span){to - FACTS_HOURS, to}, &q->only);
	return principal_summary_gather(ret, rollups_view(a->rollups), arn, err);
}

// ---- as JSON ------------------------------------------------------------------------------------

static void write_seen(struct json_writer *j, const struct seen *s)
{
	jw_time(j, "searched_from", s->from * MS_PER_HOUR);
	jw_time_if(j, "first", s->first >= 0, s->first * MS_PER_HOUR);
	jw_time_if(j, "last", s->first >= 0, s->last * MS_PER_HOUR);
	jw_int(j, "days", s->days);
}

static bool write_models(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct grouping by = {.n = 2, .by = {BY_MODEL, BY_REGION}, .name = {STR("model"), STR("region")}};
	struct groups g;
	groups_init(&g, &by);
	bool good = api_sum_groups(a, q, q->from, q->to, &g, err);
	groups_sort(&g, ORDER_USD);
	jw_array(j, "models");
	for (int32_t i = 0; good && i < g.n; i++) {
		if (group_is_empty(&g.list[i]))
			continue;
		jw_line(j);
		jw_object(j, NULL);
		figure_json_keys(j, &by, g.list[i].keys);
		figure_json_members(j, &g.list[i], group_has_calls(&by, &q->only));
		jw_end(j);
	}
	jw_end(j);
	groups_release(&g);
	return good;
}

// ---- by access key ------------------------------------------------------------------------------

static bool find_session(struct api *a, struct str key, struct arena *arena, struct session *ret,
                         struct err *err)
{
	struct view *v = rollups_view(a->rollups);
	if (str_starts(key, STR("AKIA")))
		return err_set(err, ERR_SKIP,
		               "access_key: long-term keys are not stored: `aws iam get-access-key-last-used` names "
		               "the user");
	return session_find(view_redis(v), view_prefix(v), key, arena, ret, err) &&
	       (ret->arn.len || err_set(err, ERR_SKIP,
	                                "access_key: no session is known by this key: keys are stored as long as "
	                                "their calls"));
}

static void add_principal(struct api_query *q, struct str arn)
{
	int i = q->only.by.n++;
	assert(i < GROUP_KEYS_MAX);
	q->only.by.by[i] = BY_PRINCIPAL;
	q->only.by.name[i] = STR("principal");
	q->only.value[i] = arn;
}

static void write_key(struct json_writer *j, struct str key, const struct session *s)
{
	if (!key.len) {
		jw_null(j, "access_key");
		return;
	}
	jw_object(j, "access_key");
	jw_str(j, "id", key);
	jw_bool(j, "by_sts", s->tagged);
	jw_time_if(j, "since", s->start_ms, s->start_ms);
	jw_end(j);
}

// ---- the answer ---------------------------------------------------------------------------------

static bool write_principal(struct api *a, const struct api_query *q, struct str arn,
                            const struct session *session, struct json_writer *j, struct err *err)
{
	struct principal_summary facts;
	struct seen seen;
	struct group total;
	if (!find_seen(a, q, &seen, err) || !api_sum(a, q, q->from, q->to, &total, err))
		return false;
	bool good = gather_facts(a, q, &seen, arn, &facts, err);
	// Of one that has other filters beside it, and no figures within them, nothing is said.
	bool told = seen.first >= 0 ||
	            (q->only.by.n == 1 && (principal_summary_is_known(&facts) || session->arn.len));
	if (good && session->arn.len && !told)
		good = err_set(err, ERR_SKIP, "access_key: within these filters no session is known by this key");
	if (good) {
		struct str role = session->role_arn.len ? session->role_arn : facts.role;
		jw_object(j, NULL);
		figure_json_span(j, q->from, q->to);
		jw_str(j, "principal", arn);
		jw_bool(j, "known", told);
		jw_str(j, "role", role.len ? role : STR_NONE);
		jw_str(j, "account", facts.account.len ? facts.account : STR_NONE);
		write_key(j, session->arn.len ? q->access_key : STR_NONE, session);
		write_seen(j, &seen);
		jw_time(j, "tags_from", facts.from * MS_PER_HOUR);
		jw_time(j, "tags_to", facts.to * MS_PER_HOUR);
		if (!told)
			facts.ntags = facts.keys.n = 0;
		principal_summary_json(&facts, j);
		jw_object(j, "total");
		figure_json_members(j, &total, group_has_calls(&(struct grouping){0}, &q->only));
		jw_end(j);
		good = write_models(a, q, j, err);
		jw_end(j);
	}
	principal_summary_release(&facts);
	return good;
}

bool api_principal(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct session session = {.start_ms = 0};
	struct api_query own = *q;
	struct str arn = group_filter_value(&q->only, BY_PRINCIPAL);
	bool good = true;
	if (q->access_key.len && (arn.p || q->only.by.n == GROUP_KEYS_MAX))
		return err_set(err, ERR_SKIP, "access_key and principal exclude each other");
	if (q->access_key.len) {
		good = find_session(a, q->access_key, &arena, &session, err);
		arn = session.arn;
		if (good)
			add_principal(&own, arn);
	}
	if (good && !arn.len)
		good = err_set(err, ERR_SKIP,
		               "expected principal=ARN, as /api/v1/breakdown names it, or access_key=KEY");
	good = good && write_principal(a, &own, arn, &session, j, err);
	arena_release(&arena);
	return good;
}
