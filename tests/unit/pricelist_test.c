// SPDX-License-Identifier: Apache-2.0
// AWS's price list to a price file: small lists written here, and the real excerpts where they lie beside the
// tree.
#include "pricing/import_pricelist.h"

#include "pricing/price.h"
#include "tests/tap.h"

#define HEADER                                                                                               \
	"model,scope,region,account,tier,from,to,prompt_tokens_over,input,output,cache_read,cache_write_5m,cache_write_1h,unit,per_unit,source\n"

static void add_entry(struct buf *b, const char *product, const char *usage, const char *unit,
                      const char *usd, const char *from)
{
	buf_addf(
		b,
		"%s{\"product\":{\"attributes\":{\"regionCode\":\"us-east-1\",\"usagetype\":\"%s\",\"servicename\":\"%s\"}},"
		"\"terms\":{\"OnDemand\":{\"a.b\":{\"effectiveDate\":\"%s\",\"priceDimensions\":{\"a.b.c\":{\"unit\":\"%s\",\"pricePerUnit\":{\"USD\":\"%s\"}}}}}}}",
		b->len ? "," : "{\"PriceList\":[", usage, product, from, unit, usd);
}

static void must_import(struct buf *list, const char *want_csv, const char *want_notes, const char *what)
{
	struct buf csv = BUF_INIT, notes = BUF_INIT;
	struct pricelist_counts counts;
	struct err err = ERR_INIT;
	struct catalogue *c;
	buf_adds(list, "]}");
	bool good = pricelist_import(&csv, &notes, &counts, buf_str(list), NULL, &err);
	ok(good, "%s: imported %s", what, err.msg);
	is_str(csv.data, want_csv, what);
	is_str(notes.data ? notes.data : "", want_notes, what);
	if (ok(good && catalogue_parse(&c, buf_str(&csv), "imported.csv", &err), "%s: a price file %s", what,
	       err.msg))
		catalogue_free(c);
	buf_release(&csv);
	buf_release(&notes);
	buf_release(list);
}

