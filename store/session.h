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

// An access key that a principal called with, as far as the names of callers say: they are kept by spans of
// six hours (a bucket), so that is how well it is known when.
struct session_key {
	struct str id;
	int64_t start_ms;     // of its session; 0: not known
	int64_t from, to;     // hours: it called in [from, to), or its call ended there
};

enum { SESSION_KEYS_MAX = 100 };

struct session_keys {
	struct session_key list[SESSION_KEYS_MAX]; // the one used last comes first
	int n;
	bool more;            // there are more than fit
};

struct session_key_query {
	const char *prefix;
	struct str arn;         // canonical, as Redis has it
	const struct str *acct_regions;
	int32_t nacct_regions;
	int64_t from, to;       // hours; those of whole buckets count
};

// The keys of a principal in all these accounts and Regions; of too many those that were used last. Strings
// live in `arena`. One round trip for each NAMES_AT_ONCE names that the buckets have, and one more.
bool session_keys_read(struct session_keys *ret, struct redis *r, const struct session_key_query *q,
                       struct arena *arena, struct err *err) NC_CHECK;

// Strings live in `arena`. False: Redis.
bool session_find(struct redis *r, const char *prefix, struct str access_key, struct arena *arena,
                  struct session *ret, struct err *err) NC_CHECK;

#endif
