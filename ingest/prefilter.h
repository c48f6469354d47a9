// SPDX-License-Identifier: Apache-2.0
// A sieve before the parser: whether a text could hold, in any wrapper, something of ours.
//
// False is certain, true is a guess. It looks for a few words, at the speed of memory; most of what an
// organisation's trail holds has none of them and is dropped for the price of one look.
#ifndef NOWCAST_INGEST_PREFILTER_H
#define NOWCAST_INGEST_PREFILTER_H

#include <stdbool.h>

#include "base/str.h"

bool prefilter_may_be_ours(struct str text);

#endif
