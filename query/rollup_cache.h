// SPDX-License-Identifier: Apache-2.0
// Sums of a span of hours by a grouping and through a filter, kept under what was asked. The memory of all
// rollups is bounded; the one that was not used for longest goes first. For one thread.
#ifndef NOWCAST_QUERY_ROLLUP_CACHE_H
#define NOWCAST_QUERY_ROLLUP_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "query/group.h"

enum rollup_kind {
	ROLLUP_READ,   // summed out of model hours
	ROLLUP_MERGED, // of rollups that were read
};

struct rollup {
	uint64_t key;
	enum rollup_kind kind;
	int64_t from, hours;
	struct groups sums;
	struct grouping by;          // sums.only and .by point into these
	struct group_filter only;
	struct buf text;             // that the slices of `by` and `only` point to
	uint64_t mark;               // of the model hours it was made of (view_marks); 0: not known
	int64_t read_ms, cost_ms, used_ms; // monotonic; read_ms 0: not read, or being read
	int64_t made_ms;             // when its sums last became others
	size_t bytes;
	struct rollup *newer, *older; // by last use
};

struct rollup_cache {
	struct map index;            // key -> number in `list`
	struct rollup **list;         // NULL: gone
	int32_t n, cap;
	struct rollup *newest, *oldest;
	size_t bytes, bytes_max;
};

// The rollup of that question, made empty if there is none; it becomes the newest.
struct rollup *rollup_cache_get(struct rollup_cache *b, enum rollup_kind kind, const struct grouping *by,
                                const struct group_filter *only, int64_t from, int64_t hours);

void rollup_open(struct rollup_cache *b, struct rollup *x);  // empties it: sums may be added
// gives back what only adding needs: from now on it is read from
void rollup_close(struct rollup_cache *b, struct rollup *x);

void rollup_cache_trim(struct rollup_cache *b); // the oldest go until the rest fits
void rollup_cache_release(struct rollup_cache *b);

#endif
