// SPDX-License-Identifier: Apache-2.0
// Which models the names in AWS's price list mean, as the user says: lines of `name,model` behind a first
// line that says so. A name is a product's ("Claude Sonnet 4.6", with or without " (Amazon Bedrock Edition)")
// or what a usage type calls the model ("NovaPro"); a model is as in price files. What is known here already
// (pricing/import_pricelist.c, pricing/usage_type.c) needs no line, and a line overrides it.
#ifndef NOWCAST_PRICING_PRICE_NAMES_H
#define NOWCAST_PRICING_PRICE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct price_names {
	char *text; // what the names point into
	struct price_name {
		struct str name, model;
	} *v;
	size_t n;
};

// `file` is for messages. ERR_CONFIG, with file, line and reason: nothing of it is used.
bool price_names_read(struct price_names *ret, struct str text, const char *file, struct err *err) NC_CHECK;
void price_names_release(struct price_names *n);

// The model; STR_NONE if the user says nothing of this name. `n` may be NULL.
struct str price_names_find(const struct price_names *n, struct str name);

// " (Amazon Bedrock Edition)" off the end.
struct str price_name_bare(struct str product);

#endif
