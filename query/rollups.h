// SPDX-License-Identifier: Apache-2.0
// Sums of any span of hours by any grouping, read once and remembered for a while.
//
// A span is cut into blocks: whole days where they are past, hours where they are recent. A block's sums are
// kept, by what was asked, and read anew when they are too old: those of the present hour after a second or
// two, those of last month after minutes. Sums and bands add up block by block, so an answer is a merge of
// blocks, and two hundred viewers of one page cost one reading.
//
//     |  day  |  day  | h h h h h . now
//
// Beneath, the model hours themselves are kept as long as they stand (store/model_hour_cache.h), so that a
// new grouping or filter reads nothing but memory. The memory of both is bounded; what was not used for
// longest goes first. For one thread.
#ifndef NOWCAST_QUERY_ROLLUPS_H
#define NOWCAST_QUERY_ROLLUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "query/group.h"

// Within so many hours of now blocks are hours, so sums by hour and over all of them share what was read.
enum { ROLLUPS_RECENT_HOURS = 49 };

struct rollups;

bool rollups_open(struct rollups **ret, struct redis_target target, struct err *err) NC_CHECK;
void rollups_close(struct rollups *f);
// of memory, half for sums and half for what they are made of; 128 MiB unless told
void rollups_limit(struct rollups *f, size_t bytes_max);

// The view beneath, for what is no sum.
struct view *rollups_view(struct rollups *f);

// Adds to `ret`, which groups_init made by `by`, the sums of the hours from..to - 1. `only` may be NULL.
// `now`: the present hour, which decides how old a block may be.
bool rollups_sum(struct rollups *f, const struct grouping *by, const struct group_filter *only, int64_t from,
                 int64_t to, int64_t now, struct groups *ret, struct err *err) NC_CHECK;

// The same, in pieces that are not added up: each of them is `use`d once and holds hours of its own. For sums
// by the hour, of which there are many and none is in two pieces.
typedef void rollups_fn(void *user, const struct groups *sums);
bool rollups_each(struct rollups *f, const struct grouping *by, const struct group_filter *only, int64_t from,
                  int64_t to, int64_t now, rollups_fn *use, void *user, struct err *err) NC_CHECK;

// Reads some hours ahead of any question, the newest first; to be called while nobody asks. *ret_more: there
// is more to read now; else once in a while is enough. `now`: the present hour.
bool rollups_warm(struct rollups *f, int64_t now, bool *ret_more, struct err *err) NC_CHECK;

// The first hour and the last one there are figures of; 0, 0 if there are none.
bool rollups_extent(struct rollups *f, int64_t *ret_first, int64_t *ret_last, struct err *err) NC_CHECK;

#endif
