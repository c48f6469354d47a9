// SPDX-License-Identifier: Apache-2.0
// What one hour teaches about the tokens of a call. Pure: a function of the facts of the hour and its
// neighbours' edges.
//
// Each cell is two equations. The sum over principals of calls that lack tokens x mean tokens a call =
// residual; its noise grows with the calls that used such tokens, so it counts by one part in so many. And,
// where the metric says how many did (SampleCount), the sum of all calls x the share that uses them =
// samples. An hour's equations are kept as the sums that least squares needs:
//
//     A = sum over cells n n'/U     b = sum n R/U     n: calls that lack tokens, by principal; R: residual
//     S = sum over cells m m'/s     c = sum m         m: all charged calls, by principal; s: SampleCount
//
// U is how many of the calls that lack tokens used some: their part of s, or all of them where the metric
// does not tell it;
//
// and beside them what exact calls say outright. At most HOUR_STATS_PRINCIPALS are told apart, those with the
// most calls; the others are one, named "~". Kept in Redis as bytes of this machine's order; a statistics of
// another form is passed over.
#ifndef NOWCAST_ESTIMATOR_HOUR_STATS_H
#define NOWCAST_ESTIMATOR_HOUR_STATS_H

#include "base/arena.h"
#include "base/buf.h"
#include "estimator/facts.h"

enum { HOUR_STATS_PRINCIPALS = 64 };

#define HOUR_STATS_OTHERS "~"

// Sums of one kind. Arrays by principal; `a` and `s` are the lower triangles of A and S, row by row.
struct kind_stats {
	double cells, calls, tokens, squares; // cells; calls that lack tokens; R; sum of R^2/U
	double sampled_calls, samples;        // of the cells whose metric told s: all calls and s
	double *b, *c, *exact_calls, *exact_tokens, *n;
	double *a, *s;
};

struct hour_stats {
	int n;                      // principals
	struct str *names;          // ARNs, sorted; the last may be HOUR_STATS_OTHERS
	double *ttl_known, *ttl_1h;  // exact cache writes whose TTL is known; those with one hour
	struct kind_stats by_kind[METRIC_KINDS];
};

// How many more cells there are than `n` principals to be found from them, with half of the cells left at
// least.
double kind_stats_freedom(const struct kind_stats *sums, int n);

// Appends the statistics of the span's hour; nothing if it teaches nothing.
void hour_stats_write(const struct span *s, int lookback, struct arena *arena, struct buf *ret);

// Reads one back; its arrays live in `arena`, its names in `bytes`. False: it is none.
bool hour_stats_read(struct str bytes, struct arena *arena, struct hour_stats *ret);

#endif
