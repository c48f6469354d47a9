// SPDX-License-Identifier: Apache-2.0
// The charts of the page, as SVG. Lengths are integers: parts of the page's width.
#ifndef NOWCAST_CLI_RECONCILIATION_CHART_H
#define NOWCAST_CLI_RECONCILIATION_CHART_H

#include "query/reconciliation.h"

// volume, price, attribution, unmetered, unbilled: in the order of struct difference
extern const char *const chart_causes[5];

void chart_usd(struct buf *b, struct usd usd); // "-1,234.50", with a minus sign as print has it

// from the estimate to the bill, a bar a cause
void chart_waterfall(struct buf *b, const struct difference *d);
// a table by hour, sorted; nothing for one hour
void chart_hours(struct buf *b, const struct recon_table *t);

#endif
