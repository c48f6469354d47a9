// SPDX-License-Identifier: Apache-2.0
// What figures are grouped by, and which of them count: the keys of a grouping, their values in a row, and
// filters.
#ifndef NOWCAST_QUERY_GROUPING_H
#define NOWCAST_QUERY_GROUPING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/conf.h"
#include "base/when.h"
#include "pricing/model_id.h"
#include "store/view.h"

enum { GROUP_KEYS_MAX = 8 };

enum group_by {
	BY_HOUR,
	BY_ACCOUNT,
	BY_REGION,
	BY_MODEL,
	BY_FAMILY, // the foundation model, whatever profile it was called by
	BY_PRINCIPAL,
	BY_ROLE,
	BY_TEAM,
	BY_TOKEN_TYPE,
	BY_TIER,
	BY_TAG,
	BY_DAY,
	BY_WEEK, // the date of its Monday
	BY_MONTH, // 2026-11
	BY_SCOPE,
	BY_LABEL, // meta:KEY, identity:KEY (ingest/labels.h)
	BY_USER,
	BY_MAP // map:KEY (store/mapping.h)
};

struct grouping {
	int n;
	enum group_by by[GROUP_KEYS_MAX];
	struct str name[GROUP_KEYS_MAX]; // as given: "hour", "tag:env"; slices of the text that was parsed
	// of BY_TAG, BY_LABEL and BY_MAP: the key; of BY_TEAM and BY_USER: where it comes from, "tag:team,
	// meta:team", the first that a caller has. A team that is one tag only is BY_TAG
	struct str tag[GROUP_KEYS_MAX];
};

// "hour,principal,tag:env"; scope is that of the rate, global or regional. `from` says where team and user
// come from (conf_sources in base/conf.h). ERR_CONFIG names what is allowed.
bool grouping_parse(struct grouping *ret, struct str text, struct caller_sources from,
                    struct err *err) NC_CHECK;

// The names of the groupings that stand alone, then what the others begin with ("tag:"), by number; NULL: the
// end.
const char *grouping_name(int i);

// Whether the mapping file has a column for each map:KEY; any has if there is no file in force. ERR_CONFIG.
bool grouping_check_keys(const struct grouping *g, const struct mapping *m, struct err *err) NC_CHECK;

// The number of the key of that kind, the first if there are several; -1: there is none.
int grouping_find(const struct grouping *g, enum group_by by);

// Whether it begins with a time, in the order of which it is shown.
bool grouping_in_time(const struct grouping *g);

// Conditions, all of which a row must meet: key i has the value i (absent: "").
struct group_filter {
	struct grouping by;
	struct str value[GROUP_KEYS_MAX];
	bool is_pattern[GROUP_KEYS_MAX]; // the value is one of base/pattern.h; else it is the whole name
};

// The value of the only condition of that kind; STR_NONE: there is none, or more than one.
struct str group_filter_value(const struct group_filter *only, enum group_by by);

// Whether groups of `by` within `only` (NULL: no conditions) have a number of calls: a call has tokens of
// several types, so none is of a token type.
bool group_has_calls(const struct grouping *by, const struct group_filter *only);

// Names that the rows of a model hour share: its hour, "2026-11-02T00:00:00Z", the date of the Monday of its
// week, and the name of its foundation model in the price catalogue (pricing/model_id.h). family_len 0: the
// model is known by its id only.
struct model_hour_names {
	char hour[WHEN_SIZE], week[WHEN_SIZE];
	char family[MODEL_NAME_MAX];
	size_t family_len;
};
struct model_hour_names model_hour_names_of(const struct model_hour *model_hour);

// The key of a row in one of the groupings. `names`: of `model_hour`. Lives as long as both.
struct str grouping_key(const struct grouping *by, int i, struct view *v, const struct model_hour *model_hour,
                        const struct view_row *row, const struct model_hour_names *names);

// Whether a row meets all conditions; NULL: there are none. `names`: of `model_hour`.
bool group_filter_passes(const struct group_filter *only, struct view *v, const struct model_hour *model_hour,
                         const struct view_row *row, const struct model_hour_names *names);

#endif
