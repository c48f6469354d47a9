// SPDX-License-Identifier: Apache-2.0
// Is every model of the collected price sources in the built-in catalogue, at its rate? This asks the
// catalogue as the estimator does, by the ids that calls carry, and knows nothing of how the catalogue was
// made. Where a source is known to be wrong, tests/price_disagreements.txt says what is right, and why.
//
// The sources lie beside the tree (../shared, or $SHARED); without them the test is skipped, with CI=true it
// fails.
#include <fnmatch.h>
#include <jansson.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/when.h"
#include "pricing/price_file.h"
#include "pricing/price_names.h"
#include "tests/support/slurp.h"
#include "tests/tap.h"

static const char *const fields[TOKEN_TYPES] = {
	"input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost",
	"cache_creation_input_token_cost", "cache_creation_input_token_cost_above_1hr"};

static int64_t price(struct str model, struct str region, int type, int64_t time_ms)
{
	struct rate rate;
	struct price_query q = {
		.model = model, .region = region, .type = (enum token_type)type, .time_ms = time_ms};
	return catalogue_find(catalogue_builtin(), &q, &rate) == MISS_NONE ? rate.pico_per_token : RATE_UNKNOWN;
}

// --- the first source: dated rows by canonical name

// The comma-separated fields of a line; a quoted one, which is always the last here, may hold commas.
static void split(struct str line, struct str *ret, int n)
{
	for (int i = 0; i < n; i++)
		ret[i] = i < n - 1 ? str_cut(&line, ',') : line;
}

static bool has_band(const struct price_rows *rows, struct str model, struct str scope, int64_t over,
                     int type, int64_t rate)
{
	for (size_t i = 0; i < rows->n; i++) {
		const struct price_row *r = &rows->v[i];
		if (str_eq(r->model, model) && r->prompt_over == over && r->rate[type] == rate &&
		    (!str_is(scope, "global") || r->scope == SCOPE_GLOBAL))
			return true;
	}
	return false;
}

enum { MODEL, SCOPE, FROM, TO, OVER, TIER, RATES, FIRST_SOURCE_FIELDS = RATES + TOKEN_TYPES + 1 };

static bool check_dated_type(const struct price_rows *rows, const struct str *f, int type)
{
	int64_t want, over = 0, from = 0, to;
	struct buf id = BUF_INIT;
	if (!f[RATES + type].len)
		return true;
	if (!usd_parse_scaled(f[RATES + type], 6, &want) || (f[FROM].len && !when_parse(f[FROM], &from)))
		return false;
	if (f[OVER].len)
		return usd_parse_scaled(f[OVER], 0, &over) && has_band(rows, f[MODEL], f[SCOPE], over, type, want);
	buf_addf(&id, "%s%.*s", str_is(f[SCOPE], "global") ? "global." : "", STR_ARG(f[MODEL]));
	bool good = price(buf_str(&id), STR("us-east-1"), type, from) == want;
	if (f[TO].len)
		good = good && when_parse(f[TO], &to) && price(buf_str(&id), STR("us-east-1"), type, to - 1) == want;
	buf_release(&id);
	return good;
}

static void check_dated(const char *path)
{
	struct buf text = BUF_INIT, csv = BUF_INIT;
	struct price_rows rows;
	struct err err = ERR_INIT;
	if (!must_slurp(path, &text) || !must_slurp("pricing/builtin.csv", &csv))
		return;
	if (!price_file_read(&rows, buf_str(&csv), "pricing/builtin.csv", &err)) {
		ok(false, "%s", err.msg);
		return;
	}
	for (struct str rest = buf_str(&text); rest.len;) {
		struct str line = str_cut(&rest, '\n'), f[FIRST_SOURCE_FIELDS];
		if (!line.len || line.p[0] == '#' || str_starts(line, STR("model,")))
			continue;
		split(line, f, FIRST_SOURCE_FIELDS);
		if (!str_is(f[TIER], "standard") && !str_is(f[TIER], "extended-access"))
			continue;
		bool good = true;
		for (int t = 0; t < TOKEN_TYPES; t++)
			good = check_dated_type(&rows, f, t) && good;
		ok(good, "%.*s %.*s from %.*s over %.*s", STR_ARG(f[MODEL]), STR_ARG(f[SCOPE]), STR_ARG(f[FROM]),
		   STR_ARG(f[OVER]));
	}
	price_rows_release(&rows);
	buf_release(&csv);
	buf_release(&text);
}

// --- LiteLLM's tables: entries by id, one figure a token type, tier and length of prompt

static const struct {
	const char *profile, *region; // a Region calls through it are made in
} regions[] = {{"us-gov.", "us-gov-west-1"},  {"us.", "us-east-1"},      {"eu.", "eu-central-1"},
               {"apac.", "ap-southeast-2"},   {"jp.", "ap-northeast-1"}, {"au.", "ap-southeast-2"},
               {"in.", "ap-south-1"}};

