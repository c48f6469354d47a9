// SPDX-License-Identifier: Apache-2.0
// DuckDB reads Parquet and CSV.gz and sums in SQL. Its library is loaded at the first use, so that nowcast
// builds and runs without it. Only reconciliation needs it.
//
//     duck_open -> duck_run (statements)
//               -> duck_query -> duck_next, duck_text, duck_int, duck_wide ... -> duck_done
//
// The database is in memory. It touches no files but those that a statement names and its spill folder.
#ifndef NOWCAST_RECONCILE_DUCKDB_H
#define NOWCAST_RECONCILE_DUCKDB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/usd.h"

struct duck;
struct duck_rows;

// Looks for libduckdb.so at $NOWCAST_LIBDUCKDB, where deploy/install-deps puts it, and among the system's
// libraries. ERR_CONFIG if there is none: the message says how to get it. `memory_bytes` bounds what
// DuckDB allocates; what does not fit is spilled to `spill`, a folder that is made when needed.
bool duck_open(struct duck **ret, int64_t memory_bytes, const char *spill, struct err *err) NC_CHECK;
void duck_close(struct duck *d);

// Runs a statement without a result. Errors carry DuckDB's own first line (ERR_FATAL; ERR_CONFIG
// when memory ran out).
bool duck_run(struct duck *d, const char *sql, struct err *err) NC_CHECK;

// Runs a query. Its columns are VARCHAR, BIGINT or DECIMAL(38, n): casts are the query's business.
bool duck_query(struct duck *d, const char *sql, struct duck_rows **ret, struct err *err) NC_CHECK;
// *ret_row false: no more. A query may fail at any row
bool duck_next(struct duck_rows *r, bool *ret_row, struct err *err) NC_CHECK;
// of this row; NULL is STR_NONE. Valid until the next duck_next
struct str duck_text(struct duck_rows *r, int column);
int64_t duck_int(struct duck_rows *r, int column);     // NULL is 0
usd_pico duck_wide(struct duck_rows *r, int column);   // the unscaled integer of a DECIMAL(38, n); NULL is 0
void duck_done(struct duck_rows *r);

#endif
