// SPDX-License-Identifier: Apache-2.0
// Is every model of the collected price sources in the built-in catalogue, at its rate? This asks the
// catalogue as the estimator does, by the ids that calls carry, and knows nothing of how the catalogue was
// made. Where the second source is known to be wrong, tests/price_sources.txt says what is right instead. The
// third is the pricing page.
//
// The sources lie beside the tree (../shared, or $SHARED); without them the test is skipped, with CI=true it
// fails.
#include <fnmatch.h>
#include <jansson.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/when.h"
#include "pricing/price_file.h"
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

// --- the second source: entries by id, one figure a token type

static const struct {
	const char *profile, *region; // a Region calls through it are made in
} regions[] = {{"us-gov.", "us-gov-west-1"}, {"us.", "us-east-1"},      {"eu.", "eu-central-2"},
               {"apac.", "ap-southeast-1"},  {"jp.", "ap-northeast-1"}, {"au.", "ap-southeast-2"}};

// The key as an id that a call carries, and a Region it is called in.
static void entry_id(const char *key, struct buf *id, char region[32])
{
	struct str rest = str_of(key), region_part = STR_NONE;
	if (str_starts(rest, STR("bedrock/"))) {
		(void)str_cut(&rest, '/');
		region_part = memchr(rest.p, '/', rest.len) ? str_cut(&rest, '/') : STR_NONE;
	}
	if (str_starts(rest, STR("bedrock_mantle/")))
		buf_adds(id, "bedrock-mantle/");
	buf_addstr(id, str_after_last(rest, '/'));
	snprintf(region, 32, "us-east-1");
	if (memchr(region_part.len ? region_part.p : "", '-', region_part.len))
		snprintf(region, 32, "%.*s", STR_ARG(region_part));
	for (size_t i = 0; i < sizeof(regions) / sizeof(*regions); i++)
		if (str_starts(buf_str(id), str_of(regions[i].profile))) {
			snprintf(region, 32, "%s", regions[i].region);
			return;
		}
}

// The rules of tests/price_sources.txt: "pattern | token type or * | what | reason".
static struct str rule_for(struct str rules, const char *key, const char *type)
{
	while (rules.len) {
		struct str line = str_cut(&rules, '\n');
		char pattern[200], types[100], what[40];
		if (line.len && line.p[0] != '#' &&
		    sscanf(line.p, "%199s | %99s | %39s |", pattern, types, what) == 3 &&
		    fnmatch(pattern, key, 0) == 0 && (strcmp(types, "*") == 0 || strcmp(types, type) == 0)) {
			struct str rest = line;
			(void)str_cut(&rest, '|');
			(void)str_cut(&rest, '|');
			rest = str_cut(&rest, '|');
			return (struct str){rest.p + 1, rest.len - 2};
		}
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

static bool check_entry_type(struct str rules, const char *key, const json_t *entry, struct str id,
                             struct str region, int type)
{
	const int64_t now = INT64_C(1787000000000); // 2026-08-17
	const json_t *figure = json_object_get(entry, fields[type]);
	int64_t want = figure ? picodollars(figure) : RATE_UNKNOWN, got = price(id, region, type, now);
	struct str rule = rule_for(rules, key, token_type_names[type]);
	if (str_is(rule, "unpriced"))
		want = RATE_UNKNOWN;
	else if (str_starts(rule, STR("x")) && figure)
		want = usd_muldiv((struct usd){want}, strtoll(rule.p + 1, NULL, 10), 100).pico;
	else if (str_starts(rule, STR("=")) &&
	         !usd_parse_scaled((struct str){rule.p + 1, rule.len - 1}, 6, &want))
		return false;
	else if (!figure && !str_starts(rule, STR("=")))
		return true; // what the source leaves out, the first source or a rule of the price list may know
	if (got != want)
		diag("%s: %s: %lld, want %lld", key, token_type_names[type], (long long)got, (long long)want);
	return got == want;
}

static void check_entries(const char *path)
{
	struct buf rules = BUF_INIT;
	json_t *all = json_load_file(path, 0, NULL), *entry;
	const char *key;
	if (!ok(all != NULL, "%s can be read", path) || !must_slurp("tests/price_sources.txt", &rules))
		return;
	json_object_foreach(all, key, entry) {
		struct buf id = BUF_INIT;
		char region[32];
		bool good = true;
		if (strstr(key, "-commitment/"))
			continue; // provisioned throughput, by the second
		entry_id(key, &id, region);
		for (int t = 0; t < TOKEN_TYPES; t++)
			good = check_entry_type(buf_str(&rules), key, entry, buf_str(&id), str_of(region), t) && good;
		ok(good, "%s in %s", key, region);
		buf_release(&id);
	}
	json_decref(all);
	buf_release(&rules);
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

int main(void)
{
	const char *shared = getenv("SHARED") ? getenv("SHARED") : "../shared", *ci = getenv("CI");
	struct buf first = BUF_INIT, second = BUF_INIT, third = BUF_INIT;
	buf_addf(&first, "%s/prices/prices_in_force.csv", shared);
	buf_addf(&second, "%s/prices/litellm_bedrock_2026-08-01.json", shared);
	buf_addf(&third, "%s/prices/bedrock_pricing_page_2026-07-24.csv", shared);
	if (access(first.data, R_OK) != 0 && !(ci && strcmp(ci, "true") == 0))
		skip_all("the collected price sources are not here; set SHARED to their folder");
	check_dated(first.data);
	check_entries(second.data);
	check_page(third.data);
	buf_release(&first);
	buf_release(&second);
	buf_release(&third);
	return done();
}
