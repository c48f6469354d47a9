// SPDX-License-Identifier: Apache-2.0
// How often telemetry of a call was not used, by the reason, for doctor and /metrics. It costs no tokens: the
// call has those that the metrics show. As with dead letters, what is read again counts again. Telemetry that
// waits for its call is not among these: apply.lua counts it by bucket (key_telemetry_waiting).
#ifndef NOWCAST_STORE_TELEMETRY_COUNTS_H
#define NOWCAST_STORE_TELEMETRY_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/redis.h"

enum telemetry_unused {
	TELEMETRY_UNLISTED,   // no trust rule allows any source to carry telemetry
	TELEMETRY_UNPLACED,   // it names no account or Region, and neither does the configuration
	TELEMETRY_WITHOUT_ID, // it has no request id, and cannot be joined by anything else
	TELEMETRY_NAMELESS,   // of an account without CloudTrail: it names no principal or no model
	TELEMETRY_UNUSED
};

const char *telemetry_unused_word(enum telemetry_unused why);   // "unlisted", ...
const char *telemetry_unused_advice(enum telemetry_unused why); // a sentence: what it is, and what to do

bool telemetry_counts_add(struct redis *r, const char *prefix, const uint64_t n[TELEMETRY_UNUSED],
                          struct err *err) NC_CHECK;
bool telemetry_counts_read(struct redis *r, const char *prefix, int64_t ret[TELEMETRY_UNUSED],
                           struct err *err) NC_CHECK;

// Telemetry that waits for its call, in all accounts and Regions, of the spans of six hours that begin at
// `first_ms` or later: `recent` is that of spans which begin at `recent_ms` or later.
struct telemetry_waiting {
	int64_t old, recent;
};
bool telemetry_waiting_read(struct redis *r, const char *prefix, int64_t first_ms, int64_t recent_ms,
                            struct telemetry_waiting *ret, struct err *err) NC_CHECK;

#endif
