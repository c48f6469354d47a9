// SPDX-License-Identifier: Apache-2.0
// Sums of any span of hours by any grouping, each read once and kept for a while.
//
// A span is cut into rollups: whole days where they are past, hours where they are recent. A rollup is kept
// by the question it answers, and is read again when it is too old: that of the present hour after a second
// or two, those of last month after minutes. Sums and bands add up, so an answer is a merge of rollups, and
// two hundred viewers of one page cost one reading.
//
//     |  day  |  day  | h h h h h . now
//
// Below them the model hours themselves are kept until Redis has others (store/model_hour_cache.h), so that a
// new grouping or filter reads memory only. The memory of both is bounded; the least recently used is dropped
// first. For one thread.
#ifndef NOWCAST_QUERY_ROLLUPS_H
#define NOWCAST_QUERY_ROLLUPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "query/group.h"
#include "query/observed.h"

// Within so many hours of now a rollup is an hour long, so sums by hour and over all of them share what was
// read.
enum { ROLLUPS_RECENT_HOURS = 49 };

struct rollups;

bool rollups_open(struct rollups **ret, struct redis_target target, struct err *err) NC_CHECK;
void rollups_close(struct rollups *f);
// The memory for both caches, half for each; 128 MiB without a call.
void rollups_limit(struct rollups *f, size_t bytes_max);

// The view that it reads by, for what is no sum.
struct view *rollups_view(struct rollups *f);

struct rollups_query {
	const struct grouping *by;
	const struct group_filter *only; // NULL: every row
	int64_t from, to;                // the hours from .. to - 1
	int64_t now;                     // the present hour, which decides how old a rollup may be
};

// Adds the sums to `ret`, which groups_init made with the same grouping.
bool rollups_sum(struct rollups *f, const struct rollups_query *q, struct groups *ret,
                 struct err *err) NC_CHECK;

// The same in parts: `use` is called with each rollup, whose hours are in no other. For sums by the hour, of
// which there are many and none is in two parts.
typedef void rollups_fn(void *user, const struct groups *sums);
bool rollups_each(struct rollups *f, const struct rollups_query *q, rollups_fn *use, void *user,
                  struct err *err) NC_CHECK;

// Which minutes of a span were observed, of the accounts and Regions of a filter (NULL: of all). As it was
// read some seconds ago. Valid until the next call. NULL: see `err`.
const struct observed *rollups_observed(struct rollups *f, const struct group_filter *only, int64_t from,
                                        int64_t to, int64_t now_ms, struct err *err) NC_CHECK;

// The dollars of each of the 60 minutes of an hour (query/minutes.h), of past hours as some minutes ago.
// Valid until the next call. NULL: see `err`.
const struct usd *rollups_minutes(struct rollups *f, const struct group_filter *only, int64_t hour,
                                  int64_t now_ms, struct err *err) NC_CHECK;

// Reads some hours before anybody asks for them, the newest first. To be called while no request waits.
// *ret_more: there is more to read now; else a call now and then is enough. `now`: the present hour.
bool rollups_warm(struct rollups *f, int64_t now, bool *ret_more, struct err *err) NC_CHECK;

// The first hour and the last one there are figures of; 0, 0 if there are none.
bool rollups_extent(struct rollups *f, int64_t *ret_first, int64_t *ret_last, struct err *err) NC_CHECK;

#endif
