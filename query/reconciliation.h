// SPDX-License-Identifier: Apache-2.0
// `nowcast report --reconciliation`: the estimate beside the bill, by any grouping, with the causes of each
// difference.
//
// Only final hours are compared (reconcile/watermark.h). What is billed without tokens (tax, credits,
// reserved capacity ...) stands apart, and is shared out over the groups of its account in proportion to
// their billed dollars, in columns of its own.
#ifndef NOWCAST_QUERY_RECONCILIATION_H
#define NOWCAST_QUERY_RECONCILIATION_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/command.h"
#include "base/map.h"
#include "query/group.h"
#include "query/scoreboard.h"
#include "reconcile/compare.h"
#include "reconcile/kind.h"

struct recon_group {
	struct str keys[GROUP_KEYS_MAX];
	struct difference d;
	struct usd shared[BILL_CLASSES]; // its part of what stands apart, by class
};

struct recon_part { // billed dollars of a group in one account: what shares out is weighed by
	int32_t group, account;
	struct usd billed;
};

struct recon_table {
	struct grouping by;
	struct recon_group *list;
	int32_t n, cap;
	struct map index, part_index;
	struct recon_part *parts;
	int32_t nparts, capparts;
};

struct recon_apart {
	enum bill_class class;
	struct str account, what;
	struct usd usd;
};

struct recon_report {
	struct arena arena, scratch;
	struct str period;            // "2026-11", "all", or "none"
	size_t nperiods;              // that were ever reconciled; 0: everything below is empty
	int64_t first, end;           // hours
	struct recon_table *tables;
	int ntables;
	struct difference total;
	// billed for inference by tokens, final or not; and outside of the period's hours
	struct usd tokens, outside;
	struct usd waiting;           // estimated dollars of hours that are not final
	struct recon_apart *apart;
	int napart, capapart;
	struct str status[16][2];     // fields of the period's status hash that are shown
	int nstatus;
	struct str notes;
	struct scoreboard board;      // of the period
	struct map accounts;          // hash of an account -> number
};

// Reads period and figures into `ntables` tables by the given groupings. `period`: NULL for the newest, or
// "all".
bool recon_report_read(struct recon_report *ret, const struct conf *conf, const char *period,
                       const struct grouping *by, int ntables, struct err *err) NC_CHECK;
void recon_report_release(struct recon_report *r);

struct usd difference_of(const struct difference *d); // billed - estimated

void recon_print_html(const struct recon_report *r, struct buf *b); // tables: team, principal, model, hour

int cmd_report_reconciliation(struct command *c);

#endif
