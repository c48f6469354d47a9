// SPDX-License-Identifier: Apache-2.0
// The API: a table of paths, each with a function that writes JSON. web/openapi.json describes it to
// programs, and a test compares that description with the running server.
//
// Dollars are strings of nine places, since a double would round them; counts are numbers; times are UTC. A
// figure says how it is known ("basis": dollars by evidence) and its lower and upper bound
// (query/figure_json.h). Everything here runs on one thread, the server's worker.
#ifndef NOWCAST_WEB_API_H
#define NOWCAST_WEB_API_H

#include "alert/spikes.h"
#include "base/conf.h"
#include "base/json_writer.h"
#include "pricing/prices_kept.h"
#include "query/last_day.h"
#include "query/rollups.h"
#include "web/api_query.h"
#include "web/http.h"

struct api {
	const struct conf *conf;
	struct rollups *rollups;
	struct last_day last_day; // of the findings
	struct prices_kept prices; // of the findings and of caching
	struct spikes_kept spikes; // of breakdowns by principal
	int64_t fixed_now_ms;   // the moment to take for now; 0: the clock tells
};

// An endpoint: writes its answer, one object, to `j`. ERR_SKIP: the question is wrong (400); anything else:
// Redis cannot answer it, and what was written is thrown away. One that does not answer in JSON writes to
// j->out.
typedef bool api_fn(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err);

// api_spend.c, api_series.c, api_forecast.c
api_fn api_summary, api_series, api_breakdown, api_forecast;
api_fn api_movers, api_changes;                                          // api_changes.c
api_fn api_cache, api_gaps;                                              // api_cache.c
api_fn api_freshness, api_findings;                                      // api_health.c
api_fn api_alerts, api_alerting;                                         // api_alerts.c
api_fn api_budgets;                                                      // api_budgets.c
api_fn api_reconciliation, api_scoreboard;                               // api_bill.c
api_fn api_principal, api_explain;                                       // api_principal.c, api_explain.c
api_fn api_focus;                                                        // api_focus.c
api_fn api_models;                                                       // api_models.c
api_fn api_minutes;   // api_minutes.c: the series at step=minute

bool api_has_path(struct str path);

// Answers a request for a path that there is (api_has_path); an error becomes JSON with its status.
void api_answer(struct api *a, const struct http_request *r, struct http_answer *ret);

// {"error": "..."} with a newline.
void api_error(struct http_answer *ret, int status, const char *fmt, ...) NC_PRINTF(3, 4);

// Adds a text for viewers, who need not know where Redis is: its address is left out.
void api_hide_redis(const struct api *a, const char *text, struct buf *ret);

int64_t api_now_ms(const struct api *a);

// Adds to `ret` the sums of the hours [from, to), through the query's filter, by the grouping that
// groups_init gave it.
bool api_sum_groups(struct api *a, const struct api_query *q, int64_t from, int64_t to, struct groups *ret,
                    struct err *err) NC_CHECK;

// Which minutes of these hours were observed, of the accounts and Regions of the query's filter. Valid until
// the next call; NULL: see `err`.
const struct observed *api_observed(struct api *a, const struct api_query *q, int64_t from, int64_t to,
                                    struct err *err) NC_CHECK;

// The same as one group; zeroes where there is nothing.
bool api_sum(struct api *a, const struct api_query *q, int64_t from, int64_t to, struct group *ret,
             struct err *err) NC_CHECK;

#endif
