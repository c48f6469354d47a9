// SPDX-License-Identifier: Apache-2.0
// AWS's price list to a price file ("Price List Bulk API" and "Price List Query API" in the AWS Billing User
// Guide). Both shapes are read: an offer file ({"products", "terms"}) and an answer of GetProducts
// ({"PriceList": ["{...}", ...]}).
#ifndef NOWCAST_PRICING_IMPORT_PRICELIST_H
#define NOWCAST_PRICING_IMPORT_PRICELIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "pricing/price_names.h"

#define PRICELIST_UNKNOWN_MODEL "the model is not known" // in the notes

struct pricelist_counts {
	size_t products; // in the list
	size_t rates;    // imported
	// products that are not text tokens on demand or in a batch: reserved, custom models, images ...
	size_t other;
	size_t unknown;  // left out because they are not understood; each has a line in the notes
};

// Appends a price file (pricing/price_file.h) to `csv`, and to `notes` a line for each product that was not
// understood. `names`: the user's names file, or NULL. ERR_CONFIG: the text is not a price list; nothing was
// appended.
bool pricelist_import(struct buf *csv, struct buf *notes, struct pricelist_counts *ret_counts,
                      struct str json, const struct price_names *names, struct err *err) NC_CHECK;

#endif
