// SPDX-License-Identifier: Apache-2.0
// Rewrites a Redis of an older schema in the present form (store/schema.h): `nowcast migrate`.
//
//     migrate_begin -> of schema 1: migrate_keys -> (the alerts' own: alert/keys.h)
//                   -> migrate_fence sets the version -> migrate_ids (store/migrate_ids.h) -> migrate_end
//
// Every step may be repeated: a run that was killed is run again, and goes on where it was. No program may
// use Redis meanwhile; those of this schema refuse to until migrate_end.
#ifndef NOWCAST_STORE_MIGRATE_H
#define NOWCAST_STORE_MIGRATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "store/redis.h"

struct migrate_counts {
	uint64_t keys;      // looked at
	uint64_t renamed;
	uint64_t converted; // whose values were given to `convert`
};

// A key of one hour and model whose values a conversion may have to rewrite. Strings die with the call.
enum migrate_kind {
	MIGRATE_USAGE,
	MIGRATE_ACTUAL,
	MIGRATE_PART,
	MIGRATE_CELLS,
	MIGRATE_HOUR_STATS,
	MIGRATE_KINDS
};
struct migrate_model_hour {
	enum migrate_kind kind;
	const char *prefix;
	struct str acct_region;
	struct str hour, model; // as in the key: 2026-11-02T05 and a model key, or numbers (store/keys.h)
	struct str key;         // in its new form
};

// Converts the values of one key, and must be able to meet one that is converted already. It may use `r`.
typedef bool migrate_convert_fn(struct redis *r, const struct migrate_model_hour *x, void *user,
                                struct err *err);

struct migrate_options {
	migrate_convert_fn *convert; // NULL: values stay as they are
	void (*on_progress)(void *user, const struct migrate_counts *counts); // now and then; may be NULL
	void *user;
};

// What there is to do. ERR_CONFIG: a newer form.
struct migrate_steps {
	int64_t from; // the version that Redis has
	bool keys;    // schema 1: migrate_keys, and the alerts' own
	bool ids;     // migrate_ids
};
bool migrate_begin(struct redis *r, const char *prefix, struct migrate_steps *ret, struct err *err) NC_CHECK;

// Renames the keys of accounts and Regions, and converts their values.
bool migrate_keys(struct redis *r, const char *prefix, const struct migrate_options *o,
                  struct migrate_counts *ret, struct err *err) NC_CHECK;

// Drops the list of schema 1, by which it is known, sets the version, and marks that values are still being
// rewritten. A program of schema 2 that was not stopped finds that Redis has forgotten its scripts, writes
// nothing, connects again, looks at the version, and ends.
bool migrate_fence(struct redis *r, const char *prefix, struct err *err) NC_CHECK;

// Drops that mark: programs may use Redis.
bool migrate_end(struct redis *r, const char *prefix, struct err *err) NC_CHECK;

// ---- for other owners of keys ----

// Calls `fn` with all keys that begin with `start`, a page at a time, some keys perhaps twice. The page
// outlives the commands of `fn`, which may rename and delete keys.
typedef bool migrate_page_fn(struct redis *r, const struct str *keys, size_t n, void *user, struct err *err);
bool migrate_each_page(struct redis *r, struct str start, migrate_page_fn *fn, void *user,
                       struct err *err) NC_CHECK;

// Queues a renaming within one hash tag; its reply is 1 if it was done. A key that is gone was renamed
// before. Where both names exist, a program of schema 1 has written after the renaming: its key is
// dropped, and what it held comes back when the records are read again.
void migrate_queue_rename(struct redis *r, struct str from, struct str to);

#endif
