// SPDX-License-Identifier: Apache-2.0
// One billing period on its way through a run: what run.c, reconcile_run_slots.c and reconcile_run_status.c
// share.
#ifndef NOWCAST_RECONCILE_RUN_PRIV_H
#define NOWCAST_RECONCILE_RUN_PRIV_H

#include "base/conf.h"
#include "reconcile/bill.h"
#include "reconcile/export.h"
#include "reconcile/join.h"
#include "reconcile/ledger.h"
#include "reconcile/publish.h"
#include "reconcile/run.h"

struct reconcile_run {
	const struct conf *conf;
	const char *source;
	const struct export *export;
	const struct export_period *period;
	struct publish *publish;
	struct pseudonyms *pseudonyms; // NULL: names are as they are
	struct reconciliation *out;
	struct names names;
	struct ledger estimate, actual;
	bool tagged;            // the estimate knows a tag of some caller
	struct str *foundation; // see join.h
	int32_t nfoundation;
	struct bill bill;
	struct join join;
	struct status status;
	// by number of a name: of a account and Region, the hour up to which its bill is final; 0: none of it
	int64_t *final_until;
	int32_t nfinal;
	int64_t start_ms;
	struct buf *rates; // rows of a price file: those of the newest period that has any
};

// Puts the billed figures of every account and Region into Redis, with the watermark of its account. Slots
// that Redis knows and the bill does not are emptied of this period.
bool reconcile_run_publish_acct_regions(struct reconcile_run *w, struct err *err) NC_CHECK;

// Scores what the estimate said of the final hours, day by day, and keeps the scores (reconcile/score.h).
bool reconcile_run_publish_scores(struct reconcile_run *w, struct err *err) NC_CHECK;

// The factor of the error bands, from the scores of this period and the one before (reconcile/band.h).
bool reconcile_run_publish_band(struct reconcile_run *w, struct err *err) NC_CHECK;

// Writes the period's status hash: what was read, and what stands apart from tokens.
bool reconcile_run_publish_status(struct reconcile_run *w, struct err *err) NC_CHECK;

#endif
