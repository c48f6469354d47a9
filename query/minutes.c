// SPDX-License-Identifier: Apache-2.0
#include "query/minutes.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/when.h"
#include "estimator/facts.h"
#include "pricing/model_id.h"
#include "query/figure_json.h"
#include "store/cell_codec.h"
#include "store/keys.h"
#include "store/name_id.h"
#include "store/redis.h"
#include "store/shards.h"

enum { MINUTES = CELL_MINUTES, SHEETS_MAX = 4096 };

// One hour of one model, and what is needed to spread it.
struct spread {
	int64_t hour;
	struct str acct_region, model;    // model key
	int places;                       // that have its cells: the account and Region, and its shards
	struct group sum;                 // through the filter
	int row;                          // of the group it belongs to, or -1
	int64_t rate[METRIC_KINDS];       // picodollars a token
};

struct spreads {
	const struct minutes_query *q;
	struct arena arena;
	struct spread *list;
	int n, cap;
};

static bool add_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct spreads *s = user;
	struct groups g;
	usd_pico usd[METRIC_KINDS] = {0};
	int64_t tokens[METRIC_KINDS] = {0};
	struct buf acct_region = BUF_INIT;
	if (s->n == SHEETS_MAX)
		return false;
	groups_init(&g, s->q->by);
	g.only = s->q->only->by.n ? s->q->only : NULL;
	groups_add(&g, v, model_hour);
	struct group sum = g.n ? g.list[0] : (struct group){0}; // one at the most: minutes_are_known
	int at = s->q->row_of && g.n ? s->q->row_of(s->q->user, sum.keys) : -1;
	groups_release(&g);
	if (sum.tokens == 0 && sum.usd.pico == 0) // the bill may have dollars for which no tokens are known
		return true;
	if (s->n == s->cap)
		s->list = xrealloc(s->list, (size_t)(s->cap = s->cap ? s->cap * 2 : 64), sizeof *s->list);
	struct str model = model_id_key(model_hour->model);
	buf_addf(&acct_region, "%.*s/%.*s", STR_ARG(model_hour->account), STR_ARG(model_hour->region));
	struct spread *x = &s->list[s->n++];
	*x = (struct spread){.hour = model_hour->hour,
	                     .acct_region = arena_str(&s->arena, buf_str(&acct_region)),
	                     .model = arena_str(&s->arena, model),
	                     .sum = sum,
	                     .row = at};
	buf_release(&acct_region);
	for (int i = 0; i < model_hour->nrows; i++) {
		const struct view_row *row = &model_hour->rows[i];
		if (row->kind != ROW_TOKENS || !row->figure.priced)
			continue;
		usd[kind_of_type(row->type)] += row->figure.usd.pico;
		tokens[kind_of_type(row->type)] += row->figure.tokens;
	}
	for (int k = 0; k < METRIC_KINDS; k++)
		x->rate[k] = tokens[k] > 0 && usd[k] > 0 ? (int64_t)(usd[k] / tokens[k]) : 0; // a bill may take back
	return true;
}

// ---- facts --------------------------------------------------------------------------------------

struct minute_weights {
	int64_t metered[MINUTES]; // micro-dollars by the metrics
	int64_t calls[MINUTES];
	bool has_metric[MINUTES];
};

// Of the cells of an hour (store/cell_codec.h): the metrics of all tiers, and the charged calls of every
// caller and rate class.
static void add_weights(struct redis *r, size_t reply, const struct spread *x, struct minute_weights *w)
{
	for (size_t k = 0; k + 1 < redis_len(r, reply); k += 2) {
		struct str value = redis_elem(r, reply, k + 1);
		struct cell_field f;
		cell_field_read(redis_elem(r, reply, k), &f);
		if (f.form == CELL_METRIC && f.kind != TOKENS_UNITS) {
			struct cell_metric m;
			cell_metric_read(value, &m);
			w->metered[f.minute] += (int64_t)(usd_price(m.sum, x->rate[f.kind]).pico / 1000000);
			w->has_metric[f.minute] = true;
		} else if (f.form == CELL_CALLS) {
			struct calls calls;
			cell_calls_read(&f, value, &calls);
			w->calls[f.minute] += calls.n;
		}
	}
}

// What a call costs in the minutes that have a metric; 1 where none has, which spreads by calls.
static int64_t micro_per_call(const struct minute_weights *w)
{
	int64_t metered = 0, calls = 0;
	for (int m = 0; m < MINUTES; m++)
		if (w->has_metric[m]) {
			metered += w->metered[m];
			calls += w->calls[m];
		}
	return calls && metered / calls ? metered / calls : 1;
}

