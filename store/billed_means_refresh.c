// SPDX-License-Identifier: Apache-2.0
#include "store/billed_means_refresh.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/usd.h"
#include "base/when.h"
#include "estimator/facts.h"
#include "pricing/model_id.h"
#include "store/name_id.h"
#include "store/keys.h"
#include "store/redis.h"
#include "store/script.h"
#include "store/view.h"

EMBED_SCRIPT(billed_means_lua, "store/billed_means.lua")

bool billed_means_read(struct str field, struct str value, struct billed_means *ret)
{
	struct billed_means t = {.arn = field};
	if (!usd_parse_scaled(str_cut(&value, ' '), 0, &t.calls) || t.calls <= 0)
		return false;
	for (int kind = 0; kind < BILLED_KINDS; kind++)
		if (!usd_parse_scaled(str_cut(&value, ' '), 0, &t.tokens[kind]) || t.tokens[kind] < 0)
			return false;
	*ret = t;
	return true;
}

// ---- gathering ----------------------------------------------------------------------------------

struct gathered {
	struct str acct_region, model; // "account/region", model key
	struct billed_means sums;
};

struct gathering {
	struct arena arena;
	struct gathered *list;
	int32_t n, cap;
	struct map index;
	struct str *acct_regions; // all that have facts, figures or a bill
	size_t nacct_regions;
};

static struct billed_means *sums_of(struct gathering *g, const struct model_hour *model_hour,
                                    struct str model, struct str arn)
{
	struct buf acct_region = BUF_INIT;
	bool added;
	buf_addf(&acct_region, "%.*s/%.*s", STR_ARG(model_hour->account), STR_ARG(model_hour->region));
	uint64_t key = hash64_seeded(
		arn.p, arn.len,
		hash64_seeded(model.p, model.len, hash64(acct_region.data, acct_region.len)));
	int32_t *at = map_add(&g->index, key, g->n, &added);
	if (added) {
		if (g->n == g->cap)
			g->list = xrealloc(g->list, (size_t)(g->cap = g->cap ? g->cap * 2 : 256), sizeof *g->list);
		g->list[g->n++] = (struct gathered){arena_str(&g->arena, buf_str(&acct_region)),
		                                    arena_str(&g->arena, model),
		                                    {.arn = arena_str(&g->arena, arn)}};
	}
	buf_release(&acct_region);
	return &g->list[*at].sums;
}

// Calls that the bill does not have teach nothing: their model or their caller has another name there.
static bool is_unbilled(const struct model_hour *model_hour, struct str principal)
{
	for (int i = 0; i < model_hour->nunbilled; i++)
		if (str_eq(model_hour->unbilled[i].principal, principal))
			return true;
	return model_hour->nactual == 0;
}

static bool gather(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct gathering *g = user;
	struct str model = model_id_key(model_hour->model);
	(void)v;
	for (int i = 0; model_hour->billed && i < model_hour->nrows; i++) {
		const struct view_row *row = &model_hour->rows[i];
		if (row->principal.p[0] == '(' || row->figure.tokens < 0 || row_has_units(row) ||
		    (row->kind == ROW_CALLS && is_unbilled(model_hour, row->principal)))
			continue;
		struct billed_means *t = sums_of(g, model_hour, model, row->principal);
		if (row->kind == ROW_CALLS) {
			t->calls += row->calls.charged;
			continue;
		}
		t->tokens[kind_of_type(row->type)] += row->figure.tokens;
		if (row->type == TOKEN_CACHE_WRITE_1H)
			t->tokens[TOKENS_CACHE_WRITE_1H] += row->figure.tokens;
	}
	return true;
}

// ---- writing ------------------------------------------------------------------------------------

static int by_place(const void *a, const void *b)
{
	const struct gathered *x = a, *y = b;
	int c = str_cmp(x->acct_region, y->acct_region);
	if (!c)
		c = str_cmp(x->model, y->model);
	return c ? c : str_cmp(x->sums.arn, y->sums.arn);
}

struct writing_means {
	struct redis *redis;
	int script;
	const char *prefix;
	struct siphash_key name_key;
	int64_t settle_ms, retention_ms;
};

static void begin_hash(const struct writing_means *w, struct str acct_region, struct str model_hex,
                       int32_t fields)
{
	struct buf key = BUF_INIT;
	redis_begin_eval(w->redis, w->script, 1, 4 + 2 * fields);
	redis_arg(w->redis, key_acct_region(&key, w->prefix, acct_region));
	redis_arg(w->redis, model_hex);
	redis_argi(w->redis, w->settle_ms);
	redis_argi(w->redis, w->retention_ms);
	buf_release(&key);
}

