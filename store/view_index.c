// SPDX-License-Identifier: Apache-2.0
// Which model hours there are: the indices of one account and region, and up to where its bill counts.
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "store/keys.h"
#include "store/view_priv.h"

enum { PAIR = 2 }; // a hash that was read: field, value, field, ..., sorted by field

static int by_str(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static struct str value_of(const struct str *hash, size_t n, struct str field)
{
	const struct str *pair = n ? bsearch(&field, hash, n / PAIR, PAIR * sizeof *hash, by_str) : NULL;
	return pair ? pair[1] : STR_NONE;
}

static struct str billed_field(const struct acct_region_index *x, struct str name)
{
	return value_of(x->billed, x->nbilled, name);
}

struct str view_index_called(const struct acct_region_index *x, struct str model)
{
	return value_of(x->called, x->ncalled, model);
}

static struct str *read_hash(struct redis *r, size_t reply, struct arena *arena, size_t *ret_n)
{
	struct str *list = redis_copy_list(r, reply, arena, ret_n);
	if (*ret_n > PAIR)
		qsort(list, *ret_n / PAIR, PAIR * sizeof *list, by_str);
	return list;
}

uint64_t view_index_run(const struct acct_region_index *x, struct str member)
{
	int64_t run = 0;
	enum { MONTH = sizeof "2026-11" - 1 };
	return member.len > MONTH && usd_parse_scaled(billed_field(x, (struct str){member.p, MONTH}), 0, &run)
	           ? (uint64_t)run
	           : 0;
}

bool view_index_is_final(const struct acct_region_index *x, struct str member, int64_t hour)
{
	return hour >= x->since && hour < x->watermark && view_index_run(x, member);
}

bool view_index_billed(const struct acct_region_index *x, struct str model)
{
	return x->nmodels && bsearch(&model, x->models, x->nmodels, sizeof model, by_str);
}

struct str *view_sorted(struct redis *r, size_t first, size_t replies, struct arena *arena, size_t *ret_n)
{
	size_t all = 0, n = 0;
	for (size_t k = first; k < first + replies; k++)
		all += redis_len(r, k);
	struct str *list = arena_alloc(arena, (all + 1) * sizeof *list);
	for (size_t k = first; k < first + replies; k++)
		for (size_t i = 0; i < redis_len(r, k); i++)
			list[n++] = arena_str(arena, redis_elem(r, k, i));
	if (n > 1)
		qsort(list, n, sizeof *list, by_str);
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !str_eq(list[kept - 1], list[i]))
			list[kept++] = list[i];
	*ret_n = kept;
	return list;
}

bool view_index_read(struct view *v, struct acct_region_index *x, int64_t from, int64_t to, struct err *err)
{
	struct buf key = BUF_INIT;
	char lo[24], hi[24];
	int nkinds = v->basis == VIEW_BEST ? 2 : 1;
	snprintf(lo, sizeof lo, "%lld", (long long)from);
	snprintf(hi, sizeof hi, "(%lld", (long long)to);
	for (int k = 0; k < nkinds; k++) {
		struct str index = k == SIDE_ESTIMATE ? key_usage_index(&key, v->prefix, x->acct_region)
		                                      : key_actual_index(&key, v->prefix, x->acct_region);
		redis_cmd(v->redis, 4, (struct str[]){STR("ZRANGEBYSCORE"), index, str_of(lo), str_of(hi)});
	}
	if (nkinds == 2) {
		redis_cmd(v->redis, 2,
		          (struct str[]){STR("SMEMBERS"), key_actual_models(&key, v->prefix, x->acct_region)});
		redis_cmd(v->redis, 2, (struct str[]){STR("HGETALL"), key_billed(&key, v->prefix, x->acct_region)});
		redis_cmd(v->redis, 2,
		          (struct str[]){STR("HGETALL"), key_actual_called(&key, v->prefix, x->acct_region)});
	}
	buf_release(&key);
	if (!redis_exec(v->redis, err))
		return false;
	x->members = view_sorted(v->redis, 0, (size_t)nkinds, &x->arena, &x->n);
	if (nkinds == 2) {
		x->models = view_sorted(v->redis, 2, 1, &x->arena, &x->nmodels);
		x->billed = read_hash(v->redis, 3, &x->arena, &x->nbilled);
		x->called = read_hash(v->redis, 4, &x->arena, &x->ncalled);
		if (!usd_parse_scaled(billed_field(x, STR("since")), 0, &x->since) ||
		    !usd_parse_scaled(billed_field(x, STR("watermark")), 0, &x->watermark))
			x->watermark = 0;
	}
	return true;
}

struct str view_key(struct view *v, const struct acct_region_index *x, struct str member, int side,
                    struct buf *key)
{
	return side == SIDE_ESTIMATE ? key_usage(key, v->prefix, x->acct_region, member)
	                             : key_actual(key, v->prefix, x->acct_region, member);
}

struct str view_meta_key(struct view *v, const struct acct_region_index *x, struct str member,
                         struct buf *key)
{
	return key_usage_meta(key, v->prefix, x->acct_region, member);
}
