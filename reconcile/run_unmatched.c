// SPDX-License-Identifier: Apache-2.0
// What bill and estimate do not have in common: names of the bill that match no model that was called, and
// models that were called and not billed. Often the two are the same model, under names that nobody matched
// yet.
#include <inttypes.h>
#include <stdlib.h>

#include "base/map.h"
#include "reconcile/run_priv.h"

enum { LISTED_MAX = 20 };

static int by_usd(const void *a, const void *b)
{
	const struct unmatched *x = a, *y = b;
	int c = usd_cmp(y->usd, x->usd);
	return c ? c : str_cmp(x->name, y->name);
}

static void note_names(struct reconcile_run *w, struct unmatched *list, int n)
{
	struct buf *notes = &w->bill.notes;
	char usd[USD_SIZE];
	if (n > 1)
		qsort(list, (size_t)n, sizeof *list, by_usd);
	for (int i = 0; i < n && i < LISTED_MAX; i++)
		buf_addf(notes,
		         "billed, matches no model that was called: \"%.*s\" (shown as %.*s) in %.*s, %" PRId64
		         " tokens, %s USD\n",
		         STR_ARG(list[i].name), STR_ARG(w->names.list[list[i].model]),
		         STR_ARG(w->names.list[list[i].acct_region]), list[i].tokens,
		         usd_format(list[i].usd, 2, usd));
	if (n > LISTED_MAX)
		buf_addf(notes, "billed, matches no model that was called: %d more\n", n - LISTED_MAX);
}

// Of the hours that are final: models of which the bill has nothing in their account and Region.
static int list_unbilled(struct reconcile_run *w, struct unmatched **ret)
{
	struct map billed = MAP_INIT, index = MAP_INIT;
	struct unmatched *list = NULL;
	int n = 0, cap = 0;
	bool added;
	for (int64_t i = 0; i < w->actual.n; i++)
		map_add(&billed, (uint64_t)w->actual.rows[i].acct_region << 32 | (uint32_t)w->actual.rows[i].model, 0,
		        &added);
	for (int64_t i = 0; i < w->estimate.n; i++) {
		const struct ledger_row *r = &w->estimate.rows[i];
		uint64_t key = (uint64_t)r->acct_region << 32 | (uint32_t)r->model;
		if (r->type >= TOKEN_TYPES || r->acct_region >= w->nfinal ||
		    r->hour >= w->final_until[r->acct_region] || map_find(&billed, key))
			continue;
		int32_t at = *map_add(&index, key, n, &added);
		if (added && n == cap)
			list = xrealloc(list, (size_t)(cap = cap ? cap * 2 : 16), sizeof *list);
		if (added)
			list[n++] = (struct unmatched){.name = w->names.list[r->model], .acct_region = r->acct_region};
		list[at].tokens += r->tokens;
		list[at].usd = usd_add(list[at].usd, r->usd);
	}
	map_release(&billed);
	map_release(&index);
	*ret = list;
	return n;
}

void reconcile_run_note_unmatched(struct reconcile_run *w)
{
	struct unmatched *unbilled;
	struct usd usd = USD_ZERO;
	char text[USD_SIZE];
	int n = list_unbilled(w, &unbilled);
	for (int i = 0; i < w->join.nunmatched; i++)
		usd = usd_add(usd, w->join.unmatched[i].usd);
	note_names(w, w->join.unmatched, w->join.nunmatched);
	if (n > 1)
		qsort(unbilled, (size_t)n, sizeof *unbilled, by_usd);
	for (int i = 0; i < n && i < LISTED_MAX; i++)
		buf_addf(&w->bill.notes,
		         "called, and not billed by any name that matches: %.*s in %.*s, %" PRId64
		         " tokens, %s%s%s\n",
		         STR_ARG(unbilled[i].name), STR_ARG(w->names.list[unbilled[i].acct_region]),
		         unbilled[i].tokens,
		         unbilled[i].usd.pico ? "estimated at " : "without an estimate in dollars",
		         unbilled[i].usd.pico ? usd_format(unbilled[i].usd, 2, text) : "",
		         unbilled[i].usd.pico ? " USD" : ": no price is known");
	if (w->join.nunmatched)
		buf_addf(&w->bill.notes,
		         "names.csv of prices.dir says which model a name of the bill means: a line name,model first, "
		         "then one such as %.*s,anthropic.claude-sonnet-4-6 for each name; then reconcile again\n",
		         STR_ARG(w->join.unmatched[0].name));
	status_add(&w->status, "unmatched", "%d", (int)w->join.nunmatched);
	status_add(&w->status, "unmatched_usd", "%s", usd_format_pico(usd, text));
	free(unbilled);
}
