// SPDX-License-Identifier: Apache-2.0
// The truth is priced with the same catalogue as the estimate, at the time of the hour. So a difference comes
// from tokens allocated to another caller, not from what a token costs.
#include "demo/truth.h"

#include <stdio.h>

#include "base/when.h"
#include "cli/table.h"
#include "query/group.h"

struct caller_spend {
	bool priced;
	struct usd estimated, low, high, truth;
};

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

static void add_usd(struct table *table, struct usd usd, bool known)
{
	char text[USD_SIZE];
	table_cell(table, known ? str_of(usd_format(usd, 4, text)) : STR("unpriced"));
}

static void add_share(struct table *table, const struct caller_spend *f)
{
	char text[32];
	struct usd off = usd_sub(f->estimated, f->truth);
	if (!f->priced || f->truth.pico <= 0) {
		table_cell(table, STR("-"));
		return;
	}
	long long tenths = (long long)(off.pico * 1000 / f->truth.pico), size = tenths < 0 ? -tenths : tenths;
	snprintf(text, sizeof text, "%s%lld.%lld %%",
	         tenths < 0   ? "-"
	         : tenths > 0 ? "+"
	                      : "",
	         size / 10, size % 10);
	table_cell(table, str_of(text));
}

static void add_row(struct table *table, struct str name, int64_t calls, const struct caller_spend *f)
{
	char count[TABLE_COUNT_SIZE];
	table_cell(table, name);
	table_cell(table, str_of(table_count(calls, count)));
	add_usd(table, f->estimated, f->priced);
	add_usd(table, f->truth, f->priced);
	add_usd(table, usd_sub(f->estimated, f->truth), f->priced);
	add_share(table, f);
	bool inside = usd_cmp(f->low, f->truth) <= 0 && usd_cmp(f->truth, f->high) <= 0;
	table_cell(table, !f->priced ? STR("-") : inside ? STR("yes") : STR("no"));
}

static const struct group *find_group(const struct groups *g, struct str principal)
{
	for (int32_t i = 0; i < g->n; i++)
		if (str_eq(g->list[i].keys[0], principal))
			return &g->list[i];
	return NULL;
}

static struct caller_spend spend_of(const struct group *g)
{
	struct caller_spend f = {.priced = true};
	if (g) {
		f.estimated = g->usd;
		f.low = g->usd_low;
		f.high = g->usd_high;
	}
	return f;
}

static void add_spend(struct caller_spend *sum, const struct caller_spend *f)
{
	sum->estimated = usd_add(sum->estimated, f->estimated);
	sum->low = usd_add(sum->low, f->low);
	sum->high = usd_add(sum->high, f->high);
	sum->truth = usd_add(sum->truth, f->truth);
}

static void add_rows(struct table *table, const struct groups *g, const struct traffic *t)
{
	struct caller_spend total = {.priced = true};
	int64_t calls = 0;
	for (int i = 0; i < t->ntruth; i++) {
		const struct traffic_truth *truth = &t->truth[i];
		struct caller_spend f = spend_of(find_group(g, truth->principal));
		f.priced = true_usd(t, truth, &f.truth);
		add_row(table, truth->principal, truth->calls + truth->failed, &f);
		if (f.priced)
			add_spend(&total, &f);
		calls += truth->calls + truth->failed;
	}
	for (int32_t i = 0; i < g->n; i++) {
		if (g->list[i].keys[0].p[0] != '(')
			continue; // "(unattributed)": no caller of the demo
		struct caller_spend f = spend_of(&g->list[i]);
		add_row(table, g->list[i].keys[0], g->list[i].calls, &f);
		add_spend(&total, &f);
	}
	add_row(table, STR("total"), calls, &total);
}

bool truth_print(struct view *v, const struct traffic *t, int columns, struct err *err)
{
	struct groups g;
	struct grouping by;
	struct table table = TABLE_INIT;
	if (!grouping_parse(&by, STR("principal"), (struct caller_sources){0}, err))
		return false;
	groups_init(&g, &by);
	bool good = view_each(v, t->from_ms / MS_PER_HOUR, t->to_ms / MS_PER_HOUR + 1, groups_add, &g, err);
	if (good) {
		table_column(&table, STR("principal"), TABLE_NAME, 0);
		table_column(&table, STR("calls"), TABLE_NUMBER, 3);
		table_column(&table, STR("estimated"), TABLE_NUMBER, 0);
		table_column(&table, STR("true"), TABLE_NUMBER, 0);
		table_column(&table, STR("difference"), TABLE_NUMBER, 1);
		table_column(&table, STR(""), TABLE_NUMBER, 0);
		table_column(&table, STR("in its band"), TABLE_TEXT, 2);
		add_rows(&table, &g, t);
		table_print(&table, stdout, columns, -1, "\n");
	}
	table_release(&table);
	groups_release(&g);
	return good;
}
