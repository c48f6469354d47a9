// SPDX-License-Identifier: Apache-2.0
// What was observed, as JSON: members of an object that the caller has open.
//
//     "observed"      the observed part of a span's past: 0 to 1; null if all of it is still to come
//     "unobserved"    [{"from", "to", "why"}, ...]: what was not, in the order of time
#ifndef NOWCAST_QUERY_OBSERVED_JSON_H
#define NOWCAST_QUERY_OBSERVED_JSON_H

#include "base/json_writer.h"
#include "query/observed.h"

// Minutes since the epoch: [from, to).
void observed_json_part(struct json_writer *j, const char *key, const struct observed *o, int64_t from,
                        int64_t to);
void observed_json_gaps(struct json_writer *j, const struct observed *o, int64_t from, int64_t to);

#endif
