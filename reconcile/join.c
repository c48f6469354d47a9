// SPDX-License-Identifier: Apache-2.0
// Lines into rows. reconcile/join_model.c says of which model.
#include "reconcile/join.h"

#include <stdlib.h>

#include "base/hash.h"
#include "estimator/apportion.h"
#include "estimator/figure.h"
#include "reconcile/join_priv.h"
#include "store/cardinality.h"

enum { DAY_HOURS = 24 };
enum { PRINCIPALS_SINCE = 1775606400 / 3600 }; // 2026-04-08: usage before it has no line_item_iam_principal

// What a name of the bill is among the estimate's.
struct billed_name {
	struct str group;    // store/cardinality.h
	int32_t own, others; // itself; the others of its group. -1: not looked at yet
};

struct joining {
	struct join *j;
	const struct bill *bill;
	const struct ledger_row **by_principal, **by_type;
	struct join_models models;
	struct map days;                // of account and Region, day and principal, that the estimate has
	struct map unmatched_index;     // of account and Region, and of a kind
	struct map acct_regions;          // number of an account and of a kind -> account and Region
	struct billed_name *callers;    // by number of the bill's name
	int64_t *weights, *shares;
	const struct ledger_row **found;
	int64_t nfound, capfound;
};

// ---- sharing out --------------------------------------------------------------------------------

static void found(struct joining *x, const struct ledger_row *row)
{
	if (x->nfound == x->capfound) {
		x->capfound = x->capfound ? x->capfound * 2 : 256;
		x->found = xrealloc(x->found, (size_t)x->capfound, sizeof *x->found);
		x->weights = xrealloc(x->weights, (size_t)x->capfound, sizeof *x->weights);
		x->shares = xrealloc(x->shares, (size_t)x->capfound, sizeof *x->shares);
	}
	x->weights[x->nfound] = row->tokens > 0 ? row->tokens : 0;
	x->found[x->nfound++] = row;
}

// If any of the rows found are of that tier, only these count: the estimate may know tiers, or may not.
static void keep_tier(struct joining *x, int32_t tier)
{
	int64_t n = 0;
	for (int64_t i = 0; i < x->nfound; i++)
		n += x->found[i]->tier == tier;
	if (n == 0 || n == x->nfound)
		return;
	n = 0;
	for (int64_t i = 0; i < x->nfound; i++) {
		if (x->found[i]->tier != tier)
			continue;
		x->weights[n] = x->weights[i];
		x->found[n++] = x->found[i];
	}
	x->nfound = n;
}

// Adds the estimate's rows of a model, type and span of hours; of one principal, or of all.
static void look(struct joining *x, const struct ledger_row *key, int32_t principal, int hours)
{
	int64_t n = x->j->estimate->n;
	enum ledger_order order = principal == EVERYBODY ? LEDGER_BY_TYPE : LEDGER_BY_PRINCIPAL;
	const struct ledger_row **sorted = principal == EVERYBODY ? x->by_type : x->by_principal;
	struct ledger_row from = *key;
	from.principal = principal == EVERYBODY ? 0 : principal;
	from.tier = 0;
	for (int64_t i = ledger_seek(sorted, n, order, &from); i < n; i++) {
		const struct ledger_row *r = sorted[i];
		if (r->acct_region != key->acct_region || r->model != key->model || r->type != key->type ||
		    (principal != EVERYBODY && r->principal != principal) || r->hour >= key->hour + hours)
			break;
		found(x, r);
	}
}

static void look_at_models(struct joining *x, struct ledger_row key, const struct choice *c,
                           int32_t principal, int hours)
{
	x->nfound = 0;
	for (int i = 0; i < c->n; i++) {
		key.model = c->models[i];
		look(x, &key, principal, hours);
	}
	keep_tier(x, key.tier);
}

// What the line resembles most: its own type; the other TTL of cache writes; then any type of its caller.
static void find_like(struct joining *x, struct ledger_row key, const struct choice *c, int32_t principal,
                      int hours)
{
	look_at_models(x, key, c, principal, hours);
	if (!x->nfound && (key.type == TOKEN_CACHE_WRITE_1H || key.type == TOKEN_CACHE_WRITE_5M)) {
		key.type = key.type == TOKEN_CACHE_WRITE_1H ? TOKEN_CACHE_WRITE_5M : TOKEN_CACHE_WRITE_1H;
		look_at_models(x, key, c, principal, hours);
	}
	for (key.type = 0; !x->nfound && key.type < LEDGER_TYPES; key.type++)
		look_at_models(x, key, c, principal, hours);
}