static void check_small(void)
{
	struct buf list = BUF_INIT;
	const char *sonnet = "Claude Sonnet 4.6 (Amazon Bedrock Edition)", *may = "2026-05-01T00:00:00Z";
	add_entry(&list, sonnet, "USE1-MP:USE1_InputTokenCount-Units", "Units", "3.3000000000", may);
	add_entry(&list, sonnet, "USE1-MP:USE1_CacheWrite1hInputTokenCount-Units", "Units", "6.6000000000", may);
	add_entry(&list, sonnet, "USE1-MP:USE1_InputTokenCount_Global-Units", "1M tokens", "3.0000000000", may);
	add_entry(&list, sonnet, "USE1-MP:USE1_InputTokenCount_Batch-Units", "Units", "1.6500000000", may);
	add_entry(&list, "Amazon Bedrock", "USE1-NovaMicro-cache-read-input-token-count", "1K tokens",
	          "0.0000087500", may);
	must_import(
		&list,
		HEADER
		"amazon.nova-micro,regional,us-east-1,,standard,2026-05-01T00:00:00Z,,,,,0.00875,,,,,AWS price list\n"
		"anthropic.claude-sonnet-4-6,global,us-east-1,,standard,2026-05-01T00:00:00Z,,,3,,,,,,,AWS price list\n"
		"anthropic.claude-sonnet-4-6,regional,us-east-1,,standard,2026-05-01T00:00:00Z,,,3.3,,,,6.6,,,AWS price list\n"
		"anthropic.claude-sonnet-4-6,regional,us-east-1,,batch,2026-05-01T00:00:00Z,,,1.65,,,,,,,AWS price list\n",
		"", "both grammars");
	add_entry(&list, sonnet, "USE1-MP:USE1_OutputTokenCount-Units", "Units", "16.5", may);
	add_entry(&list, sonnet, "USE1-MP:USE1_OutputTokenCount-Units", "Units", "15", "2026-06-01T00:00:00Z");
	add_entry(&list, sonnet, "USE1-MP:USE1_InputTokenCount-Units", "Units", "3.3", may);
	must_import(
		&list,
		HEADER
		"anthropic.claude-sonnet-4-6,regional,us-east-1,,standard,2026-05-01T00:00:00Z,2026-06-01T00:00:00Z,,3.3,16.5,,,,,,AWS price list\n"
		"anthropic.claude-sonnet-4-6,regional,us-east-1,,standard,2026-06-01T00:00:00Z,,,3.3,15,,,,,,AWS price list\n",
		"", "a later rate ends the earlier, and the others go on");
	const char *long45 = "Claude Sonnet 4.5 (Amazon Bedrock Edition)";
	add_entry(&list, long45, "USE1-MP:USE1_InputTokenCount-Units", "Units", "3.3", may);
	add_entry(&list, long45, "USE1-MP:USE1_InputTokenCount_LCtx-Units", "Units", "6.6", may);
	add_entry(&list, long45, "USE1-MP:USE1_OutputTokenCount_LCtx_Global-Units", "Units", "22.5", may);
	add_entry(&list, sonnet, "USE1-MP:USE1_InputTokenCount_LCtx-Units", "Units", "6.6", may);
	must_import(
		&list,
		HEADER
		"anthropic.claude-sonnet-4-5,global,us-east-1,,standard,2026-05-01T00:00:00Z,,200000,,22.5,,,,,,AWS price list\n"
		"anthropic.claude-sonnet-4-5,regional,us-east-1,,standard,2026-05-01T00:00:00Z,,,3.3,,,,,,,AWS price list\n"
		"anthropic.claude-sonnet-4-5,regional,us-east-1,,standard,2026-05-01T00:00:00Z,,200000,6.6,,,,,,,AWS price list\n",
		"USE1-MP:USE1_InputTokenCount_LCtx-Units of \"Claude Sonnet 4.6 (Amazon Bedrock Edition)\": a rate of long prompts, but the prompt length from which it applies is not known\n",
		"rates of long prompts, from the length that is known here");
	add_entry(&list, "Amazon Bedrock", "USE1-NovaPro-input-tokens", "1M tokens", "0.8", may);
	add_entry(&list, "Amazon \xc2\x9b" "Bedrock", "USE1-NovaPro-input-tokens", "1M tokens", "0.8", may);
	add_entry(&list, "Claude Unheard (Amazon Bedrock Edition)", "USE1-MP:USE1_InputTokenCount-Units", "Units",
	          "1", may);
	add_entry(&list, sonnet, "USW2-MP:USW2_InputTokenCount-Units", "Units", "3.3", may);
	add_entry(&list, sonnet, "USE1-MP:USE1_InputTokenCount-Units", "Units", "3.3", may);
	add_entry(&list, sonnet, "USE1-MP:USE1_input_tokens_standard-Units", "Units", "3.4", may);
	must_import(
		&list,
		HEADER
		"anthropic.claude-sonnet-4-6,regional,us-east-1,,standard,2026-05-01T00:00:00Z,,,,,,,,,,AWS price list\n",
		"USE1-NovaPro-input-tokens of \"Amazon Bedrock\": its unit contradicts the usage type\n"
		"USE1-NovaPro-input-tokens of \"Amazon ?\?Bedrock\": its unit contradicts the usage type\n"
		"USE1-MP:USE1_InputTokenCount-Units of \"Claude Unheard (Amazon Bedrock Edition)\": the model is not known\n"
		"USW2-MP:USW2_InputTokenCount-Units of \"Claude Sonnet 4.6 (Amazon Bedrock Edition)\": its regionCode is missing or contradicts the usage type\n"
		"USE1-MP:USE1_input_tokens_standard-Units of \"Claude Sonnet 4.6 (Amazon Bedrock Edition)\": a second rate for the same tokens: neither is used\n",
		"what is in doubt is left out");
}

