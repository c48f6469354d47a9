// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <assert.h>
#include <pthread.h>
#include <sys/random.h>
#include <xxhash.h>

#include "base/siphash.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct siphash_key process_key; // set once, then only read

static void make_process_key(void)
{
#ifndef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION // libFuzzer's word: an input does the same each time
	ssize_t n = getrandom(&process_key, sizeof process_key, 0);
	assert(n == sizeof process_key); // so few bytes are never cut short
#endif
}

uint64_t hash64_seeded(const void *p, size_t n, uint64_t seed)
{
	pthread_once(&once, make_process_key);
	struct siphash_key key = {process_key.k0 ^ seed, process_key.k1};
	return siphash13(&key, (struct str){p, n});
}

uint64_t hash64(const void *p, size_t n)
{
	return hash64_seeded(p, n, 0);
}

uint64_t digest64(const void *p, size_t n)
{
	return XXH3_64bits(p, n);
}

uint64_t digest64_seeded(const void *p, size_t n, uint64_t seed)
{
	return XXH3_64bits_withSeed(p, n, seed);
}

struct digest128 digest128(const void *p, size_t n)
{
	XXH128_hash_t h = XXH3_128bits(p, n);
	return (struct digest128){h.low64, h.high64};
}

void hash_library(struct buf *out)
{
	unsigned n = XXH_versionNumber();
	buf_addf(out, "xxHash %u.%u.%u", n / 10000, n / 100 % 100, n % 100);
}
