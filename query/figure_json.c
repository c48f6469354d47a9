// SPDX-License-Identifier: Apache-2.0
#include "query/figure_json.h"

#include <assert.h>
#include <stddef.h>

#include "base/when.h"

const struct basis_part basis_parts[] = {
	{"billed", offsetof(struct group, usd_billed)},
	{"exact", offsetof(struct group, usd_exact)},
	{"telemetry", offsetof(struct group, usd_telemetry)},
	{"allocated", offsetof(struct group, usd_allocated)},
	{"provisional", offsetof(struct group, usd_provisional)},
	{NULL, 0},
};

static void write_unpriced(struct json_writer *j)
{
	jw_null(j, "usd");
	jw_null(j, "usd_low");
	jw_null(j, "usd_high");
	jw_object(j, "basis");
	jw_end(j);
}

void figure_json_calls(struct json_writer *j, const struct group *g, bool has_calls)
{
	jw_int_if(j, "calls", has_calls, g->calls);
	jw_int_if(j, "failed", has_calls, g->failed);
}

void figure_json_members(struct json_writer *j, const struct group *g, bool has_calls)
{
	figure_json_calls(j, g, has_calls);
	jw_int(j, "tokens", g->tokens);
	jw_int(j, "tokens_unpriced", g->unpriced);
	if (g->unbilled) {
		jw_int(j, "tokens_unbilled", g->unbilled);
		jw_usd(j, "usd_unbilled", g->usd_unbilled);
	}
	if (group_is_unpriced(g)) {
		write_unpriced(j);
		return;
	}
	jw_usd(j, "usd", g->usd);
	jw_usd(j, "usd_low", g->usd_low);
	jw_usd(j, "usd_high", g->usd_high);
	if (g->units)
		jw_int(j, "units", g->units);
	if (usd_cmp(g->usd_band_estimated, USD_ZERO) > 0)
		jw_usd(j, "usd_band_estimated", g->usd_band_estimated);
	if (usd_cmp(g->usd_ttl_estimated, USD_ZERO) > 0)
		jw_usd(j, "usd_ttl_estimated", g->usd_ttl_estimated);
	if (usd_cmp(g->usd_borrowed, USD_ZERO) > 0)
		jw_usd(j, "usd_borrowed", g->usd_borrowed);
	jw_object(j, "basis");
	for (const struct basis_part *p = basis_parts; p->name; p++)
		if (basis_usd(g, p).pico)
			jw_usd(j, p->name, basis_usd(g, p));
	jw_end(j);
}

void figure_json_units(struct json_writer *j, const struct group *g, bool has_calls)
{
	figure_json_members(j, g, has_calls);
	jw_int(j, "tokens_prompt", g->prompt);
	jw_int(j, "tokens_cache_read", g->cache_read);
}

void figure_json_keys(struct json_writer *j, const struct grouping *by, const struct str *keys)
{
	jw_object(j, "keys");
	for (int i = 0; i < by->n; i++) {
		jw_key(j, by->name[i]);
		jw_str(j, NULL, keys[i].p ? keys[i] : STR(""));
	}
	jw_end(j);
}

void figure_json_span(struct json_writer *j, int64_t from, int64_t to)
{
	assert(from <= to);
	jw_time(j, "from", from * MS_PER_HOUR);
	jw_time(j, "to", to * MS_PER_HOUR);
}
