// SPDX-License-Identifier: Apache-2.0
// The pure parts of reconciliation: what rows of a bill mean, how differences are explained, up to where a
// bill is believed.
#include "tests/tap.h"

#include "base/buf.h"
#include "base/when.h"
#include "reconcile/compare.h"
#include "reconcile/export.h"
#include "reconcile/kind.h"
#include "reconcile/rates.h"
#include "reconcile/watermark.h"

// ---- kinds --------------------------------------------------------------------------------------

static struct kind_names kind_names; // without the user's own

static struct bill_kind kind(struct arena *a, const char *usage_type, const char *unit, const char *product,
                             const char *resource, const char *amount, const char *list)
{
	struct bill_kind k = {.usage_type = str_of(usage_type),
	                      .unit = str_of(unit),
	                      .product = str_of(product),
	                      .resource = str_of(resource),
	                      .line_type = STR("Usage"),
	                      .rows = 1};
	struct usd v;
	k.amount = usd_parse(str_of(amount), &v) ? v.pico : 0;
	k.list = usd_parse(str_of(list), &v) ? v : USD_ZERO;
	k.cost = k.list;
	kind_read(&k, &kind_names, a);
	kind_weigh(&k, (int64_t)1793577600000); // 2026-11-02
	return k;
}

static void is_kind(struct bill_kind k, enum bill_class class, const char *shown, const char *region,
                    int64_t per_unit, const char *what)
{
	char got[400], want[400];
	snprintf(got, sizeof got, "%s %.*s %.*s %lld", bill_class_names[k.class], STR_ARG(k.shown),
	         STR_ARG(k.region), (long long)k.per_unit);
	snprintf(want, sizeof want, "%s %s %s %lld", bill_class_names[class], shown, region, (long long)per_unit);
	is_str(got, want, what);
}

// Images, speech, guardrails: inference like tokens, whatever the unit.
static void test_units(struct arena *a)
{
	is_kind(kind(a, "USE1-MP:USE1_created_image-Units", "Units",
	             "Stable Diffusion 3.5 Large v1.0 (Amazon Bedrock Edition)", "", "10", "0.8"),
	        BILL_INFERENCE, "stability.sd3-5-large", "us-east-1", 1,
	        "images of the Marketplace: a unit is one");
	is_kind(kind(a, "USE1-NovaCanvas-T2I-1024-Premium", "image", "", "", "50", "3"), BILL_INFERENCE,
	        "amazon.nova-canvas", "us-east-1", 1, "images");
	is_kind(kind(a, "USE1-NovaReel-T2V-Medfps-HDRes", "video", "", "", "6", "0.48"), BILL_INFERENCE,
	        "novareel-t2v-medfps-hdres", "us-east-1", 1, "video");
	is_kind(kind(a, "USE1-NovaSonic-speech-understanding-input-token", "1K tokens", "", "", "3000", "10.2"),
	        BILL_INFERENCE, "novasonic", "us-east-1", 1000, "speech is counted in tokens");
	is_kind(kind(a, "USE1-MP:USE1_search_units-Units", "Units", "Cohere Rerank v3.5 (Amazon Bedrock Edition)",
	             "", "7", "0.014"),
	        BILL_INFERENCE, "cohere.rerank-v3-5", "us-east-1", 1, "searches");
	is_kind(kind(a, "USE1-Guardrail-ContentPolicyUnitsConsumed", "1K TextUnits", "", "", "2", "0.3"),
	        BILL_INFERENCE, "guardrail-contentpolicyunitsconsumed", "us-east-1", 1000,
	        "text units of a guardrail, by the thousand");
	is_kind(kind(a, "USE1-OSS-CustomModelImport-Inference-v1:0", "Custom Model Unit per Min", "", "", "60",
	             "4.71"),
	        BILL_INFERENCE, "oss-custommodelimport-inference-v1-0", "us-east-1", 1,
	        "minutes of an imported model");
	is_kind(kind(a, "USE1-Unheard-Of-Thing", "Flurbs", "", "", "60", "4.71"), BILL_INFERENCE,
	        "unheard-of-thing", "us-east-1", 1, "what no word says");
	is_kind(kind(a, "USE1-NovaMicro-Customization-Training", "1K tokens", "", "", "60", "4.71"), BILL_USAGE,
	        "amazon.nova-micro", "us-east-1", 1000, "training is no inference");
	is_kind(kind(a, "USE1-OSS-CustomModelImport-Storage-v1:0", "Model/month", "", "", "1", "1.95"),
	        BILL_USAGE, "oss-custommodelimport-storage-v1-0", "us-east-1", 1, "nor is storage");
}