static const struct {
	const char *suffix;
	enum price_tier tier;
} tiers[] = {{"", TIER_STANDARD},      {"_batches", TIER_BATCH},         {"_flex", TIER_FLEX},
             {"_priority", TIER_PRIORITY}, {"_ultrafast", TIER_ULTRAFAST}};
static const int bands[] = {0, 100, 200, 272}; // thousand tokens

struct table {
	const char *name; // in the rules
	int64_t time_ms;
	bool tiers;       // its tiers and bands are to be relied on
	struct str rules;
};

// The key as an id that a call carries, and a Region it is called in. `global`: it has the rate of that
// profile.
static void entry_id(const char *key, bool global, struct buf *id, char region[32])
{
	struct str rest = str_of(key), place = STR_NONE, first = str_cut(&rest, '/');
	if (str_is(first, "bedrock_mantle"))
		buf_adds(id, "bedrock-mantle/");
	if (str_starts(first, STR("bedrock")) && memchr(rest.p, '/', rest.len))
		place = str_cut(&rest, '/');
	buf_adds(id, global ? "global." : "");
	buf_addstr(id, str_after_last(str_of(key), '/'));
	snprintf(region, 32, "us-east-1");
	if (memchr(place.len ? place.p : "", '-', place.len))
		snprintf(region, 32, "%.*s", STR_ARG(place));
	for (size_t i = 0; i < sizeof(regions) / sizeof(*regions); i++)
		if (str_starts(buf_str(id), str_of(regions[i].profile))) {
			snprintf(region, 32, "%s", regions[i].region);
			return;
		}
}

static struct str trim(struct str s)
{
	while (s.len && s.p[0] == ' ')
		s = (struct str){s.p + 1, s.len - 1};
	while (s.len && s.p[s.len - 1] == ' ')
		s.len--;
	return s;
}

// The rules of tests/price_disagreements.txt: "source | pattern | token type or * | what | reason".
static struct str rule_for(const struct table *t, const char *key, const char *type)
{
	for (struct str rest = t->rules; rest.len;) {
		struct str line = str_cut(&rest, '\n'), source = trim(str_cut(&line, '|'));
		struct str keys = trim(str_cut(&line, '|')), word = trim(str_cut(&line, '|'));
		char pattern[200];
		if (!str_is(source, t->name))
			continue;
		snprintf(pattern, sizeof pattern, "%.*s", STR_ARG(keys));
		bool every = str_is(word, "*") && strcmp(type, "region") != 0 && strcmp(type, "scope") != 0;
		if (fnmatch(pattern, key, 0) == 0 && (every || str_is(word, type)))
			return trim(str_cut(&line, '|'));
	}
	return STR_NONE;
}

static int64_t picodollars(const json_t *v)
{
	char text[40];
	int64_t pico;
	snprintf(text, sizeof(text), "%.12g", json_number_value(v));
	return usd_parse_scaled(str_of(text), 12, &pico) ? pico : RATE_UNKNOWN;
}

// What the rule makes of a figure. False: the figure is not to be looked for.
static bool wanted(struct str rule, bool has_figure, int64_t *want)
{
	if (str_is(rule, "unpriced"))
		*want = RATE_UNKNOWN;
	else if (str_starts(rule, STR("x")) && has_figure)
		*want = usd_muldiv((struct usd){*want}, strtoll(rule.p + 1, NULL, 10), 100).pico;
	else if (str_starts(rule, STR("=")))
		return usd_parse_scaled((struct str){rule.p + 1, rule.len - 1}, 6, want);
	else
		return has_figure && !str_is(rule, "skip");
	return true;
}

static bool check_entry_type(const struct table *t, const char *key, const json_t *entry,
                             struct price_query q, const char *above, const char *suffix)
{
	char field[120], name[60];
	struct rate rate;
	snprintf(field, sizeof field, "%s%s%s", fields[q.type], above, suffix);
	snprintf(name, sizeof name, "%s%s%s", token_type_names[q.type], above, suffix);
	const json_t *figure = json_object_get(entry, field);
	int64_t want = figure ? picodollars(figure) : RATE_UNKNOWN;
	if (!wanted(rule_for(t, key, name), figure != NULL, &want))
		return true; // what the source leaves out, another source or a rule of the price list may know
	int64_t got =
		catalogue_find(catalogue_builtin(), &q, &rate) == MISS_NONE ? rate.pico_per_token : RATE_UNKNOWN;
	if (got != want)
		diag("%s | %s | %s | in %.*s: %lld, want %lld", t->name, key, name, STR_ARG(q.region), (long long)got,
		     (long long)want);
	return got == want;
}

