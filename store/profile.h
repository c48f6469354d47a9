// SPDX-License-Identifier: Apache-2.0
// Application inference profiles: ids that name no model. `nowcast profiles import` stores the model
// behind an id, with the date from which it holds (docs/redis-keys.md). It takes precedence over records,
// which do not show whether a profile was made of a global one.
#ifndef NOWCAST_STORE_PROFILE_H
#define NOWCAST_STORE_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "store/redis.h"

// The models behind one id, by time.
struct profile {
	struct profile_since {
		int64_t from_ms;
		struct str model;  // as called: "anthropic.claude-sonnet-4-6", "global.anthropic.claude-sonnet-4-6"
		struct str name;   // that its owner gave it; none
		struct str arn;    // none
	} *list;               // sorted by from_ms
	int n;
};

// Whether a model key is of such a kind that a profile may be behind it.
bool profile_is_opaque(struct str model);

// Queues the reading of a model key's profile; profile_take reads the reply after redis_exec, into `arena`.
void profile_ask(struct redis *r, const char *prefix, struct str model);
void profile_take(struct redis *r, size_t reply, struct arena *arena, struct profile *ret);

// The one that holds before moment `ms`; NULL: none was imported.
const struct profile_since *profile_at(const struct profile *p, int64_t ms);

#endif
