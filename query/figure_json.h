// SPDX-License-Identifier: Apache-2.0
// A figure as JSON, the same in the API and in `nowcast who`: members of an object that the caller has open.
//
//     "calls", "failed"                                numbers; null of a token type (group_has_calls)
//     "tokens", "tokens_unpriced"                      numbers
//     "usd", "usd_low", "usd_high"                     strings of nine places; null if no token has a price
//     "units", "usd_band_estimated", "usd_borrowed"    absent where there are none
//     "tokens_unbilled", "usd_unbilled"                not on the bill: beside the sums; likewise
//     "basis"                                          dollars by how they are known; parts of 0 are absent
#ifndef NOWCAST_QUERY_FIGURE_JSON_H
#define NOWCAST_QUERY_FIGURE_JSON_H

#include "base/json_writer.h"
#include "query/group.h"

void figure_json_members(struct json_writer *j, const struct group *g, bool has_calls);

// The same, and what the costs of units are made of: "tokens_prompt", "tokens_cache_read".
void figure_json_units(struct json_writer *j, const struct group *g, bool has_calls);

// "calls" and "failed" alone.
void figure_json_calls(struct json_writer *j, const struct group *g, bool has_calls);

// "keys":{"model":"..."}: a value for each grouping of `by`.
void figure_json_keys(struct json_writer *j, const struct grouping *by, const struct str *keys);

// "from" and "to": the first hour, and the hour after the last one.
void figure_json_span(struct json_writer *j, int64_t from, int64_t to);

// The parts of a group's dollars by how they are known. The names are those of `basis` everywhere. The last
// entry has no name.
struct basis_part {
	const char *name;
	size_t usd_at;          // of its struct usd in struct group
};
extern const struct basis_part basis_parts[];
static inline struct usd basis_usd(const struct group *g, const struct basis_part *p)
{
	return *(const struct usd *)((const char *)g + p->usd_at);
}

#endif
