// SPDX-License-Identifier: Apache-2.0
// Counts that Redis keeps by bucket, in a hash of each account and Region and of each of its shards.
#ifndef NOWCAST_STORE_BUCKET_COUNTS_H
#define NOWCAST_STORE_BUCKET_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/redis.h"

// The key of that hash (store/keys.h).
typedef struct str bucket_counts_key_fn(struct buf *b, const char *prefix, struct str acct_region);

// `from_ms`: when the bucket begins.
typedef void bucket_count_fn(void *user, int64_t from_ms, int64_t n);

// Calls fn once for each bucket of each hash.
bool bucket_counts_read(struct redis *r, const char *prefix, bucket_counts_key_fn *key_of,
                        bucket_count_fn *fn, void *user, struct err *err) NC_CHECK;

#endif
