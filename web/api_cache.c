// SPDX-License-Identifier: Apache-2.0
// What prompt caching does to the bill, and what the figures do not cover.
//
// Caching. Without it every token read from or written to the cache would have been an input token. So the
// saving is reads x (input rate - read rate), less what writes cost above the input rate. Rates are those of
// the figures themselves (dollars over tokens, by model and region), the catalogue's where a model had no
// plain input.
#include <stdlib.h>

#include "base/when.h"
#include "query/figure_json.h"
#include "store/redis.h"
#include "web/api.h"

struct cached { // of one model and region, or of all
	struct str model;
	int64_t tokens[TOKEN_TYPES];
	struct usd usd[TOKEN_TYPES];
	struct usd plain;    // what the cached tokens would have cost as input
	bool unknown;        // no input rate: counted nowhere below
};

static bool is_cached(int type)
{
	return type == TOKEN_CACHE_READ || type == TOKEN_CACHE_WRITE_5M || type == TOKEN_CACHE_WRITE_1H;
}

static int type_of(struct str name)
{
	for (int t = 0; t < TOKEN_TYPES; t++)
		if (str_is(name, token_type_names[t]))
			return t;
	return -1;
}

static int64_t input_rate(const struct cached *c, struct str region, int64_t time_ms)
{
	struct rate rate;
	const char *why;
	if (c->tokens[TOKEN_INPUT] && c->usd[TOKEN_INPUT].pico > 0)
		return (int64_t)(c->usd[TOKEN_INPUT].pico / c->tokens[TOKEN_INPUT]);
	return catalogue_rate(catalogue_builtin(), c->model, STR_NONE, region, TOKEN_INPUT, time_ms, &rate, &why)
	           ? rate.pico_per_token
	           : 0;
}

static void close_model(struct cached *c, struct str region, int64_t time_ms)
{
	int64_t rate = input_rate(c, region, time_ms), tokens = 0;
	for (int t = 0; t < TOKEN_TYPES; t++)
		if (is_cached(t))
			tokens += c->tokens[t];
	c->plain = usd_price(tokens, rate);
	c->unknown = tokens > 0 && rate == 0;
}

static struct usd cached_usd(const struct cached *c)
{
	return usd_add(c->usd[TOKEN_CACHE_READ],
	               usd_add(c->usd[TOKEN_CACHE_WRITE_5M], c->usd[TOKEN_CACHE_WRITE_1H]));
}

static void add_cached(struct cached *sum, const struct cached *c)
{
	if (c->unknown)
		return;
	for (int t = 0; t < TOKEN_TYPES; t++) {
		sum->tokens[t] += c->tokens[t];
		sum->usd[t] = usd_add(sum->usd[t], c->usd[t]);
	}
	sum->plain = usd_add(sum->plain, c->plain);
}

static void write_cached(struct json_writer *j, const struct cached *c)
{
	int64_t cached =
		c->tokens[TOKEN_CACHE_READ] + c->tokens[TOKEN_CACHE_WRITE_5M] + c->tokens[TOKEN_CACHE_WRITE_1H];
	int64_t prompt = cached + c->tokens[TOKEN_INPUT];
	for (int t = 0; t < TOKEN_TYPES; t++) {
		jw_object(j, token_type_names[t]);
		jw_int(j, "tokens", c->tokens[t]);
		jw_usd(j, "usd", c->usd[t]);
		jw_end(j);
	}
	jw_usd(j, "without_caching", c->plain);
	jw_usd(j, "saved", usd_sub(c->plain, cached_usd(c)));
	if (prompt) // in parts of a million, so that no double is made here
		jw_int(j, "hit_ppm", (int64_t)((__int128)c->tokens[TOKEN_CACHE_READ] * 1000000 / prompt));
	else
		jw_null(j, "hit_ppm");
}

static void write_caching(struct json_writer *j, const struct api_query *q, const struct cached *models,
                          int n)
{
	struct cached all = {0};
	for (int i = 0; i < n; i++)
		add_cached(&all, &models[i]);
	jw_object(j, NULL);
	figure_json_span(j, q->from, q->to);
	jw_object(j, "total");
	write_cached(j, &all);
	jw_end(j);
	jw_array(j, "models");
	for (int i = 0; i < n; i++) {
		jw_line(j);
		jw_object(j, NULL);
		jw_str(j, "model", models[i].model);
		write_cached(j, &models[i]);
		jw_bool(j, "priced", !models[i].unknown);
		jw_end(j);
	}
	jw_end(j);
	jw_end(j);
}

