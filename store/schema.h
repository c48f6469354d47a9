// SPDX-License-Identifier: Apache-2.0
// The version of the form of all keys and values in Redis, kept under key_schema. Every program looks at
// it on every connection before its first command: one that meets another version refuses, so that no
// program reads or writes what it does not understand.
//
//     no key, no figures   an empty Redis: a writer sets the present version
//     no key, figures      version 1, that of the programs before there was a version: `nowcast migrate`
//     2                    ids of names without a key: `nowcast migrate`
//     3                    the present one (docs/upgrade.md); beside key_migrating: not all of it yet
//     more                 written by a newer program
#ifndef NOWCAST_STORE_SCHEMA_H
#define NOWCAST_STORE_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/redis.h"

enum { SCHEMA_NONE = 0, SCHEMA_UNVERSIONED = 1, SCHEMA_UNKEYED = 2, SCHEMA_VERSION = 3 };

// SCHEMA_WRITE: gives an empty Redis the present version.
enum schema_use { SCHEMA_READ, SCHEMA_WRITE };

// As redis_open, and has the version checked on every connection. ERR_CONFIG of a later redis_exec: it is
// another one; the message says what to do.
bool schema_open(struct redis **ret, struct redis_target target, enum schema_use use,
                 struct err *err) NC_CHECK;

// The same check, now: for a writer that has found Redis empty again.
bool schema_check(struct redis *r, const char *prefix, enum schema_use use, struct err *err) NC_CHECK;

struct schema_state {
	int64_t version; // SCHEMA_NONE: Redis is empty
	// the list of accounts and Regions of version 1 is there: beside a later version this means that a
	// program of version 1 still writes
	bool old_keys;
	bool migrating; // a migration to SCHEMA_VERSION has begun and not ended
};
bool schema_read(struct redis *r, const char *prefix, struct schema_state *ret, struct err *err) NC_CHECK;

#endif