static struct usd share(struct usd whole, int64_t done, int64_t part, int64_t all)
{
	return usd_sub(usd_muldiv(whole, done + part, all), usd_muldiv(whole, done, all));
}

// `values`: of the hour's group, NULL if it has none.
static void spread_hour(const struct spread *x, const struct minute_weights *w, int last_minute,
                        struct group *points, struct usd *values)
{
	int64_t per_call = micro_per_call(w), weight[MINUTES], all = 0, done = 0;
	for (int m = 0; m < MINUTES; m++)
		all += weight[m] = w->has_metric[m] ? w->metered[m] : w->calls[m] * per_call;
	for (int m = 0; all == 0 && m <= last_minute; m++)
		weight[m] = 1;
	all = all ? all : last_minute + 1;
	for (int m = 0; m < MINUTES; m++) {
		struct group *p = &points[m];
		if (!weight[m])
			continue;
		p->tokens += share((struct usd){x->sum.tokens}, done, weight[m], all).pico;
		struct usd usd = share(x->sum.usd, done, weight[m], all);
		p->usd = usd_add(p->usd, usd);
		if (values)
			values[m] = usd_add(values[m], usd);
		p->usd_low = usd_add(p->usd_low, share(x->sum.usd_low, done, weight[m], all));
		p->usd_high = usd_add(p->usd_high, share(x->sum.usd_high, done, weight[m], all));
		for (const struct basis_part *b = basis_parts; b->name; b++) {
			struct usd *to = (struct usd *)((char *)p + b->usd_at);
			*to = usd_add(*to, share(basis_usd(&x->sum, b), done, weight[m], all));
		}
		done += weight[m];
	}
}

static bool read_cells(struct view *v, struct spreads *s, struct err *err)
{
	struct redis *r = view_redis(v);
	struct buf key = BUF_INIT, place = BUF_INIT;
	struct siphash_key name_key;
	struct str *places = arena_alloc(&s->arena, (size_t)s->n * sizeof *places);
	for (int i = 0; i < s->n; i++)
		places[i] = s->list[i].acct_region;
	int *shards = shards_read(r, view_prefix(v), places, (size_t)s->n, &s->arena, err);
	if (!shards || !name_key_read(r, view_prefix(v), &name_key, err))
		return false;
	for (int i = 0; i < s->n; i++) {
		struct spread *x = &s->list[i];
		char model_hex[17];
		snprintf(model_hex, sizeof model_hex, "%016llx",
		         (unsigned long long)name_id_of_model(&name_key, x->model));
		x->places = 1 + shards_last(shards[i]);
		for (int k = 0; k < x->places; k++) {
			key_cells(&key, view_prefix(v), shard_place(&place, x->acct_region, k), x->hour,
			          str_of(model_hex));
			redis_cmd(r, 2, (struct str[]){STR("HGETALL"), buf_str(&key)});
		}
	}
	buf_release(&key);
	buf_release(&place);
	return redis_exec(r, err);
}

static bool spread_all(struct view *v, struct spreads *s, struct group *total, struct usd *values,
                       struct err *err)
{
	const struct minutes_query *q = s->q;
	int64_t n = (q->to - q->from) * MINUTES;
	size_t reply = 0;
	if (s->n == 0)
		return true;
	if (!read_cells(v, s, err))
		return false;
	for (int i = 0; i < s->n; i++) {
		const struct spread *x = &s->list[i];
		struct minute_weights w = {0};
		int64_t over = q->now_ms / MS_PER_MINUTE - x->hour * MINUTES, at = (x->hour - q->from) * MINUTES;
		for (int k = 0; k < x->places; k++)
			add_weights(view_redis(v), reply++, x, &w);
		spread_hour(x, &w, over < MINUTES && over >= 0 ? (int)over : MINUTES - 1, total + at,
		            x->row < 0 || !values ? NULL : values + x->row * n + at);
	}
	return true;
}

bool minutes_are_known(const struct grouping *by)
{
	for (int i = 0; i < by->n; i++)
		if (by->by[i] != BY_ACCOUNT && by->by[i] != BY_REGION && by->by[i] != BY_MODEL &&
		    by->by[i] != BY_FAMILY)
			return false;
	return true;
}

bool minutes_spread(struct view *v, const struct minutes_query *q, struct group *total, struct usd *values,
                    struct err *err)
{
	struct spreads s = {.q = q};
	bool good = view_each(v, q->from, q->to, add_model_hour, &s, err) &&
	            spread_all(v, &s, total, values, err);
	free(s.list);
	arena_release(&s.arena);
	return good;
}
