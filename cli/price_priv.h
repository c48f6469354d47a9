// SPDX-License-Identifier: Apache-2.0
// The verbs of `nowcast price`, and what they share. A verb gets the arguments behind its name.
#ifndef NOWCAST_CLI_PRICE_PRIV_H
#define NOWCAST_CLI_PRICE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/command.h"
#include "base/usd.h"
#include "pricing/price_diff.h"
#include "pricing/price_file.h"
#include "pricing/prices.h"

// False: err is set, and the caller prints it.
bool price_verb_list(struct command *c, int *ret_status, struct err *err) NC_CHECK;
bool price_verb_show(struct command *c, int *ret_status, struct err *err) NC_CHECK;
bool price_verb_check(struct command *c, int *ret_status, struct err *err) NC_CHECK;
bool price_verb_diff(struct command *c, int *ret_status, struct err *err) NC_CHECK;
bool price_verb_add(struct command *c, int *ret_status, struct err *err) NC_CHECK;
bool price_verb_import(struct command *c, int *ret_status, struct err *err) NC_CHECK;
bool price_verb_update(struct command *c, int *ret_status, struct err *err) NC_CHECK;
bool price_verb_explain(struct command *c, int *ret_status, struct err *err) NC_CHECK;
// Prints the terms of a principal's hour.
bool price_explain_principal(struct command *c, const char *principal, int64_t hour, int *ret_status,
                        struct err *err) NC_CHECK;
bool price_verb_usage_type(struct command *c, int *ret_status, struct err *err) NC_CHECK;

// Warns of a Region that neither this program nor a price knows. It may be a new one, so its prices are
// looked up all the same. STR_NONE: none was given.
void price_warn_of_region(const struct prices *p, struct str region);

// Of a model without any price: names the one with a price that is most like it, if there is one.
void price_propose_model(const struct prices *p, struct str model);

// How imported prices are merged.
struct price_import_options {
	const struct conf *conf;
	const char *source; // "pricelist", "litellm"
	bool yes;           // allow changes of more than prices.change_max
	bool dry;           // show the changes only
};

// Shows what the price file `csv` would change. Then it merges it into the file at `path`
// (pricing/price_merge.h), unless `dry`. ERR_CONFIG: `csv` is invalid, or a change is too large; the old file
// stays.
bool price_import_merge(const struct price_import_options *o, const char *path, struct str csv,
                        struct err *err) NC_CHECK;

// Makes prices.dir, or the folder `inside` it if that is not NULL.
bool price_import_make_folder(const struct conf *conf, const char *inside, struct err *err) NC_CHECK;

// Reads the list at `path` and appends its price file to `csv`. Prints on stderr what was left out.
// `from_ms`: the moment from which a table without dates applies.
bool price_import_convert(const struct price_import_options *o, const char *path, int64_t from_ms,
                          struct buf *csv, struct err *err) NC_CHECK;

// Compares with the prices in force, or, and stderr says so, with the built-in ones if those cannot be read.
// *ret_in_force: what it points into; the caller releases both, with price_diff_release and prices_free.
void price_diff_in_force(struct price_diff *ret, struct prices **ret_in_force, const struct conf *conf,
                         const struct price_rows *rows);

// Prints what differs and what is new, a line each.
void price_print_diff(const struct price_diff *d);

// Prints a line on the Region that a rate is borrowed from, and one on its discount, if it has these.
void price_print_remarks(const struct rate *rate);

// "3.3": USD per million tokens, without zeros at its end; "-" for RATE_UNKNOWN. Returns buf, of USD_SIZE.
char *price_format_rate(int64_t rate, char *buf);

// Reads the flag --tier. Without it *ret keeps its value.
bool price_parse_tier(struct command *c, enum price_tier *ret, struct err *err) NC_CHECK;

#endif
