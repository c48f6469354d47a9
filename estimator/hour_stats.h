// SPDX-License-Identifier: Apache-2.0
// The regression statistics of one hour: what it says about the tokens of a call. Pure: a function of the
// facts of the hour and of the edges of its neighbours.
//
// Each cell gives two equations. First: the sum over principals of (calls whose tokens are unknown x mean
// tokens of a call) = residual. Its noise grows with the number of calls that used such tokens, so its weight
// is one over that number. Second, where the metric has a SampleCount: the sum over principals of (all calls
// x share of calls that use such tokens) = SampleCount. The equations of an hour are kept as the sums that
// least squares needs:
//
//     A = sum over cells n n'/U     b = sum n R/U     n: calls of unknown tokens, by principal; R: residual
//     S = sum over cells m m'/s     c = sum m         m: all charged calls, by principal; s: SampleCount
//
// U is the number of calls of unknown tokens that used some: their part of s, or all of them where there is
// no SampleCount. Beside these are the sums of exact calls. At most HOUR_STATS_PRINCIPALS are distinguished,
// those with the most calls; the others are summed as one, named "~". Redis holds them
// as bytes (hour_stats_codec.c); readers skip bytes of another form.
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
	double sampled_calls, samples;        // of the cells whose metric has s: all calls and s
	double *b, *c, *exact_calls, *exact_tokens, *n;
	double *a, *s;
};

struct hour_stats {
	int n;                      // principals
	struct str *names;          // ARNs, sorted; the last may be HOUR_STATS_OTHERS
	double *ttl_known, *ttl_1h; // exact cache writes whose TTL is known; those of them with one hour
	struct kind_stats by_kind[METRIC_KINDS];
};

// The degrees of freedom: cells minus the `n` unknowns, but at least half of the cells.
double kind_stats_freedom(const struct kind_stats *sums, int n);

// Appends the statistics of the span's hour; nothing if it has no facts, or no calls that may count in it.
void hour_stats_write(const struct span *s, int lookback, struct arena *arena, struct buf *ret);

// Reads what hour_stats_write wrote; arrays live in `arena`, names in `bytes`. False: `bytes` has another
// form.
bool hour_stats_read(struct str bytes, struct arena *arena, struct hour_stats *ret);

#endif
