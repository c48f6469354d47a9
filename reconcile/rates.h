// SPDX-License-Identifier: Apache-2.0
// Effective rates learned from the bill: billed dollars over billed tokens, by account, model, scope, tier,
// Region and token type. Only usage rows count; credits, tax and refunds do not.
//
// A rate is accepted when two consecutive complete days show it (to a thousandth, since bills are rounded).
// It is written when it differs from the built-in one, and is valid from the first of the two days. The
// learned rates are the price source `bill` (pricing/prices.h). Each run writes the whole file again, so a
// rate that is no longer valid disappears.
#ifndef NOWCAST_RECONCILE_RATES_H
#define NOWCAST_RECONCILE_RATES_H

#include "base/conf.h"
#include "reconcile/bill.h"

// Appends rows of a price file (pricing/price_file.h): the rates of a period. `complete`: the hour up to
// which the bill is complete. *ret_rates: how many. A rate that no price file takes (RATE_MAX) is not
// learned.
void rates_learn(const struct bill *b, int64_t complete, struct buf *csv, int *ret_rates);

// Writes it where the price source `bill` looks, in one step. ERR_CONFIG: prices.dir cannot be written.
bool rates_write(const struct conf *conf, struct str csv, struct err *err) NC_CHECK;

#endif
