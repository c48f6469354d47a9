// SPDX-License-Identifier: Apache-2.0
// How long to wait before trying again: doubling from 100 ms to 10 s, each wait drawn from its upper half, so
// that workers that failed together do not come back together.
#ifndef NOWCAST_RUN_BACKOFF_H
#define NOWCAST_RUN_BACKOFF_H

#include <stdint.h>
#include <stdlib.h>

enum { BACKOFF_FIRST_MS = 100, BACKOFF_LAST_MS = 10000 };

struct backoff {
	int tries;
	unsigned seed;
};

static inline int backoff_next_ms(struct backoff *b)
{
	int64_t ms = b->tries < 16 ? (int64_t)BACKOFF_FIRST_MS << b->tries : BACKOFF_LAST_MS;
	if (ms > BACKOFF_LAST_MS)
		ms = BACKOFF_LAST_MS;
	b->tries++;
	return (int)(ms / 2 + rand_r(&b->seed) % (ms / 2 + 1));
}

static inline void backoff_reset(struct backoff *b)
{
	b->tries = 0;
}

#endif
