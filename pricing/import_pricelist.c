// SPDX-License-Identifier: Apache-2.0
// A product of the list is one rate. Its usage type says the token type, the scope and the tier; its unit
// says whether the price is for a thousand or a million tokens; its model is in the usage type or, for
// products of the Marketplace, in the product's name only.
//
// A wrong unit is a factor of 1000, so the unit and the grammar of the usage type must agree. A product that
// is not certain (its unit, its name, a second rate for the same tokens) goes to the notes and not into the
// file.
#include "pricing/import_pricelist.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/text.h"
#include "base/when.h"
#include "pricing/price_file.h"
#include "pricing/usage_type.h"

// Products sold through the Marketplace, by their name without " (Amazon Bedrock Edition)".
static const struct {
	struct str product, model;
} products[] = {
	{STR("Claude 3 Haiku"), STR("anthropic.claude-3-haiku")},
	{STR("Claude 3.5 Haiku"), STR("anthropic.claude-3-5-haiku")},
	{STR("Claude 3.5 Sonnet"), STR("anthropic.claude-3-5-sonnet")},
	{STR("Claude 3.5 Sonnet v2"), STR("anthropic.claude-3-5-sonnet-v2")},
	{STR("Claude 3.7 Sonnet"), STR("anthropic.claude-3-7-sonnet")},
	{STR("Claude Sonnet 4"), STR("anthropic.claude-sonnet-4")},
	{STR("Claude Sonnet 4.5"), STR("anthropic.claude-sonnet-4-5")},
	{STR("Claude Sonnet 4.6"), STR("anthropic.claude-sonnet-4-6")},
	{STR("Claude Sonnet 5"), STR("anthropic.claude-sonnet-5")},
	{STR("Claude Sonnet 5.5"), STR("anthropic.claude-sonnet-5-5")},
	{STR("Claude Haiku 4.5"), STR("anthropic.claude-haiku-4-5")},
	{STR("Claude Haiku 5.5"), STR("anthropic.claude-haiku-5-5")},
	{STR("Claude Opus 4"), STR("anthropic.claude-opus-4")},
	{STR("Claude Opus 4.1"), STR("anthropic.claude-opus-4-1")},
	{STR("Claude Opus 4.5"), STR("anthropic.claude-opus-4-5")},
	{STR("Claude Opus 4.6"), STR("anthropic.claude-opus-4-6")},
	{STR("Claude Opus 4.7"), STR("anthropic.claude-opus-4-7")},
	{STR("Claude Opus 4.8"), STR("anthropic.claude-opus-4-8")},
	{STR("Claude Opus 5"), STR("anthropic.claude-opus-5")},
	{STR("Claude Opus 5.5"), STR("anthropic.claude-opus-5-5")},
	{STR("Claude Fable 5"), STR("anthropic.claude-fable-5")},
	{STR("Claude Fable 5.1"), STR("anthropic.claude-fable-5-1")},
};

struct listed_row {
	struct price_row row;
	bool conflict[TOKEN_TYPES]; // the list has two rates
};

struct import {
	struct listed_row *rows;
	size_t n, cap;
	struct map index; // of the rows, by place and date: a list has tens of thousands of products
	struct pricelist_counts counts;
	struct buf *notes;
	const struct price_names *names;
	json_t **texts; // parsed entries of PriceList: the rows point into them
	size_t ntexts;
};

static struct str get_text(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);
	return json_is_string(v) ? (struct str){json_string_value(v), json_string_length(v)} : STR_NONE;
}

static void leave_out(struct import *im, struct str usage, struct str product, const char *why)
{
	im->counts.unknown++;
	buf_addf(im->notes, "%.*s of \"%.*s\": %s\n", STR_ARG(usage), STR_ARG(product), why);
}

static struct str find_model(const struct import *im, const struct usage_type *u, struct str product)
{
	struct str name = u->model_written.len ? u->model_written : price_name_bare(product),
			   said = price_names_find(im->names, name);
	if (said.len || u->model_written.len)
		return said.len ? said : u->model;
	for (size_t i = 0; i < sizeof(products) / sizeof(*products); i++)
		if (str_eq(name, products[i].product))
			return products[i].model;
	return STR_NONE;
}

static int32_t tokens_of_unit(struct str unit)
{
	if (str_is(unit, "1K tokens"))
		return 1000;
	return str_is(unit, "Units") || str_is(unit, "1M tokens") ? 1000000 : 0;
}

