// SPDX-License-Identifier: Apache-2.0
// What a kind of row of the bill means: which class of charge, which model at which scope, which token type,
// and how many tokens a unit is. Pure.
//
// The same model stands in a bill in three shapes: in the usage type (first party and Amazon's own), or in
// the product's name only (Marketplace). The resource, where the export has it, is what was called: its last
// segment is the model key under which the estimate knows the calls.
//
// A wrong unit would be an error of a factor of 1,000, so the unit is checked: units times the list rate must
// give the list cost.
#ifndef NOWCAST_RECONCILE_KIND_H
#define NOWCAST_RECONCILE_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/usd.h"
#include "pricing/usage_type.h"

enum bill_class {
	BILL_TOKENS,      // inference by tokens: what the estimate estimates
	// other usage of Bedrock: images, searches, guardrails, customising, agents, and rows that cannot be
	// interpreted
	BILL_USAGE,
	BILL_PROVISIONED, // provisioned throughput: hours that belong to no call
	BILL_RESERVED,    // reserved capacity: likewise
	BILL_TAX,
	BILL_CREDIT,
	BILL_REFUND,
	BILL_DISCOUNT,
	BILL_FEE,
	BILL_OTHER,       // an unknown type of row
	BILL_CLASSES
};

extern const char *const bill_class_names[BILL_CLASSES]; // "tokens", "usage", "provisioned", ...

struct bill_kind {
	// from the bill
	struct str usage_type, unit, product, resource, region_code, line_type, operation;
	bool million;             // its description speaks of millions
	bool marketplace;
	usd_pico amount;          // sums over all its lines, as in struct bill_line
	struct usd cost, list;
	int64_t rows;

	// as interpreted
	enum bill_class class;
	struct usage_type usage;  // of BILL_TOKENS
	struct str region;        // where the call was made; "unknown" if nothing tells
	struct str model_key;     // last segment of the resource; none: no resource
	struct str model;         // as the price catalogue names it; none: not known
	struct str shown;         // the model key to show if no better name is found; never empty
	int64_t tokens_per_unit;  // 0: not known, so the tokens are not counted
	const char *why;          // what is uncertain (static), or NULL
};

// Interprets a kind except for its unit. Strings live in the arena or are the kind's own.
void kind_read(struct bill_kind *k, struct arena *arena);

// Decides tokens_per_unit, once the sums are complete. `time_ms`: when the usage was, for the list rate.
void kind_weigh(struct bill_kind *k, int64_t time_ms);

#endif
