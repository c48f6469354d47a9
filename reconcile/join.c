// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"
#include "reconcile/join.h"

#include <stdlib.h>

#include "estimator/apportion.h"
#include "pricing/model_id.h"
#include "store/cardinality.h"
#include "store/usage_rows.h"

enum { PRINCIPALS_SINCE = 1775606400 / 3600 }; // 2026-04-08: usage before it has no line_item_iam_principal

// Tokens that the estimate has under a model key, by account and Region, and by account and Region and
// principal.
struct use {
	int32_t acct_region, model, principal; // principal -1: all
	int64_t tokens;
};

// What a name of the bill is among the estimate's.
struct billed_name {
	struct str group;    // store/cardinality.h
	int32_t own, others; // itself; the others of its group. -1: not looked at yet
};

struct joining {
	struct join *j;
	const struct bill *bill;
	const struct ledger_row **by_principal, **by_type;
	struct use *uses;
	int32_t nuses, capuses;
	// days: of account and Region, day and principal, that the estimate has
	struct map use_index, choices, days;
	struct map acct_regions;          // number of an account and of a kind -> account and Region
	struct billed_name *callers;    // by number of the bill's name
	int64_t *weights, *shares;
	const struct ledger_row **found;
	int64_t nfound, capfound;
};

// ---- the model ----------------------------------------------------------------------------------

static void add_use(struct joining *x, int32_t acct_region, int32_t model, int32_t principal, int64_t tokens)
{
	int32_t key[] = {acct_region, model, principal};
	bool added;
	int32_t *at = map_add(&x->use_index, hash64(key, sizeof key), x->nuses, &added);
	if (!added) {
		x->uses[*at].tokens += tokens;
		return;
	}
	if (x->nuses == x->capuses)
		x->uses =
			xrealloc(x->uses, (size_t)(x->capuses = x->capuses ? x->capuses * 2 : 256), sizeof *x->uses);
	x->uses[x->nuses++] = (struct use){acct_region, model, principal, tokens};
}

static bool is_used(const struct joining *x, int32_t acct_region, int32_t model)
{
	int32_t key[] = {acct_region, model, -1};
	return map_find(&x->use_index, hash64(key, sizeof key));
}

// Whether calls under a model key are billed as that model at that scope.
static bool is_billed_as(const struct joining *x, int32_t model, const struct bill_kind *k)
{
	struct model_id id;
	struct str key = x->j->names->list[model];
	if (model < x->j->nfoundation && x->j->foundation[model].len)
		key = x->j->foundation[model];
	model_id_read(&id, key);
	return id.kind == MODEL_NAMED && id.scope == k->usage.scope && str_eq(model_id_name(&id), k->model);
}

// The estimate's key of that model and scope that the principal, or else anybody there, used most; -1: none.
static int32_t most_used(const struct joining *x, int32_t acct_region, int32_t principal,
                         const struct bill_kind *k)
{
	int32_t best = -1;
	int64_t most = -1;
	for (int32_t i = 0; i < x->nuses; i++) {
		const struct use *u = &x->uses[i];
		if (u->acct_region != acct_region || u->principal != principal || !is_billed_as(x, u->model, k))
			continue;
		if (u->tokens > most ||
		    (u->tokens == most && str_cmp(x->j->names->list[u->model], x->j->names->list[best]) < 0)) {
			most = u->tokens;
			best = u->model;
		}
	}
	return best;
}

static void note_called(struct join *j, int32_t model, struct str resource)
{
	if (!memmem(resource.p, resource.len, ":application-inference-profile/", 31))
		return;
	if (model >= j->ncalled) {
		j->called = xrealloc(j->called, (size_t)model + 64, sizeof *j->called);
		for (; j->ncalled < model + 64; j->ncalled++)
			j->called[j->ncalled] = STR_NONE;
	}
	j->called[model] = resource;
}

static int32_t choose_model(struct joining *x, int32_t acct_region, int32_t principal,
                            const struct bill_kind *k)
{
	struct names *names = x->j->names;
	bool foundation = k->resource.len && memmem(k->resource.p, k->resource.len, ":foundation-model/", 18);
	if (k->model_key.len) {
		int32_t own = names_add(names, k->model_key);
		if (!foundation || is_used(x, acct_region, own)) {
			note_called(x->j, own, k->resource);
			return own;
		}
	}
	int32_t found = k->model.len ? most_used(x, acct_region, principal, k) : -1;
	if (found < 0 && k->model.len)
		found = most_used(x, acct_region, -1, k);
	return found >= 0 ? found : names_add(names, k->shown);
}

static int32_t model_of(struct joining *x, int32_t acct_region, int32_t principal, int32_t kind)
{
	int32_t key[] = {acct_region, principal, kind};
	uint64_t h = hash64(key, sizeof key);
	int32_t *at = map_find(&x->choices, h);
	if (at)
		return *at;
	bool added;
	return *map_add(&x->choices, h, choose_model(x, acct_region, principal, &x->bill->kinds[kind]), &added);
}

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

