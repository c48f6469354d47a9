// SPDX-License-Identifier: Apache-2.0
// An entry is a model and how it is called: directly, through a profile, or in a Region. Each entry has rates
// of some tiers and lengths of prompts, and holds in some places (pricing/litellm_places_priv.h). Of the
// entries for one place the best known one is used.
//
// Known errors of the table, and how each is treated:
//   plain ids of some models have the global rate                      used for that; regional 1.1 x global
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
#include "pricing/litellm_places_priv.h"
#include "pricing/price_file.h"

// Entries that are wrong, by their key or by their model. `input`: only while they have this input rate, in
// USD per million tokens, since the table is corrected now and then; NULL: always.
static const struct {
	const char *key, *model, *input, *why;
} wrong_entries[] = {
	{"bedrock/moonshotai.kimi-k2-thinking", NULL, "0.73", "a Region's rate without its Region"},
	{"bedrock/us-gov-east-1/amazon.titan-embed-text-v2:0", NULL, "0.2", "ten times the commercial rate"},
	{"bedrock/us-gov-west-1/amazon.titan-embed-text-v2:0", NULL, "0.2", "ten times the commercial rate"},
	{"bedrock/us-gov-west-1/amazon.titan-embed-text-v2:0", NULL, "0.11",
     "four times the rate of the other GovCloud Region"},
	{"bedrock/us-gov-east-1/meta.llama3-8b-instruct-v1:0", NULL, NULL,
     "its output rate is the input rate of the 70B model"},
	{"anthropic.claude-3-7-sonnet-20240620-v1:0", NULL, NULL, "a date no model has, at the GovCloud rate"},
	{"eu.anthropic.claude-3-5-haiku-20241022-v1:0", NULL, "0.25", "at the rate of Claude 3 Haiku"},
	{NULL, "amazon.nova-2-pro-preview", "2.1875", "the rates of the priority tier"},
	{"amazon.titan-text-express-v1", NULL, "1.3", "AWS's price list has a lower rate"},
	{"amazon.titan-text-lite-v1", NULL, "0.3", "AWS's price list has a lower rate"},
	{NULL, "anthropic.claude-3-5-sonnet-v2", "3", "more expensive since its extended access began"},
	{NULL, "anthropic.claude-instant", "2.23", "AWS's price list has a lower rate"},
	{NULL, "anthropic.claude-instant", "2.48", "AWS's price list has a lower rate"},
	{NULL, "cohere.command-text-v14", "1.5", "AWS's price list has a lower rate"},
	{NULL, "meta.llama3-1-405b-instruct", "5.32", "the pricing page has a lower rate"},
	{NULL, "meta.llama3-1-70b-instruct", "0.99", "the pricing page has a lower rate"},
	{NULL, "meta.llama3-2-11b-instruct", "0.35", "the pricing page has a lower rate"},
	{NULL, "meta.llama3-2-90b-instruct", "2", "the pricing page has a lower rate"},
	{NULL, "mistral.mistral-large-2402", "8", "AWS's price list has half of it"},
	{NULL, "mistral.mistral-large-2402", "10.4", "AWS's price list has half of it"},
	{NULL, "mistral.mistral-large-2407", "3", "AWS's price list has a lower rate"},
	{NULL, "openai.gpt-oss-20b", "0.075", "the pricing page has another rate"},
	{NULL, "openai.gpt-oss-safeguard-20b", "0.075", "the pricing page has another rate"},
	{NULL, "qwen.qwen3-coder-480b-a35b", "0.22", "the pricing page has another rate"},
};

// Models whose images are priced by size and quality: the one price of an entry would be a guess.
static const struct str priced_by_size[] = {STR("amazon.nova-canvas"), STR("amazon.titan-image-generator"),
                                            STR("stability.stable-diffusion-xl")};

static const char *const fields[TOKEN_TYPES] = {
	"input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost",
	"cache_creation_input_token_cost", "cache_creation_input_token_cost_above_1hr"};

