// SPDX-License-Identifier: Apache-2.0
// Why a call got its service tier: reads the tier from the fields of a record.
//
// A request asks for a tier; the answer says which tier served it. They may differ (reserved capacity
// overflows to standard), and the tier that served is billed. CloudTrail has the request, an invocation log
// has the answer. cloudtrail.c (read_tier) and invocation_log.c (find_tier_in_body) call these functions; of
// two records of one call the log's tier wins (store/evidence.h). A record without a tier: TIER_STANDARD, and
// tier_known is false (struct call).
#ifndef NOWCAST_INGEST_TIER_H
#define NOWCAST_INGEST_TIER_H

#include <stdbool.h>

#include "base/str.h"
#include "ingest/json.h"
#include "pricing/price.h"

// "default", "flex", "PRIORITY", ... in any case of letters; a word that is not known is TIER_UNKNOWN. False:
// it names no tier. So does "auto", which leaves the choice to the service.
bool tier_of_word(struct str word, enum price_tier *ret);

// Looks at every key of one object (requestParameters, additionalEventData, the body of an answer) that may
// hold a tier or an optimised latency. False: it has none.
bool tier_of_object(struct json object, enum price_tier *ret);

#endif
