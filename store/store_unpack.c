// SPDX-License-Identifier: Apache-2.0
// Calls of closed buckets are packed by claim.lua, a thousand at a time, and unpacked here likewise, so that
// Redis never blocks for long. Which buckets are closed Redis knows: it is asked for each of the batch.
#include "base/hash.h"
#include "store/keys.h"
#include "store/shards.h"
#include "store/store_priv.h"

enum { PACKED_AGAIN = 600 }; // times settle_ms

struct packed {
	struct str place; // account and Region, or shard
	int64_t bucket;
};

struct packed_list {
	struct map seen;
	struct packed *v;
	size_t n;
};

// A bucket of an account and Region, number `at` of the batch: under its own keys, or those of its shards.
static void add_bucket(struct packed_list *l, int64_t at, const struct str *places, int nplaces,
                       int64_t bucket)
{
	bool added;
	int64_t id[] = {at, bucket};
	map_add(&l->seen, hash64(id, sizeof id), 0, &added);
	for (int i = 0; added && i < nplaces; i++)
		l->v[l->n++] = (struct packed){places[i], bucket};
}

static void list_buckets(struct packed_list *l, struct store *s, const struct batch *b, struct arena *arena)
{
	struct buf name = BUF_INIT;
	size_t most = 0;
	for (int32_t i = 0; i < b->nacct_regions; i++)
		most += 2 * (size_t)b->acct_regions[i].nsections * (size_t)store_shards(s, b->acct_regions[i].name);
	l->v = arena_alloc(arena, (most + 1) * sizeof *l->v);
	for (int32_t i = 0; i < b->nacct_regions; i++) {
		const struct batch_acct_region *x = &b->acct_regions[i];
		struct str places[SHARDS_MAX];
		int n = store_shards(s, x->name);
		for (int k = 0; k < n; k++)
			places[k] = arena_str(arena, shard_place(&name, x->name, n > 1 ? k + 1 : 0));
		for (int32_t k = 0; k < x->nsections; k++) {
			if (!x->sections[k].reopens)
				continue;
			add_bucket(l, i, places, n, x->sections[k].bucket);
			add_bucket(l, i, places, n, x->sections[k].bucket + x->sections[k].other);
		}
	}
	buf_release(&name);
}

static void queue_unpack(struct store *s, const struct packed *x)
{
	redis_begin_eval(s->redis, s->unpack, 1, 3);
	redis_arg(s->redis, key_acct_region(&s->key, s->options->redis.prefix, x->place));
	redis_argi(s->redis, x->bucket);
	redis_argi(s->redis, PACKED_AGAIN * s->options->settle_ms);
}

bool store_unpack(struct store *s, const struct batch *b, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct packed_list l = {.seen = MAP_INIT};
	list_buckets(&l, s, b, &arena);
	bool good = true;
	while (good && l.n > 0) { // each round takes one text of each bucket that has some
		size_t left = 0;
		for (size_t i = 0; i < l.n; i++)
			queue_unpack(s, &l.v[i]);
		good = redis_exec(s->redis, err);
		for (size_t i = 0; good && i < l.n; i++)
			if (redis_int(s->redis, i) > 0)
				l.v[left++] = l.v[i];
		l.n = left;
	}
	map_release(&l.seen);
	arena_release(&arena);
	return good;
}
