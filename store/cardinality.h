// SPDX-License-Identifier: Apache-2.0
// Who keeps a name of its own. Names have no bound: a role may have any number of sessions, and records may name users and models
// that there are not. In each account and region as many of a group as the configuration says have a seat on a day (UTC), those
// that called first, and the others are counted together, as
//
//     sessions of a role    arn:aws:sts::A:assumed-role/ROLE/(other sessions)    in Redis ".../ROLE/*": names there hold no blanks
//     users of an account   arn:aws:iam::A:user/(other users)                    in Redis ".../user/*"
//                           (so with federated users, services, and what else has a kind and a name)
//     models                (other models)                                       in Redis "*" (pricing/model_id.h)
//
// apply.lua gives the seats, and takes one away when a record comes late of somebody who called earlier. Groups that never had
// too many have nothing to look up. A model that a price is known for needs no seat: of those there are only so many.
#ifndef NOWCAST_STORE_CARDINALITY_H
#define NOWCAST_STORE_CARDINALITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "store/redis.h"

#define OTHER_SESSIONS "(other sessions)"
#define OTHER_USERS "(other users)"

// The group that a caller belongs to: "arn:aws:sts::A:assumed-role/ROLE/" of a session, "arn:aws:iam::A:user/" of a user; none of
// who is alone in the account. And that of all models.
struct str roster_group(struct str arn);
#define ROSTER_MODELS "models"

bool roster_is_of_sessions(struct str group);

// The name of those of a group who have no seat, as people read it.
struct str roster_others(struct arena *arena, struct str group);
bool roster_is_others(struct str shown);

// The name of a row as people read it, and as Redis has it; in `arena` where the two differ.
struct str roster_shown(struct arena *arena, struct str stored);
struct str roster_stored(struct arena *arena, struct str shown);

// Who of one group has a seat on a day.
struct roster {
	int64_t day;         // since the epoch
	struct str group;
	struct str *seats;   // what follows the group in their names, sorted; NULL: models
	size_t n;            // of models: whether the one asked for has one
};

struct rosters {
	struct roster *list;
	int n;
};

// Two steps of a pipeline. `start` is that of all keys, "<prefix>:{slot}". First: which groups had too many, a reply a day.
void rosters_ask(struct redis *r, struct str start, int64_t first_day, int64_t last_day);
void rosters_take(struct rosters *ret, struct redis *r, size_t reply, int64_t first_day, int64_t last_day, struct arena *arena);

// Then their seats, a reply a roster. Of models only this one is asked for.
void rosters_ask_seats(const struct rosters *x, struct redis *r, struct str start, struct str model);
void rosters_take_seats(struct rosters *x, struct redis *r, size_t reply, struct arena *arena);

// Whether it keeps its name on that day.
bool rosters_seats_caller(const struct rosters *x, int64_t day, struct str group, struct str arn);
bool rosters_seats_model(const struct rosters *x, int64_t day); // the one asked for

#endif
