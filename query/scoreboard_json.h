// SPDX-License-Identifier: Apache-2.0
// The scoreboard as JSON, the same in the API and in `nowcast report --scoreboard`: members of an object that
// the caller has open.
//
//     "total"   {"5m": SCORE, "1h": SCORE, "24h": SCORE, "last": SCORE}, over all days
//     "days"    [{"day": "2026-11-02", "as_of": {the same four}}], the newest first
//
// SCORE is null where no hour was scored. Dollars are strings of nine places. The ratios wape, bias, coverage
// and width are null where nothing was billed; `last` has no coverage and no width, since it had no band.
#ifndef NOWCAST_QUERY_SCOREBOARD_JSON_H
#define NOWCAST_QUERY_SCOREBOARD_JSON_H

#include "base/json_writer.h"
#include "query/scoreboard.h"

void scoreboard_json(struct json_writer *j, const struct scoreboard *s);

#endif
