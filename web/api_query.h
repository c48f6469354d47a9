// SPDX-License-Identifier: Apache-2.0
// What a request of the API asks for: the parameters behind the ? as numbers within their limits. An endpoint
// takes only the parameters it lists. Any other is an error that names it, since a filter that is silently
// ignored shows wrong sums.
//
//     now=T                      pretend that it is T
//     from=T&to=T, or hours=N    whole hours, `to` exclusive; hours=N: the last N, the present one included
//     by=KEYS                    groupings as in `nowcast report`
//     KEY=VALUE                  only where the grouping KEY has that value: model=..., tag:env=prod;
//                                empty: where it has none
//     step=day|hour|minute  limit=N  search=TEXT  sort=COLUMN or -COLUMN (web/breakdown_order.h)
//     before_from=T&before_to=T  the span to compare with, whole hours too
//     access_key=KEY             the principal of that key of a session
#ifndef NOWCAST_WEB_API_QUERY_H
#define NOWCAST_WEB_API_QUERY_H

#include "base/err.h"
#include "query/grouping.h"
#include "web/breakdown_order.h"
#include "web/http.h"

enum query_param {
	QUERY_SPAN = 1,    // from, to, hours
	QUERY_BY = 2,
	QUERY_FILTER = 4,
	QUERY_LIMIT = 8,
	QUERY_SEARCH = 16,
	QUERY_STEP = 32,
	QUERY_SORT = 64,
	QUERY_ACCESS_KEY = 128,
	QUERY_BEFORE = 256, // before_from, before_to
};

enum {
	QUERY_HOURS_MAX = 400 * 24, // by day and in sums
	QUERY_STEP_HOURS_MAX = 31 * 24,
	QUERY_STEP_MINUTES_MAX = 6, // hours
	QUERY_LIMIT_MAX = 10000,
};

enum query_step { STEP_DAY, STEP_HOUR, STEP_MINUTE };

struct api_query {
	int64_t now_ms;
	int64_t from, to;           // hours since the epoch
	bool has_from;              // the request says where it begins; else its length
	int64_t before_from, before_to; // likewise: the span to compare with; before_to 0: none was named
	enum query_step step;
	struct grouping by;
	struct group_filter only;
	int64_t limit;
	struct str search, access_key;
	struct breakdown_order order;
};

// `params`: of enum query_param, those the endpoint takes (all take now=). `ret` holds the defaults, now_ms
// among them; `hours` is the length of the span where the request names none. ERR_CONFIG: the request is
// wrong; the message says why.
bool api_query_parse(struct api_query *ret, const struct http_request *r, int params, int64_t hours,
                     struct caller_sources from, struct err *err) NC_CHECK;

#endif
