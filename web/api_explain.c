// SPDX-License-Identifier: Apache-2.0
// Why a figure is what it is, as `nowcast explain`: every row of one principal in one hour, how its tokens
// are known, what they cost, and how many tokens a call was assumed to use. The filters name the principal
// and the hour; further ones narrow the rows.
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/when.h"
#include "estimator/rate_class.h"
#include "pricing/model_id.h"
#include "query/figure_json.h"
#include "query/weights.h"
#include "store/tagset.h"
#include "web/api.h"

struct explanation {
	struct json_writer *j;
	const struct group_filter *only;
	struct str principal;
	struct view *view;
	struct model_hour *where; // as weights_each wants them,
	struct str *model;        // and each model as people see it
	int n, cap;
	struct map passed; // hashes of tags that rows have which pass the filters, and of their model hour
	struct model_hour_names names; // of the model hour in hand
	struct arena arena; // holds their strings
};

static void write_figure(struct json_writer *j, const struct figure *f)
{
	jw_int(j, "tokens", f->tokens);
	jw_int(j, "billed", f->billed);
	jw_int(j, "exact", f->exact);
	jw_int(j, "telemetry", f->telemetry);
	jw_int(j, "allocated", f->allocated);
	jw_int(j, "spread", f->spread);
	jw_int(j, "provisional", f->provisional);
	jw_usd_if(j, "usd", f->priced, f->usd);
	jw_bool(j, "rate_of_other_region", f->rate_borrowed);
	jw_bool(j, "scope_unknown", f->scope_unknown);
	jw_bool(j, "prompt_length_estimated", f->band_estimated);
	jw_int(j, "ttl_estimated", f->billed ? 0 : f->assumed);
}

static void write_row(struct json_writer *j, const struct view_row *row)
{
	int64_t from = 0, to = INT64_MAX;
	jw_line(j);
	jw_object(j, NULL);
	jw_str(j, "token_type", str_of(row_name(row)));
	jw_strz(j, "tier", row_has_units(row) ? NULL : price_tier_names[rate_class_tier(row->rate_class)]);
	if (!row_has_units(row))
		rate_class_prompt(row->rate_class, &from, &to);
	jw_int(j, "prompt_from", from);
	if (to == INT64_MAX)
		jw_null(j, "prompt_to");
	else
		jw_int(j, "prompt_to", to);
	write_figure(j, &row->figure);
	jw_end(j);
}

static bool passes(const struct explanation *x, struct view *v, const struct model_hour *model_hour,
                   const struct view_row *row)
{
	return group_filter_passes(x->only, v, model_hour, row, &x->names);
}

static bool has_rows(const struct explanation *x, struct view *v, const struct model_hour *model_hour)
{
	for (int i = 0; i < model_hour->nrows; i++)
		if (passes(x, v, model_hour, &model_hour->rows[i]))
			return true;
	return false;
}

static uint64_t hash_passed(int where, struct str tagset)
{
	return hash64_seeded(tagset.p, tagset.len, (uint64_t)where);
}

static void write_rows(struct explanation *x, struct view *v, const struct model_hour *model_hour)
{
	struct call_count calls = {0};
	bool added;
	jw_array(x->j, "rows");
	for (int i = 0; i < model_hour->nrows; i++) {
		const struct view_row *row = &model_hour->rows[i];
		if (!passes(x, v, model_hour, row))
			continue;
		calls.charged += row->calls.charged;
		calls.failed += row->calls.failed;
		map_add(&x->passed, hash_passed(x->n, row->tagset), 0, &added); // of the next of `where`
		if (row->kind != ROW_CALLS)
			write_row(x->j, row);
	}
	jw_end(x->j);
	jw_int(x->j, "calls", calls.charged);
	jw_int(x->j, "failed", calls.failed);
	jw_array(x->j, "unbilled");
	for (int i = 0; i < model_hour->nunbilled; i++)
		if (passes(x, v, model_hour, &model_hour->unbilled[i]))
			write_row(x->j, &model_hour->unbilled[i]);
	jw_end(x->j);
}

