// SPDX-License-Identifier: Apache-2.0
// The Bedrock rows of one billing period: DuckDB sums them, reconcile/kind.h interprets them.
//
//     files -> SQL: Bedrock rows, summed by (kind, account, principal, hour) -> bill_line, with its bill_kind
//
// The rows of one kind share usage type, unit, product and resource. There are hundreds of kinds and perhaps
// a million lines; each kind is interpreted once. No row with dollars is dropped: rows that cannot be
// interpreted are a class of their own.
#ifndef NOWCAST_RECONCILE_BILL_H
#define NOWCAST_RECONCILE_BILL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/map.h"
#include "ingest/pseudonym.h"
#include "reconcile/duckdb.h"
#include "reconcile/export.h"
#include "reconcile/kind.h"

struct bill_line {
	int32_t kind, account, principal; // indices into the lists of struct bill
	int32_t hours;                    // that the line covers: 1, or 24 in a daily export
	int64_t hour;                     // the first, since the epoch
	usd_pico amount;                  // in units of 1e-12 of the kind's unit
	struct usd cost, list;            // unblended; at public on-demand rates (0 where the bill does not say)
};

struct bill {
	struct arena arena;
	struct bill_kind *kinds;
	int32_t nkinds, capkinds;
	// accounts and principals; principals are canonical ARNs, the empty one means that the bill names none
	struct str *names;
	int32_t nnames, capnames;
	struct bill_line *lines;          // in no order
	int64_t nlines, caplines;
	struct map kind_index, name_index, caller_index; // caller_index: by the ARN as in the bill

	int64_t rows, bad_rows;           // of Bedrock; those with a cost, amount or time that is not a number
	int64_t last_hour;                // end of the latest usage, hours since the epoch; 0: none
	bool has_principal, has_resource, has_type; // which columns the export has
	bool daily;                       // some lines cover a day
	bool invoiced;                    // every usage row has an invoice: the bill is final
	int64_t with_principal;           // rows that name their caller
	struct buf notes;                 // findings, a line each
};

// How names are to be read.
struct bill_names {
	struct pseudonyms *callers; // hashes them; NULL: they stay
	struct kind_names models;
};

// Reads the period's files. ERR_CONFIG: a needed column is missing, another currency than USD, more lines
// than `lines_max`; ERR_FATAL: a file cannot be read. On failure *ret is empty.
bool bill_read(struct bill *ret, struct duck *duck, const struct export_period *p,
               const struct bill_names *names, int64_t lines_max, struct err *err) NC_CHECK;
void bill_release(struct bill *b);

// Whether a line is among the figures: inference, and other usage whose caller the bill names.
bool bill_line_counts(const struct bill *b, const struct bill_line *line);

// Tokens, or other units, of a line, rounded half to even.
int64_t bill_quantity(const struct bill *b, const struct bill_line *line);

// Whether the export has the tags column, and whether any row of Bedrock in it has a tag of its caller
// ("iamPrincipal/...").
bool bill_has_caller_tags(struct duck *duck, const struct export_period *period, bool *ret_column,
                          bool *ret_tags, struct err *err) NC_CHECK;

// The SQL statement that sums the rows.
bool bill_sql(struct buf *ret, struct bill *b, struct duck *duck, const struct export_period *period,
              struct err *err) NC_CHECK;

#endif
