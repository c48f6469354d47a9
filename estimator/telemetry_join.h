// SPDX-License-Identifier: Apache-2.0
// Telemetry that does not name the request of its call is joined with it by user, model and second. A telling
// fits a call if
//
//     its user has the name of the call's session,
//     its model is the call's (it is among the facts of that model), and
//     it says that the call began in the second in which CloudTrail saw it begin (of other calls than
//     streams: ended), or in the second before or after.
//
// They are joined where nothing else fits: one call fits the telling, and no other telling fits that call. So
// the result depends on the facts of the hour and its neighbours only. What was joined is like a call with
// telemetry by request id: estimator/telemetry_check.h still has to let it pass.
//
// A stream that was joined is booked in the minute in which its telemetry says that it ended, if that is in
// the same hour.
#ifndef NOWCAST_ESTIMATOR_TELEMETRY_JOIN_H
#define NOWCAST_ESTIMATOR_TELEMETRY_JOIN_H

#include "base/arena.h"
#include "estimator/facts.h"

// Replaces hours of the span by copies in `arena` in which calls have the tokens of their tellings. Without
// tellings the span stays as it is. Returns how many tellings of the span's hour are joined with no call.
int64_t telemetry_join(struct span *s, struct arena *arena);

#endif
