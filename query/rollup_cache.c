// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"
#include "query/rollup_cache.h"

#include <stdlib.h>

static void unlink_rollup(struct rollup_cache *b, struct rollup *x)
{
	*(x->newer ? &x->newer->older : &b->newest) = x->older;
	*(x->older ? &x->older->newer : &b->oldest) = x->newer;
	x->newer = x->older = NULL;
}

static void link_rollup(struct rollup_cache *b, struct rollup *x)
{
	x->older = b->newest;
	if (b->newest)
		b->newest->newer = x;
	b->newest = x;
	if (!b->oldest)
		b->oldest = x;
}

static void free_rollup(struct rollup *x)
{
	groups_release(&x->sums);
	buf_release(&x->text);
	free(x);
}

// ---- what was asked -----------------------------------------------------------------------------

static struct str copy_text(struct rollup *x, struct str s)
{
	size_t at = x->text.len;
	buf_addstr(&x->text, s);
	return (struct str){x->text.data + at, s.len};
}

static void copy_grouping(struct rollup *x, struct grouping *to, const struct grouping *from)
{
	*to = *from;
	for (int i = 0; i < from->n; i++) {
		to->name[i] = copy_text(x, from->name[i]);
		to->tag[i] = copy_text(x, from->tag[i]);
	}
}

// Everything that decides what a rollup holds, as text.
static void describe(struct buf *b, enum rollup_kind kind, const struct grouping *by,
                     const struct group_filter *only, int64_t from, int64_t hours)
{
	buf_addf(b, "%d %lld %lld", (int)kind, (long long)from, (long long)hours);
	for (int i = 0; i < by->n; i++)
		buf_addf(b, " %d:%zu:%.*s", by->by[i], by->tag[i].len, STR_ARG(by->tag[i]));
	for (int i = 0; only && i < only->by.n; i++) {
		buf_addf(b, "|%d:%zu:%.*s=%zu:", only->by.by[i], only->by.tag[i].len, STR_ARG(only->by.tag[i]),
		         only->value[i].len);
		buf_addstr(b, only->value[i]);
	}
}

static struct rollup *new_rollup(const struct grouping *by, const struct group_filter *only)
{
	struct rollup *x = xcalloc(1, sizeof *x);
	size_t room = 64;
	for (int i = 0; i < by->n; i++)
		room += by->name[i].len + by->tag[i].len;
	for (int i = 0; only && i < only->by.n; i++)
		room += only->by.name[i].len + only->by.tag[i].len + only->value[i].len;
	buf_reserve(&x->text, room); // slices point into it: it must not move
	copy_grouping(x, &x->by, by);
	if (only) {
		copy_grouping(x, &x->only.by, &only->by);
		for (int i = 0; i < only->by.n; i++)
			x->only.value[i] = copy_text(x, only->value[i]);
	}
	return x;
}

// ---- the table ----------------------------------------------------------------------------------

// Keys of the map are never taken out of it, so it is made anew when most of them have no rollup any more.
static void sweep(struct rollup_cache *b)
{
	int32_t n = 0;
	bool added;
	map_clear(&b->index);
	for (int32_t i = 0; i < b->n; i++)
		if (b->list[i]) {
			b->list[n] = b->list[i];
			map_add(&b->index, b->list[n]->key, n, &added);
			n++;
		}
	b->n = n;
}

struct rollup *rollup_cache_get(struct rollup_cache *b, enum rollup_kind kind, const struct grouping *by,
                                const struct group_filter *only, int64_t from, int64_t hours)
{
	struct buf text = BUF_INIT;
	bool added;
	describe(&text, kind, by, only, from, hours);
	uint64_t key = hash64(text.data, text.len);
	buf_release(&text);
	if (b->n == b->cap) {
		sweep(b);
		if (b->n * 2 >= b->cap)
			b->list =
				xrealloc(b->list, (size_t)(b->cap = b->cap ? b->cap * 2 : 256), sizeof(struct rollup *));
	}
	int32_t *at = map_add(&b->index, key, b->n, &added);
	if (added)
		b->list[b->n++] = NULL;
	struct rollup *x = b->list[*at];
	if (x) {
		unlink_rollup(b, x);
	} else {
		x = b->list[*at] = new_rollup(by, only);
		x->key = key;
		x->kind = kind;
		x->from = from;
		x->hours = hours;
	}
	link_rollup(b, x);
	return x;
}

void rollup_open(struct rollup_cache *b, struct rollup *x)
{
	b->bytes -= x->bytes;
	x->bytes = 0;
	x->read_ms = 0;
	groups_release(&x->sums);
	groups_init(&x->sums, &x->by);
	if (x->only.by.n)
		x->sums.only = &x->only;
}

void rollup_close(struct rollup_cache *b, struct rollup *x)
{
	struct groups *g = &x->sums;
	map_release(&g->index);
	free(g->touched);
	g->touched = NULL;
	g->captouched = 0;
	arena_release(&g->model_hour);
	if (g->n)
		g->list = xrealloc(g->list, (size_t)(g->cap = g->n), sizeof *g->list);
	x->bytes = sizeof *x + (size_t)g->cap * sizeof *g->list + g->arena.used + 512;
	b->bytes += x->bytes;
}

void rollup_cache_trim(struct rollup_cache *b)
{
	while (b->bytes > b->bytes_max && b->oldest != b->newest) {
		struct rollup *x = b->oldest;
		unlink_rollup(b, x);
		b->bytes -= x->bytes;
		b->list[*map_find(&b->index, x->key)] = NULL;
		free_rollup(x);
	}
}

void rollup_cache_release(struct rollup_cache *b)
{
	for (int32_t i = 0; i < b->n; i++)
		if (b->list[i])
			free_rollup(b->list[i]);
	free(b->list);
	map_release(&b->index);
	*b = (struct rollup_cache){0};
}
