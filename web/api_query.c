// SPDX-License-Identifier: Apache-2.0
#include "web/api_query.h"

#include <assert.h>

#include "base/when.h"

struct param_values { // as they came; p is NULL where a parameter is absent
	struct str from, to, hours, by, limit, search, step, sort, access_key, before_from, before_to, now;
};

static bool parse_integer(struct str text, const char *name, int64_t min, int64_t max, int64_t *ret,
                         struct err *err)
{
	int64_t v = 0;
	bool good = text.len > 0 && text.len < 10;
	for (size_t i = 0; good && i < text.len; i++) {
		good = text.p[i] >= '0' && text.p[i] <= '9';
		v = v * 10 + (text.p[i] - '0');
	}
	if (!good || v < min || v > max)
		return err_set(err, ERR_CONFIG, "%s: expected a number from %lld to %lld, got \"%.*s\"", name,
		               (long long)min, (long long)max, (int)(text.len < 40 ? text.len : 40), text.p);
	*ret = v;
	return true;
}

static bool parse_time(struct str text, const char *name, int64_t *ret_ms, struct err *err)
{
	if (when_parse(text, ret_ms))
		return true;
	return err_set(err, ERR_CONFIG,
	               "%s: expected a time like 2026-11-02T00:00:00Z or 2026-11-02, got \"%.*s\"", name,
	               (int)(text.len < 40 ? text.len : 40), text.p);
}

static bool add_filter(struct api_query *q, const struct http_arg *a, struct caller_sources from,
                       struct err *err)
{
	assert(q->only.by.n >= 0 && q->only.by.n <= GROUP_KEYS_MAX);
	struct grouping one;
	struct err ignored = ERR_INIT;
	int i = q->only.by.n;
	if (memchr(a->name.p, ',', a->name.len) || !grouping_parse(&one, a->name, from, &ignored) ||
	    one.n != 1)
		return err_set(
			err, ERR_CONFIG,
			"\"%.*s\" is no parameter of this query; a filter is one of account, region, family, model, principal, role, team, user, token_type, tier, tag:KEY, meta:KEY, map:KEY",
			(int)(a->name.len < 60 ? a->name.len : 60), a->name.p);
	if (i == GROUP_KEYS_MAX)
		return err_set(err, ERR_CONFIG, "more than %d filters", GROUP_KEYS_MAX);
	q->only.by.by[i] = one.by[0];
	q->only.by.name[i] = one.name[0];
	q->only.by.tag[i] = one.tag[0];
	q->only.value[i] = a->value;
	q->only.by.n++;
	return true;
}

static bool read_params(struct api_query *q, const struct http_request *r, int params,
                        struct caller_sources from, struct param_values *w, struct err *err)
{
	const struct {
		const char *name;
		int of;
		struct str *to;
	} known[] = {
		{"from", QUERY_SPAN, &w->from},    {"to", QUERY_SPAN, &w->to},
		{"hours", QUERY_SPAN, &w->hours},  {"by", QUERY_BY, &w->by},
		{"limit", QUERY_LIMIT, &w->limit}, {"search", QUERY_SEARCH, &w->search},
		{"step", QUERY_STEP, &w->step},    {"sort", QUERY_SORT, &w->sort},
		{"access_key", QUERY_ACCESS_KEY, &w->access_key}, {"before_from", QUERY_BEFORE, &w->before_from},
		{"before_to", QUERY_BEFORE, &w->before_to}, {"now", 0, &w->now},
	};
	if (r->nargs > HTTP_ARGS_MAX)
		return err_set(err, ERR_CONFIG, "more than %d parameters in the query", HTTP_ARGS_MAX);
	for (int i = 0; i < r->nargs; i++) {
		const struct http_arg *a = &r->args[i];
		struct str *to = NULL;
		for (size_t k = 0; k < sizeof known / sizeof *known; k++)
			if (str_is(a->name, known[k].name) && (known[k].of & params) == known[k].of)
				to = known[k].to;
		if (to && to->p)
			return err_set(err, ERR_CONFIG, "%.*s is given twice", STR_ARG(a->name));
		if (to)
			*to = a->value;
		else if (!(params & QUERY_FILTER))
			return err_set(err, ERR_CONFIG,
			               "\"%.*s\" is no parameter of this query; /api/v1/openapi.json lists them",
			               (int)(a->name.len < 60 ? a->name.len : 60), a->name.p);
		else if (!add_filter(q, a, from, err))
			return false;
	}
	return true;
}

