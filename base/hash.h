// SPDX-License-Identifier: Apache-2.0
// Hashes of bytes (XXH3): fast, the same on every machine. Not for security: chosen bytes can be made to
// collide.
#ifndef NOWCAST_BASE_HASH_H
#define NOWCAST_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash64(const void *p, size_t n);
// Of several things: the seed is the hash of those before.
uint64_t hash64_seeded(const void *p, size_t n, uint64_t seed);

struct hash128 {
	uint64_t low, high;
} hash128(const void *p, size_t n);

#endif
