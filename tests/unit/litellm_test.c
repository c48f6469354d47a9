// SPDX-License-Identifier: Apache-2.0
// LiteLLM's table imported: its known errors on a small table, then the real one, which must agree with the
// built-in catalogue and with AWS's price list in every rate that two of them have, but for the known
// disagreements (tests/price_disagreements.txt).
//
// The real sources lie beside the tree (../shared, or $SHARED); without them that part is left out, with
// CI=true it fails.
#include "pricing/import_litellm.h"

#include <unistd.h>

#include "base/file.h"
#include "pricing/import_pricelist.h"
#include "pricing/price_diff.h"
#include "tests/tap.h"

#define AUGUST INT64_C(1785542400000)   // 2026-08-01
#define NOVEMBER INT64_C(1795910400000) // 2026-11-29

static void must_import(const char *entries, const char *rows, const char *what)
{
	struct buf json = BUF_INIT, csv = BUF_INIT, notes = BUF_INIT, want = BUF_INIT;
	struct litellm_counts counts;
	struct err err = ERR_INIT;
	buf_addf(&json, "{%s}", entries);
	price_file_write_head(&want);
	buf_adds(&want, rows);
	if (ok(litellm_import(&csv, &notes, &counts, buf_str(&json), AUGUST, "L", &err), "%s: imported %s", what,
	       err.msg))
		is_str(csv.data, want.data, what);
	buf_release(&json);
	buf_release(&csv);
	buf_release(&notes);
	buf_release(&want);
}

#define BEDROCK "\"litellm_provider\":\"bedrock_converse\",\"mode\":\"chat\","
#define FROM "2026-08-01T00:00:00Z,,"
// The Regions that have the US rates: without and with a batch rate.
#define US1(place, rates)                                                                                    \
	place "us-east-1,,standard," FROM "," rates place "us-east-2,,standard," FROM "," rates place            \
		  "us-west-2,,standard," FROM "," rates
#define US(place, rates, batch)                                                                              \
	place "us-east-1,,standard," FROM "," rates place "us-east-1,,batch," FROM "," batch place               \
		  "us-east-2,,standard," FROM "," rates place "us-east-2,,batch," FROM "," batch place               \
		  "us-west-2,,standard," FROM "," rates place "us-west-2,,batch," FROM "," batch

