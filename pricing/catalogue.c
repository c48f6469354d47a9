// SPDX-License-Identifier: Apache-2.0
// Looks up a rate (catalogue_find). The rows of a price file are sorted, so those of one model, scope and
// tier are adjacent. A hash table finds the first of them; these few are then compared one by one.
//
// A query that no row matches is unpriced, with a sentence that says why and what to do. A rate of another
// Region, of another time or of a similar model would look like a figure, but be a guess.
#include "pricing/price.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"
#include "pricing/price_file.h"

const char *const token_type_names[TOKEN_TYPES] = {"input", "output", "cache_read", "cache_write_5m",
                                                   "cache_write_1h"};

const char *const price_tier_names[PRICE_TIERS] = {"standard", "batch",    "flex",      "priority",
                                                   "latency",  "reserved", "ultrafast", "unknown"};

struct catalogue {
	struct price_rows rows;
	char *name;      // of the file
	struct span {
		uint32_t first, end; // the rows of one model, scope and tier; end 0: free
	} *slots;
	size_t mask;             // number of slots - 1; a power of two at least twice the number of spans
};

static const char *const miss_texts[PRICE_MISSES] = {
	[MISS_NONE] = "priced",
	[MISS_MODEL] =
		"the model is not in the price catalogue; add a row for it to a price file, or update nowcast",
	[MISS_OPAQUE] =
		"application inference profile: model unknown; bring in what `aws bedrock list-inference-profiles --type-equals "
		"APPLICATION` prints with `nowcast profiles import`",
	[MISS_PROVISIONED] = "provisioned throughput is billed by the hour, not by token",
	[MISS_CUSTOM] =
		"custom and imported models have no list price by token; add a row for this id to a price file",
	[MISS_INDIRECT] =
		"the call named a prompt or a prompt router, and the record does not say which model it chose",
	[MISS_AGENT] =
		"an agent or a flow chose the models: what it spent is counted at the calls that it made of them under its own role",
	[MISS_OTHERS] = "models beyond models.max, and no price was known for any of them",
	[MISS_ENDPOINT] = "the call went to a SageMaker endpoint, which SageMaker bills by the hour",
	[MISS_SCOPE] =
		"the price catalogue has this model, but not through a profile of this kind (global or regional); "
		"add a row to a price file",
	[MISS_TIER] =
		"the price catalogue has this model, but no rate for this service tier; add a row to a price file",
	[MISS_TIER_UNKNOWN] =
		"the record names a service tier that nowcast does not know, so its rate is not known either",
	[MISS_RESERVED] = "reserved capacity is billed by the hour and belongs to no call",
	[MISS_REGION] =
		"the price catalogue has this model, but no rate for this Region; add a row to a price file",
	[MISS_TIME] =
		"the price catalogue has this model, but no rate that was in force at the time of the call; "
		"add a row to a price file",
	[MISS_TYPE] =
		"the price catalogue has this model, but no rate for this type of token; add it to a price file",
	[MISS_IMAGE] = "priced per image, not by token",
	[MISS_SEARCH] = "priced per search unit, not by token",
	[MISS_VIDEO] = "priced per second of video, not by token",
	[MISS_SPEECH] = "priced by the token of text or of speech, and no record says how many are of which",
	[MISS_UNIT] = "not priced by token",
	[MISS_UNCOUNTED] = "billed by the unit, and no record tells how many: these are the calls",
	[MISS_PER_UNIT] =
		"billed by the unit (an image, a search unit, a second of video), and there is no rate for one; "
		"add unit and per_unit to a price file",
};

static const struct {
	struct str unit;
	enum price_miss miss;
} units[] = {
	{STR("image"), MISS_IMAGE},
	{STR("search unit"), MISS_SEARCH},
	{STR("second of video"), MISS_VIDEO},
	{STR("token of text or speech"), MISS_SPEECH},
};

const char *price_miss_text(enum price_miss miss)
{
	assert(miss >= 0 && miss < PRICE_MISSES);
	return miss_texts[miss];
}

static uint32_t hash_name(struct str s)
{
	uint32_t h = 2166136261u; // FNV-1a: names are short and few
	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h ^ h >> 15;
}

static uint32_t hash_place(struct str model, enum price_scope scope, enum price_tier tier)
{
	return hash_name(model) + (uint32_t)scope * 0x9e3779b1u + (uint32_t)tier * 0x85ebca6bu;
}

