// SPDX-License-Identifier: Apache-2.0
// Rollups: sums of a span of hours by a grouping and through a filter, kept by the question they answer. The
// memory of all of them is bounded; the least recently used ones are dropped first, and after a day without a
// question in any case. For one thread.
//
//     rollup_cache_get -> empty -> rollup_open, groups_add ..., rollup_close -> read_ms set: rollup_merge
//                                       ^                                          |
//                                       +--------------- it is too old ------------+
#ifndef NOWCAST_QUERY_ROLLUP_CACHE_H
#define NOWCAST_QUERY_ROLLUP_CACHE_H

#include "base/buf.h"
#include "base/lru.h"
#include "query/group_sum.h"

enum rollup_kind {
	ROLLUP_READ,   // summed from model hours
	ROLLUP_MERGED, // summed from rollups of the other kind
};

struct rollup {
	struct lru_entry entry;      // first
	enum rollup_kind kind;
	int64_t from, hours;         // the hours from .. from + hours - 1
	struct groups sums;          // while it is open
	char *packed;                // the same once it is closed, as groups_pack writes them
	size_t packed_len;
	struct grouping by;          // sums.only and .by point into these
	struct group_filter only;
	struct buf text;             // that the slices of `by` and `only` point to
	uint64_t mark;               // of the model hours it was made of (view_marks); 0: not known
	int64_t read_ms;             // when it was last known to be right (monotonic); 0: not read, or being read
	int64_t cost_ms, used_ms;    // of the last reading; when it was last asked for
	int64_t made_ms;             // when its sums last changed
};

struct rollup_cache {
	struct lru lru;
	size_t bytes_max;
};

void rollup_cache_init(struct rollup_cache *c);
void rollup_cache_release(struct rollup_cache *c);

// The rollup of that question, made empty if there is none. It becomes the newest. `only` may be NULL. Valid
// until the next rollup_cache_trim.
struct rollup *rollup_cache_get(struct rollup_cache *c, enum rollup_kind kind, const struct grouping *by,
                                const struct group_filter *only, int64_t from, int64_t hours);

// All of them, the newest first; NULL behind the last.
static inline struct rollup *rollup_newest(const struct rollup_cache *c)
{
	return (struct rollup *)c->lru.newest;
}
static inline struct rollup *rollup_older(const struct rollup *x)
{
	return (struct rollup *)x->entry.older;
}

void rollup_open(struct rollup_cache *c, struct rollup *x);  // empties it: sums may be added
void rollup_close(struct rollup_cache *c, struct rollup *x); // packs them
void rollup_merge(const struct rollup *x, struct groups *to); // adds them to others, but for bands

// Drops those that nobody asked for in a day (an hour, once it is not recent, is summed as a part of its
// day), then the least recently used until the rest fits. ticks_ms: when_ticks_ms.
void rollup_cache_trim(struct rollup_cache *c, int64_t ticks_ms);

#endif