static struct listed_row *find_or_add_row(struct import *im, const struct price_row *key)
{
	const int64_t numbers[] = {key->scope, key->tier, key->prompt_over, key->from_ms};
	uint64_t h = hash64_seeded(key->model.p, key->model.len, hash64(numbers, sizeof numbers));
	bool added;
	int32_t *at =
		map_add(&im->index, hash64_seeded(key->region.p, key->region.len, h), (int32_t)im->n, &added);
	if (!added)
		return &im->rows[*at];
	if (im->n == im->cap) {
		im->cap = im->cap ? im->cap * 2 : 64;
		im->rows = xrealloc(im->rows, im->cap, sizeof(*im->rows));
	}
	struct listed_row *r = &im->rows[im->n++];
	*r = (struct listed_row){.row = *key};
	for (int t = 0; t < TOKEN_TYPES; t++)
		r->row.rate[t] = RATE_UNKNOWN;
	return r;
}

// The one price of a product; NULL if there is none, or several by quantity.
static const json_t *only_child(const json_t *object)
{
	json_t *o = (json_t *)(uintptr_t)object;
	return json_object_size(o) == 1 ? json_object_iter_value(json_object_iter(o)) : NULL;
}

// The prompt length beyond which a model costs more, from the built-in catalogue: the list has only the
// rates. 0: none.
static int64_t find_prompt_limit(const struct price_row *key)
{
	char id[MODEL_NAME_MAX + 16];
	int n =
		snprintf(id, sizeof id, "%s%.*s", key->scope == SCOPE_GLOBAL ? "global." : "", STR_ARG(key->model));
	struct price_query q = {
		.model = {id, n < (int)sizeof id ? (size_t)n : 0}, .region = key->region, .time_ms = key->from_ms};
	struct rate rate;
	return catalogue_find(catalogue_builtin(), &q, &rate) == MISS_NONE && rate.prompt_max != INT64_MAX
	           ? rate.prompt_max
	           : 0;
}

static void read_product(struct import *im, const json_t *attributes, const json_t *terms)
{
	struct str usage = get_text(attributes, "usagetype"), product = get_text(attributes, "servicename");
	const json_t *term = only_child(terms), *price = only_child(json_object_get(term, "priceDimensions"));
	struct usage_type u;
	struct price_row key = {.region = get_text(attributes, "regionCode"),
	                        .to_ms = INT64_MAX,
	                        .per_unit = RATE_UNKNOWN,
	                        .source = "AWS price list"};
	struct usd usd;
	const char *why;
	im->counts.products++;
	if (!usage_type_read(&u, usage, &why)) {
		leave_out(im, usage, product, why);
		return;
	}
	if (u.kind != USAGE_TOKENS || u.custom || u.modality != MODALITY_TEXT) {
		im->counts.other++;
		return;
	}
	key.model = find_model(im, &u, product);
	key.scope = u.scope;
	key.tier = u.tier;
	if (!key.model.len)
		leave_out(im, usage, product, PRICELIST_UNKNOWN_MODEL);
	else if (!key.region.len || (u.region.len && !str_eq(u.region, key.region)))
		leave_out(im, usage, product, "its regionCode is missing or contradicts the usage type");
	else if (!price || !usd_parse(get_text(json_object_get(price, "pricePerUnit"), "USD"), &usd) ||
	         usd.pico < 0)
		leave_out(im, usage, product, "it has no single price in USD");
	else if (tokens_of_unit(get_text(price, "unit")) != u.tokens_per_unit)
		leave_out(im, usage, product, "its unit contradicts the usage type");
	else if (!when_parse(get_text(term, "effectiveDate"), &key.from_ms) || key.from_ms % MS_PER_HOUR)
		leave_out(im, usage, product, "its effectiveDate is not a whole hour");
	else if (u.long_prompt && !(key.prompt_over = find_prompt_limit(&key)))
		leave_out(im, usage, product,
		          "a rate of long prompts, but the prompt length from which it applies is not known");
	else if (usd.pico % u.tokens_per_unit || usd.pico / u.tokens_per_unit > INT64_MAX)
		leave_out(im, usage, product, "its price is not a multiple of $0.000001 per million tokens");
	else {
		struct listed_row *r = find_or_add_row(im, &key);
		int64_t rate = (int64_t)(usd.pico / u.tokens_per_unit);
		if (r->row.rate[u.type] != RATE_UNKNOWN && r->row.rate[u.type] != rate) {
			r->conflict[u.type] = true;
			leave_out(im, usage, product, "a second rate for the same tokens: neither is used");
			return;
		}
		r->row.rate[u.type] = rate;
		im->counts.rates++;
	}
}