static bool check_entry(const struct table *t, const char *key, const json_t *entry, struct price_query q)
{
	bool good = true;
	for (size_t b = 0; b < (t->tiers ? sizeof bands / sizeof *bands : 1); b++)
		for (size_t i = 0; i < (t->tiers ? sizeof tiers / sizeof *tiers : 1); i++) {
			char above[40] = "";
			if (bands[b])
				snprintf(above, sizeof above, "_above_%dk_tokens", bands[b]);
			q.prompt_tokens = bands[b] ? bands[b] * 1000 + 1 : 0;
			q.tier = tiers[i].tier;
			for (int type = 0; type < TOKEN_TYPES; type++) {
				q.type = (enum token_type)type;
				good = check_entry_type(t, key, entry, q, above, tiers[i].suffix) && good;
			}
		}
	return good;
}

static void check_entries(const char *path, const struct table *t)
{
	json_t *all = json_load_file(path, 0, NULL), *entry;
	const char *key;
	if (!ok(all != NULL, "%s can be read", path))
		return;
	json_object_foreach(all, key, entry) {
		struct buf id = BUF_INIT;
		char region[32];
		struct str rule = rule_for(t, key, "region");
		if (strstr(key, "-commitment/") || strstr(key, "/claude_platform/") ||
		    strcmp(key, "bedrock/guardrails") == 0)
			continue; // provisioned throughput, by the second; another product; another service
		entry_id(key, str_is(rule_for(t, key, "scope"), "global"), &id, region);
		struct price_query q = {
			.model = buf_str(&id), .region = rule.len ? rule : str_of(region), .time_ms = t->time_ms};
		ok(check_entry(t, key, entry, q), "%s %s in %.*s", t->name, key, STR_ARG(q.region));
		buf_release(&id);
	}
	json_decref(all);
}

// --- AWS's price list, reduced: input and output by name and Region

static bool read_names(struct price_names *ret)
{
	struct buf text = BUF_INIT;
	struct err err = ERR_INIT;
	(void)err;
	if (!must_slurp("pricing/pricelist_names.csv", &text))
		return false;
	*ret = (struct price_names){.text = text.data};
	for (struct str rest = buf_str(&text); rest.len;) {
		struct str line = str_cut(&rest, '\n'), name = str_cut(&line, ',');
		if (!name.len || name.p[0] == '#' || str_is(name, "name"))
			continue;
		ret->v = xrealloc(ret->v, ret->n + 1, sizeof *ret->v);
		ret->v[ret->n++] = (struct price_name){name, str_cut(&line, ',')};
	}
	return true;
}

// One figure of a row, for one of the models that its name means.
static bool check_listed(const struct table *t, const char *key, const json_t *figure, struct price_query q)
{
	int64_t want = json_is_number(figure) ? (picodollars(figure) + 500000) / 1000000 : 0;
	struct rate rate;
	if (!json_is_number(figure) || !wanted(rule_for(t, key, token_type_names[q.type]), true, &want))
		return true;
	bool found = catalogue_find(catalogue_builtin(), &q, &rate) == MISS_NONE;
	if (found && llabs(rate.pico_per_token - want) <= 1) // the list's figures are rounded
		return true;
	if (!found && want == RATE_UNKNOWN)
		return true;
	diag("%s | %s | %s | %lld, want %lld", t->name, key, token_type_names[q.type],
	     found ? (long long)rate.pico_per_token : -1LL, (long long)want);
	return false;
}

static void check_row(const struct table *t, const struct price_names *names, const json_t *row)
{
	const struct str
		cross = STR(
			" (\xe3\x82\xaf\xe3\x83\xad\xe3\x82\xb9\xe3\x83\xaa\xe3\x83\xbc\xe3\x82\xb8\xe3\x83\xa7\xe3\x83\xb3)"), // cross-Region
		batch = STR(" (\xe3\x83\x90\xe3\x83\x83\xe3\x83\x81)");
	struct str name = str_of(json_string_value(json_object_get(row, "m")));
	bool global = str_ends(name, cross), batched = str_ends(name, batch);
	name.len -= global ? cross.len : batched ? batch.len : 0;
	struct price_query q = {.tier = batched ? TIER_BATCH : TIER_STANDARD, .time_ms = t->time_ms};
	q.region = str_of(json_string_value(json_array_get(json_object_get(row, "r"), 0)));
	bool good = true;
	size_t n = 0;
	for (struct str models = price_names_find(names, name); models.len; n++) {
		struct buf id = BUF_INIT, key = BUF_INIT;
		struct str model = str_cut(&models, ' ');
		buf_addf(&id, "%s%.*s", global ? "global." : "", STR_ARG(model));
		q.model = buf_str(&id);
		buf_addf(&key, "%.*s %s %.*s", STR_ARG(q.model), price_tier_names[q.tier], STR_ARG(q.region));
		q.type = TOKEN_INPUT;
		good = check_listed(t, key.data, json_object_get(row, "i"), q) && good;
		q.type = TOKEN_OUTPUT;
		good = check_listed(t, key.data, json_object_get(row, "o"), q) && good;
		buf_release(&id);
		buf_release(&key);
	}
	if (n)
		ok(good, "AWS's %.*s%s in %.*s", STR_ARG(name), global ? ", cross-Region" : batched ? ", batch" : "",
		   STR_ARG(q.region));
}

