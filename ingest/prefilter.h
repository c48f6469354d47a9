// SPDX-License-Identifier: Apache-2.0
// A filter before the parser: whether a text may hold, in any wrapper, a record that concerns this program.
//
// False is certain, but for base64 behind a binary head within base64; true may be wrong. The filter looks
// for a few words at the speed of memory. Most records of an organisation's trail have none of them and are
// dropped without being parsed.
#ifndef NOWCAST_INGEST_PREFILTER_H
#define NOWCAST_INGEST_PREFILTER_H

#include <stdbool.h>

#include "base/str.h"

bool prefilter_may_be_ours(struct str text);

#endif
