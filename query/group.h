// SPDX-License-Identifier: Apache-2.0
// Figures summed by any grouping, each with how it is known and its error band.
//
// The band is meant to hold the true value nine times in ten, and is scaled as a whole by how often it did
// (reconcile/band.h). Billed and exact dollars have no band. Of allocated tokens only the split among callers
// is uncertain, not the sum, so the uncertainty of a group depends on who else used the model in that hour.
// In each hour, account, Region, model and token kind it has two parts:
//
//     weights   the smaller of the group's own variance and that of the others
//     chance    own x others' / all of the variance by chance
//
// Both are 0 for all callers together, and for a caller that was alone. What lasts of the doubt of a weight
// errs the same way every hour (estimator/fit_doubt.h), so its standard deviations are added, and the
// variances of different callers and models (query/error_sketch.h); chance and what passes differ every hour,
// so their variances are added. The weights are fitted to
// sums: what one side has too much of, the other lacks, so neither is further off than the other.
// query/split_band.h makes the band of the two.
//
// Provisional tokens may be none, or twice as many. Cache writes of which nobody says the TTL count at their
// expected cost (estimator/ttl_shares.h). They lower the lower end to what they would cost as 5-minute ones,
// and raise the upper end to what they would cost as one-hour ones, even where these would not pay: who has
// set the longer TTL in a program does not count what is read.
//
// Invariants of a group: tokens = billed + exact + telemetry + allocated + provisional; usd_low <= usd <=
// usd_high. Exact tokens that only the caller's own telemetry says are apart, as `telemetry`.
#ifndef NOWCAST_QUERY_GROUP_H
#define NOWCAST_QUERY_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/when.h"
#include "pricing/model_id.h"
#include "query/error_sketch.h"
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

struct group {
	struct str keys[GROUP_KEYS_MAX]; // an hour as 2026-11-02T00:00:00Z
	int64_t calls, failed;
	int64_t calls_final;             // of calls: in hours that are final, where the bill says what they cost
	int64_t prompt;                  // of tokens: of prompts, which are input, cache reads and cache writes
	int64_t cache_read;              // of those: read from a cache
	int64_t units;                   // of tokens: these are images, search units, or uncounted calls
	// unpriced: of the tokens, those without a price
	int64_t tokens, billed, exact, telemetry, allocated, provisional, unpriced;
	// beside them: estimated in hours that are final, and not on the bill. No part of tokens and usd.
	int64_t unbilled;
	struct usd usd_unbilled;         // what they were estimated at
	struct usd usd, usd_low, usd_high;
	struct usd usd_billed, usd_exact, usd_telemetry, usd_allocated, usd_provisional; // parts of usd
	// of usd: at rates that depend on the prompt, of which the mean is known
	struct usd usd_band_estimated;
	struct usd usd_ttl_estimated;     // of usd: cache writes whose TTL is a guess
	struct usd usd_borrowed;          // of usd: at rates of another Region
	struct usd usd_scope_unknown;     // of usd: at regional rates that may be global ones
	struct usd less;                  // how much less usd may be for want of a rate of its own

	struct usd floor, ceiling;        // usd_low and usd_high but for the split
	struct error_sketch weights_errors; // of the split
	double chance_variance;           // of the split, in USD squared
	double usd_of_others;             // what was split to others in the same model hours, in USD
	int band_scale;                   // thousandths

	uint64_t hash;                    // of the keys

	struct doubt *model_hour;              // while a model hour is summed: by token type; NULL: not in it
};

// How uncertain the weight of a row leaves its dollars.
struct error_of_row {
	struct error_of_row *before; // NULL: none
	uint64_t source;             // error_sketch_add
	int32_t group;               // in `list`
	int kind;
	double sd;                   // USD
};

// What was allocated of one token type in one model hour.
struct doubt {
	double weights, chance; // variances in USD squared
	double usd;             // what was allocated
};

struct groups {
	struct grouping by;
	const struct group_filter *only; // NULL: every row. Bands still know of the rows left out
	struct arena arena, model_hour; // for good; while a model hour is summed
	struct map index;
	struct group *list; // in the order of groups_sort
	int32_t n, cap;
	int32_t *touched, ntouched;
	int32_t captouched;
	struct error_of_row *errors; // while a model hour is summed: the newest; NULL: none
};

void groups_init(struct groups *g, const struct grouping *by);
void groups_release(struct groups *g);

// Sums one model hour; has the shape of view_fn.
bool groups_add(void *groups, struct view *v, const struct model_hour *model_hour);

// Sums each row of a model hour for itself: list[k] becomes the group of row k, with its own band. Into
// groups fresh from groups_init.
void groups_of_rows(struct groups *g, struct view *v, const struct model_hour *model_hour);

// The group with these keys, or NULL. Valid until another one is added.
const struct group *groups_find(const struct groups *g, const struct str *keys);

// The same; an empty one is made if there is none.
struct group *groups_get(struct groups *g, const struct str *keys);

// By name, or the largest first; equal ones by name. groups_find no longer works afterwards.
enum group_order { ORDER_NAME, ORDER_USD, ORDER_TOKENS, ORDER_CALLS };
void groups_sort(struct groups *g, enum group_order order);

// Whether its dollars are unknown: no token has a price, or there are calls of which no tokens are known.
// Calls that are not on a final bill cost nothing, and that is known.
bool group_is_unpriced(const struct group *g);

// Whether there is nothing to show: neither tokens, on the bill or not, nor calls, nor dollars.
bool group_is_empty(const struct group *g);

// How the group is known: "billed", "exact", "telemetry", "allocated", "provisional", "unpriced", or their
// shares of the dollars (of the tokens where there are no dollars), "exact 31% allocated 69%"; how many
// tokens beside them are not on the bill, "unbilled 1200 tokens"; and whether a prompt band or the TTL of
// cache writes is an estimate. Returns buf, of
// GROUP_BASIS_SIZE.
enum { GROUP_BASIS_SIZE = 240 };
char *group_basis(const struct group *g, char *buf);

#endif
