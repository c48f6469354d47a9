// SPDX-License-Identifier: Apache-2.0
// How the calls and dollars of one hour's groups lie in its minutes, as long as the facts of the hour are
// kept. Dollars are kept by the hour: what a caller spent on a model is shared out by its calls of it, so the
// minutes of a group add up to its hour. A caller without a name of its own
// (store/cardinality.h) is among the others of its group. What no call explains (tokens without a caller, a
// model that only the bill knows) is shared out by all calls of the model, and evenly where there are none.
#ifndef NOWCAST_QUERY_GROUP_MINUTES_H
#define NOWCAST_QUERY_GROUP_MINUTES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "query/group.h"
#include "store/view.h"

enum { GROUP_MINUTES = 60 };

struct minute_amounts {
	int64_t calls[GROUP_MINUTES]; // charged ones
	// micro-dollars of the estimate itself, or of the bill: a weight, no sum of money
	int64_t micro[GROUP_MINUTES];
};

struct group_minutes {
	struct groups groups;         // names alone: their figures are empty
	struct minute_amounts *of;    // by number of the group
	bool kept;                    // there are facts of the hour; else all of it is shared out evenly
};

// `by`: of one key, or of none. *ret is released by the caller, on failure too.
bool group_minutes_read(struct group_minutes *ret, struct view *v, const struct grouping *by, int64_t hour,
                        struct err *err) NC_CHECK;
void group_minutes_release(struct group_minutes *m);

// NULL: the group has nothing in the hour.
const struct minute_amounts *group_minutes_find(const struct group_minutes *m, const struct group *g);

// What a group has in the first `minutes` of the hour, of its figures of the whole hour.
struct group group_part(const struct group *whole, const struct minute_amounts *of, int minutes);

#endif
