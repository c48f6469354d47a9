// SPDX-License-Identifier: Apache-2.0
// Which minutes of a span were observed, over all accounts and Regions or those of a filter.
//
// In an account and Region a minute was observed if one of its signals was (store/observed.h), or if its hour
// is billed. Between two observed minutes of it less than OBSERVED_JOIN apart all were: a gap that short is
// not told from a pause of the callers. An account and Region counts from its first observed minute on, by
// how many minutes of the last week were observed of it, so that one that is hardly used makes no gap. All
// together, a minute was not observed if more than one part in OBSERVED_MISSING of that weight lacks it.
//
//     |. . . . . . . . . .|  unobserved  |. . . . . . . . . .|  coming  |   ahead
//      observed                           observed           |          now
//                                                            newest observed minute
//
// Minutes after the newest observed one are coming, for less than OBSERVED_JOIN: their records may be on the
// way. What Kafka was read of (nowcast:observed:DAY) counts up to the newest minute that anything else shows,
// for whether silence means that nobody calls is only known once something comes again.
#ifndef NOWCAST_QUERY_OBSERVED_H
#define NOWCAST_QUERY_OBSERVED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "query/grouping.h"
#include "store/redis.h"

enum {
	OBSERVED_JOIN = 60,    // minutes
	OBSERVED_MISSING = 20,
	OBSERVED_GAPS_MAX = 100,
};

enum minute_state {
	MINUTE_UNOBSERVED,
	MINUTE_OBSERVED,
	MINUTE_COMING,
	MINUTE_AHEAD, // the present minute and those after it
};

// Unobserved minutes that follow each other: [from, to), since the epoch.
struct observed_gap {
	int64_t from, to;
	struct str why; // "of 111122223333/eu-west-1 nothing was read"
};

struct observed {
	// minutes since the epoch: not before that, no more than ten years back, and up to the present hour
	int64_t from, to, now;
	uint8_t *state;        // enum minute_state, of the minutes [from, to)
	struct observed_gap *gaps; // in the order of time
	int ngaps;                 // OBSERVED_GAPS_MAX at most
	struct arena arena;    // holds all of it
};

struct observed_query {
	const struct group_filter *only; // account and region of it count; NULL: all
	int64_t from, to;                // hours since the epoch
	int64_t now_ms;
};

bool observed_load(struct observed *ret, struct redis *r, const char *prefix, const struct observed_query *q,
                   struct err *err) NC_CHECK;
void observed_release(struct observed *o);

// How many of the minutes [from, to) were in that state. Minutes outside of what was loaded are ahead, or
// unobserved if they are past.
int64_t observed_count(const struct observed *o, int64_t from, int64_t to, enum minute_state state);

// The observed part of those of the minutes that are neither coming nor ahead, in thousandths; -1 if none is.
int observed_permille(const struct observed *o, int64_t from, int64_t to);

bool observed_is(const struct observed *o, int64_t minute);

#endif