static void check_small(void)
{
	must_import("\"anthropic.claude-sonnet-4-6\":{" BEDROCK
	            "\"input_cost_per_token\":3e-06,\"output_cost_per_token\":1.5e-05},"
	            "\"eu.anthropic.claude-sonnet-4-6\":{" BEDROCK
	            "\"input_cost_per_token\":3e-06,\"output_cost_per_token\":1.5e-05}",
	            "anthropic.claude-sonnet-4-6,global,,,standard," FROM ",3,15,,,6,,,L\n"
	            "anthropic.claude-sonnet-4-6,regional,,,standard," FROM ",3.3,16.5,,,6.6,,,L\n",
	            "the premium outside global profiles, and the 1-hour rate");
	must_import("\"anthropic.claude-sonnet-4-20250514-v1:0\":{" BEDROCK
	            "\"input_cost_per_token\":3e-06,\"input_cost_per_token_above_200k_tokens\":6e-06},"
	            "\"us-gov.anthropic.claude-sonnet-4-20250514-v1:0\":{" BEDROCK
	            "\"input_cost_per_token\":3.6e-06}",
	            "anthropic.claude-sonnet-4,global,,,standard," FROM ",3,,,,,,,L\n"
	            "anthropic.claude-sonnet-4,global,,,standard," FROM "200000,6,,,,,,,L\n"
	            "anthropic.claude-sonnet-4,regional,,,standard," FROM ",3,,,,,,,L\n"
	            "anthropic.claude-sonnet-4,regional,,,standard," FROM "200000,6,,,,,,,L\n"
	            "anthropic.claude-sonnet-4,regional,us-gov-*,,standard," FROM ",3.6,,,,,,,L\n",
	            "no premium before, long prompts, GovCloud");
	must_import(
		"\"acme.m\":{" BEDROCK
		"\"input_cost_per_token\":1e-6,\"input_cost_per_token_above_200k_tokens\":9e-06,\"input_cost_per_token_batches\":5e-7},"
		"\"bedrock/eu-west-3/acme.m\":{" BEDROCK "\"input_cost_per_token\":2e-6},"
		"\"acme.free\":{" BEDROCK "\"input_cost_per_token\":0,\"output_cost_per_token\":0},"
		"\"gpt-5\":{\"litellm_provider\":\"openai\",\"mode\":\"chat\",\"input_cost_per_token\":1e-6}",
		"acme.m,regional,eu-west-3,,standard," FROM
		",2,,,,,,,L\n" US("acme.m,regional,", "1,,,,,,,L\n", "0.5,,,,,,,L\n"),
		"a Region of its own, batches, no surcharge that is not known; nothing is free because nobody knew");
	must_import("\"bedrock_mantle/acme.m\":{" BEDROCK "\"input_cost_per_token\":1e-6}",
	            US1("acme.m,regional,", "1,,,,,,,L\n"), "bedrock-mantle has no global profiles");
	must_import(
		"\"acme.draw\":{\"litellm_provider\":\"bedrock\",\"mode\":\"image_generation\",\"output_cost_per_image\":0.04}",
		US1("acme.draw,regional,", ",,,,,image,0.04,L\n"), "images");
	must_import(
		"\"amazon.nova-canvas-v1:0\":{\"litellm_provider\":\"bedrock\",\"mode\":\"image_generation\",\"output_cost_per_image\":0.06}",
		US1("amazon.nova-canvas,regional,", ",,,,,image,,L\n"), "images whose price goes by their size");
	must_import("\"anthropic.claude-sonnet-4-6\":{" BEDROCK
	            "\"input_cost_per_token\":3e-06,\"output_cost_per_token_batches\":7.5e-06},"
	            "\"amazon.nova-pro-v1:0\":{" BEDROCK
	            "\"input_cost_per_token\":8e-07,\"output_cost_per_token_batches\":1.6e-06}",
	            US("amazon.nova-pro,regional,", "0.8,,,,,,,L\n", ",1.6,,,,,,L\n")
	            "anthropic.claude-sonnet-4-6,global,,,standard," FROM ",3,,,,6,,,L\n"
	            "anthropic.claude-sonnet-4-6,global,,,batch," FROM ",,7.5,,,,,,L\n"
	            "anthropic.claude-sonnet-4-6,regional,,,standard," FROM ",3.3,,,,6.6,,,L\n"
	            "anthropic.claude-sonnet-4-6,regional,,,batch," FROM ",,8.25,,,,,,L\n",
	            "from an input rate that is not known nothing follows");
}

static void check_places(void)
{
	must_import("\"amazon.nova-pro-v1:0\":{" BEDROCK
	            "\"input_cost_per_token\":8e-07,\"output_cost_per_token\":3.2e-06},"
	            "\"eu.amazon.nova-pro-v1:0\":{" BEDROCK
	            "\"input_cost_per_token\":1.05e-06,\"output_cost_per_token\":4.2e-06},"
	            "\"apac.amazon.nova-pro-v1:0\":{" BEDROCK
	            "\"input_cost_per_token\":1e-06,\"output_cost_per_token\":9e-06}",
	            "amazon.nova-pro,regional,eu-central-1,,standard," FROM
	            ",1.05,4.2,0.2625,0,0,,,L\n" US1("amazon.nova-pro,regional,", "0.8,3.2,0.2,0,0,,,L\n"),
	            "a profile of several Regions holds in those that have its rate, or nowhere");
	must_import("\"in.acme.m\":{" BEDROCK "\"input_cost_per_token\":3.3e-06},"
	            "\"global.acme.m\":{" BEDROCK "\"input_cost_per_token\":3e-06}",
	            "acme.m,global,,,standard," FROM ",3,,,,,,,L\n"
	            "acme.m,regional,ap-south-1,,standard," FROM ",3.3,,,,,,,L\n"
	            "acme.m,regional,ap-south-2,,standard," FROM ",3.3,,,,,,,L\n",
	            "India's profile, and the global one");
	must_import(
		"\"openai.gpt-7\":{" BEDROCK "\"input_cost_per_token\":2e-06},"
		"\"us.openai.gpt-7\":{" BEDROCK
		"\"input_cost_per_token\":2.2e-06,\"input_cost_per_token_above_272k_tokens\":4.4e-06,"
		"\"input_cost_per_token_flex\":1.1e-06,\"input_cost_per_token_above_272k_tokens_flex\":2.2e-06,"
		"\"input_cost_per_token_ultrafast\":1.32e-05}",
		"openai.gpt-7,global,,,standard," FROM ",2,,,,,,,L\n"
		"openai.gpt-7,regional,,,standard," FROM ",2.2,,,,,,,L\n"
		"openai.gpt-7,regional,,,flex," FROM ",1.1,,,,,,,L\n"
		"openai.gpt-7,regional,,,ultrafast," FROM ",13.2,,,,,,,L\n"
		"openai.gpt-7,regional,,,standard," FROM "272000,4.4,,,,,,,L\n"
		"openai.gpt-7,regional,,,flex," FROM "272000,2.2,,,,,,,L\n",
		"tiers, long prompts, and both together; GPT's plain ids are at the global rate");
}

