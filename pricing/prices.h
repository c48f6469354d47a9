// SPDX-License-Identifier: Apache-2.0
// Looks up prices in several sources, in the order of the key `prices` of the configuration. For each token
// type the first source that has a rate is used.
//
//     user       the files of prices.file: rates of your own, private rates
//     bill       prices.dir/bill.csv         billed dollars divided by billed tokens
//     pricelist  prices.dir/pricelist*.csv   AWS's price list, as `nowcast price import` or `update` wrote it
//     litellm    prices.dir/litellm*.csv     LiteLLM's table, likewise
//     builtin    the catalogue that this program was built with
//
// Each is a price file (pricing/price_file.h), and one catalogue (pricing/price.h). They are loaded once and
// then read-only: any thread may look up.
#ifndef NOWCAST_PRICING_PRICES_H
#define NOWCAST_PRICING_PRICES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "pricing/price.h"

struct prices;

struct price_source {
	const char *name;                  // "user", ...
	const char *file;                  // its path; "built in"
	const struct catalogue *catalogue;
};

// Reads every file of every source, and the discounts; the caller owns the result. A missing file is an error
// for `user` and the discounts only.
// ERR_CONFIG: `prices` names an unknown source, or a file is wrong (with its line and the reason).
bool prices_load(struct prices **ret, const struct conf *conf, struct err *err) NC_CHECK;
// One file alone, as the source `user`.
bool prices_load_file(struct prices **ret, const char *file, struct err *err) NC_CHECK;
void prices_free(struct prices *p);

// The files of all sources, in order. NULL for `p`, here and below, means the built-in catalogue alone.
size_t prices_count(const struct prices *p);
struct price_source prices_source(const struct prices *p, size_t i);

// The rate of the first source that has one; *ret_source (may be NULL) is that source. If none has one: the
// reason of the source whose search got furthest.
//
// If the first source has no bands by prompt length and a later one has, the later one is asked for long
// prompts. For example, the rates of the bill are measured on short prompts.
//
// With prices.nearest_region, a query whose Region has no rate gets that of the nearest Region that has one.
//
// A discount of discounts.file is taken off the rates of every source but the bill, whose rates have it
// already.
enum price_miss prices_find(const struct prices *p, const struct price_query *q, struct rate *ret,
                            struct price_source *ret_source);

// The newest of the lists (pricelist, litellm, builtin), and when it is from: an imported one since it was
// last found to be current, the built-in catalogue since the newest date in its sources. False: there is no
// list.
bool prices_newest(const struct prices *p, struct price_source *ret, int64_t *ret_ms);

// The path of the file in prices.dir that an importer writes: "pricelist" and "AmazonBedrock" ->
// DIR/pricelist-AmazonBedrock.csv; no `part`: DIR/pricelist.csv.
void prices_path(const struct conf *conf, const char *source, const char *part, struct buf *ret);

#endif
