// SPDX-License-Identifier: Apache-2.0
// The mapping file (`map.file`): which team, environment, cost centre and whatever else a caller belongs to,
// for callers that have no tags. CSV whose first line names its columns:
//
//     kind,name,account,from,team,environment,cost_centre,note
//     account,111122223333,,,platform,,cc-100,
//     role,llm-gateway,111122223333,,search,prod,,
//     role,llm-gateway,111122223333,2026-11-03,shop,prod,,sold on Tuesday
//     session,llm-gateway/batch-*,,,reports,,,
//     profile,k3v9q2m7x1tz,,,mobile,,cc-7,
//
//   kind      what is mapped: account, role, user, session or profile
//   name      of it; a * stands for any text, letters match in either case. An account has 12 digits, a
//             session is ROLE/SESSION, a profile is the id of an application inference profile. An ARN
//             is taken apart: it names the account, too
//   account   of the role, user, session or profile, 12 digits; empty: any. An account as the name is the one
//             that is billed
//   from      the whole hour from which the line holds, until the next line of the same kind, name and
//             account; empty: since ever
//   note      for readers of the file
//
// Every other column is a key. The key cache_ttl says, too, how long the cache writes of these callers live
// where no record says it: 5m, 1h, or a share such as 30% (base/cache_ttl.h, view_declared_ttl).
//
// An empty field says nothing; "-" says that there is no value. Of each key the
// most specific line decides that says something and holds in the hour: profile before session before role
// and user before account; then a line with an account, then a name without *, then the pattern with more
// other characters, then the upper line.
//
// A mapping is applied when figures are read. So it holds for past hours as well, and nothing in Redis
// depends on it. Where callers were counted together (store/cardinality.h) and a line may map some of them by
// name, the value is OTHER_VALUES. Tokens without a caller have the value of their account, unless a line of
// a role, user or session might say something else: then they have none.
//
// A new column is a row of the table in mapping_read.c.
#ifndef NOWCAST_STORE_MAPPING_H
#define NOWCAST_STORE_MAPPING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/str.h"
#include "ingest/pseudonym.h"

enum mapping_kind { // the more specific the later
	MAPPING_ACCOUNT,
	MAPPING_ROLE,
	MAPPING_USER,
	MAPPING_SESSION,
	MAPPING_PROFILE,
	MAPPING_KINDS
};

extern const char *const mapping_kind_names[MAPPING_KINDS];

#define CACHE_TTL_COLUMN "cache_ttl"

enum { MAPPING_KEYS_MAX = 16, MAPPING_VALUE_MAX = 256 };

struct mapping_line {
	enum mapping_kind kind;
	struct str name;     // of a session the session alone, without its role
	struct str role;     // of MAPPING_SESSION
	struct str account;  // 12 digits; empty: any
	int64_t from, until; // hours since the epoch: [from, until)
	struct str value[MAPPING_KEYS_MAX]; // by key; empty: the line does not say
	int number;          // of the file, from 1
};

struct mapping;

// `text` may be freed afterwards; `file` is for messages. Names that `pseudonyms` (may be NULL) hashes are
// found by their hashes. The caller owns the result. ERR_CONFIG: with line, column and reason.
bool mapping_read(struct mapping **ret, struct str text, const char *file, struct pseudonyms *pseudonyms,
                  struct err *err) NC_CHECK;

// Reads map.file; *ret is NULL if there is none. ERR_CONFIG as above, and where team.from or user.from name a
// column that the file does not have.
bool mapping_load(struct mapping **ret, const struct conf *conf, struct err *err) NC_CHECK;

// Replaces *m by what map.file holds now, if that differs and is good. False: a bad file changes nothing, and
// err says why, once.
bool mapping_refresh(struct mapping **m, const struct conf *conf, struct err *err) NC_CHECK;

void mapping_free(struct mapping *m);

// All functions below accept NULL: nothing is mapped.
uint64_t mapping_digest(const struct mapping *m); // of the file; never 0, but of NULL
int mapping_nkeys(const struct mapping *m);
int mapping_nlines(const struct mapping *m);
struct str mapping_key(const struct mapping *m, int key);
int mapping_find_key(const struct mapping *m, struct str name); // in either case; -1: there is none

// Who called, and what.
struct mapping_caller {
	struct str account, principal, model; // as the view shows them
};

struct mapped {
	struct str value;                // STR_NONE: not mapped
	const struct mapping_line *line; // that decided; NULL: none, or not known which
};

// The value of a key in an hour. Remembers the lines of each caller. Lives as long as `m`.
struct mapped mapping_value(struct mapping *m, const struct mapping_caller *c, int64_t hour, int key);

#endif
