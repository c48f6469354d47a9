// SPDX-License-Identifier: Apache-2.0
// The truth is priced with the same catalogue as the estimate, at the time of the hour. So a difference comes
// from tokens allocated to another caller, not from what a token costs.
#include "demo/truth.h"

#include <stdio.h>

#include "base/when.h"
#include "cli/table.h"
#include "query/group.h"

// ---- reading

static bool true_usd(const struct traffic *t, const struct traffic_truth *truth, struct usd *ret)
{
	struct usd sum = USD_ZERO;
	for (int k = 0; k < TOKEN_TYPES; k++) {
		struct rate rate;
		struct price_query q = {.model = truth->model,
		                        .region = truth->region,
		                        .type = (enum token_type)k,
		                        .time_ms = t->from_ms};
		if (!truth->tokens[k])
			continue;
		if (catalogue_find(catalogue_builtin(), &q, &rate) != MISS_NONE)
			return false;
		sum = usd_add(sum, usd_price(truth->tokens[k], rate.pico_per_token));
	}
	*ret = sum;
	return true;
}

static void add_estimate(struct truth_row *r, struct usd usd, struct usd low, struct usd high)
{
	r->estimated = usd_add(r->estimated, usd);
	r->low = usd_add(r->low, low);
	r->high = usd_add(r->high, high);
}

static void add_group(struct truth *ret, int ncallers, const struct group *g)
{
	int i = 0;
	while (i < ncallers && !str_eq(ret->rows[i].principal, g->keys[0]))
		i++;
	if (i == ncallers) { // "(unattributed)": no caller of the demo
		ret->rows[i].principal = STR("(unattributed)");
		ret->rows[i].priced = true;
		ret->rows[i].calls += g->calls;
		ret->n = ncallers + 1;
	}
	add_estimate(&ret->rows[i], g->usd, g->usd_low, g->usd_high);
}

static void add_total(struct truth *ret)
{
	ret->total = (struct truth_row){.principal = STR("total"), .priced = true};
	for (int i = 0; i < ret->n; i++) {
		const struct truth_row *r = &ret->rows[i];
		ret->total.calls += r->calls;
		if (!r->priced)
			continue;
		struct usd off = usd_sub(r->estimated, r->truth);
		add_estimate(&ret->total, r->estimated, r->low, r->high);
		ret->total.truth = usd_add(ret->total.truth, r->truth);
		ret->missed = off.pico < 0 ? usd_sub(ret->missed, off) : usd_add(ret->missed, off);
	}
}

bool truth_read(struct view *v, const struct traffic *t, struct truth *ret, struct err *err)
{
	struct groups g;
	struct grouping by;
	if (!grouping_parse(&by, STR("principal"), (struct caller_sources){0}, err))
		return false;
	*ret = (struct truth){.n = t->ntruth};
	for (int i = 0; i < t->ntruth; i++) {
		struct truth_row *r = &ret->rows[i];
		r->principal = t->truth[i].principal;
		r->calls = t->truth[i].calls;
		r->priced = true_usd(t, &t->truth[i], &r->truth);
	}
	groups_init(&g, &by);
	bool good = view_each(v, t->from_ms / MS_PER_HOUR, t->to_ms / MS_PER_HOUR + 1, groups_add, &g, err);
	for (int32_t i = 0; good && i < g.n; i++)
		add_group(ret, t->ntruth, &g.list[i]);
	groups_release(&g);
	add_total(ret);
	return good;
}

static bool tenths_of(struct usd off, struct usd truth, int64_t *ret)
{
	if (truth.pico <= 0)
		return false;
	usd_pico half = off.pico < 0 ? -(truth.pico / 2) : truth.pico / 2;
	*ret = (int64_t)((off.pico * 1000 + half) / truth.pico);
	return true;
}

bool truth_off(const struct truth_row *r, int64_t *ret)
{
	return r->priced && tenths_of(usd_sub(r->estimated, r->truth), r->truth, ret);
}

int64_t truth_missed(const struct truth *t)
{
	int64_t tenths = 0;
	(void)tenths_of(t->missed, t->total.truth, &tenths);
	return tenths;
}

// ---- printing

static void add_usd(struct table *table, struct usd usd, bool known)
{
	char text[USD_SIZE];
	table_cell(table, known ? str_of(usd_format(usd, 4, text)) : STR("unpriced"));
}

static void add_off(struct table *table, const struct truth_row *r)
{
	char text[32];
	int64_t tenths;
	if (!truth_off(r, &tenths)) {
		table_cell(table, STR("-"));
		return;
	}
	long long size = tenths < 0 ? -tenths : tenths;
	snprintf(text, sizeof text, "%s%lld.%lld %%",
	         tenths < 0   ? "-"
	         : tenths > 0 ? "+"
	                      : "",
	         size / 10, size % 10);
	table_cell(table, str_of(text));
}

static void add_band(struct table *table, const struct truth_row *r)
{
	bool inside = usd_cmp(r->low, r->truth) <= 0 && usd_cmp(r->truth, r->high) <= 0;
	table_cell(table, !r->priced ? STR("-") : inside ? STR("yes") : STR("no"));
}

static const struct truth_row *find_row(const struct truth *t, struct str principal)
{
	static const struct truth_row none = {.priced = true};
	for (int i = 0; i < t->n; i++)
		if (str_eq(t->rows[i].principal, principal))
			return &t->rows[i];
	return str_eq(principal, t->total.principal) ? &t->total : &none;
}

static void add_row(struct table *table, const struct truth_row *r, const struct truth *taught)
{
	char count[TABLE_COUNT_SIZE];
	table_cell(table, r->principal);
	table_cell(table, str_of(table_count(r->calls, count)));
	add_usd(table, r->estimated, r->priced);
	add_usd(table, r->truth, r->priced);
	add_off(table, r);
	add_band(table, r);
	if (!taught)
		return;
	const struct truth_row *then = find_row(taught, r->principal);
	add_usd(table, then->estimated, then->priced);
	add_off(table, then);
	add_band(table, then);
}

void truth_print(const struct truth *first, const struct truth *taught, int columns)
{
	struct table table = TABLE_INIT;
	table_column(&table, STR("principal"), TABLE_NAME, 0);
	table_column(&table, STR("calls"), TABLE_NUMBER, 3);
	table_column(&table, STR("estimated"), TABLE_NUMBER, 0);
	table_column(&table, STR("true"), TABLE_NUMBER, 0);
	table_column(&table, STR("off by"), TABLE_NUMBER, 0);
	table_column(&table, STR("in its band"), TABLE_TEXT, 2);
	if (taught) {
		table_column(&table, STR("after a bill"), TABLE_NUMBER, 1);
		table_column(&table, STR("off by"), TABLE_NUMBER, 0);
		table_column(&table, STR("in its band"), TABLE_TEXT, 2);
	}
	for (int i = 0; i < first->n; i++)
		add_row(&table, &first->rows[i], taught);
	add_row(&table, &first->total, taught);
	table_print(&table, stdout, columns, -1, "\n");
	table_release(&table);
}
