// SPDX-License-Identifier: Apache-2.0
// One reconciliation: an export read, joined with the estimate, and put into Redis beside it.
//
//     source -> export (files) -> bill (rows, in DuckDB) -> join (the estimate's names) -> watermark -> publish (Redis)
//
// Every run is a full comparison of what the export now says: running again changes nothing, a restated
// export replaces. A run that fails leaves what was there. Status hashes in Redis (fields are text; dollars
// in picodollars):
//
//   <prefix>:reconcile          run, source, finished_ms, duration_ms, periods, files, bytes, rows, billed, every_ms
//   <prefix>:reconcile:2026-11  the same for the period, and: delivered_ms, execution, granularity (hourly, daily),
//                               principals (yes, no), invoiced, tokens (their dollars), marketplace, outside, notes,
//                               watermark ACCOUNT -> hour, apart CLASS ACCOUNT WHAT -> PICODOLLARS ROWS
#ifndef NOWCAST_RECONCILE_RUN_H
#define NOWCAST_RECONCILE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "aws/s3.h"
#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/usd.h"

struct reconciliation { // what a run did, for those who tell it
	int64_t run, periods, files, bytes, rows, duration_ms;
	struct usd billed;    // all dollars of Bedrock rows
	struct usd tokens;    // of them, inference by tokens: what stands beside the estimate
	struct usd apart;     // tax, credits, provisioned hours and the rest
	int64_t watermark;    // the earliest of the accounts', hours; 0: nothing is final yet
	int rates;            // learned, that differ from the list (reconcile/rates.h)
	bool overtaken;       // a later run was faster: its figures stand
	struct buf notes;     // findings, a line each
};

// `source`: a folder, or s3://BUCKET/PREFIX. `period`: one of them, or none for all. `tell`, which may be
// NULL, hears of what is fetched.
bool reconcile_run(struct reconciliation *ret, const struct conf *conf, const char *source, struct str period,
                   s3_tell *tell, void *user, struct err *err) NC_CHECK;
// Whether a run, of this process or another, has ended within the last `within_ms`.
bool reconcile_is_fresh(const struct conf *conf, int64_t within_ms, bool *ret_fresh,
                        struct err *err) NC_CHECK;
void reconciliation_release(struct reconciliation *r);

#endif
