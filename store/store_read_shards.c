// SPDX-License-Identifier: Apache-2.0
// The calls of an account and Region with shards: the sums of one minute, caller, rate class, metadata and
// second are those of all shards together, as if one had all calls.
#include <stdlib.h>

#include "store/cell_codec.h"
#include "store/keys.h"
#include "store/shards.h"
#include "store/store_read_priv.h"

static int by_field(const void *a, const void *b)
{
	const struct calls *x = a, *y = b;
	if (x->caller_id != y->caller_id)
		return x->caller_id < y->caller_id ? -1 : 1;
	if (x->meta_id != y->meta_id)
		return x->meta_id < y->meta_id ? -1 : 1;
	return compare_kind_of_calls(x, y);
}

static void add_calls(struct calls *to, const struct calls *c)
{
	to->n += c->n;
	to->failed += c->failed;
	to->started += c->started;
	to->started_sixths += c->started_sixths;
	for (int kind = 0; kind < TOKEN_KINDS; kind++) {
		to->exact_n[kind] += c->exact_n[kind];
		to->exact[kind] += c->exact[kind];
	}
}

static void sum_minute(struct minute *m)
{
	int32_t n = 0;
	if (m->ncalls > 1)
		qsort(m->calls, (size_t)m->ncalls, sizeof *m->calls, by_field);
	for (int32_t i = 0; i < m->ncalls; i++) {
		if (n && by_field(&m->calls[n - 1], &m->calls[i]) == 0)
			add_calls(&m->calls[n - 1], &m->calls[i]);
		else
			m->calls[n++] = m->calls[i];
	}
	m->ncalls = n;
}

// Replies first..first + n - 1 are the HGETALL of its cells in the shards.
static void add_hour(struct hour_reader *r, struct hour *h, size_t first, size_t n)
{
	struct redis *redis = r->store->redis;
	int32_t more[CELL_MINUTES] = {0};
	struct cell_field f;
	for (size_t i = first; i < first + n; i++)
		for (size_t k = 0; k + 1 < redis_len(redis, i); k += 2) {
			cell_field_read(redis_elem(redis, i, k), &f);
			more[f.minute] += f.form == CELL_CALLS;
		}
	for (int m = 0; m < CELL_MINUTES; m++) {
		struct minute *at = &h->minutes[m];
		struct calls *calls = arena_alloc(r->arena, (size_t)(at->ncalls + more[m]) * sizeof *calls);
		if (at->ncalls)
			memcpy(calls, at->calls, (size_t)at->ncalls * sizeof *calls);
		at->calls = calls;
	}
	for (size_t i = first; i < first + n; i++)
		for (size_t k = 0; k + 1 < redis_len(redis, i); k += 2) {
			cell_field_read(redis_elem(redis, i, k), &f);
			struct minute *at = &h->minutes[f.minute];
			if (f.form == CELL_CALLS)
				cell_calls_read(&f, redis_elem(redis, i, k + 1), &at->calls[at->ncalls++]);
		}
	for (int m = 0; m < CELL_MINUTES; m++)
		sum_minute(&h->minutes[m]);
}

bool read_shards(struct hour_reader *r, int shards, struct err *err)
{
	const struct series *out = r->out;
	struct redis *redis = r->store->redis;
	struct buf place = BUF_INIT;
	size_t reply = 0, n = (size_t)shards_last(shards);
	for (int i = 0; i < out->nhours; i++)
		for (int k = 1; k <= shards_last(shards) && out->hours[i]; k++)
			redis_cmd(redis, 2,
			          (struct str[]){STR("HGETALL"), key_cells(&r->store->key, prefix_of(r),
			                                                   shard_place(&place, out->acct_region, k),
			                                                   out->first + i, out->model_hex)});
	buf_release(&place);
	if (n == 0)
		return true;
	if (!redis_exec(redis, err))
		return false;
	for (int i = 0; i < out->nhours; i++)
		if (out->hours[i]) {
			add_hour(r, out->hours[i], reply, n);
			reply += n;
		}
	return true;
}
