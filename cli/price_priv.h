// SPDX-License-Identifier: Apache-2.0
// The verbs of `nowcast price`, each given the arguments behind its name, and what they share.
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
bool price_list(struct command *c, int *ret_status, struct err *err) NC_CHECK;
bool price_show(struct command *c, int *ret_status, struct err *err) NC_CHECK;
bool price_check(struct command *c, int *ret_status, struct err *err) NC_CHECK;
bool price_diff_files(struct command *c, int *ret_status, struct err *err) NC_CHECK;
bool price_import(struct command *c, int *ret_status, struct err *err) NC_CHECK;
bool price_update(struct command *c, int *ret_status, struct err *err) NC_CHECK;
bool price_explain(struct command *c, int *ret_status, struct err *err) NC_CHECK;
// The terms of a principal's hour, printed.
bool price_explain_hour(struct command *c, const char *principal, int64_t hour, int *ret_status,
                        struct err *err) NC_CHECK;
bool price_usage_type(struct command *c, int *ret_status, struct err *err) NC_CHECK;

// Shows what the price file `csv` of `source` would change and, unless that is refused or `dry`, merges it
// into the file at `path` (pricing/price_merge.h). ERR_CONFIG: a bad file, or a change that goes too far
// (without `yes`); the old file stays.
bool price_take(const struct conf *conf, const char *source, const char *path, struct str csv, bool yes,
                bool dry, struct err *err) NC_CHECK;

// Makes prices.dir, or a folder in it.
bool price_make_folder(const struct conf *conf, const char *inside, struct err *err) NC_CHECK;

// Reads a list of the kind `source` ("pricelist", "litellm") and appends its price file to `csv`; tells on
// stderr what was left out. `from_ms`: since when a table without dates counts.
bool price_convert(const struct conf *conf, const char *source, const char *path, int64_t from_ms,
                   struct buf *csv, struct err *err) NC_CHECK;

// "3.3": USD per million tokens, without zeros at its end; "-" for RATE_UNKNOWN. Returns buf, of USD_SIZE.
char *price_per_million(int64_t rate, char *buf);

// A flag's value as a time or a tier; untouched, and true, if there is no such flag.
bool price_time_option(struct command *c, const char *flag, int64_t *ret_ms, struct err *err) NC_CHECK;
bool price_tier_option(struct command *c, enum price_tier *ret, struct err *err) NC_CHECK;

#endif
