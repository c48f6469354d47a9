// SPDX-License-Identifier: Apache-2.0
// Billed or estimated figures by (account and Region, hour, model key, principal, token type, service tier).
// Rows of the same key are summed.
//
// Beside token types there are other units, and calls. The latter are of the estimate: they say that a caller
// called a model of which no tokens are known, and how often.
//
// Names are numbers in a table that both ledgers of a run share, so that they compare by number. The name of
// an account and Region is "account/region".
#ifndef NOWCAST_RECONCILE_LEDGER_H
#define NOWCAST_RECONCILE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/str.h"
#include "base/usd.h"
#include "pricing/price.h"

struct names {
	struct arena arena;
	struct str *list;
	int32_t n, cap;
	struct map index;
};

int32_t names_add(struct names *t, struct str name); // its number, the same each time
void names_release(struct names *t);

enum { LEDGER_UNITS = TOKEN_TYPES, LEDGER_CALLS, LEDGER_TYPES }; // types behind those of tokens

struct ledger_row {
	int32_t acct_region, model, principal, type, tier;
	int32_t tagset; // of a billed row: a name, the session tags of its caller in that hour; 0: none
	int64_t hour, tokens;
	struct usd usd, list;
};

struct ledger {
	struct ledger_row *rows;
	int64_t n, cap;
	struct map index;
};

void ledger_add(struct ledger *l, const struct ledger_row *row);
void ledger_release(struct ledger *l);

// Orders of rows: pointers into the ledger, sorted; the caller frees. No ledger_add while it is used.
enum ledger_order {
	LEDGER_BY_MODEL_HOUR, // account and Region, hour, model, principal, type, tier: the order of writing
	LEDGER_BY_PRINCIPAL,  // account and Region, model, principal, type, hour, tier
	LEDGER_BY_TYPE,       // account and Region, model, type, hour, principal, tier
};
const struct ledger_row **ledger_sort(const struct ledger *l, enum ledger_order order);

// The first of `n` sorted rows that is not before `key`.
int64_t ledger_seek(const struct ledger_row *const *sorted, int64_t n, enum ledger_order order,
                    const struct ledger_row *key);

#endif
