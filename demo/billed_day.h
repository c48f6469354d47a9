// SPDX-License-Identifier: Apache-2.0
// What a bill teaches: the same callers made calls at the same time a day before, and the bill of these has
// come. Learning then starts from what each caller's calls took there.
//
//     traffic of a day before --> intake --> Redis <-- publish <-- what AWS would have billed for it
//                                              |
//                                              +--> the hours since then, computed again
//
// `nowcast reconcile` reads such a bill from an export; here no export is written, so that DuckDB is not
// needed.
#ifndef NOWCAST_DEMO_BILLED_DAY_H
#define NOWCAST_DEMO_BILLED_DAY_H

#include <stdint.h>

#include "base/conf.h"
#include "base/err.h"
#include "demo/traffic.h"

// All messages at once into the Redis of `conf`, as `nowcast replay` reads a file of them.
bool traffic_replay(const struct conf *conf, const struct traffic *t, struct err *err) NC_CHECK;

// Adds the day before an hour that began at `from_ms` and was played with `seed`: its calls, which are others
// of the same callers, and its bill. Hours that learn from it are computed before it returns.
bool billed_day_add(const struct conf *conf, int64_t from_ms, uint64_t seed, struct err *err) NC_CHECK;

#endif
