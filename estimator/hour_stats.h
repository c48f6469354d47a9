// SPDX-License-Identifier: Apache-2.0
// The regression statistics of one hour: what it says about the tokens of a call. Pure: a function of the
// facts of the hour and of the edges of its neighbours.
//
// Each cell gives two equations. First: the sum over principals of (calls whose tokens are unknown x mean
// tokens of a call) = residual. Second, where the metric has a SampleCount: the sum over principals of (all
// calls x share of calls that use such tokens) = SampleCount. The equations are kept as they are, so that
// noise may be judged later, by the sizes of those who called. Beside them are the sums of exact calls.
//
// All principals are kept. Where an hour has more than HOUR_STATS_ENTRIES pairs of a cell and a principal,
// neighbouring cells are added up, which bounds the bytes. Redis holds the statistics as bytes
// (hour_stats_codec.c); readers skip bytes of another form.
#ifndef NOWCAST_ESTIMATOR_HOUR_STATS_H
#define NOWCAST_ESTIMATOR_HOUR_STATS_H

#include "base/arena.h"
#include "base/buf.h"
#include "estimator/facts.h"

enum {
	HOUR_STATS_ENTRIES = 8192,
	ALL_CALLS = METRIC_KINDS, // instead of a kind
	CALL_LISTS
};

// Calls that ended in a cell, by principal: entries begin .. begin + n - 1 of the hour.
struct call_list {
	int32_t begin, n;
	double calls; // their sum
};

struct stats_cell {
	int64_t tokens[METRIC_KINDS];      // the residual
	int64_t samples[METRIC_KINDS];     // SampleCount: the calls that used such tokens; 0: unknown
	// by kind, the calls that lack such tokens; ALL_CALLS: all charged ones
	struct call_list list[CALL_LISTS];
};

struct hour_stats {
	int32_t n;                  // principals
	struct str *names;          // ARNs, sorted
	double *ttl_known, *ttl_1h; // exact cache writes whose TTL is known; those of them with one hour
	double *exact_calls[METRIC_KINDS], *exact_tokens[METRIC_KINDS];
	int32_t ncells, nentries;
	struct stats_cell *cells;
	int32_t *who;               // of an entry: the principal
	double *calls;              // ... and its calls, which may be parts of calls
};

// Appends the statistics of the span's hour; nothing if it has no facts, or no calls that may count in it.
void hour_stats_write(const struct span *s, int lookback, struct arena *arena, struct buf *ret);

// Reads what hour_stats_write wrote; arrays and names live in `arena`. False: `bytes` has another form.
bool hour_stats_read(struct str bytes, struct arena *arena, struct hour_stats *ret);

#endif
