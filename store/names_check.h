// SPDX-License-Identifier: Apache-2.0
// All writers of a Redis hash names in the same way (ingest/pseudonym.h). One that was started without the
// key would write in clear the names that the others hide, and count the same caller twice: it is refused.
#ifndef NOWCAST_STORE_NAMES_CHECK_H
#define NOWCAST_STORE_NAMES_CHECK_H

#include "base/err.h"
#include "ingest/pseudonym.h"
#include "store/redis.h"

// Sets the mark of the hash (key_names_mark) if there is none. ERR_CONFIG: there is another.
bool names_check(struct redis *r, const char *prefix, struct pseudonyms *p, struct err *err) NC_CHECK;

#endif
