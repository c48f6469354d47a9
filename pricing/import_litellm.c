// SPDX-License-Identifier: Apache-2.0
// An entry is a model and how it is called: directly, through a profile, or in a Region. All entries of a
// model together give its rows: one for every Region, and those that differ from it.
//
// Known errors of the table, and how each is treated:
//   plain ids and profiles of one geography have the global rate       Claude from 4.5: 1.1 x global
//   rates of 1-hour cache writes are missing                           twice the input rate
//   Nova's cache reads are missing, its cache writes too               a quarter of the input rate; free
//   a surcharge on prompts over 200,000 tokens for models without it   used for the two models that have it
//   $0 for an unknown price                                            left out: unpriced is not free
//   one price for images that are priced by size and quality           left out: no price
//   single mistakes                                                    left out, by name (table below)
//
// Its rates are JSON numbers such as 1.1e-06. They are put into quotes before parsing: a parser would make
// them binary fractions, which cannot hold a decimal price.
#include "pricing/import_litellm.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "base/usd.h"
#include "base/when.h"
#include "pricing/price_file.h"

enum { LONG_PROMPT = 200000 };

static const struct {
	const char *key, *why;
} wrong_entries[] = {
	{"bedrock/moonshotai.kimi-k2-thinking", "a Region's rate without its Region"},
	{"bedrock/moonshotai.kimi-k2.5", "disagrees with the model's own entry by a digit"},
	{"bedrock/us-gov-east-1/amazon.titan-embed-text-v2:0", "ten times the commercial rate"},
	{"bedrock/us-gov-west-1/amazon.titan-embed-text-v2:0", "ten times the commercial rate"},
	{"bedrock/us-gov-east-1/meta.llama3-8b-instruct-v1:0",
     "its output rate is the input rate of the 70B model"},
	{"bedrock/us-gov-west-1/meta.llama3-8b-instruct-v1:0",
     "its output rate is the input rate of the 70B model"},
	{"anthropic.claude-3-7-sonnet-20240620-v1:0", "a date no model has, at the GovCloud rate"},
	{"eu.anthropic.claude-3-5-haiku-20241022-v1:0", "at the rate of Claude 3 Haiku"},
};

// Models whose rates differ from Bedrock's pricing page.
static const struct {
	struct str model;
	const char *why;
} stale_models[] = {
	{STR("meta.llama3-1-405b-instruct"), "the pricing page has a lower rate"},
	{STR("meta.llama3-1-70b-instruct"), "the pricing page has a lower rate"},
	{STR("meta.llama3-2-11b-instruct"), "the pricing page has a lower rate"},
	{STR("meta.llama3-2-90b-instruct"), "the pricing page has a lower rate"},
	{STR("qwen.qwen3-coder-480b-a35b"), "the pricing page has another rate"},
	{STR("openai.gpt-oss-20b"), "the pricing page has another rate"},
	{STR("anthropic.claude-3-5-sonnet-v2"), "more expensive since its extended access began"},
};

// Models whose images are priced by size and quality: the one price of an entry would be a guess.
static const struct str priced_by_size[] = {STR("amazon.nova-canvas"), STR("amazon.titan-image-generator"),
                                     STR("stability.stable-diffusion-xl")};

struct entry {
	const char *key;
	struct str region, profile; // at most one of them
	struct model_id id;
	bool mantle;
	const json_t *value;
	struct str unit;
	int64_t per_unit;
	int64_t rate[TOKEN_TYPES];
};

struct table {
	struct entry *v;
	size_t n;
	struct litellm_counts counts;
	struct buf *notes, *csv;
	int64_t from_ms;
	const char *source;
};

// ---- reading an entry ---------------------------------------------------------------------------

static void quote_numbers(struct str json, struct buf *out)
{
	bool in_text = false;
	for (size_t i = 0; i < json.len; i++) {
		char c = json.p[i];
		if (!in_text && (c == '-' || (c >= '0' && c <= '9'))) {
			size_t end = i;
			while (end < json.len && memchr("+-.eE0123456789", json.p[end], 15))
				end++;
			buf_addf(out, "\"%.*s\"", (int)(end - i), json.p + i);
			i = end - 1;
			continue;
		}
		buf_addc(out, c);
		if (in_text && c == '\\' && i + 1 < json.len)
			buf_addc(out, json.p[++i]);
		else if (c == '"')
			in_text = !in_text;
	}
}

// A rate is limited so that rates derived from it do not overflow; the reader of the price file refuses it
// anyway.
#define FIGURE_MAX (INT64_MAX / 4)

static int64_t read_figure(const json_t *value, const char *field)
{
	int64_t pico;
	const char *text = json_string_value(json_object_get(value, field));
	if (!text || !usd_parse_scaled(str_of(text), 12, &pico) || pico < 0)
		return RATE_UNKNOWN;
	return pico < FIGURE_MAX ? pico : FIGURE_MAX;
}