static bool write_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct explanation *x = user;
	struct json_writer *j = x->j;
	x->names = model_hour_names_of(model_hour);
	if (!has_rows(x, v, model_hour))
		return true;
	jw_line(j);
	jw_object(j, NULL);
	jw_str(j, "model", model_hour->model);
	jw_str(j, "foundation", model_hour->foundation.len ? model_hour->foundation : STR_NONE);
	jw_str(j, "account", model_hour->account);
	jw_str(j, "region", model_hour->region);
	jw_bool(j, "billed", model_hour->billed);
	write_rows(x, v, model_hour);
	jw_end(j);
	if (x->n == x->cap) {
		x->cap = x->cap ? x->cap * 2 : 16;
		x->where = xrealloc(x->where, (size_t)x->cap, sizeof *x->where);
		x->model = xrealloc(x->model, (size_t)x->cap, sizeof *x->model);
	}
	x->model[x->n] = arena_str(&x->arena, model_hour->model);
	x->where[x->n++] = (struct model_hour){.hour = model_hour->hour,
	                                       .account = arena_str(&x->arena, model_hour->account),
	                                       .region = arena_str(&x->arena, model_hour->region),
	                                       .model = arena_str(&x->arena, model_id_key(model_hour->model))};
	return true;
}

static void write_tag(void *user, const struct tag_held *t)
{
	struct json_writer *j = user;
	if (!t->of_session)
		return;
	jw_key(j, tagset_shown_key(t->key));
	jw_str(j, NULL, t->value.p ? t->value : STR(""));
}

static void write_weights(void *user, const struct model_hour *model_hour, struct str tagset,
                          const struct weight_row weights[METRIC_KINDS])
{
	static const char *const names[METRIC_KINDS] = {"input", "output", "cache_read", "cache_write"};
	const struct explanation *x = user;
	int where = (int)(model_hour - x->where);
	for (int kind = 0; kind < METRIC_KINDS; kind++) {
		const struct weight_row *w = &weights[kind];
		if (!w->milli || !map_find(&x->passed, hash_passed(where, tagset)))
			continue;
		jw_line(x->j);
		jw_object(x->j, NULL);
		jw_str(x->j, "model", x->model[where]);
		jw_str(x->j, "region", model_hour->region);
		jw_str(x->j, "account", model_hour->account);
		jw_object(x->j, "tags");
		tag_history_each(view_tags(x->view), x->principal, tagset, (model_hour->hour + 1) * MS_PER_HOUR,
		                 write_tag, x->j);
		jw_end(x->j);
		jw_strz(x->j, "tokens", names[kind]);
		jw_real(x->j, "a_call", (double)w->milli / 1000, 3);
		jw_real(x->j, "sd_part", (double)w->sd_permille / 1000, 3);
		jw_strz(x->j, "learned_from", weights_source_words(w->source));
		jw_end(x->j);
	}
}

static bool write_explanation(struct api *a, const struct api_query *q, int64_t hour, struct explanation *x,
                              struct err *err)
{
	struct view *v = rollups_view(a->rollups);
	struct group total;
	x->view = v;
	if (!api_sum(a, q, hour, hour + 1, &total, err))
		return false;
	jw_object(x->j, NULL);
	jw_str(x->j, "principal", x->principal);
	figure_json_span(x->j, hour, hour + 1);
	jw_object(x->j, "total");
	figure_json_members(x->j, &total, group_has_calls(&(struct grouping){0}, &q->only));
	jw_end(x->j);
	jw_array(x->j, "models");
	bool good = view_each(v, hour, hour + 1, write_model_hour, x, err);
	jw_end(x->j);
	jw_array(x->j, "weights");
	good = good && weights_each(v, x->where, x->n, x->principal, write_weights, x, err);
	jw_end(x->j);
	jw_end(x->j);
	return good;
}

bool api_explain(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	struct explanation x = {
		.j = j, .only = &q->only, .principal = group_filter_value(&q->only, BY_PRINCIPAL)};
	struct str hour = group_filter_value(&q->only, BY_HOUR);
	int64_t ms;
	if (!x.principal.len)
		return err_set(err, ERR_SKIP, "expected principal=ARN, as /api/v1/breakdown names it");
	if (!hour.len || !when_parse(hour, &ms) || ms % MS_PER_HOUR)
		return err_set(err, ERR_SKIP, "expected hour=T, the beginning of an hour: 2026-11-02T05:00:00Z");
	bool good = write_explanation(a, q, ms / MS_PER_HOUR, &x, err);
	free(x.where);
	free(x.model);
	map_release(&x.passed);
	arena_release(&x.arena);
	return good;
}