// {"PriceList": [...]}: each entry is a product with its terms, usually as JSON in a string.
static bool read_query_answer(struct import *im, const json_t *list, struct err *err)
{
	size_t n = json_array_size(list);
	im->texts = xcalloc(n ? n : 1, sizeof(*im->texts));
	for (size_t i = 0; i < n; i++) {
		json_t *entry = json_array_get(list, i);
		entry = json_is_string(entry) ? json_loadb(json_string_value(entry), json_string_length(entry),
		                                           JSON_REJECT_DUPLICATES, NULL)
		                              : json_incref(entry);
		im->texts[im->ntexts++] = entry;
		const json_t *terms = only_child(json_object_get(entry, "terms"));
		if (!json_is_object(entry))
			return err_set(err, ERR_CONFIG, "entry %zu of PriceList is not a JSON object, or has a key twice",
			               i);
		read_product(im, json_object_get(json_object_get(entry, "product"), "attributes"), terms);
	}
	return true;
}

static void read_offer(struct import *im, const json_t *root)
{
	const json_t *on_demand = json_object_get(json_object_get(root, "terms"), "OnDemand");
	const char *sku;
	json_t *product;
	json_object_foreach((json_t *)(uintptr_t)json_object_get(root, "products"), sku, product)
		read_product(im, json_object_get(product, "attributes"), json_object_get(on_demand, sku));
}

static int compare_rows(const void *pa, const void *pb)
{
	const struct price_row *a = &((const struct listed_row *)pa)->row;
	const struct price_row *b = &((const struct listed_row *)pb)->row;
	int c = price_row_compare_place(a, b);
	return c ? c : (a->from_ms > b->from_ms) - (a->from_ms < b->from_ms);
}

// Writes the sorted rows. Of two effective dates the earlier rate ends where the later begins.
static void write_rows(struct import *im, struct buf *csv)
{
	price_file_write_head(csv);
	for (size_t i = 0; i < im->n; i++) {
		struct listed_row *r = &im->rows[i];
		struct price_row *next = i + 1 < im->n ? &im->rows[i + 1].row : NULL, out = r->row;
		if (next && price_row_compare_place(next, &r->row) != 0)
			next = NULL;
		if (next)
			out.to_ms = next->from_ms;
		for (int t = 0; t < TOKEN_TYPES; t++) {
			if (r->conflict[t])
				out.rate[t] = RATE_UNKNOWN;
			else if (next && next->rate[t] == RATE_UNKNOWN)
				next->rate[t] = out.rate[t]; // each rate has its own date: this one does not change yet
		}
		price_file_write_row(csv, &out);
	}
}

bool pricelist_import(struct buf *csv, struct buf *notes, struct pricelist_counts *ret_counts,
                      struct str json, const struct price_names *names, struct err *err)
{
	struct buf own_notes = BUF_INIT;
	struct import im = {.notes = &own_notes, .names = names};
	json_error_t at;
	json_t *root = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES, &at);
	const json_t *answer = json_object_get(root, "PriceList");
	bool good = true;
	if (!root)
		good = err_set(err, ERR_CONFIG, "line %d: not JSON: %s", at.line, at.text);
	else if (json_is_array(answer))
		good = read_query_answer(&im, answer, err);
	else if (json_is_object(json_object_get(root, "products")))
		read_offer(&im, root);
	else
		good = err_set(
			err, ERR_CONFIG,
			"expected an AWS price list: an object with \"products\" and \"terms\", or with \"PriceList\"");
	if (good) {
		if (im.n)
			qsort(im.rows, im.n, sizeof(*im.rows), compare_rows);
		write_rows(&im, csv);
		text_make_plain_lines(own_notes.data, own_notes.len);
		buf_addstr(notes, buf_str(&own_notes));
		*ret_counts = im.counts;
	}
	for (size_t i = 0; i < im.ntexts; i++)
		json_decref(im.texts[i]);
	free(im.texts);
	free(im.rows);
	map_release(&im.index);
	buf_release(&own_notes);
	json_decref(root);
	return good;
}