static bool is_of(const struct price_row *r, struct str model, enum price_scope scope, enum price_tier tier)
{
	return r->scope == scope && r->tier == tier && str_eq(r->model, model);
}

static struct span find_span(const struct catalogue *c, struct str model, enum price_scope scope,
                             enum price_tier tier)
{
	size_t i = hash_place(model, scope, tier) & c->mask;
	for (; c->slots[i].end; i = (i + 1) & c->mask)
		if (is_of(&c->rows.v[c->slots[i].first], model, scope, tier))
			return c->slots[i];
	return (struct span){0, 0};
}

static size_t span_end(const struct price_rows *rows, size_t first)
{
	const struct price_row *r = &rows->v[first];
	size_t end = first + 1;
	while (end < rows->n && is_of(&rows->v[end], r->model, r->scope, r->tier))
		end++;
	return end;
}

static void index_rows(struct catalogue *c)
{
	size_t spans = 0, size = 16;
	for (size_t i = 0; i < c->rows.n; i = span_end(&c->rows, i))
		spans++;
	while (size < spans * 2)
		size *= 2;
	c->slots = xcalloc(size, sizeof(*c->slots));
	c->mask = size - 1;
	for (size_t i = 0, end; i < c->rows.n; i = end) {
		const struct price_row *r = &c->rows.v[i];
		size_t at = hash_place(r->model, r->scope, r->tier) & c->mask;
		end = span_end(&c->rows, i);
		while (c->slots[at].end)
			at = (at + 1) & c->mask;
		c->slots[at] = (struct span){(uint32_t)i, (uint32_t)end};
	}
}

bool catalogue_parse(struct catalogue **ret, struct str text, const char *name, struct err *err)
{
	struct price_rows rows;
	if (!price_file_read(&rows, text, name, err))
		return false;
	struct catalogue *c = xcalloc(1, sizeof(*c));
	c->rows = rows;
	c->name = xstrdup(str_of(name));
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
	free(c->name);
	free(c);
}

const struct price_rows *catalogue_rows(const struct catalogue *c)
{
	return &c->rows;
}

// How specifically a row's region matches `region`: 3 by name, 2 by geography, 1 as every commercial Region,
// 0 not at all.
static int match_region(struct str row, struct str region, struct str geography)
{
	if (!row.len)
		return region_is_commercial(region);
	if (row.p[row.len - 1] != '*')
		return str_eq(row, region) ? 3 : 0;
	return str_eq((struct str){row.p, row.len - 2}, geography) ? 2 : 0;
}

// The same for region, profile and account together: a row of one account is more specific than one of a
// profile, and that more than one of a region.
static int match_place(const struct price_row *row, const struct price_query *q, struct str profile,
                       struct str geography)
{
	enum { PROFILE = 4, ACCOUNT = 8 };
	if (row->account.len && !str_eq(row->account, q->account))
		return 0;
	if (row->profile.len && !str_eq(row->profile, profile))
		return 0;
	int match = match_region(row->region, q->region, geography);
	return match ? match + (row->profile.len ? PROFILE : 0) + (row->account.len ? ACCOUNT : 0) : 0;
}

// The longest prompt that the row applies to: up to the next band of the same place.
static int64_t prompt_max(const struct catalogue *c, const struct price_row *row, int64_t time_ms)
{
	// of one place the rows are adjacent, short prompts first
	for (const struct price_row *r = row + 1, *end = c->rows.v + c->rows.n;
	     r < end && price_row_same_place(r, row); r++)
		if (r->prompt_over > row->prompt_over && price_row_in_force(r, time_ms))
			return r->prompt_over;
	return INT64_MAX;
}

// The name by which an id is looked up. An endpoint, a router or a custom model with the name of a foundation
// model is not that model.
static struct str lookup_name(const struct model_id *id)
{
	struct str name = model_id_name(id);
	return id->kind != MODEL_NAMED && name.len && memchr(name.p, '.', name.len) ? STR_NONE : name;
}

static enum price_miss miss_of_tier(enum price_tier tier)
{
	return tier == TIER_RESERVED ? MISS_RESERVED : tier == TIER_UNKNOWN ? MISS_TIER_UNKNOWN : MISS_TIER;
}

