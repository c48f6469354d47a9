// SPDX-License-Identifier: Apache-2.0
// Usage as FOCUS 1.2 (the FinOps Open Cost and Usage Specification), in CSV: a row for each hour, account,
// Region, model, principal and token type. What FOCUS has no column for is in columns that begin with x_: the
// principal, its role, the token type, how the figure is known, and the estimated cost of what no bill has
// yet. Tax, credits and other charges of the bill have rows, too. x_Basis says whether a row is billed,
// estimated, or unbilled (estimated in a final hour, and not on the bill).
#ifndef NOWCAST_QUERY_FOCUS_H
#define NOWCAST_QUERY_FOCUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "query/span.h"
#include "store/view.h"

// Takes some lines out of `text`. False: no more are wanted, which is no error.
typedef bool focus_put_fn(void *user, struct buf *text);

// Writes the hours of a span, below a line of heads. *ret_rows: how many lines follow that.
bool focus_write(struct view *v, struct time_span span, focus_put_fn *put, void *user, int64_t *ret_rows,
                 struct err *err) NC_CHECK;

#endif