static void book_shares(struct joining *x, const struct ledger_row *line, bool caller_known)
{
	struct usd usd = line->usd, list = line->list;
	int64_t sign = line->tokens < 0 ? -1 : 1;
	apportion(sign * line->tokens, x->weights, (int)x->nfound, x->shares);
	for (int64_t i = 0; i < x->nfound; i++) {
		bool last = i == x->nfound - 1;
		struct ledger_row row = *line;
		row.hour = x->found[i]->hour;
		row.model = x->found[i]->model;
		if (!caller_known)
			row.principal = x->found[i]->principal;
		row.tokens = sign * x->shares[i];
		row.usd = last           ? usd
		          : line->tokens ? usd_muldiv(line->usd, x->shares[i], sign * line->tokens)
		                         : USD_ZERO;
		row.list = last           ? list
		           : line->tokens ? usd_muldiv(line->list, x->shares[i], sign * line->tokens)
		                          : USD_ZERO;
		usd = usd_sub(usd, row.usd);
		list = usd_sub(list, row.list);
		if (row.tokens || row.usd.pico || row.list.pico)
			ledger_add(x->j->actual, &row);
	}
}

// `line` has the first of the models.
static void share_out(struct joining *x, const struct ledger_row *line, const struct choice *c, int hours,
                      bool caller_known)
{
	struct ledger_row even[DAY_HOURS];
	find_like(x, *line, c, caller_known ? line->principal : EVERYBODY, hours);
	if (!x->nfound && caller_known && hours > 1) { // an unknown caller: the hours of everybody
		find_like(x, *line, c, EVERYBODY, hours);
	} else if (!x->nfound) {
		caller_known = true; // nobody is: the line keeps (unattributed)
	}
	bool nothing = !x->nfound;
	for (int i = 0; nothing && i < hours; i++) {
		even[i] = *line;
		even[i].hour = line->hour + i;
		even[i].tokens = 1;
		found(x, &even[i]);
	}
	book_shares(x, line, caller_known);
	x->j->shared_out++;
}

// ---- the account and Region ---------------------------------------------------------------------

static int32_t acct_region_of(struct joining *x, const struct bill_line *line)
{
	bool added;
	int32_t *at = map_add(&x->acct_regions, (uint64_t)line->account << 32 | (uint32_t)line->kind, 0, &added);
	if (added) {
		struct buf b = BUF_INIT;
		buf_addf(&b, "%.*s/%.*s", STR_ARG(x->bill->names[line->account]),
		         STR_ARG(x->bill->kinds[line->kind].region));
		*at = names_add(x->j->names, buf_str(&b));
		buf_release(&b);
	}
	return *at;
}

// ---- the caller ---------------------------------------------------------------------------------

static uint64_t day_key(int32_t acct_region, int64_t hour, int32_t principal)
{
	int64_t key[] = {acct_region, hour / 24, principal};
	return hash64(key, sizeof key);
}

// Who the estimate counts among the others of a group (store/cardinality.h) is counted with them here, too:
// the two can be compared then, and the names of a bill are as bounded as ours.
static int32_t caller_of(struct joining *x, int32_t acct_region, int32_t who, int64_t hour)
{
	struct names *names = x->j->names;
	struct billed_name *c = &x->callers[who];
	if (c->own < 0) {
		c->own = names_add(names, x->bill->names[who]);
		c->group = cardinality_group(x->bill->names[who]);
	}
	if (!c->group.len || map_find(&x->days, day_key(acct_region, hour, c->own)))
		return c->own;
	if (c->others < 0) {
		struct arena arena = ARENA_INIT;
		c->others = names_add(names, overflow_name(&arena, c->group));
		arena_release(&arena);
	}
	return map_find(&x->days, day_key(acct_region, hour, c->others)) ? c->others : c->own;
}

// ---- what is not matched ------------------------------------------------------------------------