// Every column is used, or said to be left out.
static void check_columns(void)
{
	struct buf csv = BUF_INIT, notes = BUF_INIT;
	struct litellm_counts counts;
	struct err err = ERR_INIT;
	ok(litellm_import(
		   &csv, &notes, &counts,
		   STR("{\"acme.m\":{" BEDROCK "\"input_cost_per_token\":1e-6,\"input_cost_per_token_flex\":5e-7,"
	           "\"input_cost_per_audio_token\":3e-6,\"max_input_tokens\":9},"
	           "\"acme.n\":{" BEDROCK "\"input_cost_per_token\":1e-6,\"input_cost_per_audio_token\":3e-6}}"),
		   AUGUST, "L", &err),
	   "imported %s", err.msg);
	is_str(
		notes.data,
		"columns with prices that are left out: input_cost_per_audio_token 2\ncolumns without prices: max_input_tokens 1\n",
		"what is left out is said by name and count");
	buf_release(&csv);
	buf_release(&notes);
}

// A rate that nobody charges is not made to look like one that somebody might: the file is refused.
static void check_absurd(const char *figure)
{
	struct buf json = BUF_INIT, csv = BUF_INIT, notes = BUF_INIT;
	struct litellm_counts counts;
	struct price_rows rows;
	struct err err = ERR_INIT;
	buf_addf(&json, "{\"us.anthropic.claude-sonnet-4-6\":{" BEDROCK "\"input_cost_per_token\":%s}}", figure);
	bool imported = litellm_import(&csv, &notes, &counts, buf_str(&json), AUGUST, "L", &err);
	ok(imported && !price_file_read(&rows, buf_str(&csv), "L.csv", &err) && strstr(err.msg, "check the unit"),
	   "%s a token is refused: %s", figure, err.msg);
	buf_release(&json);
	buf_release(&csv);
	buf_release(&notes);
}

static void must_refuse(const char *text, const char *part)
{
	struct buf csv = BUF_INIT, notes = BUF_INIT;
	struct litellm_counts counts;
	struct err err = ERR_INIT;
	ok(!litellm_import(&csv, &notes, &counts, str_of(text), AUGUST, "L", &err) && err.kind == ERR_CONFIG &&
	       strstr(err.msg, part) && !csv.len,
	   "refused: %s: %s", text, err.msg);
	buf_release(&notes);
}

// ---- the real sources, two by two

static bool is_known(struct str known, const char *change)
{
	while (known.len) {
		struct str line = str_cut(&known, '\n');
		const char *bar = line.len && line.p[0] != '#' ? memmem(line.p, line.len, " | ", 3) : NULL;
		if (bar && strncmp(change, line.p, (size_t)(bar - line.p)) == 0)
			return true;
	}
	return false;
}

static void must_agree(const struct prices *old, struct str csv, const char *what, size_t least)
{
	struct err err = ERR_INIT;
	struct price_rows rows;
	struct price_diff d;
	struct buf known = BUF_INIT, line = BUF_INIT;
	if (!ok(file_read("tests/price_disagreements.txt", 1 << 20, &known, &err) &&
	            price_file_read(&rows, csv, what, &err),
	        "%s: read %s", what, err.msg))
		return;
	price_diff_init(&d, old, &rows);
	size_t unknown = 0;
	for (size_t i = 0; i < d.differing; i++) {
		buf_clear(&line);
		price_change_describe(&d.changes[i], &line);
		if (!is_known(buf_str(&known), line.data)) {
			diag("%s", line.data);
			unknown++;
		}
	}
	ok(unknown == 0 && d.same >= least,
	   "%s: %zu rates agree, %zu disagree as known, %zu are in one of them only", what, d.same, d.differing,
	   d.fresh);
	price_diff_release(&d);
	price_rows_release(&rows);
	buf_release(&known);
	buf_release(&line);
}

