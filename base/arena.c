// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"

struct arena_block {
	struct arena_block *below;
	size_t used, size;
	_Alignas(16) char data[];
};

enum { BLOCK_MIN = 1024, BLOCK_MAX = 8 << 20 };

void *arena_alloc(struct arena *a, size_t n)
{
	assert(n <= SIZE_MAX / 2); // no sum below overflows
	n = (n + 15) & ~(size_t)15;
	if (!a->top || a->top->size - a->top->used < n) {
		size_t size = a->top ? a->top->size * 2 : BLOCK_MIN;
		if (size > BLOCK_MAX)
			size = BLOCK_MAX;
		if (size < n)
			size = n;
		struct arena_block *b = xmalloc(sizeof *b + size);
		b->below = a->top;
		b->used = 0;
		b->size = size;
		a->top = b;
		a->held += sizeof *b + size;
	}
	void *p = a->top->data + a->top->used;
	a->top->used += n;
	a->used += n;
	return p;
}

struct str arena_str(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.len + 1);
	if (s.len)
		memcpy(p, s.p, s.len);
	p[s.len] = '\0';
	return (struct str){p, s.len};
}

struct str arena_vtext(struct arena *a, const char *fmt, va_list ap)
{
	struct buf b = BUF_INIT;
	buf_vaddf(&b, fmt, ap);
	struct str s = arena_str(a, buf_str(&b));
	buf_release(&b);
	return s;
}

struct str arena_text(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct str s = arena_vtext(a, fmt, ap);
	va_end(ap);
	return s;
}

void arena_reset(struct arena *a)
{
	struct arena_block *keep = NULL;
	while (a->top) {
		struct arena_block *b = a->top;
		a->top = b->below;
		if (!keep) {
			keep = b;
		} else if (b->size > keep->size) {
			free(keep);
			keep = b;
		} else {
			free(b);
		}
	}
	if (keep) {
		keep->below = NULL;
		keep->used = 0;
	}
	a->top = keep;
	a->used = 0;
	a->held = keep ? sizeof *keep + keep->size : 0;
}

void arena_release(struct arena *a)
{
	while (a->top) {
		struct arena_block *b = a->top;
		a->top = b->below;
		free(b);
	}
	a->used = a->held = 0;
}
