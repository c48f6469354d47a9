// SPDX-License-Identifier: Apache-2.0
// How fresh the figures are: for each signal the time of its newest event and when a record arrived last.
// They differ: a backlog or a backfill arrives now and tells of hours ago.
#ifndef NOWCAST_QUERY_FRESHNESS_H
#define NOWCAST_QUERY_FRESHNESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/redis.h"

// Those that figures need come first.
enum signal_kind {
	SIGNAL_CALL,           // CloudTrail records and invocation logs
	SIGNAL_METRIC,         // CloudWatch token metrics
	SIGNAL_CALL_TOKENS,    // tokens that records of single calls hold
	SIGNAL_SESSION_TAGS,   // STS
	SIGNAL_PRINCIPAL_TAGS, // IAM
	SIGNALS
};

enum signal_state {
	SIGNAL_ABSENT,  // never came; figures do not need it
	SIGNAL_MISSING, // never came, and figures need it
	SIGNAL_OK,
	SIGNAL_STALE,   // records arrive, but the newest event is older than quiet_ms
	SIGNAL_SILENT,  // no record has arrived for quiet_ms
};

struct signal {
	const char *name, *label;      // as in Redis; for people
	int64_t quiet_ms;              // 0: never stale or silent
	enum signal_state state;
	int64_t event_ms, arrived_ms;  // 0: never came
};

struct freshness {
	struct signal signals[SIGNALS];
	// The newest event of a call or a metric, if both signals are stale or silent; 0: figures are up to date,
	// or there are none.
	int64_t stale_since_ms;
};

// Of `now_ms` for events, of the clock for arrivals, which never lie in the past that a reader looks at.
bool freshness_read(struct freshness *ret, struct redis *r, const char *prefix, int64_t now_ms,
                    struct err *err) NC_CHECK;

const char *signal_state_name(enum signal_state state); // "ok", "stale", ...

#endif
