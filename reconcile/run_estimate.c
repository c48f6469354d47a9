// SPDX-License-Identifier: Apache-2.0
// The estimate of a period, as a run compares it with the bill.
#include <inttypes.h>
#include <stdlib.h>

#include "base/hash.h"
#include "estimator/rate_class.h"
#include "pricing/model_id.h"
#include "reconcile/run_priv.h"
#include "store/view.h"

enum { FIGURE_BYTES = 192 }; // memory of a sum of the bill, or of a figure of the estimate, measured

static void note_foundation(struct reconcile_run *w, int32_t model, struct str foundation)
{
	if (!foundation.len)
		return;
	if (model >= w->nfoundation) {
		w->foundation = xrealloc(w->foundation, (size_t)model + 64, sizeof *w->foundation);
		for (; w->nfoundation < model + 64; w->nfoundation++)
			w->foundation[w->nfoundation] = STR_NONE;
	}
	w->foundation[model] = w->names.list[names_add(&w->names, foundation)];
}

static int32_t ledger_type_of(const struct view_row *r)
{
	return r->kind == ROW_TOKENS ? (int32_t)r->type : r->kind == ROW_UNITS ? LEDGER_UNITS : LEDGER_CALLS;
}

int64_t reconcile_run_figures_max(const struct reconcile_run *w)
{
	return w->conf->reconcile_memory / 2 / FIGURE_BYTES;
}

// ---- session tags -------------------------------------------------------------------------------

static uint64_t tagset_key(int32_t acct_region, int32_t principal, int64_t hour)
{
	int64_t key[] = {acct_region, principal, hour};
	return hash64(key, sizeof key);
}

static void note_tagset(struct reconcile_run *w, const struct ledger_row *row, struct str tagset)
{
	bool added;
	int32_t at = *map_add(&w->tagset_index, tagset_key(row->acct_region, row->principal, row->hour),
	                      w->ntagsets, &added);
	if (added && w->ntagsets == w->captagsets)
		w->tagsets = xrealloc(w->tagsets, (size_t)(w->captagsets = w->captagsets ? w->captagsets * 2 : 256),
		                      sizeof *w->tagsets);
	if (added)
		w->tagsets[w->ntagsets++] = (struct tagset_use){0};
	if (!w->tagsets[at].tagset || row->tokens > w->tagsets[at].tokens)
		w->tagsets[at] = (struct tagset_use){names_add(&w->names, tagset), row->tokens};
}

void reconcile_run_give_tags(struct reconcile_run *w)
{
	for (int64_t i = 0; i < w->actual.n; i++) {
		struct ledger_row *r = &w->actual.rows[i];
		int32_t *at = map_find(&w->tagset_index, tagset_key(r->acct_region, r->principal, r->hour));
		r->tagset = at ? w->tagsets[*at].tagset : 0;
	}
}

// ---- rows ---------------------------------------------------------------------------------------

static bool add_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct reconcile_run *w = user;
	struct buf acct_region = BUF_INIT;
	buf_addf(&acct_region, "%.*s/%.*s", STR_ARG(model_hour->account), STR_ARG(model_hour->region));
	struct ledger_row row = {.acct_region = names_add(&w->names, buf_str(&acct_region)),
	                         .model = names_add(&w->names, model_id_key(model_hour->model)),
	                         .hour = model_hour->hour,
	                         .principal = -1};
	buf_release(&acct_region);
	note_foundation(w, row.model, model_hour->foundation);
	for (int i = 0; i < model_hour->nrows; i++) {
		const struct view_row *r = &model_hour->rows[i];
		int32_t before = row.principal;
		row.principal = names_add(&w->names, r->principal);
		if (r->kind == ROW_CALLS && row.principal == before)
			continue; // its tokens say that it called
		w->tagged =
			w->tagged || !str_is(r->tagset, "-") || view_tag(v, model_hour, r, str_of(w->conf->team_tag)).len;
		row.type = ledger_type_of(r);
		row.tier = r->kind == ROW_TOKENS ? rate_class_tier(r->rate_class) : 0;
		row.tokens = r->kind == ROW_CALLS ? r->calls.charged : r->figure.tokens;
		row.usd = r->figure.usd;
		ledger_add(&w->estimate, &row);
		reconcile_run_note_declared(w, v, model_hour, r, &row);
		if (!str_is(r->tagset, "-"))
			note_tagset(w, &row, r->tagset);
	}
	return w->estimate.n + w->bill.nlines <= reconcile_run_figures_max(w);
}

bool reconcile_run_read_estimate(struct reconcile_run *w, struct err *err)
{
	struct view *v;
	if (!view_open(&v, redis_target_of(w->conf), err))
		return false;
	view_choose(v, VIEW_ESTIMATE);
	bool good = view_map(v, w->conf, err) &&
	            view_each(v, w->period->first, w->period->end, add_model_hour, w, err);
	view_close(v);
	if (good && w->estimate.n + w->bill.nlines > reconcile_run_figures_max(w))
		good = err_set(err, ERR_CONFIG,
		               "%.*s: the bill and the estimate come to more than %" PRId64
		               " figures, which do not fit: raise reconcile.memory",
		               STR_ARG(w->period->name), reconcile_run_figures_max(w));
	return good;
}
