// SPDX-License-Identifier: Apache-2.0
// Sums of a span of hours by a grouping and through a filter, kept under what was asked. The memory of all blocks is bounded; the one that
// was not used for longest goes first. For one thread.
#ifndef NOWCAST_QUERY_ROLLUP_CACHE_H
#define NOWCAST_QUERY_ROLLUP_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/map.h"
#include "query/group.h"

enum block_kind {
	BLOCK_READ,   // summed out of model hours
	BLOCK_MERGED, // of blocks that were read
};

struct block {
	uint64_t key;
	enum block_kind kind;
	int64_t from, hours;
	struct groups sums;
	struct grouping by;          // sums.only and .by point into these
	struct group_filter only;
	struct buf text;             // that the slices of `by` and `only` point to
	uint64_t mark;               // of the model hours it was made of (view_marks); 0: not known
	int64_t read_ms, cost_ms, used_ms; // monotonic; read_ms 0: not read, or being read
	int64_t made_ms;             // when its sums last became others
	size_t bytes;
	struct block *newer, *older; // by last use
};

struct blocks {
	struct map index;            // key -> number in `list`
	struct block **list;         // NULL: gone
	int32_t n, cap;
	struct block *newest, *oldest;
	size_t bytes, bytes_max;
};

// The block of that question, made empty if there is none; it becomes the newest.
struct block *blocks_get(struct blocks *b, enum block_kind kind, const struct grouping *by, const struct group_filter *only, int64_t from, int64_t hours);

void block_open(struct blocks *b, struct block *x);  // empties it: sums may be added
void block_close(struct blocks *b, struct block *x); // gives back what only adding needs: from now on it is read from

void blocks_trim(struct blocks *b); // the oldest go until the rest fits
void blocks_release(struct blocks *b);

#endif
