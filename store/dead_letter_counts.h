// SPDX-License-Identifier: Apache-2.0
// How many dead letters there were, by the kind of their fault, for doctor and /metrics. Every worker and
// replay adds to one count, so a letter that is replayed and fails again counts again, and after a crash or a
// failure of Redis some may count twice.
#ifndef NOWCAST_STORE_DEAD_LETTER_COUNTS_H
#define NOWCAST_STORE_DEAD_LETTER_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "ingest/decode.h"
#include "store/redis.h"

struct dead_letter_count {
	int64_t n;       // since the beginning
	int64_t last_ms; // when the last one was counted; 0: none was
};

// Adds n[kind] of each kind, counted at `now_ms`.
bool dead_letter_counts_add(struct redis *r, const char *prefix, const uint64_t n[FAULT_KINDS],
                            int64_t now_ms, struct err *err) NC_CHECK;

bool dead_letter_counts_read(struct redis *r, const char *prefix, struct dead_letter_count ret[FAULT_KINDS],
                             struct err *err) NC_CHECK;

#endif