static void check_reduced(const char *path, const struct table *t)
{
	json_t *list = json_load_file(path, 0, NULL);
	const json_t *rows = json_object_get(list, "rows");
	struct price_names names;
	if (!ok(json_is_array(rows), "%s can be read", path) || !read_names(&names))
		return;
	for (size_t i = 0; i < json_array_size(rows); i++)
		check_row(t, &names, json_array_get(rows, i));
	price_names_release(&names);
	json_decref(list);
}

// --- the third source: the pricing page, a model a line, often several lines for its tiers, Regions and
// times

// The fields from the end: model,"what it is under, in words",input,output,read,write 5m,write 1h
static bool page_line(struct str line, struct str *ret_model, int64_t *ret_input, int64_t *ret_output)
{
	enum { FIGURES = 5 };
	struct str figure[FIGURES];
	*ret_model = str_cut(&line, ',');
	for (int i = FIGURES; i-- > 0; line.len -= figure[i].len + 1) {
		figure[i] = str_after_last(line, ',');
		if (figure[i].len == line.len)
			return false;
	}
	*ret_output = 0;
	return usd_parse_scaled(figure[0], 6, ret_input) &&
	       (!figure[1].len || usd_parse_scaled(figure[1], 6, ret_output));
}

static bool page_has(struct str text, struct str model, int64_t input, int64_t output)
{
	while (text.len) {
		struct str name, line = str_cut(&text, '\n');
		int64_t in, out;
		if (page_line(line, &name, &in, &out) && str_eq(name, model) && in == input && out == output)
			return true;
	}
	return false;
}

// It has names of its own. Where its name is an id, a call by that id costs what one of its lines says.
static void check_page(const char *path)
{
	const int64_t july = INT64_C(1784937600000); // 2026-07-25
	struct buf text = BUF_INIT;
	struct str before = STR_NONE, name;
	int64_t in, out, known = 0;
	if (!must_slurp(path, &text))
		return;
	for (struct str rest = buf_str(&text); rest.len; before = name) {
		struct str line = str_cut(&rest, '\n');
		if (!page_line(line, &name, &in, &out) || str_eq(name, before))
			continue;
		int64_t input = price(name, STR("us-east-1"), TOKEN_INPUT, july),
				output = price(name, STR("us-east-1"), TOKEN_OUTPUT, july);
		if (input == RATE_UNKNOWN)
			continue;
		known++;
		ok(page_has(buf_str(&text), name, input, output == RATE_UNKNOWN ? 0 : output),
		   "%.*s as on the pricing page", STR_ARG(name));
	}
	ok(known >= 50, "%lld of its names are ids", (long long)known);
	buf_release(&text);
}

static void check_file(const char *shared, const char *name,
                       void (*check)(const char *path, const struct table *t), const struct table *t)
{
	struct buf path = BUF_INIT;
	buf_addf(&path, "%s/prices/%s", shared, name);
	check(path.data, t);
	buf_release(&path);
}

int main(void)
{
	const char *shared = getenv("SHARED") ? getenv("SHARED") : "../shared", *ci = getenv("CI");
	struct buf first = BUF_INIT, third = BUF_INIT, rules = BUF_INIT;
	buf_addf(&first, "%s/prices/prices_in_force.csv", shared);
	buf_addf(&third, "%s/prices/bedrock_pricing_page_2026-07-24.csv", shared);
	if (access(first.data, R_OK) != 0 && !(ci && strcmp(ci, "true") == 0))
		skip_all("the collected price sources are not here; set SHARED to their folder");
	if (!must_slurp("tests/price_disagreements.txt", &rules))
		return done();
	struct table august = {"2026-08-01", INT64_C(1787000000000), false, buf_str(&rules)},     // 2026-08-17
		november = {"2026-11-29", INT64_C(1795910400000), true, buf_str(&rules)},             // 2026-11-29
		list = {"pricelist", INT64_C(1787184000000), false, buf_str(&rules)};                 // 2026-08-20
	check_dated(first.data);
	check_file(shared, "litellm_bedrock_2026-08-01.json", check_entries, &august);
	check_file(shared, "litellm_bedrock_2026-11-29.json", check_entries, &november);
	check_file(shared, "pricelist_reduced_2026-08-20.json", check_reduced, &list);
	check_page(third.data);
	buf_release(&first);
	buf_release(&third);
	buf_release(&rules);
	return done();
}