static void test_names(struct arena *a)
{
	is_kind(kind(a, "USE1-MP:USE1_cache_write_tokens_30m_standard-Units", "Units",
	             "OpenAI GPT-5.6 Sol (Amazon Bedrock Edition)", "", "0.264", ""),
	        BILL_INFERENCE, "openai.gpt-5.6-sol", "us-east-1", 1000000, "a product of any vendor");
	is_kind(kind(a, "USE1-Llama3-3-70B-input-tokens", "1K tokens", "", "", "1", ""), BILL_INFERENCE,
	        "meta.llama3-3-70b-instruct", "us-east-1", 1000, "a spelling of a vendor's own");
	is_kind(kind(a, "USE1-MP:USE1_input_tokens_hyperspeed-Units", "Units",
	             "Claude Opus 5 (Amazon Bedrock Edition)", "", "1", "77"),
	        BILL_INFERENCE, "anthropic.claude-opus-5", "us-east-1", 1000000,
	        "an unknown word may change the rate, and not what is counted");
	is_kind(kind(a, "USE1-moonshotai.kimi-k2.5-input", "1K tokens", "", "", "1", ""), BILL_INFERENCE,
	        "moonshotai.kimi-k2.5", "us-east-1", 1000, "tokens by the unit");
	is_kind(kind(a, "USE1-openai.gpt-5.6-sol-mantle-input-tokens-standard", "1K tokens", "",
	             "arn:aws:bedrock-mantle:us-east-1::model/openai.gpt-5.6-sol", "1", ""),
	        BILL_INFERENCE, "bedrock-mantle/openai.gpt-5.6-sol", "us-east-1", 1000,
	        "a model of bedrock-mantle");
	is_kind(kind(a, "APS3-Claude4.5Haiku-input-tokens", "1K tokens", "",
	             "apac.anthropic.claude-haiku-4-5-20251001-v1:0", "1", ""),
	        BILL_INFERENCE, "apac.anthropic.claude-haiku-4-5-20251001-v1:0", "ap-south-1", 1000,
	        "an id in place of an ARN");
	struct err err = ERR_INIT;
	struct price_names own;
	ok(price_names_read(&own, STR("name,model\nAcme Saga 9 (Amazon Bedrock Edition),acme.saga-9\n"),
	                    "names.csv", &err),
	   "names of the user");
	kind_names.user = &own;
	is_kind(kind(a, "USE1-MP:USE1_input_tokens_standard-Units", "Units",
	             "Acme Saga 9 (Amazon Bedrock Edition)", "", "1", ""),
	        BILL_INFERENCE, "acme.saga-9", "us-east-1", 1000000, "say what a name means");
	kind_names.user = NULL;
	price_names_release(&own);
}

