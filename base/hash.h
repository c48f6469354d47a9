// SPDX-License-Identifier: Apache-2.0
// Hashes of bytes. hash64 is for tables in memory, which take equal values for equal things (base/map.h):
// it is keyed by a secret of this process, so nobody can choose names that collide. digest64 and digest128
// (XXH3) are the same on every machine: marks of what has changed, never names of callers, for chosen bytes
// can be made to collide. Names in Redis have ids of their own (store/name_id.h).
#ifndef NOWCAST_BASE_HASH_H
#define NOWCAST_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

uint64_t hash64(const void *p, size_t n);
// Of several things: the seed is the hash of those before.
uint64_t hash64_seeded(const void *p, size_t n, uint64_t seed);

uint64_t digest64(const void *p, size_t n);
uint64_t digest64_seeded(const void *p, size_t n, uint64_t seed);

struct digest128 {
	uint64_t low, high;
} digest128(const void *p, size_t n);

// Appends the library and its version, as it is loaded: "xxHash 0.8.1".
void hash_library(struct buf *out);

#endif