static bool read_litellm(const char *path, int64_t from_ms, struct buf *csv)
{
	struct buf json = BUF_INIT, notes = BUF_INIT;
	struct litellm_counts n;
	struct err err = ERR_INIT;
	bool good = file_read(path, 64 << 20, &json, &err) &&
	            litellm_import(csv, &notes, &n, buf_str(&json), from_ms, "LiteLLM", &err);
	if (ok(good, "LiteLLM's table is imported %s", err.msg)) {
		ok(n.entries > 350 && n.rows > 300, "%zu entries, %zu rows, %zu left out", n.entries, n.rows,
		   n.left_out);
		ok(notes.len > 0, "what is left out for an error is told");
	}
	buf_release(&json);
	buf_release(&notes);
	return good;
}

static void check_lists(const char *shared, const char *litellm_csv)
{
	static const struct {
		const char *name;
		size_t least;
	} lists[] = {{"fm-sonnet-4-6-use1", 8}, {"ab-nova-micro-use1", 3}, {"fm-claude-3-5-sonnet-use1", 2}};
	struct err err = ERR_INIT;
	struct prices *litellm;
	if (!ok(prices_load_file(&litellm, litellm_csv, &err), "LiteLLM's rows are a price file %s", err.msg))
		return;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct buf path = BUF_INIT, json = BUF_INIT, csv = BUF_INIT, notes = BUF_INIT, what = BUF_INIT;
		struct pricelist_counts n;
		buf_addf(&path, "%s/prices/pricelist/%s.json", shared, lists[i].name);
		if (ok(file_read(path.data, 64 << 20, &json, &err) &&
		           pricelist_import(&csv, &notes, &n, buf_str(&json), NULL, &err),
		       "%s %s", lists[i].name, err.msg)) {
			buf_addf(&what, "%s and the built-in catalogue", lists[i].name);
			must_agree(NULL, buf_str(&csv), what.data, lists[i].least);
			buf_clear(&what);
			buf_addf(&what, "%s and LiteLLM", lists[i].name);
			must_agree(litellm, buf_str(&csv), what.data, lists[i].least);
		}
		buf_release(&path);
		buf_release(&json);
		buf_release(&csv);
		buf_release(&notes);
		buf_release(&what);
	}
	prices_free(litellm);
}

static void check_real(const char *shared, const char *date, int64_t from_ms, size_t least)
{
	struct buf path = BUF_INIT, csv = BUF_INIT, what = BUF_INIT;
	struct err err = ERR_INIT;
	char file[] = "/tmp/nowcast-litellm.XXXXXX";
	buf_addf(&path, "%s/prices/litellm_bedrock_%s.json", shared, date);
	buf_addf(&what, "LiteLLM %s and the built-in catalogue", date);
	int fd = mkstemp(file);
	if (read_litellm(path.data, from_ms, &csv) &&
	    ok(fd >= 0 && file_replace(file, buf_str(&csv), &err), "written %s", err.msg)) {
		must_agree(NULL, buf_str(&csv), what.data, least);
		check_lists(shared, file);
	}
	close(fd);
	unlink(file);
	buf_release(&path);
	buf_release(&csv);
	buf_release(&what);
}

int main(void)
{
	const char *shared = getenv("SHARED") ? getenv("SHARED") : "../shared", *ci = getenv("CI");
	struct buf path = BUF_INIT;
	buf_addf(&path, "%s/prices/litellm_bedrock_2026-08-01.json", shared);
	check_small();
	check_places();
	check_columns();
	check_absurd("1");
	check_absurd("5.3e6");
	check_absurd("9.2e6");
	must_refuse("", "not JSON");
	must_refuse("[1.5, ", "not JSON");
	must_refuse("{}", "no entry of Bedrock has a price");
	must_refuse("[]", "no entry of Bedrock has a price");
	must_refuse("{\"acme.m\":{" BEDROCK "\"input_cost_per_token\":1e-06,\"input_cost_per_token\":9e-06}}",
	            "duplicate object key");
	if (access(path.data, R_OK) == 0 || (ci && strcmp(ci, "true") == 0)) {
		check_real(shared, "2026-08-01", AUGUST, 1000);
		check_real(shared, "2026-11-29", NOVEMBER, 3000);
	} else
		diag("the real table is not here; set SHARED to the folder of the collected sources");
	buf_release(&path);
	return done();
}