static void test_kinds(void)
{
	struct arena a = ARENA_INIT;
	is_kind(kind(&a, "USW2-Claude4.6Sonnet-output-tokens", "1K tokens", "", "", "68.579", "1.1315535"),
	        BILL_INFERENCE, "anthropic.claude-sonnet-4-6", "us-west-2", 1000, "first party");
	is_kind(
		kind(&a, "USE1-Claude4.5Haiku-input-tokens-cross-region-global", "1K tokens", "", "", "1000", "1"),
		BILL_INFERENCE, "global.anthropic.claude-haiku-4-5", "us-east-1", 1000, "global scope");
	is_kind(kind(&a, "USE1-MP:USE1_OutputTokenCount-Units", "Units",
	             "Claude Sonnet 4.6 (Amazon Bedrock Edition)", "", "0.068579", "1.1315535"),
	        BILL_INFERENCE, "anthropic.claude-sonnet-4-6", "us-east-1", 1000000,
	        "Marketplace: units are millions");
	is_kind(kind(&a, "USE1-MP:USE1_OutputTokenCount-Units", "Units",
	             "Claude Sonnet 4.6 (Amazon Bedrock Edition)", "", "68.579", "1.1315535"),
	        BILL_INFERENCE, "anthropic.claude-sonnet-4-6", "us-east-1", 1000,
	        "a unit that its dollars contradict");
	is_kind(kind(&a, "USW2-Claude4.6Sonnet-output-tokens", "1K tokens", "", "", "68.579", "0.9957671"),
	        BILL_INFERENCE, "anthropic.claude-sonnet-4-6", "us-west-2", 1000,
	        "a private price leaves the unit alone");
	is_kind(kind(&a, "USW2-Claude4.6Sonnet-output-tokens", "1K tokens", "", "", "68.579", "1131.55"),
	        BILL_INFERENCE, "anthropic.claude-sonnet-4-6", "us-west-2", 1000000,
	        "a unit that is 1,000 times larger than it says");
	is_kind(kind(&a, "USW2-Claude4.6Sonnet-output-tokens", "1K tokens", "", "", "68.579", "77"),
	        BILL_INFERENCE, "anthropic.claude-sonnet-4-6", "us-west-2", 0, "a unit that fits nothing");
	is_kind(kind(&a, "USE1-Claude4.6Sonnet-input-tokens", "1K tokens", "",
	             "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-sonnet-4-6",
	             "1", "0.0033"),
	        BILL_INFERENCE, "us.anthropic.claude-sonnet-4-6", "us-east-1", 1000,
	        "the resource is the model key");
	is_kind(kind(&a, "USE1-openai.gpt-oss-120b-mantle-input-tokens-standard", "1K tokens", "",
	             "arn:aws:bedrock-mantle:us-east-1:111122223333:project/proj_1", "1", ""),
	        BILL_INFERENCE, "openai.gpt-oss-120b", "us-east-1", 1000, "a project is no model");
	is_kind(kind(&a, "USE1-Claude9Saga-input-tokens", "1K tokens", "", "", "1", "1"), BILL_INFERENCE,
	        "claude9saga", "us-east-1", 1000, "a model not known here");
	test_units(&a);
	test_names(&a);
	struct bill_kind tax = {.line_type = STR("Tax"), .usage_type = STR("")},
					 odd = {.line_type = STR("Tribute")};
	kind_read(&tax, &kind_names, &a);
	kind_read(&odd, &kind_names, &a);
	is_int(tax.class, BILL_TAX, "tax");
	ok(odd.class == BILL_OTHER && odd.why, "a type of row not known here is other, and said to be");
	struct bill_kind bare = kind(&a, "USE1", "", "", "", "1", "1");
	ok(str_is(bare.shown, "-") && str_is(bare.region, "us-east-1"), "a usage type that is only a Region's prefix");
	arena_release(&a);
}

// ---- comparing ----------------------------------------------------------------------------------

static struct view_row row(const char *who, int type, int64_t tokens, int64_t rate, bool billed)
{
	return (struct view_row){.principal = str_of(who),
	                         .tagset = STR("-"),
	                         .type = (enum token_type)type,
	                         .figure = {.tokens = tokens,
	                                    .billed = billed ? tokens : 0,
	                                    .usd = usd_price(tokens, rate),
	                                    .list = usd_price(billed ? tokens : 0, rate),
	                                    .priced = true}};
}

static struct view_row in_tier(struct view_row r, enum price_tier tier)
{
	r.rate_class = (uint8_t)tier;
	return r;
}

static struct difference compare(const struct view_row *e, int ne, const struct view_row *b, int nb,
                                 const char *who)
{
	struct arena a = ARENA_INIT;
	struct model_hour model_hour = {.estimate = e, .nestimate = ne, .actual = b, .nactual = nb};
	struct compared *list;
	struct difference sum = {0};
	int n;
	compare_model_hour(&model_hour, &a, &list, &n);
	for (int i = 0; i < n; i++)
		if (!who || str_is(list[i].who.principal, who))
			difference_add(&sum, &list[i].d);
	arena_release(&a);
	return sum;
}