static bool mode_is(const json_t *value, const char *mode)
{
	const char *text = json_string_value(json_object_get(value, "mode"));
	return text && strcmp(text, mode) == 0;
}

static void read_unit(struct entry *e)
{
	e->per_unit = RATE_UNKNOWN;
	if (mode_is(e->value, "image_generation") || mode_is(e->value, "image_edit")) {
		e->unit = STR("image");
		e->per_unit = read_figure(e->value, "output_cost_per_image");
	} else if (mode_is(e->value, "rerank")) {
		e->unit = STR("search unit");
		e->per_unit = read_figure(e->value, "input_cost_per_query");
	} else if (str_starts(model_id_name(&e->id), STR("twelvelabs."))) {
		e->unit = STR("second of video");
		e->per_unit = read_figure(e->value, "input_cost_per_video_per_second");
	}
	for (size_t i = 0; i < sizeof priced_by_size / sizeof *priced_by_size; i++)
		if (str_starts(model_id_name(&e->id), priced_by_size[i]))
			e->per_unit = RATE_UNKNOWN;
}

static void read_rates(struct entry *e, const char *suffix, int64_t *ret)
{
	static const char *const fields[TOKEN_TYPES] = {
		"input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost",
		"cache_creation_input_token_cost", "cache_creation_input_token_cost_above_1hr"};
	char name[96];
	for (int t = 0; t < TOKEN_TYPES; t++) {
		snprintf(name, sizeof name, "%s%s", fields[t], suffix);
		ret[t] = read_figure(e->value, name);
	}
}

// "bedrock/REGION/ID", "bedrock_mantle/ID", "SIZE/STEPS/ID", "PROFILE.ID"
static void read_key(struct entry *e)
{
	static const struct str profiles[] = {STR("global"), STR("us-gov"), STR("us"), STR("eu"),  STR("apac"),
	                                      STR("jp"),     STR("au"),     STR("ca"), STR("amer")};
	struct str rest = str_of(e->key), id = str_after_last(rest, '/'), first = str_cut(&rest, '/');
	struct buf claude = BUF_INIT;
	e->mantle = str_is(first, "bedrock_mantle");
	if (str_is(first, "bedrock") && rest.len && memchr(rest.p, '/', rest.len)) {
		e->region = str_cut(&rest, '/');
		if (!e->region.len || !memchr(e->region.p, '-', e->region.len))
			e->region = STR_NONE; // "*", "invoke"
	}
	for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
		if (str_starts(id, profiles[i]) && id.len > profiles[i].len && id.p[profiles[i].len] == '.') {
			e->profile = profiles[i];
			break;
		}
	if (str_starts(id, STR("claude-")))
		buf_addf(&claude, "anthropic.");
	buf_addstr(&claude, id);
	model_id_read(&e->id, buf_str(&claude));
	buf_release(&claude);
}

static bool has_rate(const int64_t *rate)
{
	for (int t = 0; t < TOKEN_TYPES; t++)
		if (rate[t] > 0)
			return true;
	return false;
}

static void leave_out(struct table *t, const char *key, const char *why)
{
	t->counts.left_out++;
	if (why)
		buf_addf(t->notes, "%s: %s\n", key, why);
}

static const char *why_left_out(const struct entry *e)
{
	for (size_t i = 0; i < sizeof wrong_entries / sizeof *wrong_entries; i++)
		if (strcmp(e->key, wrong_entries[i].key) == 0)
			return wrong_entries[i].why;
	for (size_t i = 0; i < sizeof stale_models / sizeof *stale_models; i++)
		if (str_eq(model_id_name(&e->id), stale_models[i].model))
			return stale_models[i].why;
	return NULL;
}

static void add_entry(struct table *t, const char *key, const json_t *value)
{
	struct entry e = {.key = key, .value = value};
	const char *provider = json_string_value(json_object_get(value, "litellm_provider"));
	if (!provider || strncmp(provider, "bedrock", 7) != 0 || strstr(key, "-commitment/")) {
		t->counts.other++;
		return;
	}
	t->counts.entries++;
	read_key(&e);
	read_unit(&e);
	read_rates(&e, "", e.rate);
	if (e.unit.len && !mode_is(value, "chat"))
		for (int k = 0; k < TOKEN_TYPES; k++)
			e.rate[k] = RATE_UNKNOWN;
	const char *why = why_left_out(&e);
	bool no_input = mode_is(value, "chat") && e.rate[TOKEN_INPUT] <= 0;
	if (why || (!e.unit.len && (!has_rate(e.rate) || no_input)) || e.id.kind != MODEL_NAMED)
		leave_out(t, key, why);
	else
		t->v[t->n++] = e;
}

