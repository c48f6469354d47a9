// SPDX-License-Identifier: Apache-2.0
// A set of small numbers, such as the callers of a cell, that is listed in ascending order. Adding takes
// constant time, listing a word for 64 numbers that might be in it: less than sorting what was added.
#ifndef NOWCAST_ESTIMATOR_WHO_SET_H
#define NOWCAST_ESTIMATOR_WHO_SET_H

#include <stdint.h>
#include <string.h>

#include "base/arena.h"

struct who_set {
	uint64_t *words;
	int32_t nwords;
};

// The empty set of numbers below `n`; lives in `arena`.
static inline struct who_set who_set_new(int32_t n, struct arena *arena)
{
	int32_t nwords = n / 64 + 1;
	uint64_t *words = arena_alloc(arena, (size_t)nwords * sizeof *words);
	memset(words, 0, (size_t)nwords * sizeof *words);
	return (struct who_set){words, nwords};
}

static inline void who_set_add(struct who_set *s, int32_t who)
{
	s->words[who / 64] |= (uint64_t)1 << (who % 64);
}

// Writes them in ascending order and empties the set. Returns how many there were.
static inline int32_t who_set_take(struct who_set *s, int32_t *ret)
{
	int32_t n = 0;
	for (int32_t i = 0; i < s->nwords; i++) {
		for (uint64_t left = s->words[i]; left; left &= left - 1)
			ret[n++] = i * 64 + __builtin_ctzll(left);
		s->words[i] = 0;
	}
	return n;
}

#endif