// `want`: the parts that are not 0, as "volume 1000 price -200".
static void is_parts(struct difference d, const char *want, const char *what)
{
	char got[300] = "";
	size_t n = 0;
	struct usd parts[DIFFERENCE_PARTS];
	difference_parts(&d, parts);
	for (int i = 0; i < DIFFERENCE_PARTS; i++)
		if (parts[i].pico)
			n += (size_t)snprintf(got + n, sizeof got - n, "%s%s %lld", n ? " " : "",
			                      difference_part_names[i], (long long)parts[i].pico);
	is_str(got, want, what);
}

static void test_compare(void)
{
	struct view_row e[] = {row("a", TOKEN_INPUT, 100, 10, false), row("b", TOKEN_INPUT, 100, 10, false)};
	struct view_row swapped[] = {row("a", TOKEN_INPUT, 150, 10, true), row("b", TOKEN_INPUT, 50, 10, true)};
	struct view_row more[] = {row("a", TOKEN_INPUT, 200, 10, true), row("b", TOKEN_INPUT, 200, 10, true)};
	struct view_row cheap[] = {row("a", TOKEN_INPUT, 100, 9, true), row("b", TOKEN_INPUT, 100, 9, true)};
	is_parts(compare(e, 2, e, 0, NULL), "unbilled -2000", "seen and not billed");
	is_parts(compare(e, 0, swapped, 2, NULL), "unmetered 2000", "billed and not seen");
	is_parts(compare(e, 2, swapped, 2, "a"), "attribution 500", "the wrong caller");
	is_parts(compare(e, 2, swapped, 2, NULL), "", "which sums to nothing");
	is_parts(compare(e, 2, more, 2, "b"), "volume 1000", "more tokens");
	is_parts(compare(e, 2, cheap, 2, NULL), "price -200", "a lower rate");
	struct view_row five[] = {row("a", TOKEN_CACHE_WRITE_5M, 100, 10, false)},
					hour[] = {row("a", TOKEN_CACHE_WRITE_1H, 100, 16, true)},
					five_billed[] = {row("a", TOKEN_CACHE_WRITE_5M, 100, 10, true)},
					hour_estimated[] = {row("a", TOKEN_CACHE_WRITE_1H, 100, 16, false)},
					cheap_hour[] = {row("a", TOKEN_CACHE_WRITE_1H, 100, 14, true)},
					more_hour[] = {row("a", TOKEN_CACHE_WRITE_1H, 150, 16, true)},
					fives[] = {row("a", TOKEN_CACHE_WRITE_5M, 110, 10, false),
	                           row("b", TOKEN_CACHE_WRITE_5M, 90, 10, false)},
					hours[] = {row("a", TOKEN_CACHE_WRITE_1H, 100, 16, true),
	                           row("b", TOKEN_CACHE_WRITE_1H, 100, 16, true)};
	is_parts(compare(five, 1, hour, 1, NULL), "ttl 600", "the TTL of cache writes is a part of its own");
	is_parts(compare(hour_estimated, 1, five_billed, 1, NULL), "ttl -600", "in both directions");
	is_parts(compare(five, 1, cheap_hour, 1, NULL), "price -200 ttl 600",
	         "and price is what the rates differ by");
	is_parts(compare(fives, 2, hours, 2, NULL), "ttl 1200",
	         "also where callers were given too much and too little");
	is_parts(compare(fives, 2, hours, 2, "a"), "ttl 660 attribution -160", "of which one has less then");
	is_parts(compare(five, 1, more_hour, 1, NULL), "volume 800 ttl 600",
	         "more tokens are volume, at the rate of the TTL");
	struct view_row only_a[] = {row("a", TOKEN_INPUT, 100, 10, true)},
					all_of_a[] = {row("a", TOKEN_INPUT, 200, 10, true)};
	is_parts(compare(e, 2, only_a, 1, NULL), "unbilled -1000", "a caller of whom the bill has nothing");
	is_parts(compare(e, 2, all_of_a, 1, "b"), "attribution -1000",
	         "unless the bill has it all under another");
	struct view_row told[] = {row("a", TOKEN_INPUT, 100, 10, false),
	                          in_tier(row("a", TOKEN_INPUT, 100, 5, false), TIER_FLEX)};
	struct view_row tiers[] = {row("a", TOKEN_INPUT, 100, 10, true),
	                           in_tier(row("a", TOKEN_INPUT, 150, 5, true), TIER_FLEX)};
	struct view_row standard[] = {row("a", TOKEN_INPUT, 200, 10, false)},
					flex[] = {in_tier(row("a", TOKEN_INPUT, 200, 5, true), TIER_FLEX)};
	is_parts(compare(told, 2, tiers, 2, NULL), "volume 250",
	         "each tier beside its own: more tokens in flex, at the rate of flex");
	is_parts(compare(standard, 1, flex, 1, NULL), "price -1000",
	         "a tier that no record told is a matter of price");
}

