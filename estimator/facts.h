// SPDX-License-Identifier: Apache-2.0
// The facts of one model in one account and region, hour by hour, as the allocation sees them: by minute,
// what the metrics say and who called how often. Read from Redis by store.c; everything built on them is a
// pure function.
#ifndef NOWCAST_ESTIMATOR_FACTS_H
#define NOWCAST_ESTIMATOR_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "ingest/record.h"
#include "pricing/price.h"

enum { METRIC_KINDS = TOKENS_CACHE_WRITE + 1 }; // metrics know input, output, cache read and all cache writes

// The calls of one caller, in one rate class, in one minute.
struct calls {
	uint64_t caller_id;
	int32_t caller;               // index into the span's callers
	uint8_t rate_class;                 // at which rates they go (estimator/rate_class.h)
	int64_t n, failed;            // charged calls; refused ones (no tokens, no share)
	int64_t started;              // of n: streams known by their start only
	int64_t exact_n[TOKEN_KINDS]; // of n: calls whose tokens of that kind are known ...
	int64_t exact[TOKEN_KINDS];   // ... and their sum
};

struct minute {
	bool metered;                // a token metric of this minute has arrived
	bool has[METRIC_KINDS];
	int64_t metric[METRIC_KINDS];
	int64_t samples[METRIC_KINDS]; // calls that used such tokens; 0: the metric does not tell
	// by enum price_tier: what of the metric that tier served; NULL: not told. Standard: not told
	int64_t (*of_tier)[METRIC_KINDS];
	bool has_units;
	int64_t units;               // images, by their metric
	struct calls *calls;         // in any order
	int32_t ncalls;
};

struct hour {
	int64_t number;     // hours since the epoch
	struct str version; // changes with the facts; empty: there are none
	struct minute minutes[60];
};

// Who called, resolved. A span's callers are sorted by (arn, tagset): their order breaks ties.
struct who {
	struct str arn;
	struct str tagset; // id of the session's tags, "-" without any
};

// What one hour is computed from: itself and its two neighbours, minutes -60 to 119 from its start.
struct span {
	const struct hour *before, *hour, *after; // before and after: NULL if there are no facts
	const struct who *callers;
	int32_t ncallers;
};

// minute m (-60 to 119) from the start of the span's hour; NULL where there are no facts.
static inline const struct minute *span_minute(const struct span *s, int m)
{
	const struct hour *h = m < 0 ? s->before : m < 60 ? s->hour : s->after;
	return h ? &h->minutes[(m + 60) % 60] : NULL;
}

#endif
