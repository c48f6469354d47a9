// SPDX-License-Identifier: Apache-2.0
// SipHash-2-4 of Aumasson and Bernstein ("SipHash: a fast short-input PRF", 2012) with 64 bits of output: a
// keyed pseudo-random function. Who does not know the key cannot choose two texts of one value, nor one
// text of the value of another, better than by chance. OpenSSL has it as a MAC that allocates and looks up
// parameters by name, some 20 times as long for a name of 100 bytes; the test compares both.
//
//     siphash_begin -> siphash_add of each piece -> siphash_end: the value of the pieces, put together
#ifndef NOWCAST_BASE_SIPHASH_H
#define NOWCAST_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct siphash_key {
	uint64_t k0, k1; // the first and the second eight bytes of the key, the lowest first
};

struct siphash {
	uint64_t v0, v1, v2, v3;
	uint64_t rest; // bytes that do not fill eight yet, the lowest first
	size_t n;      // bytes so far
};

void siphash_begin(struct siphash *s, const struct siphash_key *key);
void siphash_add(struct siphash *s, struct str piece);
uint64_t siphash_end(struct siphash *s);

// SipHash-1-3, of one piece: for tables in memory, where nobody sees the values.
uint64_t siphash13(const struct siphash_key *key, struct str piece);

#endif
