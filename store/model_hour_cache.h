// SPDX-License-Identifier: Apache-2.0
// Model hours of the view kept in memory, so that ten questions about a day read it from Redis once.
//
// A model hour is kept with the mark that Redis had for it (a digest of its rows, the number of the run that
// billed it), and is returned only for the same mark. Names are kept once, rows as the words of their figures
// that are not zero: some 40 bytes a row instead of the 200 of a struct view_row.
//
//     model_hour_cache_put(key, mark, rows)      a copy
//     model_hour_cache_get(key, mark) -> rows    in the caller's arena; their strings are the cache's
//     model_hour_cache_trim()                    drops the least recently used until the rest fits
//
// For one thread. Strings that model_hour_cache_get hands out live until the next model_hour_cache_trim.
#ifndef NOWCAST_STORE_MODEL_HOUR_CACHE_H
#define NOWCAST_STORE_MODEL_HOUR_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "store/view.h"

struct model_hour_cache;

struct model_hour_cache *model_hour_cache_new(void);
void model_hour_cache_free(struct model_hour_cache *s);
// The limit is 0, and nothing is kept, until this is called.
void model_hour_cache_limit(struct model_hour_cache *s, size_t bytes_max);
bool model_hour_cache_is_full(const struct model_hour_cache *s); // nine tenths of the limit are used

// One side of a model hour, the estimate's or the bill's, without its account, Region and hour.
struct model_hour_rows {
	struct str model, foundation; // as the rows name them; none
	struct telemetry_calls telemetry;
	const struct view_row *rows;
	int nrows;
};

// `key`: a hash of account, Region, hour, model and side. `mark` is not 0.
bool model_hour_cache_has(const struct model_hour_cache *s, uint64_t key, uint64_t mark);
bool model_hour_cache_get(struct model_hour_cache *s, uint64_t key, uint64_t mark, struct arena *arena,
                          struct model_hour_rows *ret);
void model_hour_cache_put(struct model_hour_cache *s, uint64_t key, uint64_t mark,
                          const struct model_hour_rows *rows);
void model_hour_cache_trim(struct model_hour_cache *s);

// The callers of all rows that were put since names were last dropped, numbered from 0 in the order of their
// first row.
int32_t model_hour_cache_callers(const struct model_hour_cache *s);
void model_hour_cache_caller(const struct model_hour_cache *s, int32_t i, struct str *ret_principal,
                             struct str *ret_tagset);

size_t model_hour_cache_bytes(const struct model_hour_cache *s);

#endif
