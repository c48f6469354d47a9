// SPDX-License-Identifier: Apache-2.0
// Who keeps a name of its own. Names have no bound: a role may have any number of sessions, and records may
// name users and models that there are not. In each account and region as many of a group as the
// configuration says have a seat on a day (UTC), those that called first, and the others are counted
// together, as
//
//     sessions of a role    arn:aws:sts::A:assumed-role/ROLE/(other sessions)    in Redis ".../ROLE/*":
//     names there hold no blanks users of an account   arn:aws:iam::A:user/(other users)                  
//      in Redis ".../user/*"
//                           (so with federated users, services, and what else has a kind and a name)
//     models                (other models)                                       in Redis "*"
//     (pricing/model_id.h)
//
// apply.lua gives the seats, and takes one away when a record comes late of somebody who called earlier.
// Groups that never had too many have nothing to look up. A model that a price is known for needs no seat: of
// those there are only so many.
#ifndef NOWCAST_STORE_CARDINALITY_H
#define NOWCAST_STORE_CARDINALITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "store/redis.h"

#define OTHER_SESSIONS "(other sessions)"
#define OTHER_USERS "(other users)"

// The group that a caller belongs to: "arn:aws:sts::A:assumed-role/ROLE/" of a session,
// "arn:aws:iam::A:user/" of a user; none of who is alone in the account. And that of all models.
struct str cardinality_group(struct str arn);
#define CARDINALITY_MODELS "models"
#define CARDINALITY_SESSIONS ":assumed-role/" // in the groups of sessions

bool cardinality_is_of_sessions(struct str group);

// The name of those of a group who have no seat, as people read it.
struct str overflow_name(struct arena *arena, struct str group);
bool is_overflow_name(struct str shown);

// The name of a row as people read it, and as Redis has it; in `arena` where the two differ.
struct str cardinality_shown(struct arena *arena, struct str stored);
struct str cardinality_stored(struct arena *arena, struct str shown);

// Who of one group has a seat on a day.
struct kept_names {
	int64_t day;         // since the epoch
	struct str group;
	struct str *names;   // what follows the group in their names, sorted; NULL: models
	size_t n;            // of models: whether the one asked for has one
};

struct cardinality {
	struct kept_names *list;
	int n;
};

// Two steps of a pipeline. First: which groups had too many members, a reply a day.
void cardinality_ask(struct redis *r, const char *prefix, struct str acct_region, int64_t first_day,
                     int64_t last_day);
void cardinality_take(struct cardinality *ret, struct redis *r, size_t reply, int64_t first_day,
                      int64_t last_day, struct arena *arena);

// Then the members that keep their names, a reply a group and day. Of models, only whether `model` does.
void cardinality_ask_kept(const struct cardinality *x, struct redis *r, const char *prefix,
                          struct str acct_region, struct str model);
void cardinality_take_kept(struct cardinality *x, struct redis *r, size_t reply, struct arena *arena);

// Whether it keeps its name on that day.
bool cardinality_keeps_caller(const struct cardinality *x, int64_t day, struct str group, struct str arn);
bool cardinality_keeps_model(const struct cardinality *x, int64_t day); // the one asked for

#endif
