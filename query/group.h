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
#include "query/error_sketch.h"
#include "query/grouping.h"
#include "store/view.h"

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
