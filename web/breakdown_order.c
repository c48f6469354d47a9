// SPDX-License-Identifier: Apache-2.0
#include "web/breakdown_order.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double ratio(double a, double b)
{
	return b > 0 ? a / b : NAN;
}

static double usd_of(const struct group *g)
{
	return group_is_unpriced(g) ? NAN : (double)g->usd.pico;
}

static double calls_of(const struct group *g)
{
	return (double)g->calls;
}

static double tokens_of(const struct group *g)
{
	return (double)g->tokens;
}

static double usd_per_call(const struct group *g)
{
	return g->unpriced ? NAN : ratio((double)g->usd.pico, (double)g->calls);
}

static double usd_per_token(const struct group *g)
{
	return g->unpriced || g->units ? NAN : ratio((double)g->usd.pico, (double)g->tokens);
}

static double failed_share(const struct group *g)
{
	return ratio((double)g->failed, (double)(g->calls + g->failed));
}

static double cache_hit(const struct group *g)
{
	return ratio((double)g->cache_read, (double)g->prompt);
}

enum { COLUMN_USD, COLUMN_NAME }; // the first two have an order of their own

const char *const breakdown_columns[] = {"usd",          "name",          "calls",        "tokens",
                                         "usd_per_call", "usd_per_token", "failed_share", "cache_hit",
                                         NULL};
static double (*const number_of[])(const struct group *g) = {
	[COLUMN_USD] = usd_of, [COLUMN_NAME] = NULL, calls_of, tokens_of,
	usd_per_call,          usd_per_token,        failed_share, cache_hit,
};
static_assert(sizeof breakdown_columns / sizeof *breakdown_columns ==
                  sizeof number_of / sizeof *number_of + 1,
              "a function for each column");

bool breakdown_order_parse(struct breakdown_order *ret, struct str text, struct err *err)
{
	struct str name = text;
	*ret = (struct breakdown_order){0};
	if (!text.len)
		return true;
	ret->rising = !str_starts(text, STR("-"));
	if (!ret->rising)
		name = (struct str){text.p + 1, text.len - 1};
	for (; breakdown_columns[ret->column]; ret->column++)
		if (str_is(name, breakdown_columns[ret->column]))
			return true;
	return err_set(err, ERR_CONFIG,
	               "sort: expected usd, name, calls, tokens, usd_per_call, usd_per_token, failed_share "
	               "or cache_hit, or one of them after a - for the highest first, got \"%.*s\"",
	               (int)(text.len < 40 ? text.len : 40), text.p);
}

struct place {
	double number; // the lowest comes first; NAN: unknown
	int32_t at;    // in the order of names
};

static int compare_places(const void *x, const void *y)
{
	const struct place *a = x, *b = y;
	if (isnan(a->number) != isnan(b->number))
		return isnan(a->number) ? 1 : -1;
	int c = (a->number > b->number) - (a->number < b->number); // 0 for two unknown ones
	return c ? c : (a->at > b->at) - (a->at < b->at);
}

void breakdown_sort(struct groups *g, struct breakdown_order order)
{
	groups_sort(g, order.column == COLUMN_USD && !order.rising ? ORDER_USD : ORDER_NAME);
	if ((order.column == COLUMN_USD && !order.rising) || g->n < 2)
		return;
	struct place *places = xcalloc((size_t)g->n, sizeof *places);
	struct group *list = xcalloc((size_t)g->n, sizeof *list);
	for (int32_t i = 0; i < g->n; i++) {
		double number = order.column == COLUMN_NAME ? (double)i : number_of[order.column](&g->list[i]);
		places[i] = (struct place){order.rising ? number : -number, i};
	}
	qsort(places, (size_t)g->n, sizeof *places, compare_places);
	for (int32_t i = 0; i < g->n; i++)
		list[i] = g->list[places[i].at];
	memcpy(g->list, list, (size_t)g->n * sizeof *list);
	free(list);
	free(places);
}