// Groups come sorted by model, region, token type.
static int collect(const struct groups *g, int64_t time_ms, struct cached *ret)
{
	int n = 0;
	for (int32_t i = 0; i < g->n;) {
		const struct str *keys = g->list[i].keys;
		struct cached c = {.model = keys[0]};
		struct str region = keys[1];
		for (; i < g->n && str_eq(g->list[i].keys[0], c.model) && str_eq(g->list[i].keys[1], region); i++) {
			int t = type_of(g->list[i].keys[2]);
			if (t < 0)
				continue;
			c.tokens[t] = g->list[i].tokens;
			c.usd[t] = g->list[i].usd;
		}
		close_model(&c, region, time_ms);
		if (n && str_eq(ret[n - 1].model, c.model) && !ret[n - 1].unknown)
			add_cached(&ret[n - 1], &c);
		else
			ret[n++] = c;
	}
	return n;
}

bool api_cache(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	const struct grouping by = {.n = 3,
	                            .by = {BY_MODEL, BY_REGION, BY_TOKEN_TYPE},
	                            .name = {STR("model"), STR("region"), STR("token_type")}};
	struct groups g;
	groups_init(&g, &by);
	bool good = api_sum_groups(a, q, q->from, q->to, &g, err);
	if (good) {
		groups_sort_by_key(&g);
		struct cached *models = xcalloc((size_t)g.n + 1, sizeof *models);
		int n = collect(&g, q->to * MS_PER_HOUR - 1, models);
		write_caching(j, q, models, n);
		free(models);
	}
	groups_release(&g);
	return good;
}

// ---- gaps ---------------------------------------------------------------------------------------

static bool read_reasons(struct api *a, struct err *err)
{
	struct redis *r = view_redis(rollups_view(a->rollups));
	struct buf key = BUF_INIT;
	buf_addf(&key, "%s:unpriced", a->conf->redis_prefix);
	redis_cmdz(r, "HGETALL", key.data, NULL);
	buf_release(&key);
	return redis_exec(r, err);
}

static struct str reason_of(struct api *a, struct str model)
{
	struct redis *r = view_redis(rollups_view(a->rollups));
	for (size_t i = 0; i + 1 < redis_len(r, 0); i += 2)
		if (str_eq(redis_elem(r, 0, i), model))
			return redis_elem(r, 0, i + 1);
	return STR("no rate for some of its token types");
}

static void write_gaps(struct api *a, struct json_writer *j, const struct groups *priced,
                       const struct groups *orphans)
{
	jw_array(j, "unpriced");
	for (int32_t i = 0; i < priced->n; i++) {
		const struct group *g = &priced->list[i];
		if (!g->unpriced)
			continue;
		jw_line(j);
		jw_object(j, NULL);
		jw_str(j, "model", g->keys[0]);
		jw_int(j, "tokens", g->unpriced);
		jw_int(j, "calls", g->calls);
		jw_str(j, "why", reason_of(a, g->keys[0]));
		jw_end(j);
	}
	jw_end(j);
	jw_array(j, "unattributed");
	for (int32_t i = 0; i < orphans->n; i++) {
		const struct group *g = &orphans->list[i];
		if (!g->tokens)
			continue;
		jw_line(j);
		jw_object(j, NULL);
		jw_str(j, "model", g->keys[0]);
		figure_json_members(j, g);
		jw_end(j);
	}
	jw_end(j);
}

// Without a price: tokens by model, with the reason. Without a caller: a figure by model.
bool api_gaps(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	const struct grouping by = {.n = 1, .by = {BY_MODEL}, .name = {STR("model")}};
	struct api_query lost = *q;
	struct groups priced, orphans;
	if (lost.only.by.n == GROUP_KEYS_MAX)
		return err_set(err, ERR_SKIP, "at most %d filters here", GROUP_KEYS_MAX - 1);
	lost.only.by.by[lost.only.by.n] = BY_PRINCIPAL;
	lost.only.by.name[lost.only.by.n] = STR("principal");
	lost.only.value[lost.only.by.n++] = STR(UNATTRIBUTED);
	groups_init(&priced, &by);
	groups_init(&orphans, &by);
	bool good = api_sum_groups(a, q, q->from, q->to, &priced, err) &&
	            api_sum_groups(a, &lost, q->from, q->to, &orphans, err) && read_reasons(a, err);
	if (good) {
		jw_object(j, NULL);
		figure_json_span(j, q->from, q->to);
		write_gaps(a, j, &priced, &orphans);
		jw_end(j);
	}
	groups_release(&priced);
	groups_release(&orphans);
	return good;
}
