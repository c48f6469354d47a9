// SPDX-License-Identifier: Apache-2.0
// Finds the principal of an access key. Keys of sessions (ASIA...) are known as long as the facts of their
// calls are kept, from the STS record that issued them or from the calls made with them. Long-term keys
// (AKIA...) are not kept at all.
#ifndef NOWCAST_STORE_SESSION_H
#define NOWCAST_STORE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "store/redis.h"

struct session {
	struct str arn;      // canonical, as reports show it; none: the key is not known
	struct str role_arn; // with its path, as recorded; none
	int64_t start_ms;    // of the session; 0: not known
	bool tagged;         // its STS record has arrived
};

// Strings live in `arena`. False: Redis.
bool session_find(struct redis *r, const char *prefix, struct str access_key, struct arena *arena,
                  struct session *ret, struct err *err) NC_CHECK;

#endif
