// SPDX-License-Identifier: Apache-2.0
// What a caller's id was before there was a key (store/name_id.h), and a session with the id of somebody
// else: how one was framed.
#ifndef NOWCAST_TESTS_SUPPORT_UNKEYED_H
#define NOWCAST_TESTS_SUPPORT_UNKEYED_H

#include "base/hash.h"
#include "ingest/record.h"

static inline uint64_t unkeyed_id(const struct caller *c, uint64_t *ret_before_start)
{
	uint64_t h = digest64_seeded(c->arn.p, c->arn.len, 'c');
	h = digest64_seeded(c->access_key.p, c->access_key.len, h);
	*ret_before_start = digest64_seeded(c->role_arn.p, c->role_arn.len, h);
	return digest64_seeded(&c->session_start_ms, sizeof c->session_start_ms, *ret_before_start);
}

static inline uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline uint64_t inverse(uint64_t odd)
{
	uint64_t x = odd;
	for (int i = 0; i < 6; i++)
		x *= 2 - odd * x;
	return x;
}

// XXH3 of eight bytes has an inverse for every seed, so some start of a session gives any id that is wanted.
static inline int64_t start_of(uint64_t id, uint64_t seed)
{
	const uint64_t mx2 = 0x9fb21c651e98df25u;
	uint64_t x = id ^ id >> 28 ^ id >> 56, s = seed ^ (uint64_t)__builtin_bswap32((uint32_t)seed) << 32;
	x *= inverse(mx2);
	x ^= (x >> 35) + 8;
	x *= inverse(mx2);
	for (int i = 0; i < 63; i++) // T = 1 + R^24 + R^49 is linear, and T^64 = 1
		x ^= rotate(x, 49) ^ rotate(x, 24);
	x ^= (0x1cad21f72c81017cu ^ 0xdb979083e96dd4deu) - s;
	return (int64_t)(x << 32 | x >> 32);
}

#endif
