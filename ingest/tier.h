// SPDX-License-Identifier: Apache-2.0
// The service tier of a call, wherever a record tells it.
//
// A request asks for a tier, the answer says which one served it: they may differ (reserved capacity
// overflows to standard), and the one that served is billed. CloudTrail holds the request, an invocation log
// the answer, so evidence ranks the log above it.
#ifndef NOWCAST_INGEST_TIER_H
#define NOWCAST_INGEST_TIER_H

#include <stdbool.h>

#include "base/str.h"
#include "ingest/json.h"
#include "pricing/price.h"

// "default", "flex", "PRIORITY", ... False: no tier that is known; "auto" is none, since it leaves the choice
// to the service.
bool tier_of_word(struct str word, enum price_tier *ret);

// Looks at every place of one object in which a tier or an optimised latency may stand: a record's
// requestParameters, its additionalEventData, an answer's body. A value that is not understood is passed
// over. False: it tells none.
bool tier_of_object(struct json object, enum price_tier *ret);

#endif
