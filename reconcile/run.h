// SPDX-License-Identifier: Apache-2.0
// One reconciliation run: reads an export, joins it with the estimate, and writes it to Redis beside it.
//
//     source -> export (files) -> bill (rows, in DuckDB) -> join (the estimate's names)
//            -> watermark -> publish (Redis)
//
// Every run compares all that the export now has. Running again changes nothing; a restated export replaces
// the earlier one. A run that fails leaves Redis as it was. Two kinds of status hash say what was done. Their
// fields are text, dollars are in picodollars:
//
//   the last run     run, source, finished_ms, duration_ms, periods, files, bytes, rows, billed, every_ms
//   of a period      the same, and: delivered_ms, execution, granularity (hourly, daily),
//                    principals (yes, no), invoiced, inference (its dollars), marketplace, outside, notes,
//                    unmatched (names of the bill that match no model that was called), unmatched_usd,
//                    ttl_contradicted (declared TTLs of cache writes that the bill contradicts),
//                    ttl_contradicted_usd (what these writes cost beyond, or less than, what was expected),
//                    watermark ACCOUNT -> hour, apart CLASS ACCOUNT WHAT -> PICODOLLARS ROWS
#ifndef NOWCAST_RECONCILE_RUN_H
#define NOWCAST_RECONCILE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "aws/s3.h"
#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/usd.h"

struct reconciliation { // the result of a run
	int64_t run, periods, files, bytes, rows, duration_ms;
	struct usd billed;    // all dollars of Bedrock rows
	struct usd inference; // of them, what callers used: it takes the place of the estimate
	struct usd apart;     // tax, credits, provisioned hours and the rest
	int64_t watermark;    // the earliest of the accounts', hours; 0: nothing is final yet
	int rates;            // learned, that differ from the list (reconcile/rates.h)
	bool overtaken;       // a later run has written already: its figures are kept
	struct buf notes;     // findings, a line each
};

// What a run is about to do, for people who wait. Functions may be NULL.
struct reconcile_progress {
	s3_progress *fetch;                                             // a file of S3
	void (*period)(void *user, struct str period, int i, int of);   // reads it, the i-th from 1 on
	void *user;
};

// `source`: a folder, or s3://BUCKET/PREFIX. `period`: one of them, or none for all.
bool reconcile_run(struct reconciliation *ret, const struct conf *conf, const char *source, struct str period,
                   const struct reconcile_progress *progress, struct err *err) NC_CHECK;
// Whether a run, of this process or another, has ended within the last `within_ms`.
bool reconcile_is_fresh(const struct conf *conf, int64_t within_ms, bool *ret_fresh,
                        struct err *err) NC_CHECK;
void reconciliation_release(struct reconciliation *r);

#endif
