// SPDX-License-Identifier: Apache-2.0
// Names of people as keyed hashes, for operators who may not store the names. The configuration
// (`names.hash`) says which kinds of names; each such name becomes "h_" and 20 hex digits of its HMAC-SHA256
// before anything is summed, written or logged. The same key gives the same hash, so sessions, their tags and
// the bill still join. Roles and teams keep their names. A hash reveals nothing without the key; with it,
// `nowcast who NAME` finds the figures of a name.
//
// One thread at a time.
#ifndef NOWCAST_INGEST_PSEUDONYM_H
#define NOWCAST_INGEST_PSEUDONYM_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/str.h"
#include "ingest/record.h"

struct pseudonyms;

// *ret is NULL if nothing is to be hashed; all functions below accept NULL. ERR_CONFIG: a wrong word in
// names.hash, or a key that is missing or too short.
bool pseudonyms_open(struct pseudonyms **ret, const struct conf *conf, struct err *err) NC_CHECK;
void pseudonyms_close(struct pseudonyms *p);

// A mark that differs for every key and set of words, and reveals nothing of the key; "" for NULL. `ret`
// holds PSEUDONYM_MARK bytes; returns `ret`.
enum { PSEUDONYM_MARK = 24 };
char *pseudonyms_mark(struct pseudonyms *p, char *ret);

// The hash of a name of any kind, in `arena`.
struct str pseudonym_of(struct pseudonyms *p, struct arena *arena, struct str name);

// An ARN with its name (of a session, federated user or user) hashed, if that kind is configured.
struct str pseudonym_arn(struct pseudonyms *p, struct arena *arena, struct str arn);

// The same for an ARN that a user typed: a name that is a hash already, as reports show it, stays.
struct str pseudonym_asked(struct pseudonyms *p, struct arena *arena, struct str arn);

// The same for a command that asks once. NUL-terminated, in `arena`. ERR_CONFIG as for pseudonyms_open.
bool pseudonym_ask(const struct conf *conf, struct arena *arena, struct str arn, struct str *ret,
                   struct err *err) NC_CHECK;

// The value of a tag, hashed if its key is configured (letters in either case); and the name of a user.
struct str pseudonym_tag(struct pseudonyms *p, struct arena *arena, struct str key, struct str value);
struct str pseudonym_user(struct pseudonyms *p, struct arena *arena, struct str name);

// Whether the value of a label is hashed (ingest/labels.h): `kind` is "meta" or "identity". Sessions' names
// include identity:source and identity:subject.
bool pseudonym_hashes_label(const struct pseudonyms *p, const char *kind, struct str key);

// All of these in a record, in place. Strings that change live in `arena`.
void pseudonym_record(struct pseudonyms *p, struct arena *arena, struct record *r);

#endif
