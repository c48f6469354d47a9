// SPDX-License-Identifier: Apache-2.0
// Observed minutes and the minutes of single hours, as they were read some seconds or minutes ago: what the
// questions of a page have in common. Part of struct rollups, which has the calls. For one thread.
#ifndef NOWCAST_QUERY_OBSERVED_CACHE_H
#define NOWCAST_QUERY_OBSERVED_CACHE_H

#include "query/observed.h"
#include "store/view.h"

enum { OBSERVED_SLOTS = 8, MINUTE_SLOTS = 16 };

struct observed_slot {
	struct observed observed;
	uint64_t only;            // digest of the accounts and Regions
	int64_t from, to;         // hours that were asked for
	int64_t read_ms, cost_ms; // monotonic; read_ms 0: empty
};

struct minute_slot {
	struct usd usd[60];
	uint64_t only;            // digest of the filter
	int64_t hour, read_ms, cost_ms;
};

struct observed_cache {
	struct observed_slot observed[OBSERVED_SLOTS];
	struct minute_slot minutes[MINUTE_SLOTS];
};

void observed_cache_release(struct observed_cache *c);

// See rollups_observed and rollups_minutes.
const struct observed *observed_cache_get(struct observed_cache *c, struct view *v, struct observed_query q,
                                          struct err *err) NC_CHECK;
const struct usd *observed_cache_minutes(struct observed_cache *c, struct view *v,
                                         const struct group_filter *only, int64_t hour, int64_t now_ms,
                                         struct err *err) NC_CHECK;

#endif
