// SPDX-License-Identifier: Apache-2.0
// Where the master of a name is, as one of several Redis Sentinels says. For redis.c only.
#ifndef NOWCAST_STORE_REDIS_SENTINEL_H
#define NOWCAST_STORE_REDIS_SENTINEL_H

#include "base/buf.h"
#include "store/redis_wire.h"

// Asks the sentinels of `w`, beginning with the one that answered last, and points the wire to the master. A
// sentinel that asks for a login gets the user and the password of the URL. ERR_RETRY: none answers, or none
// knows the name, or it has no master now. ERR_CONFIG: all refuse the login.
bool sentinel_find_master(struct wire *w, struct err *err) NC_CHECK;

#endif
