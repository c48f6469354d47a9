// SPDX-License-Identifier: Apache-2.0
// What changed between two spans: by group (movers), and why (changes, query/change.h).
//
// Spans of one length are compared hour by hour: only hours count that were observed of both, or nearly. Of
// spans that differ in length all hours count, and the answer says which part of each was observed. The
// present hour is not over, so it is left out: of the last N hours those before it count, and a span that
// begins at a time of its own has those of it that are over. A span that is the present hour and no other is
// compared as far as it has come, with a whole hour: why something jumps is asked while it does.
#include <assert.h>
#include <stdlib.h>

#include "base/when.h"
#include "query/change.h"
#include "query/figure_json.h"
#include "query/observed_json.h"
#include "web/api.h"

enum { WHOLE_MINUTES = 54 };

struct spans {
	int64_t from, to, before, before_to; // hours
	bool paired;
	bool *same; // of paired spans: which hours count
	int64_t n;  // how many
};

// Without a span to compare with, the same length before. A span without an hour that is over is empty, and
// so is the one that it is compared with.
static void choose_spans(const struct api_query *q, struct spans *ret)
{
	int64_t hour = q->now_ms / MS_PER_HOUR;
	bool present = q->has_from && q->from == hour && q->to == hour + 1;
	int64_t over = q->to > hour && !present ? q->to - hour : 0;
	*ret = (struct spans){.from = q->from, .to = q->to - over};
	if (!q->before_to) {
		if (!q->has_from) // the last N hours: as many that are over
			ret->from -= over;
		ret->before = ret->from - (ret->to - ret->from);
		ret->before_to = ret->from;
	} else {
		ret->before = q->before_from;
		ret->before_to = q->before_to;
		if (q->before_to - q->before_from == q->to - q->from)
			ret->before_to -= over;
		if (ret->before_to > hour)
			ret->before_to = hour;
	}
	if (ret->from >= ret->to || ret->before >= ret->before_to) {
		ret->to = ret->from;
		ret->before_to = ret->before;
	}
	ret->paired = !present && ret->before_to - ret->before == ret->to - ret->from;
}

// Takes the hours out that were not observed.
static bool keep_observed(struct api *a, const struct api_query *q, struct spans *s, int64_t first,
                          struct err *err)
{
	int64_t length = s->to - s->from;
	const struct observed *o = api_observed(a, q, first, first + length, err);
	if (!o)
		return false;
	s->n = 0;
	for (int64_t i = 0; i < length; i++) {
		int64_t minute = (first + i) * 60;
		s->same[i] = s->same[i] && observed_count(o, minute, minute + 60, MINUTE_OBSERVED) >= WHOLE_MINUTES;
		s->n += s->same[i];
	}
	return true;
}

static bool spans_find(struct api *a, const struct api_query *q, struct spans *ret, struct err *err)
{
	choose_spans(q, ret);
	ret->n = ret->to - ret->from;
	if (!ret->paired)
		return true;
	ret->same = xcalloc((size_t)ret->n + 1, sizeof *ret->same);
	for (int64_t i = 0; i < ret->to - ret->from; i++)
		ret->same[i] = true;
	return keep_observed(a, q, ret, ret->from, err) && keep_observed(a, q, ret, ret->before, err);
}

// Adds up the hours that count of the span [first, to).
static bool sum_hours(struct api *a, const struct api_query *q, const struct spans *s, int64_t first,
                      int64_t to, struct groups *ret, struct err *err)
{
	int64_t length = to - first;
	if (!s->paired)
		return api_sum_groups(a, q, first, to, ret, err);
	for (int64_t i = 0, end; i < length; i = end) {
		for (end = i; end < length && s->same[end]; end++)
			;
		if (end > i && !api_sum_groups(a, q, first + i, first + end, ret, err))
			return false;
		end += end == i;
	}
	return true;
}

// Both spans by one grouping.
struct both {
	struct groups now, then;
};

static bool both_sum(struct both *ret, struct api *a, const struct api_query *q, const struct spans *s,
                     const struct grouping *by, struct err *err)
{
	groups_init(&ret->now, by);
	groups_init(&ret->then, by);
	return sum_hours(a, q, s, s->from, s->to, &ret->now, err) &&
	       sum_hours(a, q, s, s->before, s->before_to, &ret->then, err);
}

static void both_release(struct both *b)
{
	groups_release(&b->now);
	groups_release(&b->then);
}

static struct usd sum_usd(const struct groups *g)
{
	struct usd sum = USD_ZERO;
	for (int32_t i = 0; i < g->n; i++)
		sum = usd_add(sum, g->list[i].usd);
	return sum;
}

static void write_spans(struct json_writer *j, const struct spans *s)
{
	figure_json_span(j, s->from, s->to);
	jw_object(j, "before");
	figure_json_span(j, s->before, s->before_to);
	jw_end(j);
	jw_int(j, "hours", s->n);
}

static void write_mover(struct json_writer *j, const struct grouping *by, const struct group_pair *m)
{
	jw_line(j);
	jw_object(j, NULL);
	figure_json_keys(j, by, m->keys);
	jw_usd(j, "usd", m->now ? m->now->usd : USD_ZERO);
	jw_usd(j, "usd_before", m->then ? m->then->usd : USD_ZERO);
	jw_usd(j, "change", m->change);
	jw_bool(j, "new", !m->then);
	jw_bool(j, "sure", group_pair_is_sure(m));
	jw_end(j);
}