// Names that are not known here, as the user says.
static void check_names(void)
{
	struct buf list = BUF_INIT, csv = BUF_INIT, notes = BUF_INIT;
	struct pricelist_counts counts;
	struct price_names names;
	struct err err = ERR_INIT;
	const char *may = "2026-05-01T00:00:00Z";
	add_entry(&list, "Claude Unheard, Large (Amazon Bedrock Edition)", "USE1-MP:USE1_InputTokenCount-Units",
	          "Units", "1", may);
	add_entry(&list, "Amazon Bedrock", "USE1-Nova9Pro-output-tokens", "1K tokens", "0.002", may);
	add_entry(&list, "Amazon Bedrock", "USE1-NovaPro-input-tokens", "1K tokens", "0.0008", may);
	buf_adds(&list, "]}");
	ok(price_names_read(
		   &names,
		   STR("# ours\r\nname,model\r\n\r\n\"Claude Unheard, Large (Amazon Bedrock Edition)\", anthropic.claude-unheard-1\r\n"
	           "Nova9Pro,amazon.nova-9-pro\nNovaPro,amazon.nova-pro-else"),
		   "names.csv", &err),
	   "names are read %s", err.msg);
	ok(pricelist_import(&csv, &notes, &counts, buf_str(&list), &names, &err) && counts.unknown == 0,
	   "and a list with them %s", err.msg);
	is_str(
		csv.data,
		HEADER
		"amazon.nova-9-pro,regional,us-east-1,,standard,2026-05-01T00:00:00Z,,,,2,,,,,,AWS price list\n"
		"amazon.nova-pro-else,regional,us-east-1,,standard,2026-05-01T00:00:00Z,,,0.8,,,,,,,AWS price list\n"
		"anthropic.claude-unheard-1,regional,us-east-1,,standard,2026-05-01T00:00:00Z,,,1,,,,,,,AWS price list\n",
		"each at its model");
	price_names_release(&names);
	buf_release(&list);
	buf_release(&csv);
	buf_release(&notes);
	static const struct {
		const char *text, *part;
	} bad[] = {
		{"Claude X,anthropic.x\n", "n.csv:1: expected the line name,model"},
		{"name,model\nClaude X\n", "n.csv:2: expected name,model"},
		{"name,model\n,anthropic.x\n", "n.csv:2: expected a name and a model"},
		{"name,model\nClaude X,us.anthropic.x\n", "n.csv:2: expected a name and a model"},
		{"name,model\nClaude X,us.anthropic.x\n", "write anthropic.x in place of us.anthropic.x"},
		{"name,model\nClaude X,anthropic.claude-haiku-4-5-20251001-v1:0\n", "write anthropic.claude-haiku-4-5 in"},
		{"name,model\nClaude X,claude\n", "n.csv:2: expected a name and a model"},
		{"name,model\nX,anthropic.x\n# again\nX (Amazon Bedrock Edition),anthropic.y\n",
	     "n.csv:4: an earlier line has this name"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err why = ERR_INIT;
		ok(!price_names_read(&names, str_of(bad[i].text), "n.csv", &why) && why.kind == ERR_CONFIG &&
		       strstr(why.msg, bad[i].part),
		   "refused: %s", why.msg);
	}
}

static void must_refuse(const char *text, const char *part)
{
	struct buf csv = BUF_INIT, notes = BUF_INIT;
	struct pricelist_counts counts;
	struct err err = ERR_INIT;
	bool good = pricelist_import(&csv, &notes, &counts, str_of(text), NULL, &err);
	ok(!good && err.kind == ERR_CONFIG && strstr(err.msg, part) && !csv.len, "%s: %s", text, err.msg);
	buf_release(&csv);
	buf_release(&notes);
}

// Every rate of a real excerpt must be the built-in catalogue's.
static void check_excerpt(const char *shared, const char *name, const char *model, const char *global)
{
	struct buf path = BUF_INIT, json = BUF_INIT, csv = BUF_INIT, notes = BUF_INIT;
	struct pricelist_counts counts;
	struct err err = ERR_INIT;
	struct catalogue *c;
	char block[65536];
	size_t n;
	buf_addf(&path, "%s/prices/pricelist/%s.json", shared, name);
	FILE *f = fopen(path.data, "rb");
	if (!f) {
		const char *ci = getenv("CI");
		if (ci && strcmp(ci, "true") == 0)
			ok(false, "%s can be read", path.data);
		buf_release(&path);
		return;
	}
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(&json, block, n);
	fclose(f);
	if (ok(pricelist_import(&csv, &notes, &counts, buf_str(&json), NULL, &err) &&
	           catalogue_parse(&c, buf_str(&csv), name, &err),
	       "%s is imported %s", name, err.msg)) {
		is_int((long long)counts.unknown, 0, "nothing in it is unknown");
		for (int t = 0; t < TOKEN_TYPES * 2; t++) {
			struct rate got, want;
			struct price_query q = {.model = str_of(t < TOKEN_TYPES ? model : global),
			                        .region = STR("us-east-1"),
			                        .type = (enum token_type)(t % TOKEN_TYPES),
			                        .time_ms = INT64_C(1780000000000)};
			if (q.model.len && catalogue_find(c, &q, &got) == MISS_NONE) {
				bool known = catalogue_find(catalogue_builtin(), &q, &want) == MISS_NONE;
				is_int(got.pico_per_token, known ? want.pico_per_token : -1, token_type_names[q.type]);
			}
		}
		catalogue_free(c);
	}
	buf_release(&path);
	buf_release(&json);
	buf_release(&csv);
	buf_release(&notes);
}

int main(void)
{
	const char *shared = getenv("SHARED") ? getenv("SHARED") : "../shared";
	check_small();
	check_names();
	must_refuse("", "not JSON");
	must_refuse("{\"PriceList\":[\"{\"]}", "entry 0");
	must_refuse("{\"PriceList\":[1]}", "entry 0");
	must_refuse("{}", "expected an AWS price list");
	must_refuse("[]", "expected an AWS price list");
	must_refuse("{\"products\":{\"A\":{},\"A\":{}},\"terms\":{}}", "duplicate object key");
	must_refuse("{\"PriceList\":[\"{\\\"product\\\":1,\\\"product\\\":2}\"]}", "has a key twice");
	check_excerpt(shared, "fm-sonnet-4-6-use1", "anthropic.claude-sonnet-4-6",
	              "global.anthropic.claude-sonnet-4-6");
	check_excerpt(shared, "ab-nova-micro-use1", "amazon.nova-micro-v1:0", "");
	check_excerpt(shared, "fm-claude-3-5-sonnet-use1", "anthropic.claude-3-5-sonnet-20240620-v1:0", "");
	return done();
}
