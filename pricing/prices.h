// SPDX-License-Identifier: Apache-2.0
// Where rates come from, in the order in which they are believed. The configuration names the order
// (`prices`); a rate that the first source does not have is asked of the next, token type by token type.
//
//     user       the files of prices.file: rates you know better, private ones
//     bill       prices.dir/bill.csv         learned from billed dollars over billed tokens
//     pricelist  prices.dir/pricelist*.csv   AWS's price list, as `nowcast price import` or `update` wrote it
//     litellm    prices.dir/litellm*.csv     LiteLLM's table, likewise
//     builtin    what this program was built with
//
// All of them are price files (pricing/price_file.h). Loaded once, then read-only: any thread may ask.
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

// Reads every file of every source. A file that is not there is an error for `user` only. ERR_CONFIG: a name
// in `prices` that is no source, or a bad file, with its line and the reason; nothing is loaded then.
bool prices_load(struct prices **ret, const struct conf *conf, struct err *err) NC_CHECK;
// One file alone, as the source `user`.
bool prices_load_file(struct prices **ret, const char *file, struct err *err) NC_CHECK;
void prices_free(struct prices *p);

// The sources in order, a file each. NULL for `p`, here and below, means the built-in catalogue alone.
size_t prices_count(const struct prices *p);
struct price_source prices_source(const struct prices *p, size_t i);

// The rate that counts. *ret_source (may be NULL): which source it is from. Where there is none, the reason
// of the catalogue that came nearest.
//
// A source that has no bands by the length of the prompt where a later one has them says nothing of long
// prompts: for those the later one is asked. The bill's rates, for one, are learned from the short ones.
enum price_miss prices_find(const struct prices *p, const struct price_query *q, struct rate *ret,
                            struct price_source *ret_source);

// The path of the file in prices.dir that an importer writes: "pricelist" and "AmazonBedrock" ->
// DIR/pricelist-AmazonBedrock.csv; no `part`: DIR/pricelist.csv.
void prices_path(const struct conf *conf, const char *source, const char *part, struct buf *ret);

#endif