static int by_row(const void *a, const void *b)
{
	return row_cmp(a, b);
}

// Random model hours: the parts add up, the sums are those of the two sides, attribution sums to nothing at
// an even rate.
static void test_compare_random(void)
{
	unsigned seed = getenv("SEED") ? (unsigned)atoi(getenv("SEED")) : (unsigned)when_now_ms();
	static const char *const names[] = {"a", "b", "c", "(unattributed)"};
	bool adds = true, sums = true;
	diag("SEED=%u", seed);
	for (int turn = 0; turn < 2000; turn++) {
		struct view_row e[20], b[20];
		struct usd es = USD_ZERO, bs = USD_ZERO;
		int ne = 0, nb = 0;
		for (int who = 0; who < 4; who++)
			for (int type = 0; type < TOKEN_TYPES; type++) {
				if (rand_r(&seed) % 3)
					e[ne++] = in_tier(row(names[who], type, rand_r(&seed) % 4 ? rand_r(&seed) : 0,
					                      type == 4 ? 16 : 10, false),
					                  rand_r(&seed) % 3 ? TIER_STANDARD : TIER_FLEX);
				if (rand_r(&seed) % 3)
					b[nb++] = in_tier(row(names[who], type, rand_r(&seed) % 4 ? rand_r(&seed) : 0,
					                      rand_r(&seed) % 20, true),
					                  rand_r(&seed) % 3 ? TIER_STANDARD : TIER_FLEX);
			}
		for (int i = 0; i < ne; i++)
			es = usd_add(es, e[i].figure.usd);
		for (int i = 0; i < nb; i++)
			bs = usd_add(bs, b[i].figure.usd);
		qsort(e, (size_t)ne, sizeof *e, by_row);
		qsort(b, (size_t)nb, sizeof *b, by_row);
		struct difference d = compare(e, ne, b, nb, NULL);
		struct usd parts[DIFFERENCE_PARTS], all = USD_ZERO;
		difference_parts(&d, parts);
		for (int i = 0; i < DIFFERENCE_PARTS; i++)
			all = usd_add(all, parts[i]);
		adds &= all.pico == d.billed.pico - d.estimated.pico;
		sums &= d.billed.pico == bs.pico && d.estimated.pico == es.pico;
	}
	ok(adds, "the parts add up to the difference, to the picodollar");
	ok(sums, "and the sides are what they were");
}

// ---- watermark ----------------------------------------------------------------------------------

