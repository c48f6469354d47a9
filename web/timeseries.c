// SPDX-License-Identifier: Apache-2.0
#include "web/timeseries.h"

#include <assert.h>
#include <stddef.h>

#include "base/when.h"
#include "query/figure_json.h"
#include "query/observed_json.h"

static void write_column(struct json_writer *j, const char *name, const struct timeseries *s, size_t usd_at)
{
	jw_array(j, name);
	for (int i = 0; i < s->n; i++)
		jw_usd(j, NULL, *(const struct usd *)((const char *)&s->total[i] + usd_at));
	jw_end(j);
}

static void write_total(struct json_writer *j, const struct timeseries *s)
{
	jw_object(j, "total");
	write_column(j, "usd", s, offsetof(struct group, usd));
	write_column(j, "usd_low", s, offsetof(struct group, usd_low));
	write_column(j, "usd_high", s, offsetof(struct group, usd_high));
	jw_object(j, "basis");
	for (const struct basis_part *p = basis_parts; p->name; p++)
		write_column(j, p->name, s, p->usd_at);
	jw_end(j);
	jw_array(j, "tokens");
	for (int i = 0; i < s->n; i++)
		jw_int(j, NULL, s->total[i].tokens);
	jw_end(j);
	jw_end(j);
}

static void write_values(struct json_writer *j, const struct usd *values, int n)
{
	jw_array(j, "usd");
	for (int i = 0; i < n; i++)
		jw_usd(j, NULL, values[i]);
	jw_end(j);
}

static void write_groups(struct json_writer *j, const struct timeseries *s)
{
	struct usd *rest = s->values + (size_t)s->shown * (size_t)s->n;
	for (int k = 0; k < s->n; k++)
		rest[k] = s->total[k].usd;
	jw_array(j, "groups");
	for (int i = 0; i < s->shown; i++) {
		const struct usd *values = s->values + (size_t)i * (size_t)s->n;
		for (int k = 0; k < s->n; k++)
			rest[k] = usd_sub(rest[k], values[k]);
		jw_line(j);
		jw_object(j, NULL);
		figure_json_keys(j, &s->q->by, s->groups.list[i].keys);
		write_values(j, values, s->n);
		jw_end(j);
	}
	jw_end(j);
	jw_int(j, "others", s->groups.n - s->shown);
	jw_object(j, "other");
	write_values(j, rest, s->n);
	jw_end(j);
}

bool timeseries_choose(struct timeseries *s, struct api *a, int64_t from, int64_t to, struct err *err)
{
	const struct api_query *q = s->q;
	if (!api_sum_groups(a, q, from, to, &s->groups, err))
		return false;
	groups_sort(&s->groups, ORDER_USD);
	assert(s->n > 0 && q->limit > 0);
	s->shown = s->groups.n < q->limit ? s->groups.n : (int)q->limit;
	s->values = xcalloc((size_t)(s->shown + 1) * (size_t)s->n, sizeof *s->values);
	return true;
}

int timeseries_row(const struct timeseries *s, const struct str *keys)
{
	for (int i = 0; i < s->shown; i++) {
		bool same = true;
		for (int k = 0; same && k < s->q->by.n; k++)
			same = str_eq(s->groups.list[i].keys[k], keys[k]);
		if (same)
			return i;
	}
	return -1;
}

void timeseries_write(struct json_writer *j, const struct timeseries *s)
{
	assert(s->n > 0 && s->step_ms > 0);
	jw_object(j, NULL);
	jw_time(j, "from", s->start_ms);
	jw_time(j, "to", s->start_ms + s->n * s->step_ms);
	jw_strz(j, "step", s->name);
	jw_array(j, "times");
	for (int i = 0; i < s->n; i++)
		jw_time(j, NULL, s->start_ms + i * s->step_ms);
	jw_end(j);
	write_total(j, s);
	jw_array(j, "observed");
	for (int i = 0; i < s->n; i++) {
		int64_t from = (s->start_ms + i * s->step_ms) / MS_PER_MINUTE;
		observed_json_part(j, NULL, s->observed, from > s->q->from * 60 ? from : s->q->from * 60,
		                   from + s->step_ms / MS_PER_MINUTE);
	}
	jw_end(j);
	observed_json_gaps(j, s->observed, s->q->from * 60, s->q->to * 60);
	if (s->q->by.n)
		write_groups(j, s);
	jw_end(j);
}
