// SPDX-License-Identifier: Apache-2.0
// Up to which hour a delivery of the bill may be believed, account by account. Pure.
//
// A delivery is believed for hours that ended at least `patience` before it was made (72 hours: by then
// Marketplace rows have settled, too), and never beyond the last hour it holds anything for. From there the
// watermark steps back over hours that look half delivered: those for which the bill has less than four
// fifths of the tokens the estimate has seen. It does not step back behind where it was: what was once
// complete and then shrinks was restated, and is believed. A bill that carries its invoice is believed whole.
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
	const int64_t *estimated;  // of the models that the bill knows
};

// The new watermark, 0 to leave it. *ret_held: hours that looked half delivered.
int64_t watermark_find(const struct watermark_input *in, int64_t *ret_held);

#endif
