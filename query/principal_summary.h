// SPDX-License-Identifier: Apache-2.0
// What is known of a principal: a session, a user, or a role with all its sessions. Gathered in one reading
// of the figures (principal_summary_gather), or two where the name has to be found first
// (principal_summary_find); who_print.c tells it.
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

enum summary_span { SUMMARY_TODAY, SUMMARY_MONTH, SUMMARY_SPANS };
enum summary_cut { SUMMARY_ALL, SUMMARY_BY_MODEL, SUMMARY_BY_PRINCIPAL, SUMMARY_CUTS };

// A principal that has figures.
struct summary_seen {
	struct str arn;
	int64_t first, last;  // hours
	struct str why;       // principal_summary_find: what of it bears the name; "session", "tag email"
};

// Session tags that it called with.
struct summary_tagset {
	struct str id;
	int64_t first, last;  // hours
};

struct principal_summary {
	struct arena arena;
	struct str arn;       // canonical
	bool is_role;         // arn is a role's: all its sessions are meant
	struct str role;      // ARN of the role of a session; none
	struct session session; // if an access key was asked for
	struct str key;       // that access key; none

	int64_t now_ms;
	int64_t from, day, month; // hours: looked at since; today and this month begin

	struct groups sums[SUMMARY_SPANS][SUMMARY_CUTS];
	struct group_filter only;
	struct summary_seen *seen; // each principal once, in order of appearance
	int32_t nseen, capseen;
	struct summary_tagset *tagsets;
	int32_t ntagsets, captagsets;
	bool maybe_other;     // it may be among the (other sessions) of a role (store/cardinality.h)
	struct map index;     // of seen and tagsets, and of what was looked at before
};

void principal_summary_init(struct principal_summary *d, int64_t now_ms, int64_t from);
void principal_summary_release(struct principal_summary *d);

// All that is known of `arn` (any form of it), into a summary fresh from principal_summary_init that stays
// where it is. The tags are then in view_tags. False: Redis.
bool principal_summary_gather(struct principal_summary *d, struct view *v, struct str arn,
                              struct err *err) NC_CHECK;

// Likewise principals of that name, or of its hash if there is one (ingest/pseudonym.h): a session, user or
// role so called, or the value of a tag; case does not count. They are in `seen` with why, their spend in
// sums[][SUMMARY_BY_PRINCIPAL]; a role so called stands for its sessions.
bool principal_summary_find(struct principal_summary *d, struct view *v, struct str name, struct str hash,
                            struct err *err) NC_CHECK;

// Whether anything is known: figures or tags of a role, user or session.
bool principal_summary_is_known(const struct principal_summary *d, struct view *v);

void who_print_text(struct principal_summary *d, struct view *v, int sessions);
void who_print_json(struct principal_summary *d, struct view *v);
void who_print_list(struct principal_summary *d, struct str name, bool json);

#endif
