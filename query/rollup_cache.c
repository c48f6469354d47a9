// SPDX-License-Identifier: Apache-2.0
#include "query/rollup_cache.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"

enum { REST_BYTES = 192 }; // what malloc adds to its blocks, and its place among the buckets
enum { IDLE_MS = 24 * 3600 * 1000 };

static size_t empty_bytes(const struct rollup *x)
{
	return sizeof *x + x->text.cap + REST_BYTES;
}

static void free_rollup(struct lru_entry *e)
{
	struct rollup *x = (struct rollup *)e;
	groups_release(&x->sums);
	free(x->packed);
	buf_release(&x->text);
	free(x);
}

void rollup_cache_init(struct rollup_cache *c)
{
	*c = (struct rollup_cache){.lru = LRU_INIT(free_rollup)};
}

void rollup_cache_release(struct rollup_cache *c)
{
	lru_release(&c->lru);
}

void rollup_cache_trim(struct rollup_cache *c, int64_t ticks_ms)
{
	struct rollup *x;
	while ((x = (struct rollup *)c->lru.oldest) && ticks_ms - x->used_ms > IDLE_MS)
		lru_remove(&c->lru, &x->entry);
	lru_trim(&c->lru, c->bytes_max);
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
static void describe_question(struct buf *b, enum rollup_kind kind, const struct grouping *by,
                              const struct group_filter *only, int64_t from, int64_t hours)
{
	buf_addf(b, "%d %lld %lld", (int)kind, (long long)from, (long long)hours);
	for (int i = 0; i < by->n; i++)
		buf_addf(b, " %d:%zu:%.*s", by->by[i], by->tag[i].len, STR_ARG(by->tag[i]));
	for (int i = 0; only && i < only->by.n; i++) {
		buf_addf(b, "|%d:%zu:%.*s%c%zu:", only->by.by[i], only->by.tag[i].len, STR_ARG(only->by.tag[i]),
		         only->is_pattern[i] ? '~' : '=', only->value[i].len);
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
	const char *text = x->text.data;
	copy_grouping(x, &x->by, by);
	if (only) {
		copy_grouping(x, &x->only.by, &only->by);
		for (int i = 0; i < only->by.n; i++) {
			x->only.value[i] = copy_text(x, only->value[i]);
			x->only.is_pattern[i] = only->is_pattern[i];
		}
	}
	assert(x->text.data == text);
	return x;
}

struct rollup *rollup_cache_get(struct rollup_cache *c, enum rollup_kind kind, const struct grouping *by,
                                const struct group_filter *only, int64_t from, int64_t hours)
{
	struct buf text = BUF_INIT;
	assert(hours > 0);
	describe_question(&text, kind, by, only, from, hours);
	uint64_t key = hash64(text.data, text.len);
	buf_release(&text);
	struct rollup *x = (struct rollup *)lru_find(&c->lru, key);
	if (x) {
		lru_use(&c->lru, &x->entry);
		return x;
	}
	x = new_rollup(by, only);
	x->entry.key = key;
	x->entry.bytes = empty_bytes(x);
	x->kind = kind;
	x->from = from;
	x->hours = hours;
	lru_add(&c->lru, &x->entry);
	return x;
}

// ---- its sums -----------------------------------------------------------------------------------

void rollup_open(struct rollup_cache *c, struct rollup *x)
{
	lru_resize(&c->lru, &x->entry, empty_bytes(x));
	x->read_ms = 0;
	free(x->packed);
	x->packed = NULL;
	x->packed_len = 0;
	groups_release(&x->sums);
	groups_init(&x->sums, &x->by);
	if (x->only.by.n)
		x->sums.only = &x->only;
}

void rollup_close(struct rollup_cache *c, struct rollup *x)
{
	struct buf packed = BUF_INIT;
	groups_pack(&packed, &x->sums);
	groups_release(&x->sums);
	x->packed_len = packed.len;
	x->packed = xrealloc(packed.data, packed.len + 1, 1); // without the room to grow
	lru_resize(&c->lru, &x->entry, empty_bytes(x) + x->packed_len);
}

void rollup_merge(const struct rollup *x, struct groups *to)
{
	groups_merge_packed(to, (struct str){x->packed, x->packed_len});
}