// ---- writing the rows of a model ----------------------------------------------------------------

// Claude from 4.5: costs a tenth more outside global profiles, and has one-hour cache writes.
static bool has_premium(struct str model)
{
	struct str rest = model, prefix = STR("anthropic.claude-");
	int64_t major, minor = 0;
	if (!str_starts(model, prefix))
		return false;
	rest = (struct str){model.p + prefix.len, model.len - prefix.len};
	struct str family = str_cut(&rest, '-'), first = str_cut(&rest, '-');
	if (!family.len || (family.p[0] >= '0' && family.p[0] <= '9') || !usd_parse_scaled(first, 0, &major))
		return false;
	return (!rest.len || usd_parse_scaled(rest, 0, &minor)) && (major > 4 || (major == 4 && minor >= 5));
}

// Adds rates that follow from known ones by a rule of the price list.
static void add_derived_rates(struct str model, int64_t *rate)
{
	bool has_input = rate[TOKEN_INPUT] != RATE_UNKNOWN;
	if (str_starts(model, STR("amazon.nova-")) && rate[TOKEN_OUTPUT] > 0) {
		if (has_input && rate[TOKEN_CACHE_READ] == RATE_UNKNOWN && !memmem(model.p, model.len, "-2-", 3))
			rate[TOKEN_CACHE_READ] = rate[TOKEN_INPUT] / 4;
		if (rate[TOKEN_CACHE_READ] != RATE_UNKNOWN)
			rate[TOKEN_CACHE_WRITE_5M] = rate[TOKEN_CACHE_WRITE_1H] = 0;
	}
	if (has_input && has_premium(model) && rate[TOKEN_CACHE_WRITE_1H] == RATE_UNKNOWN)
		rate[TOKEN_CACHE_WRITE_1H] = rate[TOKEN_INPUT] * 2;
}

static void write_scope(struct table *t, const struct entry *e, enum price_scope scope, struct str region,
                        const int64_t *rate, struct price_row row)
{
	assert(e->id.kind == MODEL_NAMED && t->from_ms % MS_PER_HOUR == 0);
	row.model = model_id_name(&e->id);
	row.scope = scope;
	row.region = region;
	row.from_ms = t->from_ms;
	row.to_ms = INT64_MAX;
	row.source = t->source;
	row.per_unit = RATE_UNKNOWN;
	if (!row.prompt_over && row.tier == TIER_STANDARD) {
		row.unit = e->unit;
		row.per_unit = e->per_unit;
	}
	for (int k = 0; k < TOKEN_TYPES; k++)
		row.rate[k] = rate[k];
	add_derived_rates(row.model, row.rate);
	price_file_write_row(t->csv, &row);
	t->counts.rows++;
}

// Writes `percent` of the entry's rates, and of its bands and batches. Only two models really have bands.
static void write_entry(struct table *t, struct entry *e, enum price_scope scope, struct str region,
                        int percent)
{
	static const char *const suffixes[] = {"", "_above_200k_tokens", "_batches"};
	bool long_prompts = str_is(model_id_name(&e->id), "anthropic.claude-sonnet-4") ||
	                    str_is(model_id_name(&e->id), "anthropic.claude-sonnet-4-5");
	for (int i = 0; i < 3; i++) {
		int64_t rate[TOKEN_TYPES];
		read_rates(e, suffixes[i], rate);
		for (int k = 0; k < TOKEN_TYPES; k++) {
			rate[k] = i == 0 ? e->rate[k] : rate[k];
			if (rate[k] != RATE_UNKNOWN)
				rate[k] = (int64_t)usd_muldiv((struct usd){rate[k]}, percent, 100).pico;
		}
		if (i == 0 || (has_rate(rate) && (i == 2 || long_prompts)))
			write_scope(t, e, scope, region, rate,
			            (struct price_row){.prompt_over = i == 1 ? LONG_PROMPT : 0,
			                               .tier = i == 2 ? TIER_BATCH : TIER_STANDARD});
	}
}

static struct str geography_of(struct str profile)
{
	static const struct {
		struct str profile, region;
	} geographies[] = {{STR("us"), STR("us-*")},
	                   {STR("eu"), STR("eu-*")},
	                   {STR("apac"), STR("ap-*")},
	                   {STR("us-gov"), STR("us-gov-*")}};
	for (size_t i = 0; i < sizeof geographies / sizeof *geographies; i++)
		if (str_eq(profile, geographies[i].profile))
			return geographies[i].region;
	return STR_NONE;
}

static bool same_rates(const struct entry *a, const struct entry *b)
{
	return memcmp(a->rate, b->rate, sizeof a->rate) == 0 && a->per_unit == b->per_unit;
}

// Whether an entry has no place, so that its rates apply everywhere.
static bool is_everywhere(const struct entry *e)
{
	return !e->region.len && (!e->profile.len || str_is(e->profile, "global"));
}

