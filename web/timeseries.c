// SPDX-License-Identifier: Apache-2.0
#include "web/timeseries.h"

#include <stddef.h>

#include "base/when.h"

static void add_column(struct buf *out, const char *name, const struct timeseries *s, size_t usd_at)
{
	buf_addf(out, "\"%s\":[", name);
	for (int i = 0; i < s->n; i++) {
		if (i)
			buf_addc(out, ',');
		json_usd(out, *(const struct usd *)((const char *)&s->total[i] + usd_at));
	}
	buf_addc(out, ']');
}

static void add_total(struct buf *out, const struct timeseries *s)
{
	buf_adds(out, ",\"total\":{");
	add_column(out, "usd", s, offsetof(struct group, usd));
	buf_addc(out, ',');
	add_column(out, "usd_low", s, offsetof(struct group, usd_low));
	buf_addc(out, ',');
	add_column(out, "usd_high", s, offsetof(struct group, usd_high));
	buf_adds(out, ",\"basis\":{");
	for (const struct basis_part *p = basis_parts; p->name; p++) {
		if (p != basis_parts)
			buf_addc(out, ',');
		add_column(out, p->name, s, p->usd_at);
	}
	buf_adds(out, "},\"tokens\":[");
	for (int i = 0; i < s->n; i++)
		buf_addf(out, "%s%lld", i ? "," : "", (long long)s->total[i].tokens);
	buf_adds(out, "]}");
}

static void add_values(struct buf *out, const struct usd *values, int n)
{
	buf_adds(out, "\"usd\":[");
	for (int i = 0; i < n; i++) {
		if (i)
			buf_addc(out, ',');
		json_usd(out, values[i]);
	}
	buf_addc(out, ']');
}

static void add_groups(struct buf *out, const struct timeseries *s)
{
	struct usd *rest = s->values + (size_t)s->shown * (size_t)s->n;
	buf_adds(out, ",\"groups\":[");
	for (int k = 0; k < s->n; k++)
		rest[k] = s->total[k].usd;
	for (int i = 0; i < s->shown; i++) {
		const struct usd *values = s->values + (size_t)i * (size_t)s->n;
		for (int k = 0; k < s->n; k++)
			rest[k] = usd_sub(rest[k], values[k]);
		buf_adds(out, i ? ",\n{\"keys\":" : "\n{\"keys\":");
		json_keys(out, &s->q->by, s->groups.list[i].keys);
		buf_addc(out, ',');
		add_values(out, values, s->n);
		buf_addc(out, '}');
	}
	buf_addf(out, "],\"others\":%d,\"other\":{", s->groups.n - s->shown);
	add_values(out, rest, s->n);
	buf_addc(out, '}');
}

bool timeseries_choose(struct timeseries *s, struct api *a, int64_t from, int64_t to, struct err *err)
{
	const struct api_query *q = s->q;
	if (!rollups_sum(a->rollups, &q->by, &q->only, from, to, q->now_ms / MS_PER_HOUR, &s->groups, err))
		return false;
	groups_sort_by_usd(&s->groups);
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

void timeseries_write(struct buf *out, const struct timeseries *s)
{
	buf_adds(out, "{\"from\":");
	json_time(out, s->start_ms);
	buf_adds(out, ",\"to\":");
	json_time(out, s->start_ms + s->n * s->step_ms);
	buf_addf(out, ",\"step\":\"%s\",\"times\":[", s->name);
	for (int i = 0; i < s->n; i++) {
		if (i)
			buf_addc(out, ',');
		json_time(out, s->start_ms + i * s->step_ms);
	}
	buf_addc(out, ']');
	add_total(out, s);
	if (s->q->by.n)
		add_groups(out, s);
	buf_addc(out, '}');
}
