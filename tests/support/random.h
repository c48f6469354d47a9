// SPDX-License-Identifier: Apache-2.0
// Random numbers for property tests, repeatable by their seed.
#ifndef NOWCAST_TESTS_SUPPORT_RANDOM_H
#define NOWCAST_TESTS_SUPPORT_RANDOM_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint64_t rng_state;

// NOWCAST_SEED, or one made of the clock. Returns it, to be printed.
static inline uint64_t seed_rng(void)
{
	const char *seed = getenv("NOWCAST_SEED");
	rng_state = seed ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL) * 1000003u + (uint64_t)getpid();
	return rng_state;
}

static inline uint64_t rng(void) // splitmix64
{
	uint64_t z = (rng_state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline int64_t below(int64_t n)
{
	return (int64_t)(rng() % (uint64_t)n);
}

#endif
