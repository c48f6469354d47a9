// SPDX-License-Identifier: Apache-2.0
// Splits text into JSON values without parsing it: lines, values back to back, the elements of a list. It
// looks at brackets and quotes only, so a broken value does not spoil its neighbours. Results are slices of
// the text.
#ifndef NOWCAST_INGEST_JSON_SPLIT_H
#define NOWCAST_INGEST_JSON_SPLIT_H

#include <stdbool.h>

#include "base/str.h"

struct str json_split_trim(struct str s); // without the white space (and a byte order mark) at its ends

// The value that `s` starts with: up to the bracket that closes the first one, or the end of a scalar. Empty
// if the value does not end in `s`.
struct str json_split_value(struct str s);

// If `s` starts with a list of records, {"Records": [ or [, the text after that bracket; else STR_NONE.
// *ret_in_object: the list is in an object.
struct str json_split_list(struct str s, bool *ret_in_object);

#endif
