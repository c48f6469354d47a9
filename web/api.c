// SPDX-License-Identifier: Apache-2.0
#include "web/api.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/when.h"

enum { HOURS_PER_DAY = 24, USD_PLACES = 9 };

struct endpoint {
	const char *path;
	api_fn *fn;
	int words;          // of enum query_word
	int64_t hours;      // span without from, to, hours
	const char *by;     // grouping without by
	int64_t limit;
};

static const struct endpoint endpoints[] = {
	{"/api/v1/summary", api_summary, QUERY_FILTER, 1, "", 0},
	{"/api/v1/series", api_series, QUERY_SPAN | QUERY_BY | QUERY_FILTER | QUERY_STEP | QUERY_LIMIT, 24, "",
     8},
	{"/api/v1/breakdown", api_breakdown, QUERY_SPAN | QUERY_BY | QUERY_FILTER | QUERY_LIMIT | QUERY_SEARCH,
     24, "principal", 100},
	{"/api/v1/movers", api_movers, QUERY_SPAN | QUERY_BY | QUERY_FILTER | QUERY_LIMIT, 24, "principal", 10},
	{"/api/v1/cache", api_cache, QUERY_SPAN | QUERY_FILTER, 24, "", 0},
	{"/api/v1/forecast", api_forecast, QUERY_FILTER, 1, "", 0},
	{"/api/v1/gaps", api_gaps, QUERY_SPAN | QUERY_FILTER, 24, "", 0},
	{"/api/v1/freshness", api_freshness, 0, 1, "", 0},
	{"/api/v1/findings", api_findings, 0, 1, "", 0},
	{"/api/v1/reconciliation", api_reconciliation, 0, 1, "", 0},
	{"/api/v1/scoreboard", api_scoreboard, 0, 1, "", 0},
	{"/api/v1/budgets", api_budgets, 0, 1, "", 0},
	{"/api/v1/alerts", api_alerts, 0, 1, "", 0},
};

static const struct endpoint *find(struct str path)
{
	for (size_t i = 0; i < sizeof endpoints / sizeof *endpoints; i++)
		if (str_is(path, endpoints[i].path))
			return &endpoints[i];
	return NULL;
}

bool api_knows(struct str path)
{
	return find(path) != NULL;
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
	ret->status = status;
	ret->type = "application/json";
	buf_clear(&ret->body);
	buf_adds(&ret->body, "{\"error\":");
	buf_add_json(&ret->body, buf_str(&text));
	buf_adds(&ret->body, "}\n");
	buf_release(&text);
}

void api_answer(struct api *a, const struct http_request *r, struct http_answer *ret)
{
	const struct endpoint *e = find(r->path);
	struct err err = ERR_INIT;
	struct str team = str_of(a->conf->team_tag);
	struct api_query q = {.now_ms = api_now_ms(a), .step = STEP_HOUR, .limit = e->limit};
	if (!grouping_parse(&q.by, str_of(e->by), team, &err) ||
	    !api_query_parse(&q, r, e->words, e->hours, team, &err)) {
		// "--by:" is "by:" here
		api_error(ret, 400, "%s", strncmp(err.msg, "--", 2) == 0 ? err.msg + 2 : err.msg);
		return;
	}
	*ret = (struct http_answer){.status = 200, .type = "application/json", .body = ret->body};
	buf_clear(&ret->body);
	if (e->fn(a, &q, &ret->body, &err)) {
		buf_adds(&ret->body, "\n");
		return;
	}
	if (err.kind == ERR_SKIP) {
		api_error(ret, 400, "%s", err.msg);
		return;
	}
	// Whatever keeps Redis from answering, credentials included, is no fault of the client.
	api_error(ret, err.kind == ERR_FATAL ? 500 : 503, "%s", err.msg);
	ret->retry_s = err.kind == ERR_FATAL ? 0 : 2;
}

// ---- pieces of JSON -----------------------------------------------------------------------------

const struct basis_part basis_parts[] = {
	{"billed", offsetof(struct group, usd_billed)},
	{"exact", offsetof(struct group, usd_exact)},
	{"allocated", offsetof(struct group, usd_allocated)},
	{"provisional", offsetof(struct group, usd_provisional)},
	{NULL, 0},
};

void json_time(struct buf *b, int64_t ms)
{
	char text[WHEN_SIZE];
	buf_addf(b, "\"%s\"", when_format(ms, text));
}

void json_usd(struct buf *b, struct usd usd)
{
	char text[USD_SIZE];
	buf_addf(b, "\"%s\"", usd_format(usd, USD_PLACES, text));
}

void json_span(struct buf *b, int64_t from, int64_t to)
{
	buf_adds(b, "\"from\":");
	json_time(b, from * MS_PER_HOUR);
	buf_adds(b, ",\"to\":");
	json_time(b, to * MS_PER_HOUR);
}

void json_figure(struct buf *b, const struct group *g)
{
	buf_addf(b, "\"calls\":%lld,\"failed\":%lld,\"tokens\":%lld,\"tokens_unpriced\":%lld,\"usd\":",
	         (long long)g->calls, (long long)g->failed, (long long)g->tokens, (long long)g->unpriced);
	if (g->tokens && g->unpriced == g->tokens) {
		buf_adds(b, "null,\"usd_low\":null,\"usd_high\":null,\"basis\":{}");
		return;
	}
	json_usd(b, g->usd);
	buf_adds(b, ",\"usd_low\":");
	json_usd(b, g->usd_low);
	buf_adds(b, ",\"usd_high\":");
	json_usd(b, g->usd_high);
	if (g->units)
		buf_addf(b, ",\"units\":%lld", (long long)g->units);
	if (usd_cmp(g->usd_band_estimated, USD_ZERO) > 0) {
		buf_adds(b, ",\"usd_band_estimated\":");
		json_usd(b, g->usd_band_estimated);
	}
	buf_adds(b, ",\"basis\":{");
	const char *comma = "";
	for (const struct basis_part *p = basis_parts; p->name; p++) {
		if (basis_usd(g, p).pico == 0)
			continue;
		buf_addf(b, "%s\"%s\":", comma, p->name);
		json_usd(b, basis_usd(g, p));
		comma = ",";
	}
	buf_addc(b, '}');
}

void json_keys(struct buf *b, const struct grouping *by, const struct str *keys)
{
	buf_addc(b, '{');
	for (int i = 0; i < by->n; i++) {
		if (i)
			buf_addc(b, ',');
		buf_add_json(b, by->name[i]);
		buf_addc(b, ':');
		buf_add_json(b, keys[i]);
	}
	buf_addc(b, '}');
}

// ---- sums and spans -----------------------------------------------------------------------------

bool api_sum(struct api *a, const struct api_query *q, int64_t from, int64_t to, struct group *ret,
             struct err *err)
{
	const struct grouping none = {0};
	struct groups g;
	groups_init(&g, &none);
	bool good = rollups_sum(a->rollups, &none, &q->only, from, to, q->now_ms / MS_PER_HOUR, &g, err);
	*ret = g.n ? g.list[0] : (struct group){0};
	groups_release(&g);
	return good;
}
