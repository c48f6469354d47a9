// SPDX-License-Identifier: Apache-2.0
// An arena: many small allocations that are freed at once. Pointers are valid until arena_reset or
// arena_release. Memory is not zeroed. The first block is small, for caches hold thousands of arenas with a
// few names each; each next one is twice as large. arena_reset keeps the largest block, so a steady load
// makes no more system allocations. Running out of memory ends the program (base/buf.h).
#ifndef NOWCAST_BASE_ARENA_H
#define NOWCAST_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct arena_block;

struct arena {
	struct arena_block *top;
	size_t used; // bytes handed out since the last reset
	size_t held; // bytes of its blocks
};

#define ARENA_INIT {0}

void *arena_alloc(struct arena *a, size_t n);         // aligned to 16
struct str arena_str(struct arena *a, struct str s);  // a copy, NUL-terminated after its length
struct str arena_text(struct arena *a, const char *fmt, ...) NC_PRINTF(2, 3);
struct str arena_vtext(struct arena *a, const char *fmt, va_list ap) NC_PRINTF(2, 0);
void arena_reset(struct arena *a);
void arena_release(struct arena *a);

#endif
