// SPDX-License-Identifier: Apache-2.0
#include "web/api.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "base/when.h"
#include "store/redis.h"

struct endpoint {
	const char *path;
	api_fn *fn;
	int params;         // of enum query_param
	int64_t hours;      // length of the span where the request names none
	const char *by;     // grouping where it names none
	int64_t limit;      // of groups, likewise
	const char *type;   // of its answer; NULL: JSON
};

static const struct endpoint endpoints[] = {
	{"/api/v1/summary", api_summary, QUERY_FILTER, 1, "", 0, NULL},
	{"/api/v1/series", api_series, QUERY_SPAN | QUERY_BY | QUERY_FILTER | QUERY_STEP | QUERY_LIMIT, 24, "",
     8, NULL},
	{"/api/v1/breakdown", api_breakdown,
     QUERY_SPAN | QUERY_BY | QUERY_FILTER | QUERY_LIMIT | QUERY_SEARCH | QUERY_SORT, 24, "principal",
     100, NULL},
	{"/api/v1/movers", api_movers, QUERY_SPAN | QUERY_BY | QUERY_FILTER | QUERY_LIMIT | QUERY_BEFORE, 24,
     "principal", 10, NULL},
	{"/api/v1/principal", api_principal, QUERY_SPAN | QUERY_FILTER | QUERY_ACCESS_KEY, 24, "", 0, NULL},
	{"/api/v1/changes", api_changes, QUERY_SPAN | QUERY_BEFORE | QUERY_FILTER | QUERY_LIMIT, 24, "", 10, NULL},
	{"/api/v1/models", api_models, QUERY_SPAN | QUERY_FILTER | QUERY_LIMIT, 24, "", 100, NULL},
	{"/api/v1/explain", api_explain, QUERY_FILTER, 1, "", 0, NULL},
	{"/api/v1/cache", api_cache, QUERY_SPAN | QUERY_FILTER, 24, "", 0, NULL},
	{"/api/v1/forecast", api_forecast, QUERY_FILTER, 1, "", 0, NULL},
	{"/api/v1/focus", api_focus, QUERY_SPAN, 24, "", 0, "text/csv; charset=utf-8"},
	{"/api/v1/gaps", api_gaps, QUERY_SPAN | QUERY_FILTER, 24, "", 0, NULL},
	{"/api/v1/freshness", api_freshness, 0, 1, "", 0, NULL},
	{"/api/v1/findings", api_findings, 0, 1, "", 0, NULL},
	{"/api/v1/reconciliation", api_reconciliation, 0, 1, "", 0, NULL},
	{"/api/v1/scoreboard", api_scoreboard, 0, 1, "", 0, NULL},
	{"/api/v1/budgets", api_budgets, 0, 1, "", 0, NULL},
	{"/api/v1/alerts", api_alerts, 0, 1, "", 0, NULL},
	{"/api/v1/alerting", api_alerting, QUERY_LIMIT, 1, "", 20, NULL},
};

static const struct endpoint *find_endpoint(struct str path)
{
	for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++)
		if (str_is(path, endpoints[i].path))
			return &endpoints[i];
	return NULL;
}

bool api_has_path(struct str path)
{
	return find_endpoint(path) != NULL;
}

int64_t api_now_ms(const struct api *a)
{
	return a->fixed_now_ms ? a->fixed_now_ms : when_now_ms();
}

void api_error(struct http_answer *ret, int status, const char *fmt, ...)
{
	struct buf text = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	assert(status >= 400);
	ret->status = status;
	ret->type = "application/json";
	buf_clear(&ret->body);
	struct json_writer j = JSON_WRITER(&ret->body);
	jw_object(&j, NULL);
	jw_str(&j, "error", buf_str(&text));
	jw_end(&j);
	buf_addc(&ret->body, '\n');
	buf_release(&text);
}

