// SPDX-License-Identifier: Apache-2.0
#include "reconcile/rates.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/when.h"
#include "pricing/price_file.h"
#include "pricing/prices.h"

// a day with fewer tokens is skipped; rates that differ by less than one part in so many are equal
enum { TOKENS_MIN = 10000, ALIKE = 1000 };

// One rate of one day.
struct day_rate {
	struct str account, model, region;
	enum price_scope scope;
	enum price_tier tier;
	enum token_type type;
	int64_t day, tokens; // day: since the epoch
	struct usd usd;
};

struct days {
	struct day_rate *list;
	int32_t n, cap;
	struct map index;
};

static bool is_text_tokens(const struct bill_kind *k)
{
	const struct usage_type *u = &k->usage;
	return k->class == BILL_INFERENCE && kind_has_tokens(k) && k->model.len &&
	       !str_is(k->region, "unknown") && k->per_unit && !u->long_prompt && !u->custom && !u->unsure &&
	       u->modality == MODALITY_TEXT;
}

static void add_line(struct days *d, const struct bill *b, const struct bill_line *line)
{
	const struct bill_kind *k = &b->kinds[line->kind];
	struct day_rate r = {.account = b->names[line->account],
	                     .model = k->model,
	                     .region = k->region,
	                     .scope = k->usage.scope,
	                     .tier = k->usage.tier,
	                     .type = k->usage.type,
	                     .day = line->hour / 24};
	int64_t numbers[] = {r.scope, r.tier, r.type, r.day};
	uint64_t h = hash64(numbers, sizeof numbers);
	bool added;
	const struct str texts[] = {r.account, r.model, r.region};
	for (int i = 0; i < 3; i++)
		h = hash64_seeded(texts[i].p ? texts[i].p : "", texts[i].len, h + texts[i].len);
	int32_t *at = map_add(&d->index, h, d->n, &added);
	if (added) {
		if (d->n == d->cap)
			d->list = xrealloc(d->list, (size_t)(d->cap = d->cap ? d->cap * 2 : 256), sizeof *d->list);
		d->list[d->n++] = r;
	}
	d->list[*at].tokens += bill_quantity(b, line);
	d->list[*at].usd = usd_add(d->list[*at].usd, line->cost);
}

// All but the token type and the day.
static int compare_price(const struct day_rate *x, const struct day_rate *y)
{
	int c = str_cmp(x->model, y->model);
	if (!c)
		c = (int)x->scope - (int)y->scope;
	if (!c)
		c = (int)x->tier - (int)y->tier;
	if (!c)
		c = str_cmp(x->region, y->region);
	return c ? c : str_cmp(x->account, y->account);
}

static int by_price(const void *a, const void *b)
{
	const struct day_rate *x = a, *y = b;
	int c = compare_price(x, y);
	if (!c)
		c = (int)x->type - (int)y->type;
	return c ? c : (y->day > x->day) - (y->day < x->day); // newest first
}

static bool is_alike(int64_t a, int64_t b)
{
	int64_t more = a > b ? a : b, less = a > b ? b : a;
	return more - less <= more / ALIKE;
}

// The rate that the two newest days with enough tokens show, if they follow each other and agree.
static bool find_agreed_rate(const struct day_rate *days, int n, int64_t *ret_rate, int64_t *ret_day)
{
	const struct day_rate *two[2];
	int found = 0;
	for (int i = 0; i < n && found < 2; i++)
		if (days[i].tokens >= TOKENS_MIN && days[i].usd.pico > 0)
			two[found++] = &days[i];
	if (found < 2 || two[0]->day != two[1]->day + 1)
		return false;
	usd_pico rate[2];
	for (int i = 0; i < 2; i++) {
		rate[i] = usd_muldiv(two[i]->usd, 1, two[i]->tokens).pico;
		if (rate[i] > RATE_MAX) // no price file takes it
			return false;
	}
	if (!is_alike((int64_t)rate[0], (int64_t)rate[1]))
		return false;
	*ret_rate =
		(int64_t)usd_muldiv(usd_add(two[0]->usd, two[1]->usd), 1, two[0]->tokens + two[1]->tokens).pico;
	*ret_day = two[1]->day;
	return true;
}

static bool is_listed(const struct day_rate *r, int64_t rate)
{
	char key[MODEL_NAME_MAX + 16];
	struct rate list;
	int n = snprintf(key, sizeof key, "%s%.*s", r->scope == SCOPE_GLOBAL ? "global." : "", STR_ARG(r->model));
	struct price_query q = {.model = {key, n < (int)sizeof key ? (size_t)n : 0},
	                        .region = r->region,
	                        .type = r->type,
	                        .tier = r->tier,
	                        .time_ms = r->day * 24 * MS_PER_HOUR};
	return catalogue_find(catalogue_builtin(), &q, &list) == MISS_NONE && is_alike(list.pico_per_token, rate);
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

// The days of one price, newest first within each type: one row of the file.
static bool learn_price(const struct day_rate *days, int n, struct price_row *ret)
{
	struct price_row row = {.model = days[0].model,
	                        .scope = days[0].scope,
	                        .tier = days[0].tier,
	                        .region = days[0].region,
	                        .account = days[0].account,
	                        .to_ms = INT64_MAX,
	                        .per_unit = RATE_UNKNOWN,
	                        .source = "learned from the bill"};
	bool any = false;
	for (int t = 0; t < TOKEN_TYPES; t++)
		row.rate[t] = RATE_UNKNOWN;
	for (int i = 0, end; i < n; i = end) {
		int64_t rate, day;
		for (end = i + 1; end < n && days[end].type == days[i].type;)
			end++;
		if (!find_agreed_rate(days + i, end - i, &rate, &day) || is_listed(&days[i], rate))
			continue;
		row.rate[days[i].type] = rate;
		row.from_ms = later(row.from_ms, day * 24 * MS_PER_HOUR);
		any = true;
	}
	*ret = row;
	return any;
}

void rates_learn(const struct bill *b, int64_t complete, struct buf *csv, int *ret_rates)
{
	struct days d = {0};
	*ret_rates = 0;
	for (int64_t i = 0; i < b->nlines; i++)
		if (is_text_tokens(&b->kinds[b->lines[i].kind]) && b->lines[i].hour / 24 * 24 + 24 <= complete)
			add_line(&d, b, &b->lines[i]);
	if (d.n > 1)
		qsort(d.list, (size_t)d.n, sizeof *d.list, by_price);
	for (int i = 0, end; i < d.n; i = end) {
		struct price_row row;
		for (end = i + 1; end < d.n && compare_price(&d.list[end], &d.list[i]) == 0;)
			end++;
		if (!learn_price(d.list + i, end - i, &row))
			continue;
		price_file_write_row(csv, &row);
		++*ret_rates;
	}
	free(d.list);
	map_release(&d.index);
}

bool rates_write(const struct conf *conf, struct str csv, struct err *err)
{
	struct buf path = BUF_INIT;
	struct err why = ERR_INIT;
	prices_path(conf, "bill", NULL, &path);
	bool good = file_replace(path.data, csv, &why) ||
	            err_set(err, ERR_CONFIG, "%s: make prices.dir a folder that nowcast may write", why.msg);
	buf_release(&path);
	return good;
}