// How far a search came for a model of which no row has the scope and the tier.
static enum price_miss miss_of_place(const struct catalogue *c, struct str model, enum price_scope scope,
                                     enum price_tier tier)
{
	enum price_miss miss = MISS_MODEL;
	for (int s = 0; s < PRICE_SCOPES; s++)
		for (int t = 0; t < PRICE_TIERS; t++)
			if (find_span(c, model, (enum price_scope)s, (enum price_tier)t).end) {
				enum price_miss came = s == (int)scope ? miss_of_tier(tier) : MISS_SCOPE;
				miss = came > miss ? came : miss;
			}
	return miss;
}

// The most specific row of the model in force, in the band of the prompt. NULL: *ret_miss says how far the
// search came.
static const struct price_row *find_row(const struct catalogue *c, const struct model_id *id,
                                        const struct price_query *q, enum price_miss *ret_miss)
{
	struct str model = lookup_name(id), geography = region_geography(q->region);
	struct span span = find_span(c, model, id->scope, q->tier);
	const struct price_row *best = NULL;
	int best_match = 0;
	*ret_miss = span.end ? MISS_REGION : miss_of_place(c, model, id->scope, q->tier);
	for (size_t i = span.first; i < span.end; i++) {
		const struct price_row *row = &c->rows.v[i];
		int match = match_place(row, q, model_id_profile(id), geography);
		if (match)
			*ret_miss = MISS_TIME;
		if (!match || !price_row_in_force(row, q->time_ms) ||
		    (row->prompt_over && row->prompt_over >= q->prompt_tokens))
			continue;
		if (match > best_match || (match == best_match && row->prompt_over > best->prompt_over)) {
			best_match = match;
			best = row;
		}
	}
	return best;
}

static enum price_miss miss_of_kind(enum model_id_kind kind)
{
	switch (kind) {
	case MODEL_NAMED: return MISS_MODEL;
	case MODEL_APPLICATION:
	case MODEL_OPAQUE: return MISS_OPAQUE;
	case MODEL_PROVISIONED: return MISS_PROVISIONED;
	case MODEL_CUSTOM: return MISS_CUSTOM;
	case MODEL_INDIRECT: return MISS_INDIRECT;
	case MODEL_ENDPOINT: return MISS_ENDPOINT;
	case MODEL_AGENT: return MISS_AGENT;
	case MODEL_OTHERS: return MISS_OTHERS;
	}
	assert(!"a kind of model id without a reason");
	return MISS_MODEL;
}

static enum price_miss miss_of_unit(struct str unit)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (str_eq(unit, units[i].unit))
			return units[i].miss;
	return unit.len ? MISS_UNIT : MISS_TYPE;
}

enum price_miss catalogue_find(const struct catalogue *c, const struct price_query *q, struct rate *ret)
{
	struct model_id id;
	enum price_miss miss;
	assert(q->type >= 0 && q->type < TOKEN_TYPES && q->tier >= 0 && q->tier < PRICE_TIERS);
	model_id_read(&id, q->model);
	const struct price_row *row = find_row(c, &id, q, &miss);
	if (!row && id.kind != MODEL_NAMED) {
		// Provisioned throughput and custom models have a foundation model too, but not its rate.
		bool profile = id.kind == MODEL_APPLICATION || id.kind == MODEL_OPAQUE || id.kind == MODEL_INDIRECT;
		miss = miss == MISS_MODEL ? miss_of_kind(id.kind) : miss;
		if (profile && q->foundation.len) {
			model_id_read(&id, q->foundation);
			row = find_row(c, &id, q, &miss);
			if (!row && id.kind != MODEL_NAMED)
				miss = miss_of_kind(id.kind);
		}
	}
	if (!row)
		return miss;
	int64_t rate = q->per_unit ? row->per_unit : row->rate[q->type];
	if (rate == RATE_UNKNOWN)
		return q->per_unit ? MISS_PER_UNIT : miss_of_unit(row->unit);
	assert(rate >= 0);
	*ret = (struct rate){.pico_per_token = rate,
	                     .unit = row->unit,
	                     .from_ms = row->from_ms,
	                     .to_ms = row->to_ms,
	                     .prompt_over = row->prompt_over,
	                     .prompt_max = prompt_max(c, row, q->time_ms),
	                     .source = row->source,
	                     .file = c->name,
	                     .line = row->line,
	                     .lowest_pico = rate,
	                     .highest_pico = rate,
	                     .list_pico = rate};
	return MISS_NONE;
}
