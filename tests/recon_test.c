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
	kind_read(&k, a);
	kind_weigh(&k, (int64_t)1793577600000); // 2026-11-02
	return k;
}

static void is_kind(struct bill_kind k, enum bill_class class, const char *shown, const char *region,
                    int64_t per_unit, const char *what)
{
	char got[400], want[400];
	snprintf(got, sizeof got, "%s %.*s %.*s %lld", bill_class_names[k.class], STR_ARG(k.shown),
	         STR_ARG(k.region), (long long)k.tokens_per_unit);
	snprintf(want, sizeof want, "%s %s %s %lld", bill_class_names[class], shown, region, (long long)per_unit);
	is_str(got, want, what);
}

static void test_kinds(void)
{
	struct arena a = ARENA_INIT;
	is_kind(kind(&a, "USW2-Claude4.6Sonnet-output-tokens", "1K tokens", "", "", "68.579", "1.1315535"),
	        BILL_TOKENS, "anthropic.claude-sonnet-4-6", "us-west-2", 1000, "first party");
	is_kind(
		kind(&a, "USE1-Claude4.5Haiku-input-tokens-cross-region-global", "1K tokens", "", "", "1000", "1"),
		BILL_TOKENS, "global.anthropic.claude-haiku-4-5", "us-east-1", 1000, "global scope");
	is_kind(kind(&a, "USE1-MP:USE1_OutputTokenCount-Units", "Units",
	             "Claude Sonnet 4.6 (Amazon Bedrock Edition)", "", "0.068579", "1.1315535"),
	        BILL_TOKENS, "anthropic.claude-sonnet-4-6", "us-east-1", 1000000,
	        "Marketplace: units are millions");
	is_kind(kind(&a, "USE1-MP:USE1_OutputTokenCount-Units", "Units",
	             "Claude Sonnet 4.6 (Amazon Bedrock Edition)", "", "68.579", "1.1315535"),
	        BILL_TOKENS, "anthropic.claude-sonnet-4-6", "us-east-1", 1000,
	        "a unit that its dollars contradict");
	is_kind(kind(&a, "USW2-Claude4.6Sonnet-output-tokens", "1K tokens", "", "", "68.579", "0.9957671"),
	        BILL_TOKENS, "anthropic.claude-sonnet-4-6", "us-west-2", 1000,
	        "a private price leaves the unit alone");
	is_kind(kind(&a, "USW2-Claude4.6Sonnet-output-tokens", "1K tokens", "", "", "68.579", "1131.55"),
	        BILL_TOKENS, "anthropic.claude-sonnet-4-6", "us-west-2", 1000000,
	        "a unit that is 1,000 times larger than it says");
	is_kind(kind(&a, "USW2-Claude4.6Sonnet-output-tokens", "1K tokens", "", "", "68.579", "77"), BILL_TOKENS,
	        "anthropic.claude-sonnet-4-6", "us-west-2", 0, "a unit that fits nothing");
	is_kind(kind(&a, "USE1-Claude4.6Sonnet-input-tokens", "1K tokens", "",
	             "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-sonnet-4-6",
	             "1", "0.0033"),
	        BILL_TOKENS, "us.anthropic.claude-sonnet-4-6", "us-east-1", 1000,
	        "the resource is the model key");
	is_kind(kind(&a, "USE1-openai.gpt-oss-120b-mantle-input-tokens-standard", "1K tokens", "",
	             "arn:aws:bedrock-mantle:us-east-1:111122223333:project/proj_1", "1", ""),
	        BILL_TOKENS, "openai.gpt-oss-120b", "us-east-1", 1000, "a project is no model");
	is_kind(kind(&a, "USE1-Claude9Saga-input-tokens", "1K tokens", "", "", "1", "1"), BILL_TOKENS,
	        "claude9saga", "us-east-1", 1000, "a model not known here");
	struct bill_kind tax = {.line_type = STR("Tax"), .usage_type = STR("")},
					 odd = {.line_type = STR("Tribute")};
	kind_read(&tax, &a);
	kind_read(&odd, &a);
	is_int(tax.class, BILL_TAX, "tax");
	ok(odd.class == BILL_OTHER && odd.why, "a type of row not known here is other, and said to be");
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

static void is_parts(struct difference d, int64_t volume, int64_t price, int64_t attribution,
                     int64_t unmetered, int64_t unbilled, const char *what)
{
	char got[200], want[200];
	snprintf(got, sizeof got, "%lld %lld %lld %lld %lld", (long long)d.volume.pico, (long long)d.price.pico,
	         (long long)d.attribution.pico, (long long)d.unmetered.pico, (long long)d.unbilled.pico);
	snprintf(want, sizeof want, "%lld %lld %lld %lld %lld", (long long)volume, (long long)price,
	         (long long)attribution, (long long)unmetered, (long long)unbilled);
	is_str(got, want, what);
}

static void test_compare(void)
{
	struct view_row e[] = {row("a", TOKEN_INPUT, 100, 10, false), row("b", TOKEN_INPUT, 100, 10, false)};
	struct view_row swapped[] = {row("a", TOKEN_INPUT, 150, 10, true), row("b", TOKEN_INPUT, 50, 10, true)};
	struct view_row more[] = {row("a", TOKEN_INPUT, 200, 10, true), row("b", TOKEN_INPUT, 200, 10, true)};
	struct view_row cheap[] = {row("a", TOKEN_INPUT, 100, 9, true), row("b", TOKEN_INPUT, 100, 9, true)};
	is_parts(compare(e, 2, e, 0, NULL), 0, 0, 0, 0, -2000, "seen and not billed");
	is_parts(compare(e, 0, swapped, 2, NULL), 0, 0, 0, 2000, 0, "billed and not seen");
	is_parts(compare(e, 2, swapped, 2, "a"), 0, 0, 500, 0, 0, "the wrong caller");
	is_parts(compare(e, 2, swapped, 2, NULL), 0, 0, 0, 0, 0, "which sums to nothing");
	is_parts(compare(e, 2, more, 2, "b"), 1000, 0, 0, 0, 0, "more tokens");
	is_parts(compare(e, 2, cheap, 2, NULL), 0, -200, 0, 0, 0, "a lower rate");
	struct view_row five[] = {row("a", TOKEN_CACHE_WRITE_5M, 100, 10, false)},
					hour[] = {row("a", TOKEN_CACHE_WRITE_1H, 100, 16, true)};
	is_parts(compare(five, 1, hour, 1, NULL), 0, 600, 0, 0, 0,
	         "the TTL of cache writes is a matter of price");
	struct view_row told[] = {row("a", TOKEN_INPUT, 100, 10, false),
	                          in_tier(row("a", TOKEN_INPUT, 100, 5, false), TIER_FLEX)};
	struct view_row tiers[] = {row("a", TOKEN_INPUT, 100, 10, true),
	                           in_tier(row("a", TOKEN_INPUT, 150, 5, true), TIER_FLEX)};
	struct view_row standard[] = {row("a", TOKEN_INPUT, 200, 10, false)},
					flex[] = {in_tier(row("a", TOKEN_INPUT, 200, 5, true), TIER_FLEX)};
	is_parts(compare(told, 2, tiers, 2, NULL), 250, 0, 0, 0, 0,
	         "each tier beside its own: more tokens in flex, at the rate of flex");
	is_parts(compare(standard, 1, flex, 1, NULL), 0, -1000, 0, 0, 0,
	         "a tier that no record told is a matter of price");
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
		struct difference d = compare(e, ne, b, nb, NULL);
		struct usd parts =
			usd_add(usd_add(usd_add(d.volume, d.price), usd_add(d.attribution, d.unmetered)), d.unbilled);
		adds &= parts.pico == d.billed.pico - d.estimated.pico;
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
	test_kinds();
	test_compare();
	test_compare_random();
	test_watermark();
	test_rates();
	test_period();
	return done();
}
