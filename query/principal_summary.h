// SPDX-License-Identifier: Apache-2.0
// What is known of a principal: a session, a user, or a role with all its sessions. Gathered in one reading of the figures
// (dossier_gather), or two where the name has to be found first (dossier_find); dossier_print.c tells it.
#ifndef NOWCAST_QUERY_PRINCIPAL_SUMMARY_H
#define NOWCAST_QUERY_PRINCIPAL_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/map.h"
#include "query/group.h"
#include "store/session.h"
#include "store/view.h"

enum dossier_span { DOSSIER_TODAY, DOSSIER_MONTH, DOSSIER_SPANS };
enum dossier_cut { DOSSIER_ALL, DOSSIER_BY_MODEL, DOSSIER_BY_PRINCIPAL, DOSSIER_CUTS };

// A principal that has figures.
struct dossier_seen {
	struct str arn;
	int64_t first, last;  // hours
	struct str why;       // dossier_find: what of it bears the name; "session", "tag email"
};

// Session tags that it called with.
struct dossier_tagset {
	struct str id;
	int64_t first, last;  // hours
};

struct dossier {
	struct arena arena;
	struct str arn;       // canonical
	bool is_role;         // arn is a role's: all its sessions are meant
	struct str role;      // ARN of the role of a session; none
	struct session session; // if an access key was asked for
	struct str key;       // that access key; none

	int64_t now_ms;
	int64_t from, day, month; // hours: looked at since; today and this month begin

	struct groups sums[DOSSIER_SPANS][DOSSIER_CUTS];
	struct group_filter only;
	struct dossier_seen *seen; // each principal once, in order of appearance
	int32_t nseen, capseen;
	struct dossier_tagset *tagsets;
	int32_t ntagsets, captagsets;
	bool maybe_other;     // it may be among the (other sessions) of a role (store/cardinality.h)
	struct map index;     // of seen and tagsets, and of what was looked at before
};

void dossier_init(struct dossier *d, int64_t now_ms, int64_t from);
void dossier_release(struct dossier *d);

// All that is known of `arn` (any form of it), into a dossier fresh from dossier_init that stays where it is. The tags
// are then in view_tags. False: Redis.
bool dossier_gather(struct dossier *d, struct view *v, struct str arn, struct err *err) NC_CHECK;

// Likewise principals of that name, or of its hash if there is one (ingest/pseudonym.h): a session, user or role so called, or the
// value of a tag; case does not count. They are in `seen` with why, their spend in sums[][DOSSIER_BY_PRINCIPAL]; a role so called stands for its sessions.
bool dossier_find(struct dossier *d, struct view *v, struct str name, struct str hash, struct err *err) NC_CHECK;

// Whether anything is known: figures or tags of a role, user or session.
bool dossier_is_known(const struct dossier *d, struct view *v);

void dossier_print_text(struct dossier *d, struct view *v, int sessions);
void dossier_print_json(struct dossier *d, struct view *v);
void dossier_print_list(struct dossier *d, struct str name, bool json);

#endif
