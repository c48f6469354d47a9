// SPDX-License-Identifier: Apache-2.0
#include "reconcile/ledger.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"

int32_t names_add(struct names *t, struct str name)
{
	bool added;
	int32_t *at = map_add(&t->index, hash64(name.p ? name.p : "", name.len), t->n, &added);
	if (!added)
		return *at;
	if (t->n == t->cap)
		t->list = xrealloc(t->list, (size_t)(t->cap = t->cap ? t->cap * 2 : 256), sizeof *t->list);
	t->list[t->n] = arena_str(&t->arena, name);
	return t->n++;
}

void names_release(struct names *t)
{
	arena_release(&t->arena);
	map_release(&t->index);
	free(t->list);
	*t = (struct names){0};
}

void ledger_add(struct ledger *l, const struct ledger_row *row)
{
	struct {
		int32_t acct_region, model, principal, type;
		int64_t hour, tier;
	} key = {row->acct_region, row->model, row->principal, row->type, row->hour, row->tier};
	bool added;
	int32_t *at = map_add(&l->index, hash64(&key, sizeof key), (int32_t)l->n, &added);
	if (!added) {
		struct ledger_row *r = &l->rows[*at];
		r->tokens += row->tokens;
		r->usd = usd_add(r->usd, row->usd);
		r->list = usd_add(r->list, row->list);
		return;
	}
	if (l->n == l->cap)
		l->rows = xrealloc(l->rows, (size_t)(l->cap = l->cap ? l->cap * 2 : 4096), sizeof *l->rows);
	l->rows[l->n++] = *row;
}

void ledger_release(struct ledger *l)
{
	map_release(&l->index);
	free(l->rows);
	*l = (struct ledger){0};
}

static int order_of(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare(const struct ledger_row *x, const struct ledger_row *y, enum ledger_order order)
{
	int c = order_of(x->acct_region, y->acct_region);
	if (!c && order == LEDGER_BY_MODEL_HOUR)
		c = order_of(x->hour, y->hour);
	if (!c)
		c = order_of(x->model, y->model);
	if (!c && order != LEDGER_BY_TYPE)
		c = order_of(x->principal, y->principal);
	if (!c)
		c = order_of(x->type, y->type);
	if (!c)
		c = order_of(x->hour, y->hour);
	if (!c)
		c = order_of(x->principal, y->principal);
	return c ? c : order_of(x->tier, y->tier);
}

static int by_model_hour(const void *a, const void *b)
{
	return compare(*(const struct ledger_row *const *)a, *(const struct ledger_row *const *)b,
	               LEDGER_BY_MODEL_HOUR);
}

static int by_principal(const void *a, const void *b)
{
	return compare(*(const struct ledger_row *const *)a, *(const struct ledger_row *const *)b,
	               LEDGER_BY_PRINCIPAL);
}

static int by_type(const void *a, const void *b)
{
	return compare(*(const struct ledger_row *const *)a, *(const struct ledger_row *const *)b,
	               LEDGER_BY_TYPE);
}

const struct ledger_row **ledger_sort(const struct ledger *l, enum ledger_order order)
{
	static int (*const orders[])(const void *, const void *) = {by_model_hour, by_principal, by_type};
	const struct ledger_row **sorted = xcalloc((size_t)l->n + 1, sizeof *sorted);
	for (int64_t i = 0; i < l->n; i++)
		sorted[i] = &l->rows[i];
	if (l->n > 1)
		qsort(sorted, (size_t)l->n, sizeof *sorted, orders[order]);
	return sorted;
}

int64_t ledger_seek(const struct ledger_row *const *sorted, int64_t n, enum ledger_order order,
                    const struct ledger_row *key)
{
	int64_t lo = 0, hi = n;
	while (lo < hi) {
		int64_t mid = lo + (hi - lo) / 2;
		if (compare(sorted[mid], key, order) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}
