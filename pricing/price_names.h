// SPDX-License-Identifier: Apache-2.0
// The user's names file, names.csv in prices.dir: which model a name in AWS's price list or bill means. Its
// first line is `name,model`; each other line is one name. A name is a product's ("Claude Sonnet 4.6", with
// or without " (Amazon Bedrock Edition)") or the model in a usage type ("NovaPro"); a model is written as in
// price files. A line overrides the built-in names (pricing/import_pricelist.c, pricing/usage_type.c,
// pricing/model_name.h).
#ifndef NOWCAST_PRICING_PRICE_NAMES_H
#define NOWCAST_PRICING_PRICE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/str.h"

struct price_names {
	char *text; // what the names point into
	struct price_name {
		struct str name, model;
	} *v;
	size_t n;
};

// `file` is for messages. ERR_CONFIG has file, line and reason; the file is refused as a whole.
bool price_names_read(struct price_names *ret, struct str text, const char *file, struct err *err) NC_CHECK;
// Reads names.csv of prices.dir; it need not be there.
bool price_names_load(struct price_names *ret, const struct conf *conf, struct err *err) NC_CHECK;
void price_names_release(struct price_names *n);

// The model; STR_NONE if the file does not have the name. `n` may be NULL.
struct str price_names_find(const struct price_names *n, struct str name);

// The product without " (Amazon Bedrock Edition)" at its end.
struct str price_name_bare(struct str product);

#endif
