// SPDX-License-Identifier: Apache-2.0
// What callers say of their own calls is believed as far as the metrics bear it out. A metric counts all
// tokens of a model and minute, whoever used them: so in each cell (cell.h) the tokens that telemetry names
// may not exceed what the metric shows beyond the exact tokens of AWS's own records. Where they do, the
// calls with the most of them are refused, one by one, until the rest fits: their tokens of that kind are
// unknown, and they get their part of the metric like any other call. So no telemetry adds a token to a
// total that a metric has, and none takes one away.
//
// Of bedrock-mantle only output tokens are believed: its metrics count whole prompts, telemetry does not.
#ifndef NOWCAST_ESTIMATOR_TELEMETRY_CHECK_H
#define NOWCAST_ESTIMATOR_TELEMETRY_CHECK_H

#include "base/arena.h"
#include "estimator/facts.h"

struct telemetry_calls {
	int64_t used, refused; // of the span's hour: calls with tokens of telemetry; of these, refused ones
	int64_t unjoined;      // tellings that fit no call, or several (estimator/telemetry_join.h)
};

// Replaces hours of the span that have calls with telemetry by copies in `arena`, in which what is refused is
// unknown. A span without such calls stays as it is. `lookback` is 0 to 60 minutes.
void telemetry_check(struct span *s, int lookback, struct arena *arena, struct telemetry_calls *ret);

#endif
