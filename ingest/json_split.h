// SPDX-License-Identifier: Apache-2.0
// Cutting text into JSON values without parsing it: lines, values back to back, the elements of a list. It
// looks at brackets and quotes only, so that a broken value costs itself and not its neighbours.
#ifndef NOWCAST_INGEST_JSON_SPLIT_H
#define NOWCAST_INGEST_JSON_SPLIT_H

#include <stdbool.h>

#include "base/str.h"

struct str json_split_trim(struct str s); // without the white space (and a byte order mark) at its ends

// The value that `s` starts with: up to the bracket that closes its first one, or the end of a scalar. Empty
// if its end is not in `s`.
struct str json_split_value(struct str s);

// If `s` starts with a list of records, {"Records": [ or [, what follows the bracket; else STR_NONE.
struct str json_split_list(struct str s, bool *ret_in_object);

#endif
