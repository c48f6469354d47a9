// SPDX-License-Identifier: Apache-2.0
// Rates that the bill shows: billed dollars over billed tokens, by account, model, scope, tier, Region and
// token type. Usage rows only, so credits, tax and refunds do not blur them.
//
// A rate is believed when two complete days in a row show it (to a thousandth: bills are rounded), and worth
// writing down when it is not the built-in one. It holds from the first of the two days on. What is learned
// is the price source `bill` (pricing/prices.h): the whole file is written anew by each run, so a rate that
// no longer holds goes away.
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
