// SPDX-License-Identifier: Apache-2.0
// How many sessions, users, models and values of labels have no row of their own (store/cardinality.h). It
// is shown to operators; no figure depends on it.
#ifndef NOWCAST_STORE_OVERFLOW_H
#define NOWCAST_STORE_OVERFLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "store/redis.h"

enum overflow_kind {
	OVERFLOW_SESSIONS,
	OVERFLOW_USERS,
	OVERFLOW_MODELS,
	OVERFLOW_LABEL_KEYS,
	OVERFLOW_LABEL_VALUES,
	OVERFLOW_KINDS
};

struct overflow {
	enum overflow_kind kind;
	struct str account, region;       // these and the next die with the call
	struct str role;                  // of sessions, and of labels behind a role; else none
	struct str label;                 // of values: "meta:KEY", "identity:KEY"
	int64_t day;                      // since the epoch
	int64_t names;                    // an estimate, off by about 1 %
};

// Calls `fn` for every group that had too many members on one of the two newest days: by account and
// Region, the newer day first, by group.
bool overflow_each(struct redis *r, const char *prefix, void (*fn)(void *user, const struct overflow *f),
                   void *user, struct err *err) NC_CHECK;

#endif
