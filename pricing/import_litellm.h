// SPDX-License-Identifier: Apache-2.0
// LiteLLM's table of model prices (model_prices_and_context_window.json) to a price file. The table is
// complete and up to date, but some entries are wrong. Known errors are corrected by a rule of AWS's price
// list, or left out; no rate is invented.
#ifndef NOWCAST_PRICING_IMPORT_LITELLM_H
#define NOWCAST_PRICING_IMPORT_LITELLM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct litellm_counts {
	size_t entries;  // of Bedrock, in the table
	size_t rows;     // written
	size_t left_out; // known to be wrong, without a known place, or without any price; the last have no line
	                 // in the notes
	size_t other;    // of other providers and products, and provisioned throughput
};

// Appends a price file (pricing/price_file.h) to `csv`, and to `notes` a line for each entry that is left out
// for a reason, and the columns that are left out, by name and number of entries. The table has no dates: its
// rates are in force from `from_ms` (a whole hour). `source` is written with every rate. ERR_CONFIG: it is
// not such a table; nothing was appended.
bool litellm_import(struct buf *csv, struct buf *notes, struct litellm_counts *ret_counts, struct str json,
                    int64_t from_ms, const char *source, struct err *err) NC_CHECK;

#endif
