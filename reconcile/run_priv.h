// SPDX-License-Identifier: Apache-2.0
// The state of one billing period during a run, shared by run.c and its siblings run_*.c.
#ifndef NOWCAST_RECONCILE_RUN_PRIV_H
#define NOWCAST_RECONCILE_RUN_PRIV_H

#include "base/conf.h"
#include "reconcile/bill.h"
#include "reconcile/export.h"
#include "reconcile/join.h"
#include "reconcile/ledger.h"
#include "reconcile/publish.h"
#include "reconcile/run.h"
#include "store/view.h"

// Under which session tags the estimate has most tokens of a caller in an hour, account and Region.
struct tagset_use {
	int32_t tagset; // number of its name; 0: none
	int64_t tokens;
};

// The TTL that somebody declares for the cache writes of a role or user, and what the bill says.
struct declaration {
	int32_t caller, by;           // names: of the role or user; of the file and line, the tag or the key
	const char *what;             // of `by`: "the tag ", "the key ", ""
	int32_t permille;             // that live for one hour
	int64_t estimated, estimated_1h, billed, billed_1h; // tokens of cache writes
	struct usd usd_as_5m;         // what the billed ones cost, as if all were 5-minute writes
};

struct declarations {
	struct declaration *list;
	int32_t n, cap;
	struct map index, hours;      // hash of a declaration; of account and Region, principal and hour
};

struct reconcile_run {
	const struct conf *conf;
	const char *source;
	const struct export *export;
	const struct export_period *period;
	const struct reconcile_progress *progress;
	struct publish *publish;
	const struct bill_names *bill_names;
	struct reconciliation *out;
	struct names names;
	struct ledger estimate, actual;
	bool tagged;            // some caller has a tag in the estimate
	struct str *foundation; // see join.h
	int32_t nfoundation;
	struct tagset_use *tagsets;
	int32_t ntagsets, captagsets;
	struct map tagset_index; // of account and Region, principal and hour
	struct declarations declarations;
	struct bill bill;
	struct join join;
	struct status status;
	// by number of a name, of an account and Region: the hour up to which its bill is final; 0: none is
	int64_t *final_until;
	int32_t nfinal;
	int64_t start_ms;
	struct buf *rates; // rows of a price file: those of the newest period that has any
};

// How many figures of the bill and the estimate fit into reconcile.memory.
int64_t reconcile_run_figures_max(const struct reconcile_run *w);

// Reads the estimate of the period into its ledger. ERR_CONFIG: it does not fit.
bool reconcile_run_read_estimate(struct reconcile_run *w, struct err *err) NC_CHECK;

// Gives each billed row the session tags that the estimate has for its caller in that hour.
void reconcile_run_give_tags(struct reconcile_run *w);

// Notes which names of the bill match no model of the estimate, and what was estimated and not billed, and
// counts the former in the period's status.
void reconcile_run_note_unmatched(struct reconcile_run *w);

// Notes what is declared about the TTL of an estimated row of cache writes; `row` is the same in the ledger.
void reconcile_run_note_declared(struct reconcile_run *w, struct view *v, const struct model_hour *model_hour,
                                 const struct view_row *r, const struct ledger_row *row);

// Notes which of these declarations the bill contradicts, and counts them in the period's status.
void reconcile_run_note_contradicted(struct reconcile_run *w);

// Writes the billed figures of every account and Region to Redis, with the watermark of its account. The
// period's figures of those that the bill does not have are deleted.
bool reconcile_run_publish_acct_regions(struct reconcile_run *w, struct err *err) NC_CHECK;

// Scores the snapshots of the final hours, day by day, and stores the scores (reconcile/score.h).
bool reconcile_run_publish_scores(struct reconcile_run *w, struct err *err) NC_CHECK;

// Computes the factor of the error bands from the scores of this period and its neighbours
// (reconcile/band.h).
bool reconcile_run_publish_band(struct reconcile_run *w, struct err *err) NC_CHECK;

// Writes the period's status hash: what was read, and the dollars that are not for tokens.
bool reconcile_run_publish_status(struct reconcile_run *w, struct err *err) NC_CHECK;

#endif
