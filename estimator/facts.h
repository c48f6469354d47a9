// SPDX-License-Identifier: Apache-2.0
// The facts of one model in one account and Region, hour by hour: for each minute, the sums of the metrics,
// and how often each caller called. store/store_read.c reads them from Redis. Everything in estimator/ is a
// pure function of them.
#ifndef NOWCAST_ESTIMATOR_FACTS_H
#define NOWCAST_ESTIMATOR_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "ingest/record.h"
#include "pricing/price.h"

enum { METRIC_KINDS = TOKENS_CACHE_WRITE + 1 }; // metrics know input, output, cache read and all cache writes

// The kind of a type, below METRIC_KINDS: cache writes of both TTLs are one kind.
static inline enum token_kind kind_of_type(enum token_type type)
{
	static const uint8_t kinds[TOKEN_TYPES] = {
		[TOKEN_INPUT] = TOKENS_INPUT,
		[TOKEN_OUTPUT] = TOKENS_OUTPUT,
		[TOKEN_CACHE_READ] = TOKENS_CACHE_READ,
		[TOKEN_CACHE_WRITE_5M] = TOKENS_CACHE_WRITE,
		[TOKEN_CACHE_WRITE_1H] = TOKENS_CACHE_WRITE,
	};
	return (enum token_kind)kinds[type];
}

// The calls of one caller, with the same metadata, in one rate class, in one minute.
struct calls {
	uint64_t caller_id, meta_id;  // meta_id 0: without metadata
	int32_t caller;               // index into the span's callers
	uint8_t rate_class;           // estimator/rate_class.h
	// some of their exact tokens, and so all of them, count as those of telemetry
	bool telemetry;
	// when the record of the call says that it began, or ended: seconds since 1970; 0: not known. Then these
	// calls may be joined with telemetry (estimator/telemetry_join.h)
	uint32_t second;
	bool second_is_end;
	bool refused;                 // some of these exceeded the metric (estimator/telemetry_check.h)
	int64_t n, failed;            // charged calls; refused calls, which get no tokens
	int64_t started;              // of n: streams of which only the start is known
	// the sum of the sixths of their minute in which these began, each counted from 1; 0: not known
	int64_t started_sixths;
	int64_t exact_n[TOKEN_KINDS]; // of n: calls whose tokens of that kind are known ...
	int64_t exact[TOKEN_KINDS];   // ... and their sum
	// TOKENS_OUTPUT_MAX: of the calls whose output is not known, those with a limit, and the limits' sum
};

// Whether tokens that metrics count are known of some of them.
static inline bool calls_are_exact(const struct calls *c)
{
	int64_t any = 0;
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		any |= c->exact_n[kind] | c->exact[kind];
	return any != 0;
}

// The metrics of one project of bedrock-mantle: a part of those of the model, and exact for the project.
struct project_metric {
	uint64_t project;              // as in struct who
	int64_t metric[METRIC_KINDS];
	int64_t samples[METRIC_KINDS], larger[METRIC_KINDS]; // as in struct minute
};

struct minute {
	bool metered;                // a token metric of this minute has arrived
	bool partial;                // ... but only of projects, none of the model
	bool has[METRIC_KINDS];
	// of the model, or the sum of its projects where that is more
	int64_t metric[METRIC_KINDS];
	int64_t samples[METRIC_KINDS]; // SampleCount: calls that used such tokens; 0: unknown
	int64_t larger[METRIC_KINDS];  // of two such calls, the tokens of the larger one; 0: unknown
	struct project_metric *projects; // sorted by project
	int32_t nprojects;
	// by enum price_tier: the tokens of the metric that the tier served; NULL: unknown. The standard tier has
	// none
	int64_t (*of_tier)[METRIC_KINDS];
	bool has_units;
	int64_t units;               // images, from their metric
	struct calls *calls;         // sorted by caller, rate class and counts
	int32_t ncalls;
};

// What a caller says of one call, without its request id.
struct telling {
	int minute;                  // of the hour, in which the call ended
	int64_t start, end;          // seconds since 1970, by the caller's clock
	struct str user;             // who the caller says it is
	bool known[METRIC_KINDS];
	int64_t tokens[METRIC_KINDS];
};

struct hour {
	int64_t number;     // hours since the epoch
	struct telling *tellings; // sorted by all that they say
	int32_t ntellings;
	struct str version; // changes with the facts; empty: there are none
	struct minute minutes[60];
};

// A copy whose calls may be changed; the rest is that of `h`.
struct hour *hour_copy(const struct hour *h, struct arena *arena);

// A caller. A span's callers are sorted by (arn, tagset); that order breaks ties.
struct who {
	struct str arn;
	struct str tagset; // id of the session's tags, "-" without any
	uint64_t project;  // of bedrock-mantle, within which it called: a digest of its id; 0: not known
};

// What one hour is computed from: itself and its two neighbours, minutes -60 to 119 from its start.
struct span {
	const struct hour *before, *hour, *after; // before and after: NULL if there are no facts
	const struct who *callers;
	int32_t ncallers;
	bool whole_prompt; // the metric of input tokens counts those of the cache too (estimator/cache_shares.h)
};

// Once all metrics of a minute with projects are in: where these have more than the model's metric shows, or
// that has not come, their sum counts.
static inline void minute_add_projects(struct minute *m)
{
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		int64_t sum = 0, samples = 0;
		for (int32_t i = 0; i < m->nprojects; i++) {
			sum += m->projects[i].metric[kind];
			samples += m->projects[i].samples[kind];
		}
		m->has[kind] |= sum > 0;
		m->samples[kind] = sum > m->metric[kind] ? samples : m->samples[kind];
		m->larger[kind] = sum > m->metric[kind] ? 0 : m->larger[kind];
		m->metric[kind] = sum > m->metric[kind] ? sum : m->metric[kind];
	}
	m->partial |= !m->metered;
	m->metered = true;
}

static inline bool minute_has_project(const struct minute *m, uint64_t project)
{
	for (int32_t i = 0; i < m->nprojects; i++)
		if (m->projects[i].project == project)
			return true;
	return false;
}

// minute m (-60 to 119) from the start of the span's hour; NULL where there are no facts.
static inline const struct minute *span_minute(const struct span *s, int m)
{
	const struct hour *h = m < 0 ? s->before : m < 60 ? s->hour : s->after;
	return h ? &h->minutes[(m + 60) % 60] : NULL;
}

#endif