static void hide_place(const char *text, const char *place, struct buf *ret)
{
	const char *at;
	size_t n = strlen(place);
	for (; n && (at = strstr(text, place)); text = at + n) {
		struct str before = {text, (size_t)(at - text)};
		if (isdigit((unsigned char)at[n])) // another port
			before.len += n;
		else if (str_ends(before, STR(" at "))) // "Redis 7.0 at HOST", "redis HOST: no answer"
			before.len -= 4;
		else if (str_ends(before, STR(" ")))
			before.len--;
		buf_addstr(ret, before);
	}
	buf_adds(ret, text);
}

void api_hide_redis(const struct api *a, const char *text, struct buf *ret)
{
	const struct redis *r = view_redis(rollups_view(a->rollups));
	const char *place;
	struct buf rest = BUF_INIT, without = BUF_INIT;
	buf_adds(&rest, text);
	for (size_t i = 0; rest.len && (place = redis_place(r, i)); i++) {
		buf_clear(&without);
		hide_place(rest.data, place, &without);
		buf_clear(&rest);
		buf_addstr(&rest, buf_str(&without));
	}
	buf_addstr(ret, buf_str(&rest));
	buf_release(&rest);
	buf_release(&without);
}

void api_answer(struct api *a, const struct http_request *r, struct http_answer *ret)
{
	const struct endpoint *e = find_endpoint(r->path);
	assert(e);
	struct err err = ERR_INIT;
	const struct caller_sources from = conf_sources(a->conf);
	const struct mapping *m = view_mapping(rollups_view(a->rollups));
	struct api_query q = {.now_ms = api_now_ms(a), .step = STEP_HOUR, .limit = e->limit};
	if (!grouping_parse(&q.by, str_of(e->by), from, &err) ||
	    !api_query_parse(&q, r, e->params, e->hours, from, &err) ||
	    !grouping_check_keys(&q.by, m, &err) || !grouping_check_keys(&q.only.by, m, &err)) {
		// grouping_parse speaks of the option --by; here it is a parameter
		api_error(ret, 400, "%s", strncmp(err.msg, "--", 2) == 0 ? err.msg + 2 : err.msg);
		return;
	}
	*ret = (struct http_answer){
		.status = 200, .type = e->type ? e->type : "application/json", .body = ret->body};
	buf_clear(&ret->body);
	struct json_writer j = JSON_WRITER(&ret->body);
	if (e->fn(a, &q, &j, &err)) {
		assert(j.depth == 0);
		if (!e->type)
			buf_addc(&ret->body, '\n');
		return;
	}
	if (err.kind == ERR_SKIP) {
		api_error(ret, 400, "%s", err.msg);
		return;
	}
	// What keeps Redis from answering, wrong credentials included, is not the client's fault.
	struct buf text = BUF_INIT;
	api_hide_redis(a, err.msg, &text);
	api_error(ret, err.kind == ERR_FATAL ? 500 : 503, "%s", text.data);
	buf_release(&text);
	ret->retry_s = err.kind == ERR_FATAL ? 0 : 2;
}

// ---- sums and spans -----------------------------------------------------------------------------

bool api_sum_groups(struct api *a, const struct api_query *q, int64_t from, int64_t to, struct groups *ret,
                    struct err *err)
{
	const struct grouping by = ret->by;
	const struct rollups_query query = {&by, &q->only, from, to, q->now_ms / MS_PER_HOUR};
	return rollups_sum(a->rollups, &query, ret, err);
}

const struct observed *api_observed(struct api *a, const struct api_query *q, int64_t from, int64_t to,
                                    struct err *err)
{
	return rollups_observed(a->rollups, &q->only, from, to, q->now_ms, err);
}

bool api_sum(struct api *a, const struct api_query *q, int64_t from, int64_t to, struct group *ret,
             struct err *err)
{
	const struct grouping none = {0};
	struct groups g;
	groups_init(&g, &none);
	bool good = api_sum_groups(a, q, from, to, &g, err);
	assert(g.n <= 1);
	*ret = g.n ? g.list[0] : (struct group){0};
	groups_release(&g);
	return good;
}