// Whether an entry of the same place comes before it: the first one is used.
static bool is_repeated(const struct entry *first, const struct entry *e)
{
	for (; first < e; first++)
		if (str_eq(first->region, e->region) && str_eq(first->profile, e->profile))
			return true;
	return false;
}

static void write_places(struct table *t, struct entry *first, struct entry *end, const struct entry *base,
                         const struct entry *regional)
{
	bool claude = str_starts(model_id_name(&first->id), STR("anthropic.claude-"));
	for (struct entry *e = first; e < end; e++) {
		struct str geography = geography_of(e->profile);
		bool gov = str_is(e->profile, "us-gov") || str_starts(e->region, STR("us-gov-"));
		if (is_everywhere(e) || e == base || is_repeated(first, e))
			continue;
		if (e->region.len && (gov || !regional || !same_rates(e, regional)))
			write_entry(t, e, SCOPE_REGIONAL, e->region, 100);
		else if (geography.len && (gov || (!claude && (!regional || !same_rates(e, regional)))))
			write_entry(t, e, SCOPE_REGIONAL, geography, 100);
	}
}

static void write_model(struct table *t, struct entry *first, struct entry *end)
{
	struct str model = model_id_name(&first->id), where = STR("");
	struct entry *base = NULL, *us = NULL;
	bool alike = true;
	for (struct entry *e = first; e < end; e++) {
		if (is_everywhere(e) && !base)
			base = e;
		if (e->profile.len && !is_everywhere(e)) {
			us = !us || (str_is(e->profile, "us") && !str_is(us->profile, "us")) ? e : us;
			alike = alike && same_rates(e, us);
		}
	}
	struct entry *regional = base;
	if (base && has_premium(model)) {
		write_entry(t, base, SCOPE_GLOBAL, where, 100);
		write_entry(t, base, SCOPE_REGIONAL, where, 110);
	} else if (base && str_is(model, "amazon.nova-2-lite") && us) {
		regional = us;
		write_entry(t, base, SCOPE_GLOBAL, where, 100);
		write_entry(t, us, SCOPE_REGIONAL, where, 100);
	} else if (base || us) {
		size_t profiles = (size_t)(end - first);
		if (!base) {
			regional = base = us;
			where = alike && profiles > 1 ? where : geography_of(us->profile);
		}
		if (!base->mantle) // bedrock-mantle has no global profiles
			write_entry(t, base, SCOPE_GLOBAL, where, 100);
		write_entry(t, base, SCOPE_REGIONAL, where, 100);
	}
	write_places(t, first, end, base, regional);
}

// ---- the table ----------------------------------------------------------------------------------

// Sorts by model; of one model, plain ids first, so that the first entry that fits is used.
static int compare_entries(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;
	int c = str_cmp(model_id_name(&a->id), model_id_name(&b->id));
	if (!c)
		c = (int)a->mantle - (int)b->mantle;
	if (!c)
		c = (a->profile.len > 0) - (b->profile.len > 0);
	if (!c)
		c = (strchr(a->key, '/') != NULL) - (strchr(b->key, '/') != NULL);
	return c ? c : strcmp(a->key, b->key);
}

bool litellm_import(struct buf *csv, struct buf *notes, struct litellm_counts *ret_counts, struct str json,
                    int64_t from_ms, const char *source, struct err *err)
{
	struct buf quoted = BUF_INIT;
	json_error_t at;
	quote_numbers(json, &quoted);
	json_t *root = json_loadb(quoted.len ? quoted.data : "", quoted.len, JSON_REJECT_DUPLICATES, &at), *value;
	buf_release(&quoted);
	if (!root)
		return err_set(err, ERR_CONFIG, "line %d: not JSON: %s", at.line, at.text);
	struct table t = {.v = xcalloc(json_object_size(root) + 1, sizeof *t.v),
	                  .csv = csv,
	                  .notes = notes,
	                  .from_ms = from_ms,
	                  .source = source};
	const char *key;
	json_object_foreach(root, key, value)
		add_entry(&t, key, value);
	bool good =
		t.n > 0 ||
		err_set(
			err, ERR_CONFIG,
			"expected LiteLLM's table, an object with one entry for each model; no entry of Bedrock has a price");
	if (good) {
		qsort(t.v, t.n, sizeof *t.v, compare_entries);
		price_file_write_head(csv);
		for (size_t i = 0, end; i < t.n; i = end) {
			for (end = i + 1; end < t.n && str_eq(model_id_name(&t.v[end].id), model_id_name(&t.v[i].id));)
				end++;
			write_model(&t, t.v + i, t.v + end);
		}
		text_make_plain_lines(notes->data, notes->len);
		*ret_counts = t.counts;
	}
	free(t.v);
	json_decref(root);
	return good;
}
