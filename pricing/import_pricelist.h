// SPDX-License-Identifier: Apache-2.0
// AWS's own price list to a price file. Both shapes are read: an offer file ({"products", "terms"}) and an
// answer of the query API ({"PriceList": ["{...}", ...]}).
#ifndef NOWCAST_PRICING_IMPORT_PRICELIST_H
#define NOWCAST_PRICING_IMPORT_PRICELIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "pricing/price_names.h"

#define PRICELIST_UNKNOWN_MODEL "which model this is, is not known" // in the notes

struct pricelist_counts {
	size_t products; // in the list
	size_t rates;    // taken
	// not the price of text tokens on demand or in a batch: reserved, custom models, images ...
	size_t other;
	size_t unknown;  // left out because something about them is not known; each has a line in the notes
};

// `names`: what the user says of the names in the list; NULL: nothing. Appends a price file
// (pricing/price_file.h) to `csv`, and to `notes` a line for each product that was left out though it might
// matter. False (ERR_CONFIG): the text is no price list; nothing was appended.
bool pricelist_import(struct buf *csv, struct buf *notes, struct pricelist_counts *ret_counts,
                      struct str json, const struct price_names *names, struct err *err) NC_CHECK;

#endif
