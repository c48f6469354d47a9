// SPDX-License-Identifier: Apache-2.0
// The names of the keys of one account and Region: what follows "nowcast:{A/R}". keys.c makes the
// constructors of them, prelude_constants.c the constants KEY_DUE, ... of the Lua scripts. Those that end
// in a colon are followed by more.
#ifndef NOWCAST_STORE_KEYS_PRIV_H
#define NOWCAST_STORE_KEYS_PRIV_H

#include "base/str.h"

#define ACCT_REGION_KEYS(X)             \
	X(ACTUAL, ":actual")                \
	X(ACTUAL_CALLED, ":actual:called")  \
	X(ACTUAL_MODELS, ":actual:models")  \
	X(ASOF, ":asof:")                   \
	X(BILLED, ":billed")                \
	X(BILLED_MEANS, ":billed_means:")   \
	X(CALLS, ":calls:")                 \
	X(CELLS, ":cells:")                 \
	X(DUE, ":due")                      \
	X(HOUR_STATS, ":hour_stats:")       \
	X(KEPT, ":kept:")                   \
	X(LATE, ":late")                    \
	X(LOST_CALLS, ":lost_calls")        \
	X(MODEL_HOURS, ":model_hours:")     \
	X(NAMES, ":names:")                 \
	X(OBSERVED, ":observed:")           \
	X(OPEN, ":open")                    \
	X(OVERFLOW, ":overflow:")           \
	X(OVERFLOWED, ":overflowed:")       \
	X(PACK, ":pack")                    \
	X(PACKED, ":packed:")               \
	X(PAIRS, ":pairs:")                 \
	X(PART, ":part:")                   \
	X(PART_META, ":part_meta:")         \
	X(PROMOTED, ":promoted")            \
	X(REOPEN, ":reopen")                \
	X(SESSIONS, ":sessions:")           \
	X(SHARDS, ":shards")                \
	X(STAGED, ":staged:")               \
	X(TELEMETRY, ":telemetry")          \
	X(USAGE, ":usage")                  \
	X(USAGE_META, ":usage_meta:")

// What schema 1 called some of them (store/migrate.c).
#define SCHEMA1_KEYS(X)                 \
	X(":crowded:", OVERFLOWED)          \
	X(":folded:", OVERFLOW)             \
	X(":groups:", MODEL_HOURS)          \
	X(":lesson:", HOUR_STATS)           \
	X(":roster:", KEPT)                 \
	X(":taught:", BILLED_MEANS)

enum acct_region_key {
#define NUMBER_OF(name, text) KEY_##name,
	ACCT_REGION_KEYS(NUMBER_OF)
#undef NUMBER_OF
	ACCT_REGION_KEY_COUNT
};

extern const struct str acct_region_keys[ACCT_REGION_KEY_COUNT]; // the names

#endif
