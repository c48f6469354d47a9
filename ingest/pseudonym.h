// SPDX-License-Identifier: Apache-2.0
// Names of people as keyed hashes, for those who may not keep them: where the configuration names them
// (`names.hash`), every name becomes "h_" and 20 hex digits of its HMAC-SHA256 before anything is folded,
// written or logged. The same key gives the same hash, so sessions, their tags and the bill still meet, and
// roles and teams are not touched. Without the key a hash tells nothing; with it, `nowcast who NAME` finds
// its figures.
//
// Not for use by two threads.
#ifndef NOWCAST_INGEST_PSEUDONYM_H
#define NOWCAST_INGEST_PSEUDONYM_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/str.h"
#include "ingest/record.h"

struct pseudonyms;

// *ret is NULL if nothing is to be hashed; all below take that. ERR_CONFIG: a wrong word in names.hash, no
// key, or a short one.
bool pseudonyms_open(struct pseudonyms **ret, const struct conf *conf, struct err *err) NC_CHECK;
void pseudonyms_close(struct pseudonyms *p);

// Tells one set of words and key from another, and nothing of the key; "" for NULL. `ret` holds
// PSEUDONYM_MARK bytes; returns it.
enum { PSEUDONYM_MARK = 24 };
char *pseudonyms_mark(struct pseudonyms *p, char *ret);

// The hash of a name, whatever it is of; lives as long as `arena`.
struct str pseudonym_of(struct pseudonyms *p, struct arena *arena, struct str name);

// An ARN with the names in it that are to be hashed: of the session or federated user, of the user.
struct str pseudonym_arn(struct pseudonyms *p, struct arena *arena, struct str arn);

// The same for an ARN that a person typed: one that is hashed already, as reports show it, stays.
struct str pseudonym_asked(struct pseudonyms *p, struct arena *arena, struct str arn);

// The same for a command that asks once. NUL-terminated, in `arena`. ERR_CONFIG as of pseudonyms_open.
bool pseudonym_ask(const struct conf *conf, struct arena *arena, struct str arn, struct str *ret,
                   struct err *err) NC_CHECK;

// The value of a tag, hashed if its key is named in any case; and the name of a user.
struct str pseudonym_tag(struct pseudonyms *p, struct arena *arena, struct str key, struct str value);
struct str pseudonym_user(struct pseudonyms *p, struct arena *arena, struct str name);

// All of these in a record. Strings that change live in `arena`.
void pseudonym_record(struct pseudonyms *p, struct arena *arena, struct record *r);

#endif
