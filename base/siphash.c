// SPDX-License-Identifier: Apache-2.0
#include "base/siphash.h"

#include <string.h>

enum { ROUNDS = 2 }; // a block; siphash13 has one

static inline uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void mix(struct siphash *s, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotate(s->v1, 13) ^ s->v0;
		s->v3 = rotate(s->v3, 16) ^ s->v2;
		s->v0 = rotate(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotate(s->v1, 17) ^ s->v2;
		s->v3 = rotate(s->v3, 21) ^ s->v0;
		s->v2 = rotate(s->v2, 32);
	}
}

static inline void add_block(struct siphash *s, uint64_t block, int rounds)
{
	s->v3 ^= block;
	mix(s, rounds);
	s->v0 ^= block;
}

static inline uint64_t read_block(const unsigned char *p)
{
	uint64_t block;
	memcpy(&block, p, sizeof block);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	block = __builtin_bswap64(block);
#endif
	return block;
}

// Up to seven bytes, the lowest first.
static inline uint64_t read_tail(const unsigned char *p, size_t n)
{
	uint64_t tail = 0;
	for (size_t i = 0; i < n; i++)
		tail |= (uint64_t)p[i] << (8 * i);
	return tail;
}

// `rounds` is a constant wherever these are called: the loops are unrolled.
static inline struct siphash begin(const struct siphash_key *key)
{
	return (struct siphash){.v0 = key->k0 ^ 0x736f6d6570736575u,
	                        .v1 = key->k1 ^ 0x646f72616e646f6du,
	                        .v2 = key->k0 ^ 0x6c7967656e657261u,
	                        .v3 = key->k1 ^ 0x7465646279746573u};
}

void siphash_add(struct siphash *to, struct str piece)
{
	if (!piece.len)
		return; // it may be NULL
	struct siphash s = *to;
	const unsigned char *p = (const unsigned char *)piece.p, *end = p + piece.len;
	size_t held = s.n % 8;
	s.n += piece.len;
	if (held) {
		size_t more = 8 - held < piece.len ? 8 - held : piece.len;
		s.rest |= read_tail(p, more) << (8 * held);
		p += more;
		if (held + more < 8) {
			*to = s;
			return;
		}
		add_block(&s, s.rest, ROUNDS);
		s.rest = 0;
	}
	for (; end - p >= 8; p += 8)
		add_block(&s, read_block(p), ROUNDS);
	if (p < end)
		s.rest = read_tail(p, (size_t)(end - p));
	*to = s;
}

static inline uint64_t end(struct siphash s, int rounds)
{
	add_block(&s, s.rest | (uint64_t)s.n << 56, rounds);
	s.v2 ^= 0xff;
	mix(&s, rounds + 2);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

void siphash_begin(struct siphash *s, const struct siphash_key *key)
{
	*s = begin(key);
}

uint64_t siphash_end(struct siphash *s)
{
	return end(*s, ROUNDS);
}

// One piece at once, so that the state stays in registers.
uint64_t siphash13(const struct siphash_key *key, struct str piece)
{
	struct siphash s = begin(key);
	const unsigned char *p = (const unsigned char *)piece.p;
	size_t tail = piece.len % 8;
	s.n = piece.len;
	for (size_t i = 0; i < piece.len / 8; i++, p += 8)
		add_block(&s, read_block(p), 1);
	if (tail) // the last eight bytes, less those that were added
		s.rest = piece.len > 8 ? read_block(p + tail - 8) >> (64 - 8 * tail) : read_tail(p, tail);
	return end(s, 1);
}
