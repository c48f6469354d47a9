// SPDX-License-Identifier: Apache-2.0
// From the facts of an hour and its weights to the tokens of each caller. Pure: the same facts and weights
// give the same tokens on every machine and at every time.
//
// Exact tokens are booked in the minute of their call. The residual of a cell (cell.h) is split among the
// calls whose tokens are unknown, in proportion to their weights, to the token, and is booked in the minute
// of the metric. A residual that finds no such call is unattributed. Calls that no metric covers yet are
// provisional: they get the tokens that such calls usually use.
#ifndef NOWCAST_ESTIMATOR_ALLOCATE_H
#define NOWCAST_ESTIMATOR_ALLOCATE_H

#include "base/arena.h"
#include "estimator/cell.h"
#include "estimator/facts.h"
#include "estimator/figure.h"

// Tokens of one kind by how they are known.
struct shares {
	int64_t exact, allocated, provisional;
};

struct weight;

enum {
	TTL_UNKNOWN = -1
}; // of ttl_permille: no record and no bill names the TTL of the caller's cache writes
static inline bool ttl_is_known(int32_t ttl_permille) { return ttl_permille != TTL_UNKNOWN; }

struct caller_usage {
	int64_t calls, failed;
	struct shares by_kind[METRIC_KINDS];
	int64_t telemetry[METRIC_KINDS]; // of the exact tokens: those that only the caller's telemetry says
	int64_t exact_1h;   // of the cache writes: exact ones with the one-hour TTL
	int64_t exact_ttl;  // of the exact cache writes: those whose TTL is known, either way
	// of the tokens: those that may be input, read from the cache or written to it (estimator/cache_shares.h)
	int64_t cache_unknown[METRIC_KINDS];
	// no prompt of its calls had more tokens, since the metric that covers it counts whole prompts and has no
	// more; 0: not known
	int64_t prompt_max;
	// of the other cache writes, the thousandths with the one-hour TTL; TTL_UNKNOWN, until ttl_shares_apply
	int32_t ttl_permille;
	enum ttl_source ttl_source;     // what says so
	bool ttl_may_be_1h;             // the TTL is unknown, and the longer one may pay (struct weight)
	// standard deviation of the allocated tokens because the weights are uncertain, in tokens: of those of
	// minutes in which others called as well
	int64_t spread[METRIC_KINDS];
	// variance of those by chance, in tokens squared. What it means for a group depends on the other callers:
	// it is such that own x others' / all of the hour is the sum of that of its cells (query/group.h)
	int64_t noise[METRIC_KINDS];
	const struct weight *weight;    // used for the split; NULL: none
};

struct hour_usage {
	struct caller_usage *callers;        // as the span's callers
	int64_t unattributed[METRIC_KINDS];
	int64_t cache_unknown[METRIC_KINDS]; // of those
	int64_t prompt_max;                  // among those, likewise
	int32_t ttl_permille;                // of those, as of a caller
	enum ttl_source ttl_source;
	int64_t excess[METRIC_KINDS];        // exact tokens beyond the metric
	int64_t metered[METRIC_KINDS];       // the sum of the hour's metrics
};

// The best evidence that a weight was learned from, from the weakest to the strongest.
enum weight_source {
	WEIGHT_NONE,
	WEIGHT_MODEL,
	WEIGHT_TAGS,
	WEIGHT_ROLE,
	WEIGHT_MINUTES,
	WEIGHT_EXACT,
	WEIGHT_BILL,
	WEIGHT_SOURCES
};

// How many tokens a call of one caller usually uses, by kind.
struct weight {
	// thousandths of a token: the weight of the split, and the provisional figure of a call; 0: unknown
	int64_t milli[METRIC_KINDS];
	int32_t sd_permille[METRIC_KINDS]; // standard deviation of that, in thousandths of it
	int32_t lasting_permille[METRIC_KINDS]; // the same, as far as it lasts from hour to hour (fit_doubt.h)
	// variance of a sum of its calls by chance and by what passes with the hour, in thousandths of a token
	// per token
	int64_t noise_milli[METRIC_KINDS];
	// of the cache writes, the thousandths that have the one-hour TTL; TTL_UNKNOWN
	int32_t ttl_permille;
	// the TTL is unknown, and the caller reads so much of what it writes that the longer one may pay
	bool ttl_may_be_1h;
	enum weight_source source[METRIC_KINDS];
};

struct weights {
	struct weight *callers;              // as the span's callers
};

// Adds calls of this caller: how many, and the tokens that records say of them.
void caller_usage_add(struct caller_usage *u, const struct calls *c);

// Results live in `arena`. `lookback` is 0 to 60 minutes.
void allocate_hour(const struct span *s, const struct weights *w, int lookback, struct arena *arena,
                   struct hour_usage *ret);

#endif
