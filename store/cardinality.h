// SPDX-License-Identifier: Apache-2.0
// Which names of callers and models have a row of their own. Names have no bound: a role may have any
// number of sessions, and records may contain names of users and models that do not exist. In each account
// and Region only so many names of a group are kept on a day (UTC) as the configuration says: those that were
// charged, by who called first; then, if there are places left, those of whom only refused calls are known.
// So invented names cost nobody a name. All other members of the group are counted together under one name:
//
//     group                 shown                                                 in Redis
//     sessions of a role    arn:aws:sts::A:assumed-role/ROLE/(other sessions)     .../ROLE/*
//     users of an account   arn:aws:iam::A:user/(other users)                     .../user/*
//     models                (other models)                                        * (pricing/model_id.h)
//
// Names in Redis contain no blanks. Federated users, services and whatever else has a kind and a name are
// grouped as users are. apply.lua decides which names are kept. It gives one up again when a record arrives
// late of a caller that called earlier. A group that never had too many members needs no look-up. A model
// with a known price is not counted in the group of models: their number is bounded by the price catalogue.
#ifndef NOWCAST_STORE_CARDINALITY_H
#define NOWCAST_STORE_CARDINALITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "store/redis.h"

#define OTHER_SESSIONS "(other sessions)"
#define OTHER_USERS "(other users)"

// The group of a caller: "arn:aws:sts::A:assumed-role/ROLE/" of a session, "arn:aws:iam::A:user/" of a user;
// STR_NONE of a caller that is the only one of its kind, such as the root user. And the group of all models.
struct str cardinality_group(struct str arn);
#define CARDINALITY_MODELS "models"
#define CARDINALITY_SESSIONS ":assumed-role/" // in the groups of sessions

bool cardinality_is_of_sessions(struct str group);

// Labels (ingest/labels.h) are bounded for each owner: the role of a session, else the caller itself, so that
// nobody can push out the values of others. Two kinds of groups: the keys of an owner, "OWNER labels", and
// the values of one key, "OWNER meta:KEY". An owner holds no blank. What is beyond the limit is
// OTHER_VALUES.
#define CARDINALITY_LABEL_KEYS " labels"
#define OTHER_VALUES "(other values)"
struct str cardinality_label_owner(struct str arn);
struct str cardinality_label_keys(struct arena *arena, struct str owner);
struct str cardinality_label_values(struct arena *arena, struct str owner, struct str key);

// The name under which the other members of a group are counted, as it is shown.
struct str overflow_name(struct arena *arena, struct str group);
bool is_overflow_name(struct str shown);

// The name of a row as it is shown, and as Redis has it; in `arena` where the two differ.
struct str cardinality_shown(struct arena *arena, struct str stored);
struct str cardinality_stored(struct arena *arena, struct str shown);

// The names of one group that are kept on a day.
struct kept_names {
	int64_t day;         // since the epoch
	struct str group;
	struct str *names;   // what follows the group in their names, sorted; none of the group of models
	size_t n;
	bool keeps_model;    // of the group of models: whether it keeps the one that was asked for
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

// Added to the minute of a record of a call that costs nothing, where records compete for a place: later than
// any minute.
#define CARDINALITY_FREE (INT64_C(1) << 40)

// Whether its name is kept on that day.
bool cardinality_keeps_label(const struct cardinality *x, int64_t day, struct str group, struct str name);
bool cardinality_keeps_caller(const struct cardinality *x, int64_t day, struct str group, struct str arn);
bool cardinality_keeps_model(const struct cardinality *x, int64_t day); // the one asked for

#endif
