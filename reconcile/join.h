// SPDX-License-Identifier: Apache-2.0
// From the lines of a bill to billed figures under the names that the estimate uses. Pure: the same bill and
// the same estimate give the same figures.
//
// Model. The resource that was called, where the bill has it (line_item_resource_id). Otherwise the model of
// the usage type or of the product, by its name (pricing/model_name.h): it may have been called by several
// keys, plain ids, profiles, and application profiles where the estimate knows their model. Those of the
// principal come before those of others, and those of the same scope before those of the other. Where there
// are several, the line is divided among them as the estimate has that hour. Where there is none, the model
// has its own name, and the line is not matched.
//
// Hour and caller. A line that covers a day, or names no caller, is divided as the estimate has that day: by
// hour and by caller, in proportion to tokens, to the token and to the picodollar (largest remainder). Where
// the estimate has nothing, the hours are equal and the caller is (unattributed).
#ifndef NOWCAST_RECONCILE_JOIN_H
#define NOWCAST_RECONCILE_JOIN_H

#include "reconcile/bill.h"
#include "reconcile/ledger.h"

// A name of the bill that no model of the estimate has, in an account and Region where the estimate has some.
struct unmatched {
	struct str name;           // as pricing/price_names.h takes it
	int32_t acct_region, model; // numbers of names; the model key that stands for it
	int64_t tokens;
	struct usd usd;
};

struct join {
	struct names *names;
	const struct ledger *estimate;
	// by number of a name: of an opaque model key, the model behind it; else none
	const struct str *foundation;
	int32_t nfoundation;
	struct ledger *actual;     // the figures are added here
	int64_t first, end;        // hours of the period; lines outside are only counted
	int64_t outside;           // lines
	struct usd outside_usd;
	struct usd usd;            // of the lines that were added to `actual`
	struct usd marketplace;    // of that, sold through the Marketplace
	int64_t shared_out;        // lines that were divided as the estimate has it
	// by number of a name: of a model key, the ARN of the application profile it is; else none
	struct str *called;
	int32_t ncalled;
	struct unmatched *unmatched;
	int32_t nunmatched, capunmatched;
};

void join_bill(struct join *j, const struct bill *b);
void join_release(struct join *j);

#endif
