// SPDX-License-Identifier: Apache-2.0
// What Redis says of itself: the answer to INFO, lines of "name:value".
#ifndef NOWCAST_STORE_REDIS_INFO_H
#define NOWCAST_STORE_REDIS_INFO_H

#include <stdint.h>

#include "base/str.h"
#include "store/redis.h"

// A slice of `info`; empty if there is no such name.
struct str redis_info_field(struct str info, const char *name);

// The same as a number; 0: there is none.
int64_t redis_info_number(struct str info, const char *name);

struct redis_memory {
	int64_t used, max; // bytes; max 0: no maxmemory is set
};

// Of a Redis Cluster: of the master that is the fullest.
bool redis_memory_read(struct redis *r, struct redis_memory *ret, struct err *err) NC_CHECK;

#endif