static void note_unmatched(struct joining *x, const struct ledger_row *row, int32_t kind)
{
	struct join *j = x->j;
	const struct bill_kind *k = &x->bill->kinds[kind];
	struct str name = k->named.len ? price_name_bare(k->named) : k->usage_type;
	uint64_t key = hash64_seeded(name.p, name.len, (uint64_t)row->acct_region);
	bool added;
	int32_t at = *map_add(&x->unmatched_index, key, j->nunmatched, &added);
	if (added && j->nunmatched == j->capunmatched)
		j->unmatched =
			xrealloc(j->unmatched, (size_t)(j->capunmatched = j->capunmatched ? j->capunmatched * 2 : 16),
		             sizeof *j->unmatched);
	if (added)
		j->unmatched[j->nunmatched++] =
			(struct unmatched){.name = name, .acct_region = row->acct_region, .model = row->model};
	j->unmatched[at].tokens += row->tokens;
	j->unmatched[at].usd = usd_add(j->unmatched[at].usd, row->usd);
}

// ---- lines --------------------------------------------------------------------------------------

static void take_line(struct joining *x, const struct bill_line *line, int32_t nobody)
{
	struct join *j = x->j;
	const struct bill_kind *k = &x->bill->kinds[line->kind];
	struct str who = x->bill->names[line->principal];
	if (line->hour < j->first || line->hour >= j->end) {
		j->outside++;
		j->outside_usd = usd_add(j->outside_usd, line->cost);
		return;
	}
	int64_t left = j->end - line->hour;
	int hours = line->hours < left ? line->hours : (int)left;
	int32_t acct_region = acct_region_of(x, line);
	struct ledger_row row = {.acct_region = acct_region,
	                         .type = kind_has_tokens(k) ? (int32_t)k->usage.type : LEDGER_UNITS,
	                         .tier = kind_has_tokens(k) ? (int32_t)k->usage.tier : 0,
	                         .hour = line->hour,
	                         .principal =
	                             who.len ? caller_of(x, acct_region, line->principal, line->hour) : nobody,
	                         .tokens = bill_quantity(x->bill, line),
	                         .usd = line->cost,
	                         .list = line->list};
	struct choice c = join_choose(&x->models, j, x->bill, line->kind, &row);
	row.model = c.models[0];
	if (!c.matched && kind_has_tokens(k))
		note_unmatched(x, &row, line->kind);
	j->usd = usd_add(j->usd, line->cost);
	if (k->marketplace)
		j->marketplace = usd_add(j->marketplace, line->cost);
	bool ask =
		!who.len && (!x->bill->has_principal || !x->bill->with_principal || line->hour < PRINCIPALS_SINCE);
	if (hours == 1 && !ask && c.n == 1)
		ledger_add(j->actual, &row);
	else
		share_out(x, &row, &c, hours, !ask);
}

void join_bill(struct join *j, const struct bill *b)
{
	struct joining x = {.j = j, .bill = b};
	int32_t nobody = names_add(j->names, STR(UNATTRIBUTED));
	bool added;
	for (int64_t i = 0; i < j->estimate->n; i++) {
		const struct ledger_row *r = &j->estimate->rows[i];
		join_models_add(&x.models, r);
		map_add(&x.days, day_key(r->acct_region, r->hour, r->principal), 0, &added);
	}
	x.callers = xcalloc((size_t)b->nnames + 1, sizeof *x.callers);
	for (int32_t i = 0; i < b->nnames; i++)
		x.callers[i].own = x.callers[i].others = -1;
	x.by_principal = ledger_sort(j->estimate, LEDGER_BY_PRINCIPAL);
	x.by_type = ledger_sort(j->estimate, LEDGER_BY_TYPE);
	for (int64_t i = 0; i < b->nlines; i++)
		if (bill_line_counts(b, &b->lines[i]))
			take_line(&x, &b->lines[i], nobody);
	free(x.by_principal);
	free(x.by_type);
	free(x.callers);
	free(x.weights);
	free(x.shares);
	free(x.found);
	join_models_release(&x.models);
	map_release(&x.acct_regions);
	map_release(&x.unmatched_index);
	map_release(&x.days);
}

void join_release(struct join *j)
{
	free(j->called);
	free(j->unmatched);
	j->called = NULL;
	j->unmatched = NULL;
	j->ncalled = j->nunmatched = j->capunmatched = 0;
}