static void test_watermark(void)
{
	int64_t billed[72], estimated[72], held;
	for (int i = 0; i < 72; i++)
		billed[i] = estimated[i] = 100;
	struct watermark_input in = {.first = 1000,
	                             .end = 1072,
	                             .last_hour = 1048,
	                             .delivered_ms = (int64_t)1100 * MS_PER_HOUR,
	                             .now_ms = (int64_t)1101 * MS_PER_HOUR,
	                             .patience_ms = (int64_t)10 * MS_PER_HOUR,
	                             .billed = billed,
	                             .estimated = estimated};
	is_int(watermark_find(&in, &held), 1048, "not beyond what the bill holds");
	in.delivered_ms = (int64_t)1040 * MS_PER_HOUR;
	is_int(watermark_find(&in, &held), 1030, "nor nearer to the delivery than the patience");
	in.delivered_ms = (int64_t)1100 * MS_PER_HOUR;
	for (int i = 40; i < 48; i++)
		billed[i] = 50;
	is_int(watermark_find(&in, &held), 1040, "hours that look half delivered are held back");
	is_int(held, 8, "and counted");
	for (int i = 24; i < 40; i++)
		billed[i] = 50;
	in.daily = true;
	in.first = 1008, in.end = 1080, in.last_hour = 1056;
	is_int(watermark_find(&in, &held), 1032, "by whole days, if the bill is daily");
	in.daily = false, in.first = 1000, in.end = 1072, in.last_hour = 1048;
	in.before = 1044;
	is_int(watermark_find(&in, &held), 1044, "it does not go back");
	in.invoiced = true;
	is_int(watermark_find(&in, &held), 1072, "an invoice makes all of it final");
	in = (struct watermark_input){.first = 1000,
	                              .end = 1072,
	                              .now_ms = (int64_t)2000 * MS_PER_HOUR,
	                              .delivered_ms = (int64_t)2000 * MS_PER_HOUR,
	                              .billed = billed,
	                              .estimated = estimated};
	is_int(watermark_find(&in, &held), 0, "a bill without usage says nothing");
}

// ---- rates --------------------------------------------------------------------------------------

// Days of one kind at these rates (picodollars a token); the rows that are learned.
static int learned(const int64_t *rates, int ndays, int64_t complete, struct buf *csv)
{
	struct arena a = ARENA_INIT;
	struct bill_kind k =
		kind(&a, "USE1-Claude4.6Sonnet-output-tokens", "1K tokens", "", "", "68.579", "1.1315535");
	struct str names[] = {STR("111122223333"), STR("")};
	struct bill_line lines[8];
	for (int i = 0; i < ndays; i++)
		lines[i] = (struct bill_line){.account = 0,
		                              .principal = 1,
		                              .hours = 1,
		                              .hour = 498192 + 24 * i,
		                              .amount = (usd_pico)100 * 1000000000000,
		                              .cost = usd_price(100000, rates[i])};
	struct bill b = {.kinds = &k, .nkinds = 1, .names = names, .nnames = 2, .lines = lines, .nlines = ndays};
	int n;
	buf_clear(csv);
	rates_learn(&b, complete, csv, &n);
	arena_release(&a);
	return n;
}

static void test_rates(void)
{
	struct buf csv = BUF_INIT;
	is_int(learned((int64_t[]){14520000, 14520000}, 2, 498192 + 48, &csv), 1,
	       "a rate that two complete days show is learned");
	ok(csv.data && strstr(csv.data, "anthropic.claude-sonnet-4-6") && strstr(csv.data, "14.52") &&
	       strstr(csv.data, "111122223333") && strstr(csv.data, "2026-11-01T00"),
	   "for that account, from the first of them on");
	is_int(learned((int64_t[]){14520000, 14520000}, 2, 498192 + 47, &csv), 0,
	       "not while the second is not complete");
	is_int(learned((int64_t[]){14520000, 13000000}, 2, 498192 + 48, &csv), 0, "not when they differ");
	is_int(learned((int64_t[]){INT64_C(20000000000), INT64_C(20000000000)}, 2, 498192 + 48, &csv), 0,
	       "not when no price file would take it");
	is_int(learned((int64_t[]){14000000, 14520000, 14520000}, 3, 498192 + 72, &csv), 1,
	       "the newest two count");
	is_int(learned((int64_t[]){16500000, 16500000}, 2, 498192 + 48, &csv), 0,
	       "the list's own rate is not worth a row");
	buf_release(&csv);
}

static void test_period(void)
{
	int64_t first, end;
	ok(export_period_hours(STR("2026-12"), &first, &end) && end - first == 31 * 24,
	   "December ends with the year");
	ok(!export_period_hours(STR("2026-13"), &first, &end) && !export_period_hours(STR("2026"), &first, &end),
	   "what is no month is refused");
}

int main(void)
{
	struct model_names *known = model_names_new();
	kind_names.known = known;
	test_kinds();
	test_compare();
	test_compare_random();
	test_watermark();
	test_rates();
	test_period();
	model_names_free(known);
	return done();
}
