// SPDX-License-Identifier: Apache-2.0
// Both lists are sorted by place (model, scope, tier, Region, account, band) and time: one walk merges them.
#include "pricing/price_merge.h"

#include <assert.h>
#include <stdlib.h>

#include "base/when.h"

struct merge {
	struct price_merge *out;
	const char *name;
	int64_t now_ms;
};

static void write_row(struct merge *m, const struct price_row *row)
{
	if (row->from_ms >= row->to_ms)
		return;
	assert(row->from_ms % MS_PER_HOUR == 0);
	price_file_write_row(&m->out->csv, row);
	m->out->rows++;
}

// Adds the rates of `old`, if in force now, that the rows [at, end) of the new list do not have.
static void find_gone(struct merge *m, const struct price_row *old, const struct price_row *at,
                      const struct price_row *end)
{
	if (!price_row_in_force(old, m->now_ms))
		return;
	while (at < end && !price_row_in_force(at, m->now_ms) && at->from_ms <= m->now_ms)
		at++;
	if (at < end && at->from_ms > m->now_ms)
		return; // the new row begins later; until then the old one is in force
	for (int t = 0; t <= TOKEN_TYPES; t++) {
		struct price_change c = price_change_of(old, t), is = {.is = RATE_UNKNOWN};
		if (at < end)
			is = price_change_of(at, t);
		if (c.is == RATE_UNKNOWN || is.is != RATE_UNKNOWN)
			continue;
		c.was = c.is;
		c.is = RATE_UNKNOWN;
		c.source = (struct price_source){.name = m->name};
		assert(c.was >= 0);
		m->out->gone[m->out->ngone++] = c;
	}
}

static bool same_rates(const struct price_row *a, const struct price_row *b)
{
	for (int t = 0; t < TOKEN_TYPES; t++)
		if (a->rate[t] != b->rate[t])
			return false;
	return a->per_unit == b->per_unit && str_eq(a->unit, b->unit);
}

// Writes the rows of one place: the old rows up to where the new ones begin, then the new ones.
static void merge_place(struct merge *m, const struct price_row *old, const struct price_row *old_end,
                        const struct price_row *new, const struct price_row *new_end)
{
	const int64_t hour = m->now_ms / MS_PER_HOUR * MS_PER_HOUR, end = new < new_end ? new->from_ms : hour;
	struct price_row first = new < new_end ? *new : (struct price_row){.from_ms = 0};
	for (; old < old_end; old++) {
		struct price_row row = *old;
		find_gone(m, old, new, new_end);
		row.to_ms = row.to_ms < end ? row.to_ms : end;
		if (new < new_end && row.to_ms == end && row.from_ms < end && same_rates(&row, &first))
			first.from_ms = row.from_ms;
		else
			write_row(m, &row);
	}
	if (new < new_end)
		write_row(m, &first);
	while (new < new_end && ++new < new_end)
		write_row(m, new);
}

static size_t place_end(const struct price_rows *rows, size_t i)
{
	size_t end = i;
	while (end < rows->n && price_row_compare_place(&rows->v[end], &rows->v[i]) == 0)
		end++;
	return end;
}

void price_merge_init(struct price_merge *ret, const struct price_rows *old, const struct price_rows *new,
                      const char *name, int64_t now_ms)
{
	*ret = (struct price_merge){.csv = BUF_INIT,
	                            .gone = xcalloc(old->n * (TOKEN_TYPES + 1) + 1, sizeof *ret->gone)};
	struct merge m = {ret, name, now_ms};
	price_file_write_head(&ret->csv);
	for (size_t i = 0, k = 0; i < old->n || k < new->n;) {
		int c = i == old->n ? 1 : k == new->n ? -1 : price_row_compare_place(&old->v[i], &new->v[k]);
		size_t iend = c > 0 ? i : place_end(old, i), kend = c < 0 ? k : place_end(new, k);
		merge_place(&m, old->v + i, old->v + iend, new->v + k, new->v + kend);
		i = iend;
		k = kend;
	}
}

void price_merge_release(struct price_merge *m)
{
	buf_release(&m->csv);
	free(m->gone);
	*m = (struct price_merge){.csv = BUF_INIT};
}
