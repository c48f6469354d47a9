// SPDX-License-Identifier: Apache-2.0
// Which signal was missing in which account and Region, and since when: minutes in which calls came and
// their metrics did not, metrics without calls, calls without invocation logs where there are some. While a
// signal is missing its hours are observed (query/observed.h), and figures are less exact: without calls
// tokens have no caller, without metrics and logs they are provisional.
//
//     calls     |||||||||||||||||||||||||||||||||||||
//     metrics   |||||||||||  missing  ||||||||| missing still
//                          from     to         from
//
// A gap is longer than OBSERVED_JOIN minutes, and another signal was there in SIGNAL_GAP_SEEN of its minutes
// at least. When nobody calls no signal comes, and none is missing. Minutes that an API of AWS was asked for
// are observed without any record; they count as signals only in whole hours of which there are figures.
#ifndef NOWCAST_QUERY_SIGNAL_GAPS_H
#define NOWCAST_QUERY_SIGNAL_GAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "store/observed.h"
#include "store/redis.h"

enum { SIGNAL_GAP_SEEN = 5 };

struct signal_gap {
	struct str place;            // "111122223333/us-east-1"
	enum observed_signal signal;
	int64_t from, to;            // minutes since the epoch; to 0: it is missing still
	int64_t seen;                // minutes of it in which another signal was there
	bool never;                  // it has not come in all of the days that were looked at
};

struct signal_gaps {
	struct signal_gap *v;        // by account and Region, then by signal and time
	size_t n;
};

// Of the `days` up to `now_ms`. The list lives in the arena.
bool signal_gaps_read(struct arena *arena, struct redis *r, const char *prefix, int64_t now_ms, int days,
                      struct signal_gaps *ret, struct err *err) NC_CHECK;

#endif
