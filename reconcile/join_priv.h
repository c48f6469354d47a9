// SPDX-License-Identifier: Apache-2.0
// What the files of the join share: join.c (lines of the bill to rows), join_model.c (which model a line is
// of).
#ifndef NOWCAST_RECONCILE_JOIN_PRIV_H
#define NOWCAST_RECONCILE_JOIN_PRIV_H

#include "base/map.h"
#include "reconcile/join.h"

enum { EVERYBODY = -1, CHOICE_MODELS = 16 };

// What the estimate has under a model key, by account and Region, and by account and Region and principal.
struct use {
	int32_t acct_region, model, principal; // principal: or EVERYBODY
	int64_t tokens;
	int32_t next;                          // of the same account and Region and principal; -1: the last
};

// A model key of the estimate, read.
struct used_model {
	bool is_read, named; // named: a foundation model, directly or behind the key
	bool mantle;
	enum price_scope scope;
	struct str name, name_key; // as the catalogue has it; pricing/model_name.h
};

// The model keys under which the estimate may have what a kind of row bills, the most used first.
struct choice {
	int32_t models[CHOICE_MODELS];
	int n;
	bool matched; // the estimate has them, or nothing at all in that account and Region
};

struct join_models {
	struct use *uses;
	int32_t nuses, capuses;
	struct map use_index,
		first_use; // of account and Region, model, principal; of account and Region, principal
	struct used_model *models;       // by number of a name
	int32_t nmodels;
	struct arena arena;
	struct choice *choices;
	int32_t nchoices, capchoices;
	struct map choice_index;         // of account and Region, principal, kind
};

void join_models_add(struct join_models *m, const struct ledger_row *row); // of the estimate
void join_models_release(struct join_models *m);

// Which models a kind of row is of, in the hands of one principal.
struct choice join_choose(struct join_models *m, struct join *j, const struct bill *b, int32_t kind,
                          const struct ledger_row *row);

#endif
