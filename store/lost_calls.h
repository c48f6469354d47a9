// SPDX-License-Identifier: Apache-2.0
// Calls whose models and callers Redis has lost (store/short_evidence.lua). They stay counted as they were.
#ifndef NOWCAST_STORE_LOST_CALLS_H
#define NOWCAST_STORE_LOST_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/redis.h"

struct lost_calls {
	int64_t n;              // at most: those of the same buckets that can still be read are among them
	int64_t from_ms, to_ms; // when they were recorded, [from, to); 0: none are lost
};

// Of all accounts and Regions, and of their shards.
bool lost_calls_read(struct redis *r, const char *prefix, struct lost_calls *ret, struct err *err) NC_CHECK;

#endif
