// SPDX-License-Identifier: Apache-2.0
#include "base/lru.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"

enum { BUCKETS_MIN = 64 };

static struct lru_entry **bucket_of(const struct lru *l, uint64_t key)
{
	return &l->buckets[(size_t)(key ^ key >> 32) & (l->nbuckets - 1)];
}

static void link_newest(struct lru *l, struct lru_entry *e)
{
	e->newer = NULL;
	e->older = l->newest;
	*(l->newest ? &l->newest->newer : &l->oldest) = e;
	l->newest = e;
}

static void unlink_entry(struct lru *l, struct lru_entry *e)
{
	*(e->newer ? &e->newer->older : &l->newest) = e->older;
	*(e->older ? &e->older->newer : &l->oldest) = e->newer;
}

static void grow_buckets(struct lru *l)
{
	free(l->buckets);
	l->nbuckets = l->nbuckets ? l->nbuckets * 2 : BUCKETS_MIN;
	l->buckets = xcalloc(l->nbuckets, sizeof(struct lru_entry *));
	for (struct lru_entry *e = l->newest; e; e = e->older) {
		struct lru_entry **bucket = bucket_of(l, e->key);
		e->next = *bucket;
		*bucket = e;
	}
}

struct lru_entry *lru_find(const struct lru *l, uint64_t key)
{
	struct lru_entry *e = l->nbuckets ? *bucket_of(l, key) : NULL;
	while (e && e->key != key)
		e = e->next;
	return e;
}

void lru_add(struct lru *l, struct lru_entry *e)
{
	assert(!lru_find(l, e->key));
	if (l->n == l->nbuckets)
		grow_buckets(l);
	struct lru_entry **bucket = bucket_of(l, e->key);
	e->next = *bucket;
	*bucket = e;
	link_newest(l, e);
	l->n++;
	l->bytes += e->bytes;
}

void lru_use(struct lru *l, struct lru_entry *e)
{
	unlink_entry(l, e);
	link_newest(l, e);
}

void lru_resize(struct lru *l, struct lru_entry *e, size_t bytes)
{
	l->bytes += bytes - e->bytes;
	e->bytes = bytes;
}

void lru_remove(struct lru *l, struct lru_entry *e)
{
	struct lru_entry **at = bucket_of(l, e->key);
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	unlink_entry(l, e);
	assert(l->n > 0 && l->bytes >= e->bytes);
	l->n--;
	l->bytes -= e->bytes;
	l->free_entry(e);
}

void lru_trim(struct lru *l, size_t bytes_max)
{
	while (l->oldest && l->bytes > bytes_max)
		lru_remove(l, l->oldest);
}

void lru_release(struct lru *l)
{
	while (l->oldest)
		lru_remove(l, l->oldest);
	assert(l->n == 0 && l->bytes == 0);
	free(l->buckets);
	l->buckets = NULL;
	l->nbuckets = 0;
}
