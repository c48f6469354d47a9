// SPDX-License-Identifier: Apache-2.0
// What is known of a principal: a session, a user, or a role with all its sessions. One reading of the
// figures gathers it (principal_summary_gather). A name is looked for by principal_summary_find.
#ifndef NOWCAST_QUERY_PRINCIPAL_SUMMARY_H
#define NOWCAST_QUERY_PRINCIPAL_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json_writer.h"
#include "base/map.h"
#include "query/group.h"
#include "query/span.h"
#include "store/session.h"
#include "store/view.h"

enum summary_span { SUMMARY_TODAY, SUMMARY_MONTH, SUMMARY_SPAN, SUMMARY_SPANS };
enum summary_cut { SUMMARY_ALL, SUMMARY_BY_MODEL, SUMMARY_BY_PRINCIPAL, SUMMARY_CUTS };

// A principal that has figures.
struct summary_seen {
	struct str arn;
	int64_t first, last;  // hours
	struct str why;       // principal_summary_find: what of it has the name: "session", "tag email"
};

// Session tags that it called with.
struct summary_tagset {
	struct str id;
	int64_t first, last;  // hours
};

struct summary_tag {
	struct str key, value;
	const char *of;       // "call", "session", "role", "user" or "account"; "map" of the mapping file
	bool of_session;      // of a session, of a call, or mapped: seen with its calls
	bool overridden;      // a tag with the same key takes its place: of the session; of the role or user
	int64_t since_ms, until_ms; // until_ms INT64_MAX: it still holds
	struct str event;     // of CloudTrail, that set it; of a mapping its line: "map.csv:3, role gateway-*"
};

// A line of the mapping file that said something of its calls.
struct summary_mapped {
	struct str key, value, line; // "map:team"; the value; where the file says so
	int64_t first, last;  // hours
};

struct principal_summary {
	struct arena arena;   // holds all strings
	struct str arn;       // canonical
	struct str account;
	bool is_role;         // arn is a role's: all its sessions are meant
	struct str role;      // ARN of the role of a session; none
	struct session_keys keys; // that it called with; of a role none, since its sessions have them
	struct str *places;   // "account/region" in which it has figures, each once
	int32_t nplaces, capplaces;
	struct session session; // if an access key was asked for
	struct str key;       // that access key; none

	int64_t now_ms;
	int64_t seen_until_ms; // the minute of the newest call of anybody ends: what was seen was seen before
	int64_t from, to;     // hours that are searched: from .. to - 1
	int64_t day, month;   // hours: today and this month begin

	bool of_span;         // SUMMARY_SPAN has the sums of all hours that are searched; else it is empty
	bool facts_only;      // nothing is summed
	const struct group_filter *within; // rows that it leaves out are not looked at; NULL: none is
	struct groups sums[SUMMARY_SPANS][SUMMARY_CUTS];
	struct group_filter only;
	struct summary_seen *seen; // each principal once, in order of appearance
	int32_t nseen, capseen;
	struct summary_tagset *tagsets;
	int32_t ntagsets, captagsets;
	struct summary_mapped *mapped;
	int32_t nmapped, capmapped;
	// those of sessions, then those of the role or user, by key and time, those of the account, then what is
	// mapped
	struct summary_tag *tags;
	bool has_own_tags;    // some are of the role or user
	int32_t ntags, captags;
	bool maybe_other;     // it may be among the (other sessions) of a role (store/cardinality.h)
	struct map index;     // of seen and tagsets, and of what was looked at before
};

// `from`: the first hour to search.
void principal_summary_init(struct principal_summary *s, int64_t now_ms, int64_t from);
// The same of a span, of which the sums are made, too.
void principal_summary_init_span(struct principal_summary *s, int64_t now_ms, struct time_span span);
// For a reader that has sums already: of the hours of a span only what is said of a principal besides
// them, and only of rows that pass `within`, which outlives the summary.
void principal_summary_init_facts(struct principal_summary *s, int64_t now_ms, struct time_span span,
                                  const struct group_filter *within);
void principal_summary_release(struct principal_summary *s);

// Gathers what is known of `arn`, in any form of it, into a summary fresh from principal_summary_init that is
// not moved afterwards. False: Redis.
bool principal_summary_gather(struct principal_summary *s, struct view *v, struct str arn,
                              struct err *err) NC_CHECK;

// Gathers the principals that have a name, or its hash if `hash` is not empty (ingest/pseudonym.h): sessions,
// users and roles of that name, and those that have it as the value of a tag. Case does not count. They are
// in `seen`, each with the reason. A role stands for its sessions.
bool principal_summary_find(struct principal_summary *s, struct view *v, struct str name, struct str hash,
                            struct err *err) NC_CHECK;

// Between when a key was used: known to six hours, but not before its session began, and not after what was
// observed.
int64_t principal_summary_key_from(const struct session_key *k);
int64_t principal_summary_key_to(const struct principal_summary *s, const struct session_key *k);

// Members of an object that is open: "tags" and "access_keys", the same in the API and in `nowcast who`.
void principal_summary_json(const struct principal_summary *s, struct json_writer *j);

// Whether anything is known after principal_summary_gather: figures, or tags of a role, user or session.
bool principal_summary_is_known(const struct principal_summary *s);

// Whether the sums of that span are there: those of today and this month only if all of both was searched.
bool principal_summary_has(const struct principal_summary *s, enum summary_span span);

// The sum over everything that was gathered, and the part of one principal in it. A role's part is that of
// all its sessions.
struct group principal_summary_total(const struct principal_summary *s, enum summary_span span);
struct group principal_summary_spend(const struct principal_summary *s, enum summary_span span,
                                     struct str arn);

#endif
