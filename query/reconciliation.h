// SPDX-License-Identifier: Apache-2.0
// The estimate beside the bill, by any grouping, with the causes of each difference (reconcile/compare.h).
//
// Only final hours are compared (reconcile/watermark.h). Charges that are no inference (tax, credits,
// reserved capacity and others) are listed by themselves. They are also shared out over the groups of their
// account, in proportion to the billed dollars of each group, in columns of their own.
#ifndef NOWCAST_QUERY_RECONCILIATION_H
#define NOWCAST_QUERY_RECONCILIATION_H

#include "base/arena.h"
#include "base/conf.h"
#include "base/map.h"
#include "query/grouping.h"
#include "query/scoreboard.h"
#include "reconcile/compare.h"
#include "reconcile/kind.h"

struct recon_group {
	struct str keys[GROUP_KEYS_MAX];
	struct difference d;
	struct usd shared[BILL_CLASSES]; // its part of the other charges, by class
};

struct recon_part { // billed dollars of a group in one account: the weight by which charges are shared out
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

struct recon_charge { // a charge that is no inference
	enum bill_class class;
	struct str account, what;
	struct usd usd;
};

// The billing periods that were ever reconciled, sorted: "2026-11". Strings go to the arena. False: Redis.
bool recon_periods_read(struct view *v, struct arena *arena, struct str **ret, size_t *ret_n,
                        struct err *err) NC_CHECK;

// Reads a field "apart CLASS ACCOUNT WHAT" of the status hash of a period (reconcile/run.h); strings go to
// the arena. False: it is another field.
bool recon_charge_read(struct str field, struct str value, struct arena *arena, struct recon_charge *ret);

struct recon_report {
	struct arena arena, scratch;
	struct str period;            // "2026-11", "all", or "none"
	size_t nperiods;              // that were ever reconciled; 0: everything below is empty
	int64_t first, end;           // hours
	struct recon_table *tables;
	int ntables;
	struct difference total;
	struct usd inference;         // billed for inference, final or not
	struct usd outside;           // billed for hours outside of the period
	struct usd waiting;           // estimated dollars of hours that are not final
	int64_t unpriced;             // tokens of final hours whose estimate has no price
	struct recon_charge *charges;
	int ncharges, capcharges;
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

void recon_table_sort_by_key(struct recon_table *t);
void recon_table_sort_by_difference(struct recon_table *t); // the largest first, above or below zero

struct usd difference_of(const struct difference *d); // billed - estimated

#endif