static void queue_field(const struct writing_means *w, struct str arn, const struct billed_means *t)
{
	struct buf text = BUF_INIT;
	buf_addf(&text, "%lld", (long long)t->calls);
	for (int kind = 0; kind < BILLED_KINDS; kind++)
		buf_addf(&text, " %lld", (long long)t->tokens[kind]);
	redis_arg(w->redis, arn);
	redis_arg(w->redis, buf_str(&text));
	buf_release(&text);
}

static void queue_model(const struct writing_means *w, const struct gathered *list, int32_t n)
{
	struct buf text = BUF_INIT;
	int32_t useful = 0;
	for (int32_t i = 0; i < n; i++)
		useful += list[i].sums.calls > 0;
	buf_addf(&text, "%016llx", (unsigned long long)name_id_of_model(&w->name_key, list[0].model));
	if (useful)
		begin_hash(w, list[0].acct_region, buf_str(&text), useful);
	for (int32_t i = 0; i < n; i++)
		if (list[i].sums.calls > 0) // else billed, never seen: no mean
			queue_field(w, list[i].sums.arn, &list[i].sums);
	buf_release(&text);
}

// What was billed of all models and callers: also for accounts and Regions of which nothing was.
static void queue_sum(const struct writing_means *w, const struct gathering *g)
{
	struct billed_means all = {.arn = STR(BILLED_MEANS_ALL)};
	for (int32_t i = 0; i < g->n; i++) {
		const struct billed_means *t = &g->list[i].sums;
		all.calls += t->calls > 0 ? t->calls : 0;
		for (int kind = 0; t->calls > 0 && kind < BILLED_KINDS; kind++)
			if (t->tokens[kind] > 0 &&
			    __builtin_add_overflow(all.tokens[kind], t->tokens[kind], &all.tokens[kind]))
				all.tokens[kind] = INT64_MAX;
	}
	for (size_t i = 0; all.calls && i < g->nacct_regions; i++) {
		begin_hash(w, g->acct_regions[i], STR(BILLED_MEANS_ALL), 1);
		queue_field(w, all.arn, &all);
	}
}

static void queue_all(const struct writing_means *w, struct gathering *g)
{
	if (g->n > 1)
		qsort(g->list, (size_t)g->n, sizeof *g->list, by_place);
	for (int32_t i = 0, end; i < g->n; i = end) {
		for (end = i + 1; end < g->n && str_eq(g->list[end].acct_region, g->list[i].acct_region) &&
		                  str_eq(g->list[end].model, g->list[i].model);)
			end++;
		queue_model(w, g->list + i, end - i);
	}
	queue_sum(w, g);
}

// The latest watermark of all accounts and Regions, hours; 0: nothing is billed.
static bool latest_watermark(struct gathering *g, struct redis *r, const char *prefix, int64_t *ret,
                             struct err *err)
{
	struct buf key = BUF_INIT;
	*ret = 0;
	redis_cmd(r, 2, (struct str[]){STR("SMEMBERS"), key_acct_regions(&key, prefix)});
	bool good = redis_exec(r, err);
	size_t n = 0;
	g->acct_regions = good ? redis_copy_list(r, 0, &g->arena, &n) : NULL;
	g->nacct_regions = n;
	for (size_t i = 0; i < n; i++)
		redis_cmd(
			r, 3,
			(struct str[]){STR("HGET"), key_billed(&key, prefix, g->acct_regions[i]), STR("watermark")});
	good = good && redis_exec(r, err);
	for (size_t i = 0; good && i < n; i++)
		if (redis_int(r, i) > *ret)
			*ret = redis_int(r, i);
	buf_release(&key);
	return good;
}

bool billed_means_refresh(struct redis_target target, int64_t settle_ms,
                          int64_t retention_ms, struct err *err)
{
	struct gathering g = {.arena = ARENA_INIT};
	struct view *v;
	int64_t watermark;
	if (!view_open(&v, target, err))
		return false;
	struct redis *r = view_redis(v);
	struct writing_means w = {.redis = r,
	                          .script = redis_script(r, billed_means_lua()),
	                          .prefix = target.prefix,
	                          .settle_ms = settle_ms,
	                          .retention_ms = retention_ms};
	bool good = latest_watermark(&g, r, target.prefix, &watermark, err);
	if (good && watermark)
		good = view_each(v, watermark - BILLED_MEANS_HOURS, watermark, gather, &g, err);
	good = good && name_key_read(r, target.prefix, &w.name_key, err);
	if (good)
		queue_all(&w, &g);
	good = good && redis_exec(r, err);
	free(g.list);
	map_release(&g.index);
	arena_release(&g.arena);
	view_close(v);
	return good;
}
