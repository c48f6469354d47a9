// SPDX-License-Identifier: Apache-2.0
// What a kind of row of the bill means: which class of charge, which model at which scope, what is counted,
// and how many of that a unit is. Pure.
//
// The same model stands in a bill in three shapes: in the usage type (first party and Amazon's own), or in
// the product's name only (Marketplace). The resource, where the export has it, is what was called: its last
// segment is the model key under which the estimate knows the calls.
//
// Whatever a row counts (tokens, images, seconds of video, search units, text units of a guardrail, minutes
// of an imported model), it is inference of its caller. A word that is not understood costs no dollar: it is
// told.
//
// A wrong unit would be an error of a factor of 1,000, so the unit of tokens is checked: units times the
// list rate must give the list cost.
#ifndef NOWCAST_RECONCILE_KIND_H
#define NOWCAST_RECONCILE_KIND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/usd.h"
#include "pricing/model_name.h"
#include "pricing/price_names.h"
#include "pricing/usage_type.h"

enum bill_class {
	BILL_INFERENCE,   // what callers used, in tokens or other units: what the estimate estimates
	BILL_USAGE,       // other usage of Bedrock: customising and storing models, agents
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

extern const char *const bill_class_names[BILL_CLASSES]; // "inference", "usage", "provisioned", ...

// What names mean: the user's own, which may be NULL, come before those that are known.
struct kind_names {
	const struct price_names *user;
	const struct model_names *known;
};

struct bill_kind {
	// from the bill
	struct str usage_type, unit, product, resource, region_code, line_type, operation;
	bool million;             // its description speaks of millions
	bool marketplace;
	bool agents;              // of AgentCore, which runs agents and calls no model
	usd_pico amount;          // sums over all its lines, as in struct bill_line
	struct usd cost, list;
	int64_t rows;

	// as interpreted
	enum bill_class class;
	struct usage_type usage;  // of usage: of BILL_INFERENCE, BILL_USAGE, BILL_PROVISIONED and BILL_RESERVED
	struct str region;        // where the call was made; "unknown" if nothing tells
	struct str model_key;     // of the resource that was called, as the estimate has it; none: no resource
	bool mantle;              // the resource is one of bedrock-mantle
	struct str named;         // by which name the bill knows the model, for names.csv; none: by none
	struct str model;         // as the price catalogue names it; none: not known
	struct str name_key;      // of the model, or of the name (pricing/model_name.h); may be empty
	struct str shown;         // the model key to show if no better name is found; never empty
	int64_t per_unit;         // tokens, or images, ..., that a unit is; 0: not known, so they are not counted
	const char *why;          // what is uncertain (static), or NULL
};

// Whether a row of that kind has tokens, and no other units.
static inline bool kind_has_tokens(const struct bill_kind *k) { return k->usage.kind == USAGE_TOKENS; }

// Interprets a kind except for its unit. Strings live in the arena or are the kind's own.
void kind_read(struct bill_kind *k, const struct kind_names *names, struct arena *arena);

// Decides per_unit, once the sums are complete. `time_ms`: when the usage was, for the list rate.
void kind_weigh(struct bill_kind *k, int64_t time_ms);

#endif
