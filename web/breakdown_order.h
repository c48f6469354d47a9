// SPDX-License-Identifier: Apache-2.0
// The order of a breakdown: by a figure of its groups or by a ratio of two, which is a unit cost.
//
//     usd  name  calls  tokens
//     usd_per_call     dollars / charged calls
//     usd_per_token    dollars / tokens
//     failed_share     refused calls / all calls
//     cache_hit        prompt tokens that were read from a cache / all prompt tokens
//
// A ratio is unknown without a divisor, and one of dollars while some tokens have no price. Dollars a token
// are unknown too where images or other units are among the tokens. Unknown ones are last in either
// direction.
#ifndef NOWCAST_WEB_BREAKDOWN_ORDER_H
#define NOWCAST_WEB_BREAKDOWN_ORDER_H

#include "base/err.h"
#include "query/group.h"

struct breakdown_order {
	int column;  // index of breakdown_columns; 0: usd
	bool rising; // the lowest first
};

extern const char *const breakdown_columns[]; // names as above; ends with NULL

// "cache_hit", or "-cache_hit" for the highest first. "": "-usd". ERR_CONFIG names the columns.
bool breakdown_order_parse(struct breakdown_order *ret, struct str text, struct err *err) NC_CHECK;

// Equal ones by name. groups_find no longer works afterwards.
void breakdown_sort(struct groups *g, struct breakdown_order order);

#endif
