// SPDX-License-Identifier: Apache-2.0
// Which sessions of a role keep their names. A role may have any number of them; in each account and region as many as
// `sessions.max` have a seat on a day (UTC), those that called first, and the others are counted together, as
//
//     arn:aws:sts::A:assumed-role/ROLE/(other sessions)         in Redis ".../ROLE/*": names there hold no blanks
//
// apply.lua gives the seats, and takes one away when a record comes late of a session that called earlier. Roles that never had
// too many sessions have nothing to look up.
#ifndef NOWCAST_ESTIMATOR_ROSTER_H
#define NOWCAST_ESTIMATOR_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "estimator/redis.h"

#define OTHER_SESSIONS "(other sessions)"

// "arn:aws:sts::A:assumed-role/ROLE/" of an assumed role's session; none for others.
struct str roster_role(struct str arn);

// The name of a row as people read it, and as Redis has it; in `arena` where the two differ.
struct str roster_shown(struct arena *arena, struct str stored);
struct str roster_stored(struct arena *arena, struct str shown);

// The sessions of one role and day that keep their names.
struct roster {
	int64_t day;         // since the epoch
	struct str role;     // as roster_role has it
	struct str *seats;   // names of sessions, sorted
	size_t n;
};

struct rosters {
	struct roster *list;
	int n;
};

// Two steps of a pipeline. `start` is that of all keys, "<prefix>:{slot}". First: which roles had too many, a reply a day.
void rosters_ask(struct redis *r, struct str start, int64_t first_day, int64_t last_day);
void rosters_take(struct rosters *ret, struct redis *r, size_t reply, int64_t first_day, int64_t last_day, struct arena *arena);

// Then their seats, a reply a roster.
void rosters_ask_seats(const struct rosters *x, struct redis *r, struct str start);
void rosters_take_seats(struct rosters *x, struct redis *r, size_t reply, struct arena *arena);

// Whether a session of the role keeps its name on that day.
bool rosters_has_seat(const struct rosters *x, int64_t day, struct str role, struct str arn);

#endif