static bool set_step(struct api_query *q, struct str text, struct err *err)
{
	static const char *const names[] = {"day", "hour", "minute"};
	for (int i = 0; i < 3; i++)
		if (str_is(text, names[i])) {
			q->step = (enum query_step)i;
			return true;
		}
	return err_set(err, ERR_CONFIG, "step: expected day, hour or minute, got \"%.*s\"",
	               (int)(text.len < 40 ? text.len : 40), text.p);
}

static bool set_span(struct api_query *q, const struct param_values *w, int params, int64_t hours,
                     struct err *err)
{
	int64_t ms, max = QUERY_HOURS_MAX;
	if (params & QUERY_STEP)
		max = q->step == STEP_MINUTE ? QUERY_STEP_MINUTES_MAX
		      : q->step == STEP_HOUR ? QUERY_STEP_HOURS_MAX
		                             : QUERY_HOURS_MAX;
	if (w->hours.p && (w->from.p || w->to.p))
		return err_set(err, ERR_CONFIG, "hours and from, to exclude each other");
	if (w->hours.p && !parse_integer(w->hours, "hours", 1, max, &hours, err))
		return false;
	q->to = q->now_ms / MS_PER_HOUR + 1;
	if (w->to.p) {
		if (!parse_time(w->to, "to", &ms, err))
			return false;
		q->to = (ms + MS_PER_HOUR - 1) / MS_PER_HOUR;
	}
	q->from = q->to - hours;
	q->has_from = w->from.p;
	if (w->from.p) {
		if (!parse_time(w->from, "from", &ms, err))
			return false;
		q->from = ms / MS_PER_HOUR;
	}
	if (q->from >= q->to)
		return err_set(err, ERR_CONFIG, "from is not before to");
	if (q->to - q->from > max)
		return err_set(err, ERR_CONFIG, "the span is %lld hours; at most %lld are answered at once%s",
		               (long long)(q->to - q->from), (long long)max,
		               (params & QUERY_STEP) && q->step != STEP_DAY ? " at this step" : "");
	return true;
}

static bool set_before(struct api_query *q, const struct param_values *w, struct err *err)
{
	int64_t from, to;
	if (!w->before_from.p && !w->before_to.p)
		return true;
	if (!w->before_from.p || !w->before_to.p)
		return err_set(err, ERR_CONFIG, "before_from and before_to go together");
	if (!parse_time(w->before_from, "before_from", &from, err) ||
	    !parse_time(w->before_to, "before_to", &to, err))
		return false;
	q->before_from = from / MS_PER_HOUR;
	q->before_to = (to + MS_PER_HOUR - 1) / MS_PER_HOUR;
	if (q->before_from >= q->before_to)
		return err_set(err, ERR_CONFIG, "before_from is not before before_to");
	return q->before_to - q->before_from <= QUERY_HOURS_MAX ||
	       err_set(err, ERR_CONFIG, "the span before is %lld hours; at most %d are answered at once",
	               (long long)(q->before_to - q->before_from), QUERY_HOURS_MAX);
}

bool api_query_parse(struct api_query *q, const struct http_request *r, int params, int64_t hours,
                     struct caller_sources from, struct err *err)
{
	struct param_values w = {0};
	if (!read_params(q, r, params, from, &w, err))
		return false;
	if (w.now.p && !parse_time(w.now, "now", &q->now_ms, err))
		return false;
	if (w.by.p && !grouping_parse(&q->by, w.by, from, err))
		return false;
	if (w.limit.p && !parse_integer(w.limit, "limit", 1, QUERY_LIMIT_MAX, &q->limit, err))
		return false;
	if (w.step.p && !set_step(q, w.step, err))
		return false;
	if (!breakdown_order_parse(&q->order, w.sort, err))
		return false;
	q->search = w.search;
	q->access_key = w.access_key;
	// last, since its limits depend on now and on the step
	if (!set_span(q, &w, params, hours, err) || !set_before(q, &w, err))
		return false;
	assert(q->from < q->to && q->to - q->from <= QUERY_HOURS_MAX);
	return true;
}
