// SPDX-License-Identifier: Apache-2.0
// Whoever writes names to a Redis hashes them as all the others do (ingest/pseudonym.h), or does not write:
// one that was started without the key would put in clear what the rest keeps hidden, and count the same
// caller twice.
#ifndef NOWCAST_STORE_NAMES_CHECK_H
#define NOWCAST_STORE_NAMES_CHECK_H

#include "base/err.h"
#include "ingest/pseudonym.h"
#include "store/redis.h"

// Leaves the mark of the hashes in <prefix>:names if there is none. ERR_CONFIG: there is another.
bool names_check(struct redis *r, const char *prefix, struct pseudonyms *p, struct err *err) NC_CHECK;

#endif