// The array of movers, and what the others changed by.
static void write_movers(struct json_writer *j, struct both *b, int64_t limit, struct usd *ret_others)
{
	struct group_pair *list = xcalloc((size_t)(b->now.n + b->then.n) + 1, sizeof *list);
	int32_t n = group_pairs_make(&b->now, &b->then, list);
	group_pairs_sort(list, n);
	*ret_others = USD_ZERO;
	jw_array(j, "movers");
	for (int32_t i = 0; i < n; i++) {
		if (i >= limit)
			*ret_others = usd_add(*ret_others, list[i].change);
		else if (list[i].change.pico != 0)
			write_mover(j, &b->now.by, &list[i]);
	}
	jw_end(j);
	free(list);
}

bool api_movers(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct spans s = {.same = NULL};
	struct both b = {.now = {.n = 0}};
	struct usd others;
	bool good = spans_find(a, q, &s, err) && both_sum(&b, a, q, &s, &q->by, err);
	if (good) {
		jw_object(j, NULL);
		write_spans(j, &s);
		jw_usd(j, "usd", sum_usd(&b.now));
		jw_usd(j, "usd_before", sum_usd(&b.then));
		write_movers(j, &b, q->limit, &others);
		jw_end(j);
	}
	free(s.same);
	both_release(&b);
	return good;
}

// ---- why ----------------------------------------------------------------------------------------

static bool write_observed(struct api *a, const struct api_query *q, const struct spans *s,
                           struct json_writer *j, struct err *err)
{
	const struct observed *o = api_observed(a, q, s->from, s->to, err);
	if (o)
		observed_json_part(j, "observed", o, s->from * 60, s->to * 60);
	o = o ? api_observed(a, q, s->before, s->before_to, err) : NULL;
	if (o)
		observed_json_part(j, "observed_before", o, s->before * 60, s->before_to * 60);
	return o;
}

static bool write_totals(struct api *a, const struct api_query *q, const struct spans *s,
                         struct json_writer *j, struct err *err)
{
	const struct grouping none = {0};
	static const struct group nothing = {0};
	struct both b;
	bool good = both_sum(&b, a, q, s, &none, err), has_calls = group_has_calls(&none, &q->only);
	if (good) {
		const struct group_pair p = {NULL, b.now.n ? b.now.list : &nothing, b.then.n ? b.then.list : &nothing,
		                             usd_sub(sum_usd(&b.now), sum_usd(&b.then))};
		jw_object(j, "now");
		figure_json_members(j, p.now, has_calls);
		jw_end(j);
		jw_object(j, "then");
		figure_json_members(j, p.then, has_calls);
		jw_end(j);
		jw_usd(j, "change", p.change);
		jw_bool(j, "sure", group_pair_is_sure(&p));
	}
	both_release(&b);
	return good;
}

static bool write_parts(struct api *a, const struct api_query *q, const struct spans *s,
                        struct json_writer *j, struct err *err)
{
	struct both tokens, calls = {.now = {.n = 0}};
	struct usd parts[CHANGE_PARTS];
	bool good = both_sum(&tokens, a, q, s, &change_tokens, err) &&
	            both_sum(&calls, a, q, s, &change_calls, err);
	if (good) {
		change_split(&tokens.now, &tokens.then, &calls.now, &calls.then, parts);
		jw_object(j, "parts");
		for (int part = 0; part < CHANGE_PARTS; part++)
			jw_usd(j, change_part_names[part], parts[part]);
		jw_end(j);
	}
	both_release(&tokens);
	both_release(&calls);
	return good;
}

static bool write_by(struct api *a, const struct api_query *q, const struct spans *s, struct json_writer *j,
                     struct err *err)
{
	static const struct grouping by[] = {
		{.n = 1, .by = {BY_PRINCIPAL}, .name = {STR("principal")}},
		{.n = 1, .by = {BY_MODEL}, .name = {STR("model")}},
		{.n = 1, .by = {BY_TOKEN_TYPE}, .name = {STR("token_type")}},
	};
	bool good = true;
	jw_object(j, "by");
	for (size_t i = 0; good && i < sizeof by / sizeof *by; i++) {
		struct both b;
		struct usd others;
		good = both_sum(&b, a, q, s, &by[i], err);
		if (good) {
			jw_key(j, by[i].name[0]);
			jw_object(j, NULL);
			write_movers(j, &b, q->limit, &others);
			jw_usd(j, "others", others);
			jw_end(j);
		}
		both_release(&b);
	}
	jw_end(j);
	return good;
}

bool api_changes(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct spans s = {.same = NULL};
	bool good = spans_find(a, q, &s, err);
	if (good) {
		jw_object(j, NULL);
		write_spans(j, &s);
		jw_bool(j, "paired", s.paired);
		good = write_observed(a, q, &s, j, err) && write_totals(a, q, &s, j, err) &&
		       write_parts(a, q, &s, j, err) && write_by(a, q, &s, j, err);
		jw_end(j);
	}
	free(s.same);
	return good;
}
