// SPDX-License-Identifier: Apache-2.0
// Calls of closed buckets are packed by claim.lua, a thousand at a time, and unpacked here likewise, so that
// Redis never blocks for long. Which buckets are closed Redis knows: it is asked for each of the batch.
#include "base/hash.h"
#include "store/keys.h"
#include "store/store.h"

enum { PACKED_AGAIN = 600 }; // times settle_ms

struct packed {
	struct str acct_region;
	int64_t bucket;
};

struct packed_list {
	struct map seen;
	struct packed *v;
	size_t n;
};

static void add_bucket(struct packed_list *l, int64_t acct_region, struct str name, int64_t bucket)
{
	bool added;
	int64_t place[] = {acct_region, bucket};
	map_add(&l->seen, hash64(place, sizeof place), 0, &added);
	if (added)
		l->v[l->n++] = (struct packed){name, bucket};
}

static void list_buckets(struct packed_list *l, const struct batch *b, struct arena *arena)
{
	size_t most = 0;
	for (int32_t i = 0; i < b->nacct_regions; i++)
		most += 2 * (size_t)b->acct_regions[i].nsections;
	l->v = arena_alloc(arena, (most + 1) * sizeof *l->v);
	for (int32_t i = 0; i < b->nacct_regions; i++) {
		const struct batch_acct_region *x = &b->acct_regions[i];
		for (int32_t k = 0; k < x->nsections; k++) {
			if (!x->sections[k].reopens)
				continue;
			add_bucket(l, i, x->name, x->sections[k].bucket);
			add_bucket(l, i, x->name, x->sections[k].bucket + x->sections[k].other);
		}
	}
}

static void queue_unpack(struct store *s, const struct packed *x)
{
	redis_begin_eval(s->redis, s->unpack, 1, 3);
	redis_arg(s->redis, key_acct_region(&s->key, s->options->redis.prefix, x->acct_region));
	redis_argi(s->redis, x->bucket);
	redis_argi(s->redis, PACKED_AGAIN * s->options->settle_ms);
}

bool store_unpack(struct store *s, const struct batch *b, struct err *err)
{
	struct arena arena = ARENA_INIT;
	struct packed_list l = {.seen = MAP_INIT};
	list_buckets(&l, b, &arena);
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