static const struct {
	const char *suffix;
	enum price_tier tier;
} tiers[] = {{"", TIER_STANDARD},
             {"_batches", TIER_BATCH},
             {"_flex", TIER_FLEX},
             {"_priority", TIER_PRIORITY},
             {"_ultrafast", TIER_ULTRAFAST}};

// Limits of prompts, in thousand tokens; 0: no limit.
static const int bands[] = {0, 100, 128, 200, 256, 272};

enum { TIERS = sizeof tiers / sizeof *tiers, BANDS = sizeof bands / sizeof *bands, FIELD_ROOM = 128 };

struct entry {
	const char *key;
	struct str region, profile; // at most one of them
	struct model_id id;
	bool mantle;
	const json_t *value;
	struct str unit;
	const char *unit_field;
	int64_t per_unit;
	bool by_token;
	int64_t rate[TOKEN_TYPES];
};

struct table {
	struct entry *v;
	size_t n;
	struct column {
		const char *name;
		size_t entries;
	} *columns; // that were not used
	size_t ncolumns;
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

static void set_unit(struct entry *e, struct str unit, const char *field)
{
	e->unit = unit;
	e->unit_field = field;
	e->per_unit = field ? read_figure(e->value, field) : RATE_UNKNOWN;
}

static void read_unit(struct entry *e)
{
	e->per_unit = RATE_UNKNOWN;
	if (mode_is(e->value, "image_generation") || mode_is(e->value, "image_edit"))
		set_unit(e, STR("image"), "output_cost_per_image");
	else if (mode_is(e->value, "rerank"))
		set_unit(e, STR("search unit"), "input_cost_per_query");
	else if (mode_is(e->value, "realtime"))
		set_unit(e, STR("token of text or speech"), NULL);
	else if (str_starts(model_id_name(&e->id), STR("twelvelabs.")))
		set_unit(e, STR("second of video"), "input_cost_per_video_per_second");
	for (size_t i = 0; i < sizeof priced_by_size / sizeof *priced_by_size; i++)
		if (str_starts(model_id_name(&e->id), priced_by_size[i]))
			e->per_unit = RATE_UNKNOWN;
	e->by_token = !e->unit.len || mode_is(e->value, "chat");
}

static char *field_name(int type, int band, const char *suffix, char *buf)
{
	int n = snprintf(buf, FIELD_ROOM, "%s", fields[type]);
	if (band)
		n += snprintf(buf + n, FIELD_ROOM - (size_t)n, "_above_%dk_tokens", band);
	snprintf(buf + n, FIELD_ROOM - (size_t)n, "%s", suffix);
	return buf;
}

static void read_rates(const struct entry *e, int band, const char *suffix, int64_t *ret)
{
	char name[FIELD_ROOM];
	for (int t = 0; t < TOKEN_TYPES; t++)
		ret[t] = e->by_token ? read_figure(e->value, field_name(t, band, suffix, name)) : RATE_UNKNOWN;
}

// "bedrock/REGION/ID", "bedrock_mantle/ID", "SIZE/STEPS/ID", "PROFILE.ID"
static void read_key(struct entry *e)
{
	struct str rest = str_of(e->key), id = str_after_last(rest, '/'), first = str_cut(&rest, '/');
	e->mantle = str_is(first, "bedrock_mantle");
	if (str_starts(first, STR("bedrock")) && rest.len && memchr(rest.p, '/', rest.len)) {
		e->region = str_cut(&rest, '/');
		if (!e->region.len || !memchr(e->region.p, '-', e->region.len))
			e->region = STR_NONE; // "*", "invoke"
	}
	model_id_read(&e->id, id);
	e->profile = model_id_cut_profile(&id);
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
	for (size_t i = 0; i < sizeof wrong_entries / sizeof *wrong_entries; i++) {
		int64_t input;
		bool same = wrong_entries[i].key ? strcmp(e->key, wrong_entries[i].key) == 0
		                                 : str_is(model_id_name(&e->id), wrong_entries[i].model);
		if (same && wrong_entries[i].input)
			same =
				usd_parse_scaled(str_of(wrong_entries[i].input), 6, &input) && input == e->rate[TOKEN_INPUT];
		if (same)
			return wrong_entries[i].why;
	}
	return NULL;
}

// Whether a column's figure is used if its entry is.
static bool is_used(const struct entry *e, const char *column)
{
	char name[FIELD_ROOM];
	if (strcmp(column, "litellm_provider") == 0 || strcmp(column, "mode") == 0)
		return true;
	if (e->unit_field && strcmp(column, e->unit_field) == 0)
		return e->per_unit != RATE_UNKNOWN;
	for (int t = 0; e->by_token && t < TOKEN_TYPES; t++)
		for (int b = 0; b < BANDS && strncmp(column, fields[t], strlen(fields[t])) == 0; b++)
			for (int i = 0; i < TIERS; i++)
				if (strcmp(column, field_name(t, bands[b], tiers[i].suffix, name)) == 0)
					return true;
	return false;
}

static void count_column(struct table *t, const char *name)
{
	size_t i = 0;
	while (i < t->ncolumns && strcmp(t->columns[i].name, name) != 0)
		i++;
	if (i == t->ncolumns) {
		t->columns = xrealloc(t->columns, t->ncolumns + 1, sizeof *t->columns);
		t->columns[t->ncolumns++] = (struct column){.name = name};
	}
	t->columns[i].entries++;
}

static void add_entry(struct table *t, const char *key, const json_t *value)
{
	struct entry e = {.key = key, .value = value};
	const char *provider = json_string_value(json_object_get(value, "litellm_provider"));
	const char *column;
	json_t *cell;
	// "Claude Platform on AWS" is another product
	if (!provider || strncmp(provider, "bedrock", 7) != 0 || strstr(key, "-commitment/") ||
	    strstr(key, "/claude_platform/")) {
		t->counts.other++;
		return;
	}
	t->counts.entries++;
	read_key(&e);
	read_unit(&e);
	read_rates(&e, 0, "", e.rate);
	json_object_foreach((json_t *)(uintptr_t)value, column, cell)
		if (!is_used(&e, column))
			count_column(t, column);
	const char *why = why_left_out(&e);
	bool no_input = mode_is(value, "chat") && e.rate[TOKEN_INPUT] <= 0;
	if (why || (!e.unit.len && (!has_rate(e.rate) || no_input)) || e.id.kind != MODEL_NAMED)
		leave_out(t, key, why);
	else
		t->v[t->n++] = e;
}

// ---- writing the rows of a model ----------------------------------------------------------------

// Adds rates that follow from known ones by a rule of the price list.
static void add_derived_rates(struct str model, int64_t *rate)
{
	bool has_input = rate[TOKEN_INPUT] != RATE_UNKNOWN;
	if (str_starts(model, STR("amazon.nova-")) && rate[TOKEN_OUTPUT] > 0) {
		if (has_input && rate[TOKEN_CACHE_READ] == RATE_UNKNOWN )
			rate[TOKEN_CACHE_READ] = rate[TOKEN_INPUT] / 4;
		if (rate[TOKEN_CACHE_READ] != RATE_UNKNOWN)
			rate[TOKEN_CACHE_WRITE_5M] = rate[TOKEN_CACHE_WRITE_1H] = 0;
	}
	if (has_input && litellm_has_premium(model) && rate[TOKEN_CACHE_WRITE_1H] == RATE_UNKNOWN)
		rate[TOKEN_CACHE_WRITE_1H] = rate[TOKEN_INPUT] * 2;
}

// What one entry says of one place.
struct claim {
	const struct entry *entry;
	struct litellm_place place;
};

static void write_row(struct table *t, const struct claim *c, const int64_t *rate, struct price_row row)
{
	const struct entry *e = c->entry;
	assert(e->id.kind == MODEL_NAMED && t->from_ms % MS_PER_HOUR == 0);
	row.model = model_id_name(&e->id);
	row.scope = c->place.scope;
	row.region = str_of(c->place.region);
	row.from_ms = t->from_ms;
	row.to_ms = INT64_MAX;
	row.source = t->source;
	row.per_unit = RATE_UNKNOWN;
	if (!row.prompt_over && row.tier == TIER_STANDARD) {
		row.unit = e->unit;
		row.per_unit = e->per_unit;
	}
	for (int k = 0; k < TOKEN_TYPES; k++) {
		row.rate[k] = rate[k];
		if (rate[k] != RATE_UNKNOWN)
			row.rate[k] = (int64_t)usd_muldiv((struct usd){rate[k]}, c->place.percent, 100).pico;
	}
	if (row.tier == TIER_STANDARD)
		add_derived_rates(row.model, row.rate);
	price_file_write_row(t->csv, &row);
	t->counts.rows++;
}

// Earlier tables had this surcharge for models that do not have it.
static bool has_band(const struct entry *e, int band)
{
	return band != 200 || str_is(model_id_name(&e->id), "anthropic.claude-sonnet-4") ||
	       str_is(model_id_name(&e->id), "anthropic.claude-sonnet-4-5");
}

// The claims of one place, the best known first: each tier and band from the first that has it.
static void write_place(struct table *t, const struct claim *first, const struct claim *end)
{
	for (int b = 0; b < BANDS; b++)
		for (int i = 0; i < TIERS; i++) {
			int64_t rate[TOKEN_TYPES];
			const struct claim *c = first;
			bool standard = !bands[b] && tiers[i].tier == TIER_STANDARD, found = false;
			for (; c < end && !found; c++) {
				read_rates(c->entry, bands[b], tiers[i].suffix, rate);
				found = standard || (has_rate(rate) && has_band(c->entry, bands[b]));
			}
			if (found)
				write_row(t, c - 1, rate,
				          (struct price_row){.prompt_over = bands[b] * 1000, .tier = tiers[i].tier});
		}
}

static int compare_places(const struct claim *a, const struct claim *b)
{
	int c = (int)a->place.scope - (int)b->place.scope;
	return c ? c : strcmp(a->place.region, b->place.region);
}

static int compare_claims(const void *pa, const void *pb)
{
	const struct claim *a = pa, *b = pb;
	int c = compare_places(a, b);
	if (!c)
		c = a->place.rank - b->place.rank;
	return c ? c : (a->entry > b->entry) - (a->entry < b->entry);
}

static void write_model(struct table *t, const struct entry *first, const struct entry *end)
{
	struct claim *claims = xcalloc((size_t)(end - first) * LITELLM_PLACES_MAX, sizeof *claims);
	struct litellm_place places[LITELLM_PLACES_MAX];
	size_t n = 0;
	for (const struct entry *e = first; e < end; e++) {
		size_t found =
			litellm_places(model_id_name(&e->id), e->region, e->profile, e->mantle, e->rate, places);
		if (!found)
			leave_out(t, e->key, "a profile of several Regions at the rate of one, and which is not known");
		for (size_t i = 0; i < found; i++)
			claims[n++] = (struct claim){e, places[i]};
	}
	qsort(claims, n, sizeof *claims, compare_claims);
	for (size_t i = 0, next; i < n; i = next) {
		for (next = i + 1; next < n && compare_places(&claims[i], &claims[next]) == 0;)
			next++;
		write_place(t, claims + i, claims + next);
	}
	free(claims);
}

// By name and count: prices first, then what else the table has.
static void note_columns(struct table *t)
{
	static const char *const heads[] = {"columns with prices that are left out:", "columns without prices:"};
	for (int pass = 0; pass < 2; pass++) {
		size_t n = 0;
		for (size_t i = 0; i < t->ncolumns; i++)
			if ((strstr(t->columns[i].name, "cost") == NULL) == pass)
				buf_addf(t->notes, "%s %s %zu", n++ ? "," : heads[pass], t->columns[i].name,
				         t->columns[i].entries);
		buf_adds(t->notes, n ? "\n" : "");
	}
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
		note_columns(&t);
		text_make_plain_lines(notes->data, notes->len);
		*ret_counts = t.counts;
	}
	free(t.v);
	free(t.columns);
	json_decref(root);
	return good;
}
