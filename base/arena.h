// SPDX-License-Identifier: Apache-2.0
// Memory of a batch: allocate often, free all at once. Pointers stay valid until arena_reset or arena_release.
// Nothing is zeroed. arena_reset keeps the largest block, so a steady load stops asking the system for memory.
#ifndef NOWCAST_BASE_ARENA_H
#define NOWCAST_BASE_ARENA_H

#include <stddef.h>

#include "base/str.h"

struct arena_block;

struct arena {
	struct arena_block *top;
	size_t used; // bytes handed out since the last reset
};

#define ARENA_INIT {0}

void *arena_alloc(struct arena *a, size_t n);         // aligned to 16
struct str arena_str(struct arena *a, struct str s);  // a copy, NUL-terminated behind its length
void arena_reset(struct arena *a);
void arena_release(struct arena *a);

#endif
