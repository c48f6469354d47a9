// SPDX-License-Identifier: Apache-2.0
// Looking up a rate. The rows of a price file are sorted, so those of one model lie together; a hash table from the
// model's name to its first row finds them, and among the few rows of a model the right one is found by walking.
//
// What does not match is unpriced, with a sentence that says why and what to do. A rate of another Region's group, of
// another time or of a similar model would look like a figure and be a guess.
#include "pricing/price.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "pricing/price_file.h"

const char *const token_type_names[TOKEN_TYPES] = {"input", "output", "cache_read", "cache_write_5m", "cache_write_1h"};

struct catalogue {
	struct price_rows rows;
	uint32_t *slots; // index of a model's first row + 1; 0: free
	size_t mask;     // number of slots - 1; a power of two at least twice the number of models
};

// Each says what is missing, and what to do about it.
static const char why_unknown[] = "the model is not in the price catalogue; add a row for it to a price file, or update nowcast";
static const char why_opaque[] = "application inference profile: model unknown; find it with `aws bedrock get-inference-profile` "
                                 "and add a row for this id to a price file";
static const char why_no_scope[] = "the price catalogue has this model, but not through a profile of this kind (global or regional); "
                                   "add a row to a price file";
static const char why_no_region[] = "the price catalogue has this model, but no rate for this Region; add a row to a price file";
static const char why_no_time[] = "the price catalogue has this model, but no rate that was in force at the time of the call; "
                                  "add a row to a price file";
static const char why_no_type[] = "the price catalogue has this model, but no rate for this type of token; add it to a price file";
static const char why_provisioned[] = "provisioned throughput is billed by the hour, not by token";
static const char why_custom[] = "custom and imported models have no list price by token; add a row for this id to a price file";
static const char why_indirect[] = "the call named a prompt or a prompt router, and the record does not say which model it chose";
static const char why_endpoint[] = "the call went to a SageMaker endpoint, which SageMaker bills by the hour";

static const struct {
	struct str unit;
	const char *why;
} units[] = {
	{STR("image"), "priced per image, not by token"},
	{STR("search unit"), "priced per search unit, not by token"},
	{STR("second of video"), "priced per second of video, not by token"},
};

static uint32_t hash(struct str s)
{
	uint32_t h = 2166136261u; // FNV-1a: names are short and few
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h ^ h >> 15;
}

// The model's first row, or n.
static size_t first_row(const struct catalogue *c, struct str model)
{
	for (size_t i = hash(model) & c->mask; c->slots[i]; i = (i + 1) & c->mask)
		if (str_eq(c->rows.v[c->slots[i] - 1].model, model))
			return c->slots[i] - 1;
	return c->rows.n;
}

static void index_rows(struct catalogue *c)
{
	size_t models = 0, size = 16;
	for (size_t i = 0; i < c->rows.n; i++)
		models += i == 0 || !str_eq(c->rows.v[i].model, c->rows.v[i - 1].model);
	while (size < models * 2)
		size *= 2;
	c->slots = xcalloc(size, sizeof(*c->slots));
	c->mask = size - 1;
	for (size_t i = 0; i < c->rows.n; i++) {
		if (i && str_eq(c->rows.v[i].model, c->rows.v[i - 1].model))
			continue;
		size_t at = hash(c->rows.v[i].model) & c->mask;
		while (c->slots[at])
			at = (at + 1) & c->mask;
		c->slots[at] = (uint32_t)i + 1;
	}
}

bool catalogue_parse(struct catalogue **ret, struct str text, const char *name, struct err *err)
{
	struct price_rows rows;
	if (!price_file_read(&rows, text, name, err))
		return false;
	struct catalogue *c = xcalloc(1, sizeof(*c));
	c->rows = rows;
	index_rows(c);
	*ret = c;
	return true;
}

void catalogue_free(struct catalogue *c)
{
	if (!c)
		return;
	price_rows_release(&c->rows);
	free(c->slots);
	free(c);
}

// How narrowly a row's region means `region`: 3 by name, 2 by geography, 1 as every commercial Region, 0 not at all.
static int match_region(struct str row, struct str region, struct str geography)
{
	if (!row.len)
		return !str_is(geography, "us-gov") && !str_is(geography, "us-iso") && !str_is(geography, "cn");
	if (row.p[row.len - 1] != '*')
		return str_eq(row, region) ? 3 : 0;
	return str_eq((struct str){row.p, row.len - 2}, geography) ? 2 : 0;
}

// The narrowest row of the model in force. *ret_why says how far the search came if there is none.
static const struct price_row *find_row(const struct catalogue *c, struct str model, enum price_scope scope, struct str region,
                                        int64_t time_ms, const char **ret_why)
{
	const struct price_row *best = NULL;
	int narrowest = 0;
	struct str geography = region_geography(region);
	const char *why = why_unknown;
	for (size_t i = first_row(c, model); i < c->rows.n && str_eq(c->rows.v[i].model, model); i++) {
		const struct price_row *row = &c->rows.v[i];
		if (why == why_unknown)
			why = why_no_scope;
		if (row->scope != scope || row->prompt_over)
			continue;
		if (why == why_no_scope)
			why = why_no_region;
		int match = match_region(row->region, region, geography);
		if (match && why == why_no_region)
			why = why_no_time;
		if (match > narrowest && row->from_ms <= time_ms && time_ms < row->to_ms) {
			narrowest = match;
			best = row;
		}
	}
	*ret_why = why;
	return best;
}

static const char *why_kind(enum model_id_kind kind)
{
	switch (kind) {
	case MODEL_NAMED: return why_unknown;
	case MODEL_APPLICATION:
	case MODEL_OPAQUE: return why_opaque;
	case MODEL_PROVISIONED: return why_provisioned;
	case MODEL_CUSTOM: return why_custom;
	case MODEL_INDIRECT: return why_indirect;
	case MODEL_ENDPOINT: return why_endpoint;
	}
	assert(!"a kind of model id without a sentence");
	return why_unknown;
}

static const char *why_no_rate(struct str unit)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (str_eq(unit, units[i].unit))
			return units[i].why;
	return unit.len ? "not priced by token" : why_no_type;
}

bool catalogue_rate(const struct catalogue *c, struct str model, struct str foundation, struct str region, enum token_type type,
                    int64_t time_ms, struct rate *ret, const char **ret_why)
{
	struct model_id id;
	const char *why;
	assert(type >= 0 && type < TOKEN_TYPES);
	model_id_read(&id, model);
	const struct price_row *row = find_row(c, model_id_name(&id), id.scope, region, time_ms, &why);
	if (!row && id.kind != MODEL_NAMED) {
		// Provisioned throughput and custom models name a foundation too, but are not billed at its rate.
		bool profile = id.kind == MODEL_APPLICATION || id.kind == MODEL_OPAQUE || id.kind == MODEL_INDIRECT;
		why = why == why_unknown ? why_kind(id.kind) : why;
		if (profile && foundation.len) {
			model_id_read(&id, foundation);
			row = find_row(c, model_id_name(&id), id.scope, region, time_ms, &why);
			if (!row && id.kind != MODEL_NAMED)
				why = why_kind(id.kind);
		}
	}
	if (row && row->rate[type] == RATE_UNKNOWN) {
		why = why_no_rate(row->unit);
		row = NULL;
	}
	if (!row) {
		*ret_why = why;
		return false;
	}
	*ret = (struct rate){row->rate[type], row->from_ms, row->to_ms, row->source};
	return true;
}
