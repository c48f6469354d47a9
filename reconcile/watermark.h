// SPDX-License-Identifier: Apache-2.0
// The watermark: the hour up to which a delivery of the bill is complete, for each account. Pure.
//
// A delivery is taken to be complete for hours that ended at least `patience` before it was made (72 hours:
// by then the Marketplace rows have arrived, too), and never beyond the last hour that it has rows for. From
// there the watermark steps back over hours that look half delivered: those for which the bill has less than
// four fifths of the estimated tokens. It never steps back behind its earlier value: a complete hour that
// shrinks later was restated. A bill with its invoice is complete as a whole.
#ifndef NOWCAST_RECONCILE_WATERMARK_H
#define NOWCAST_RECONCILE_WATERMARK_H

#include <stdbool.h>
#include <stdint.h>

struct watermark_input {
	int64_t first, end;        // hours of the billing period
	int64_t last_hour;         // end of the latest usage in the whole bill; 0: none
	int64_t delivered_ms, now_ms, patience_ms;
	int64_t before;            // the account's watermark so far; 0: none
	bool daily;                // whole days only
	bool invoiced;
	const int64_t *billed;     // tokens of the account by hour of the period
	const int64_t *estimated;  // likewise, of the models that the bill has
};

// The new watermark, 0 to leave it. *ret_held: hours that looked half delivered.
int64_t watermark_find(const struct watermark_input *in, int64_t *ret_held);

#endif
