// SPDX-License-Identifier: Apache-2.0
// Ids of names. Facts in Redis hold 64 bits in place of a model, a caller, metadata or a project; the hash
// key_names says which name an id is of. Callers choose their names (a session, a label, a model that does
// not exist), so an id is SipHash-2-4 of the name under a key that is a secret of this Redis: nobody who
// does not know it can look for a name of somebody else's id. A guess costs a call that AWS records, and
// hits one of a million names once in 2^44 calls. Should two names of one id be met all the same, apply.lua
// keeps neither: their calls are those of a caller who is not known, never of the other one.
//
// An id is that of the text which key_names holds under it (store/batch.h): `m` and a model key, `c` and a
// caller, `t` and labels. nowcast migrate relies on it.
#ifndef NOWCAST_STORE_NAME_ID_H
#define NOWCAST_STORE_NAME_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/siphash.h"
#include "base/str.h"
#include "ingest/record.h"
#include "store/redis.h"

// What key_names holds under the id of several names.
#define NAME_AMBIGUOUS "?"

uint64_t name_id(const struct siphash_key *key, struct str text); // of any text of key_names
uint64_t name_id_of_model(const struct siphash_key *key, struct str model);
// Writes the text of a caller into `text`. `labels`: as it ends, with the TAB before them; empty if its
// identity has none.
struct str name_of_caller(struct buf *text, const struct caller *c, struct str labels);
// Of a project of bedrock-mantle: 0: none. AWS makes these names, and shares depend on the order of their
// ids, so the id is the same for every key: 63 bits of SHA-256.
uint64_t name_id_of_project(struct str project);

// ---- the key ----

enum { NAME_KEY_HEX = 33 }; // with the NUL

// What a writer has of this Redis: the key that is there, else the one in *key, which it gives to a Redis
// that has none; if that is all zero, a new one. ERR_RETRY: Redis is away.
bool name_key_take(struct redis *r, const char *prefix, struct siphash_key *key, struct err *err) NC_CHECK;

// What a reader has: all zero if there is none, and no facts.
bool name_key_read(struct redis *r, const char *prefix, struct siphash_key *ret, struct err *err) NC_CHECK;

// In hex digits, as Redis has it. Returns buf.
char *name_key_format(const struct siphash_key *key, char buf[NAME_KEY_HEX]);

#endif