// The estimate's rows of a model, type and span of hours; of one principal, or (-1) of all.
static void look(struct joining *x, const struct ledger_row *key, int32_t principal, int hours)
{
	int64_t n = x->j->estimate->n;
	enum ledger_order order = principal < 0 ? LEDGER_BY_TYPE : LEDGER_BY_PRINCIPAL;
	const struct ledger_row **sorted = principal < 0 ? x->by_type : x->by_principal;
	struct ledger_row from = *key;
	from.principal = principal < 0 ? 0 : principal;
	from.tier = 0;
	x->nfound = 0;
	for (int64_t i = ledger_seek(sorted, n, order, &from); i < n; i++) {
		const struct ledger_row *r = sorted[i];
		if (r->acct_region != key->acct_region || r->model != key->model || r->type != key->type ||
		    (principal >= 0 && r->principal != principal) || r->hour >= key->hour + hours)
			break;
		found(x, r);
	}
	keep_tier(x, key->tier);
}

// What the line resembles most: its own type; the other TTL of cache writes; then any type of its caller.
static void find_like(struct joining *x, struct ledger_row key, int32_t principal, int hours)
{
	look(x, &key, principal, hours);
	if (!x->nfound && (key.type == TOKEN_CACHE_WRITE_1H || key.type == TOKEN_CACHE_WRITE_5M)) {
		key.type = key.type == TOKEN_CACHE_WRITE_1H ? TOKEN_CACHE_WRITE_5M : TOKEN_CACHE_WRITE_1H;
		look(x, &key, principal, hours);
	}
	for (key.type = 0; !x->nfound && key.type < TOKEN_TYPES; key.type++)
		look(x, &key, principal, hours);
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

static void share_out(struct joining *x, const struct ledger_row *line, int hours, bool caller_known)
{
	struct ledger_row even[24];
	find_like(x, *line, caller_known ? line->principal : -1, hours);
	if (!x->nfound && caller_known) { // an unknown caller: the hours of everybody
		find_like(x, *line, -1, hours);
	} else if (!x->nfound) {
		caller_known = true; // nobody is: the line keeps (unattributed)
	}
	bool nothing = !x->nfound;
	for (int i = 0; nothing && i < hours && i < 24; i++) {
		even[i] = *line;
		even[i].hour = line->hour + i;
		even[i].tokens = 1;
		found(x, &even[i]);
	}
	book_shares(x, line, caller_known);
	x->j->shared_out++;
}

// ---- lines --------------------------------------------------------------------------------------

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
	int32_t acct_region = acct_region_of(x, line);
	struct ledger_row row = {.acct_region = acct_region,
	                         .type = (int32_t)k->usage.type,
	                         .tier = (int32_t)k->usage.tier,
	                         .hour = line->hour,
	                         .principal =
	                             who.len ? caller_of(x, acct_region, line->principal, line->hour) : nobody,
	                         .tokens = bill_tokens(x->bill, line),
	                         .usd = line->cost,
	                         .list = line->list};
	row.model = model_of(x, row.acct_region, row.principal, line->kind);
	j->tokens_usd = usd_add(j->tokens_usd, line->cost);
	if (k->marketplace)
		j->marketplace = usd_add(j->marketplace, line->cost);
	bool ask =
		!who.len && (!x->bill->has_principal || !x->bill->with_principal || line->hour < PRINCIPALS_SINCE);
	if (line->hours == 1 && !ask)
		ledger_add(j->actual, &row);
	else
		share_out(x, &row, line->hours, !ask);
}

void join_bill(struct join *j, const struct bill *b)
{
	struct joining x = {.j = j, .bill = b};
	int32_t nobody = names_add(j->names, STR(UNATTRIBUTED));
	bool added;
	for (int64_t i = 0; i < j->estimate->n; i++) {
		const struct ledger_row *r = &j->estimate->rows[i];
		add_use(&x, r->acct_region, r->model, -1, r->tokens);
		add_use(&x, r->acct_region, r->model, r->principal, r->tokens);
		map_add(&x.days, day_key(r->acct_region, r->hour, r->principal), 0, &added);
	}
	x.callers = xcalloc((size_t)b->nnames + 1, sizeof *x.callers);
	for (int32_t i = 0; i < b->nnames; i++)
		x.callers[i].own = x.callers[i].others = -1;
	x.by_principal = ledger_sort(j->estimate, LEDGER_BY_PRINCIPAL);
	x.by_type = ledger_sort(j->estimate, LEDGER_BY_TYPE);
	for (int64_t i = 0; i < b->nlines; i++)
		if (b->kinds[b->lines[i].kind].class == BILL_TOKENS)
			take_line(&x, &b->lines[i], nobody);
	free(x.by_principal);
	free(x.by_type);
	free(x.uses);
	free(x.callers);
	free(x.weights);
	free(x.shares);
	free(x.found);
	map_release(&x.use_index);
	map_release(&x.acct_regions);
	map_release(&x.choices);
	map_release(&x.days);
}

void join_release(struct join *j)
{
	free(j->called);
	j->called = NULL;
	j->ncalled = 0;
}
