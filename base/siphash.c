// SPDX-License-Identifier: Apache-2.0
#include "base/siphash.h"

#include <string.h>

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

static inline void add_block(struct siphash *s, uint64_t block)
{
	s->v3 ^= block;
	mix(s, s->rounds);
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

void siphash_begin(struct siphash *s, const struct siphash_key *key)
{
	*s = (struct siphash){.v0 = key->k0 ^ 0x736f6d6570736575u,
	                      .v1 = key->k1 ^ 0x646f72616e646f6du,
	                      .v2 = key->k0 ^ 0x6c7967656e657261u,
	                      .v3 = key->k1 ^ 0x7465646279746573u,
	                      .rounds = 2};
}

void siphash_add(struct siphash *s, struct str piece)
{
	const unsigned char *p = (const unsigned char *)piece.p, *end = p + piece.len;
	for (; p < end && s->n % 8; p++) {
		s->rest |= (uint64_t)*p << (8 * (s->n++ % 8));
		if (s->n % 8 == 0) {
			add_block(s, s->rest);
			s->rest = 0;
		}
	}
	for (; end - p >= 8; p += 8, s->n += 8)
		add_block(s, read_block(p));
	for (; p < end; p++)
		s->rest |= (uint64_t)*p << (8 * (s->n++ % 8));
}

uint64_t siphash_end(struct siphash *s)
{
	add_block(s, s->rest | (uint64_t)s->n << 56);
	s->v2 ^= 0xff;
	mix(s, s->rounds + 2);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t siphash13(const struct siphash_key *key, struct str piece)
{
	struct siphash s;
	siphash_begin(&s, key);
	s.rounds = 1;
	siphash_add(&s, piece);
	return siphash_end(&s);
}
