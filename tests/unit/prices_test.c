// SPDX-License-Identifier: Apache-2.0
// Sources in an order, and the dimensions beyond model, Region and time: account, tier, length of the prompt.
// Also that what is written as a price file reads back as the same rows, and what a caller's priced usage
// costs where prompts have bands.
#include "pricing/prices.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/when.h"
#include "estimator/rate_class.h"
#include "estimator/tariff.h"
#include "pricing/discounts.h"
#include "pricing/nearest_region.h"
#include "pricing/price_diff.h"
#include "pricing/price_file.h"
#include "pricing/prices_kept.h"
#include "tests/tap.h"

#define HEAD                                                                                                 \
	"model,scope,region,account,tier,from,to,prompt_tokens_over,input,output,cache_read,cache_write_5m,cache_write_1h,unit,per_unit,source\n"
#define DOLLARS(n) ((int64_t)(n) * 1000000) // a million tokens

static char folder[64];

static struct buf path_of(const char *name)
{
	struct buf b = BUF_INIT;
	buf_addf(&b, "%s/%s", folder, name);
	return b;
}

static void write_file(const char *name, const char *text)
{
	struct err err = ERR_INIT;
	struct buf path = path_of(name);
	ok(file_replace(path.data, str_of(text), &err), "%s is written %s", name, err.msg);
	buf_release(&path);
}

// `text`: "key = value" lines; FOLDER stands for the folder.
static bool read_conf(struct conf *ret, const char *text, struct err *err)
{
	struct buf whole = BUF_INIT;
	for (const char *at; (at = strstr(text, "FOLDER")); text = at + 6) {
		buf_add(&whole, text, (size_t)(at - text));
		buf_adds(&whole, folder);
	}
	buf_adds(&whole, text);
	conf_init(ret);
	bool good = conf_read_text(ret, buf_str(&whole), "test.conf", err);
	buf_release(&whole);
	return good;
}

static bool load(struct prices **ret, const char *text, struct err *err)
{
	struct conf conf;
	bool good = read_conf(&conf, text, err) && prices_load(ret, &conf, err);
	conf_release(&conf);
	return good;
}

static void must_find(const struct prices *p, const struct price_query *q, int64_t want, const char *source)
{
	struct rate rate;
	struct price_source from = {0};
	enum price_miss miss = prices_find(p, q, &rate, &from);
	if (ok(miss == MISS_NONE && rate.pico_per_token == want && strcmp(from.name, source) == 0,
	       "%.*s tier %d prompt %lld: %lld of %s", STR_ARG(q->model), (int)q->tier,
	       (long long)q->prompt_tokens, (long long)want, source))
		return;
	if (miss == MISS_NONE)
		diag("got %lld of %s (%s:%d)", (long long)rate.pico_per_token, from.name, rate.file, rate.line);
	else
		diag("%s", price_miss_text(miss));
}

static struct price_query ask(const char *model, enum token_type type)
{
	return (struct price_query){
		.model = str_of(model), .region = STR("us-east-1"), .type = type, .time_ms = INT64_C(1793577600000)};
}

static void check_order(void)
{
	struct err err = ERR_INIT;
	struct prices *p;
	write_file("mine.csv", HEAD "anthropic.claude-sonnet-4-6,regional,,,,,,,1,,,,,,,my contract\n");
	write_file("bill.csv",
	           HEAD "anthropic.claude-sonnet-4-6,regional,,111122223333,,,,,2,2,,,,,,bill 2026-10\n");
	write_file("pricelist-A.csv",
	           HEAD "anthropic.claude-sonnet-4-6,regional,,,,,,,3,3,3,,,,,AWS price list\n");
	struct price_query q = ask("us.anthropic.claude-sonnet-4-6", TOKEN_INPUT);
	if (!ok(load(&p, "prices.file = FOLDER/mine.csv\nprices.dir = FOLDER\n", &err), "the sources load %s",
	        err.msg))
		return;
	is_int((long long)prices_count(p), 4, "a source a file");
	must_find(p, &q, DOLLARS(1), "user");
	q.type = TOKEN_OUTPUT;
	must_find(p, &q, DOLLARS(3), "pricelist");
	q.account = STR("111122223333");
	must_find(p, &q, DOLLARS(2), "bill");
	q.type = TOKEN_CACHE_READ;
	must_find(p, &q, DOLLARS(3), "pricelist");
	q.type = TOKEN_CACHE_WRITE_1H;
	must_find(p, &q, INT64_C(6600000), "builtin");
	must_find(NULL, &q, INT64_C(6600000), "builtin");
	prices_free(p);
	ok(load(&p, "prices = builtin, pricelist\nprices.dir = FOLDER\n", &err), "the order can be changed %s",
	   err.msg);
	q.type = TOKEN_OUTPUT;
	must_find(p, &q, INT64_C(16500000), "builtin");
	prices_free(p);
}

static void must_refuse(const char *conf, const char *part)
{
	struct err err = ERR_INIT;
	struct prices *p = NULL;
	if (!ok(!load(&p, conf, &err) && err.kind == ERR_CONFIG && strstr(err.msg, part), "refused: %s", part))
		diag("%s", err.msg);
	prices_free(p);
}

static void check_refusals(void)
{
	must_refuse("prices = user,bil\n", "unknown source bil");
	must_refuse("prices = builtin,user,builtin\n", "named twice");
	must_refuse("prices.file = FOLDER/none.csv\n", "none.csv: No such file");
	write_file("litellm.csv", HEAD "acme.m,any,,,,,,,-1,,,,,,,x\n");
	must_refuse("prices.dir = FOLDER\n", "litellm.csv:2: input: -1 is negative");
	struct buf path = path_of("litellm.csv");
	unlink(path.data);
	buf_release(&path);
}

static void check_dimensions(void)
{
	struct err err = ERR_INIT;
	struct prices *p;
	write_file("d.csv", HEAD "acme.m,any,,,,,,,10,20,,,,,,s\n"
	                         "acme.m,any,,,batch,,,,5,10,,,,,,s\n"
	                         "acme.m,any,,,,,,100000,50,100,,,,,,s\n"
	                         "acme.m,any,,,,,,200000,70,,,,,,,s\n"
	                         "acme.m,regional,us-east-1,444455556666,,,,,1,2,,,,,,s\n"
	                         "acme.draw,any,,,,,,,,,,,,image,0.04,s\n");
	if (!ok(load(&p, "prices = user\nprices.file = FOLDER/d.csv\n", &err), "dimensions load %s", err.msg))
		return;
	struct price_query q = ask("acme.m", TOKEN_INPUT);
	must_find(p, &q, DOLLARS(10), "user");
	q.prompt_tokens = 100000;
	must_find(p, &q, DOLLARS(10), "user");
	q.prompt_tokens = 100001;
	must_find(p, &q, DOLLARS(50), "user");
	q.prompt_tokens = 1000000;
	must_find(p, &q, DOLLARS(70), "user");
	q.account = STR("444455556666");
	must_find(p, &q, DOLLARS(1), "user");
	q = ask("acme.m", TOKEN_INPUT);
	q.tier = TIER_BATCH;
	must_find(p, &q, DOLLARS(5), "user");
	struct rate rate;
	q.tier = TIER_FLEX;
	is_int(prices_find(p, &q, &rate, NULL), MISS_TIER, "a tier without a rate is unpriced, not standard");
	q = ask("acme.draw", TOKEN_INPUT);
	is_int(prices_find(p, &q, &rate, NULL), MISS_IMAGE, "priced per image");

	struct tariffs tariffs;
	struct cost c;
	bool estimated;
	tariffs_init(&tariffs, p, STR("111122223333/us-east-1"), STR("acme.m"), STR_NONE, INT64_C(1793577600000));
	const struct tariff *t = tariffs_at(&tariffs, TIER_STANDARD);
	is_int(t->nbands, 3, "three bands");
	struct priced_usage b = {.calls = 10, .tokens = {[TOKEN_INPUT] = 100000, [TOKEN_OUTPUT] = 100}};
	ok(tariff_price(t, &b, TOKEN_INPUT, &c) && c.usd.pico == 100000 * DOLLARS(10) && c.more.pico == 0,
	   "short prompts: the lowest band, nothing on top");
	tariff_band(t, &b, &estimated);
	ok(!estimated, "which is no estimate, for no call can have had a longer one");
	b.tokens[TOKEN_INPUT] = 100009;
	ok(tariff_price(t, &b, TOKEN_INPUT, &c) && c.more.pico == 0,
	   "no call of ten can have had more than 100000 tokens of 100009");
	b.tokens[TOKEN_INPUT] = 100010;
	ok(tariff_price(t, &b, TOKEN_INPUT, &c) && c.usd.pico == 100010 * DOLLARS(10) &&
	       c.more.pico == 100010 * DOLLARS(40),
	   "of one more, one can: the lowest band, and it is said what more it may cost");
	tariff_band(t, &b, &estimated);
	ok(estimated, "which is an estimate, for the sum is all that is known");
	b.tokens[TOKEN_INPUT] = 300000;
	ok(tariff_price(t, &b, TOKEN_INPUT, &c) && c.usd.pico == 300000 * DOLLARS(10) &&
	       c.more.pico == 300000 * DOLLARS(60),
	   "up to the highest band that one can have been in");
	b = (struct priced_usage){.calls = 2, .tokens = {[TOKEN_INPUT] = 100000, [TOKEN_OUTPUT] = 100}};
	b.tokens[TOKEN_INPUT] = 300000;
	ok(tariff_price(t, &b, TOKEN_OUTPUT, &c) && c.usd.pico == 100 * DOLLARS(100),
	   "a mean above the limit: the second band, for output too");
	ok(rate_class_parse(STR("standard<=100000"), &b.rate_class) &&
	       tariff_price(t, &b, TOKEN_OUTPUT, &c) && c.usd.pico == 100 * DOLLARS(20) && c.more.pico == 0,
	   "calls whose prompts are known to be short: the lowest band, whatever the mean");
	tariff_band(t, &b, &estimated);
	ok(!estimated, "and that is no estimate");
	ok(rate_class_parse(STR("standard>100000"), &b.rate_class) &&
	       tariff_price(t, &b, TOKEN_OUTPUT, &c) && c.usd.pico == 100 * DOLLARS(100),
	   "known to be long: the second");
	ok(rate_class_parse(STR("standard>100000+"), &b.rate_class), "known to be at least so long");
	tariff_band(t, &b, &estimated);
	ok(estimated, "is an estimate again");
	b.rate_class = TIER_BATCH;
	t = tariffs_at(&tariffs, TIER_BATCH);
	ok(tariff_price(t, &b, TOKEN_INPUT, &c) && c.usd.pico == 300000 * DOLLARS(5),
	   "a batch at the rate of batches");
	ok(!tariff_price(tariffs_at(&tariffs, TIER_FLEX), &b, TOKEN_INPUT, &c),
	   "a tier without a rate has no price");
	prices_free(p);
}

// Cache writes of which nobody says how long they live.
static void check_ttl_doubt(void)
{
	struct err err = ERR_INIT;
	struct prices *p;
	struct cost c;
	struct tariffs tariffs;
	write_file("t.csv", HEAD "acme.m,any,,,,,,,10,20,1,12.5,20,,,s\n"
	                         "acme.short,any,,,,,,,10,20,1,12.5,,,,s\n");
	if (!ok(load(&p, "prices = user\nprices.file = FOLDER/t.csv\n", &err), "two TTLs load %s", err.msg))
		return;
	struct priced_usage b = {.calls = 10,
	                         .tokens = {[TOKEN_CACHE_WRITE_5M] = 1000, [TOKEN_CACHE_WRITE_1H] = 400},
	                         .doubtful_5m = 900,
	                         .doubtful_1h = 100};
	tariffs_init(&tariffs, p, STR("111122223333/us-east-1"), STR("acme.m"), STR_NONE, INT64_C(1793577600000));
	const struct tariff *t = tariffs_at(&tariffs, TIER_STANDARD);
	ok(tariff_price(t, &b, TOKEN_CACHE_WRITE_5M, &c) && c.usd.pico == 1000 * INT64_C(12500000) &&
	       c.more.pico == 900 * INT64_C(7500000) && c.less.pico == 0 && c.other_rate == DOLLARS(20),
	   "what is taken for 5-minute writes may be 1-hour ones");
	ok(tariff_price(t, &b, TOKEN_CACHE_WRITE_1H, &c) && c.usd.pico == 400 * DOLLARS(20) &&
	       c.more.pico == 0 && c.less.pico == 100 * INT64_C(7500000) && c.other_rate == INT64_C(12500000),
	   "and the other way round");
	tariffs_init(&tariffs, p, STR("111122223333/us-east-1"), STR("acme.short"), STR_NONE,
	             INT64_C(1793577600000));
	t = tariffs_at(&tariffs, TIER_STANDARD);
	ok(!tariff_price(t, &b, TOKEN_CACHE_WRITE_1H, &c), "1-hour writes that a record names need a rate");
	b.doubtful_1h = 400;
	ok(tariff_price(t, &b, TOKEN_CACHE_WRITE_1H, &c) && c.usd.pico == 400 * INT64_C(12500000) &&
	       c.less.pico == 0 && c.other_rate == 0,
	   "what was only taken for them, of a model that has no rate for one hour, costs as 5-minute writes");
	ok(tariff_price(t, &b, TOKEN_CACHE_WRITE_5M, &c) && c.more.pico == 0, "of which none can be longer");
	prices_free(p);
}

// Tokens of a prompt of which nobody says whether the cache was read or written (struct figure).
static void check_cache_doubt(void)
{
	struct err err = ERR_INIT;
	struct prices *p;
	struct cost c;
	struct tariffs tariffs;
	write_file("d.csv", HEAD "acme.m,any,,,,,,,10,20,1,12.5,,,,s\n"
	                         "acme.m,any,,,,,,100000,20,40,2,25,,,,s\n"
	                         "acme.read,any,,,,,,,10,20,1,,,,,s\n"
	                         "acme.none,any,,,,,,,10,20,,,,,,s\n");
	if (!ok(load(&p, "prices = user\nprices.file = FOLDER/d.csv\n", &err), "cached prompts load %s",
	        err.msg))
		return;
	struct priced_usage b = {.calls = 10,
	                         .tokens[TOKEN_INPUT] = 200000,
	                         .cache_unknown[TOKEN_INPUT] = 150000,
	                         .prompt_max = 90000};
	tariffs_init(&tariffs, p, STR("111122223333/us-east-1"), STR("acme.m"), STR_NONE, INT64_C(1793577600000));
	const struct tariff *t = tariffs_at(&tariffs, TIER_STANDARD);
	ok(tariff_price(t, &b, TOKEN_INPUT, &c) && c.usd.pico == 200000 * DOLLARS(10) &&
	       c.more.pico == 150000 * INT64_C(2500000) && c.less.pico == 150000 * DOLLARS(9),
	   "input that may have been read or written: down to the price of reads, up to that of writes");
	b.prompt_max = 0;
	ok(tariff_price(t, &b, TOKEN_INPUT, &c) &&
	       c.more.pico == 200000 * DOLLARS(10) + 150000 * DOLLARS(5) && c.less.pico == 150000 * DOLLARS(9),
	   "of long prompts, where one of the calls can have had one");
	b = (struct priced_usage){.calls = 10,
	                          .tokens = {[TOKEN_CACHE_READ] = 100, [TOKEN_CACHE_WRITE_5M] = 100},
	                          .cache_unknown = {[TOKEN_CACHE_READ] = 10, [TOKEN_CACHE_WRITE_5M] = 10}};
	ok(tariff_price(t, &b, TOKEN_CACHE_READ, &c) && c.less.pico == 0 &&
	       c.more.pico == 10 * INT64_C(11500000),
	   "reads may be writes");
	ok(tariff_price(t, &b, TOKEN_CACHE_WRITE_5M, &c) && c.more.pico == 0 &&
	       c.less.pico == 10 * INT64_C(11500000),
	   "and writes reads");
	b = (struct priced_usage){
		.calls = 10, .tokens[TOKEN_INPUT] = 100, .cache_unknown[TOKEN_INPUT] = 100};
	tariffs_init(&tariffs, p, STR("111122223333/us-east-1"), STR("acme.read"), STR_NONE,
	             INT64_C(1793577600000));
	ok(tariff_price(tariffs_at(&tariffs, TIER_STANDARD), &b, TOKEN_INPUT, &c) && c.more.pico == 0 &&
	       c.less.pico == 100 * DOLLARS(9),
	   "a model whose writes have no price of their own");
	tariffs_init(&tariffs, p, STR("111122223333/us-east-1"), STR("acme.none"), STR_NONE,
	             INT64_C(1793577600000));
	ok(tariff_price(tariffs_at(&tariffs, TIER_STANDARD), &b, TOKEN_INPUT, &c) && c.more.pico == 0 &&
	       c.less.pico == 0,
	   "and one without a cache");
	prices_free(p);
}

// A source without bands by the length of the prompt does not speak of long ones where a later source has
// bands.
static void check_bands_of_sources(void)
{
	struct err err = ERR_INIT;
	struct prices *p;
	struct rate rate;
	write_file("bill.csv",
	           HEAD "anthropic.claude-sonnet-4-5,regional,us-east-1,,,,,,3,,,,,,,learned from the bill\n");
	write_file("pricelist-A.csv",
	           HEAD "anthropic.claude-sonnet-4-5,regional,us-east-1,,,,,,3.3,16.5,,,,,,AWS price list\n");
	write_file("d.csv", HEAD "anthropic.claude-sonnet-4-5,regional,,111122223333,,,,,1,2,,,,,,mine\n"
	                         "anthropic.claude-sonnet-4-5,regional,,111122223333,,,,100000,5,6,,,,,,mine\n");
	if (!ok(load(&p, "prices.file = FOLDER/d.csv\nprices.dir = FOLDER\n", &err), "bands of sources load %s",
	        err.msg))
		return;
	struct price_query q = ask("us.anthropic.claude-sonnet-4-5-20250929-v1:0", TOKEN_INPUT);
	must_find(p, &q, DOLLARS(3), "bill");
	is_int(prices_find(p, &q, &rate, NULL) == MISS_NONE ? rate.prompt_max : 0, 200000,
	       "it ends where the band begins that a later source has");
	q.prompt_tokens = 200000;
	must_find(p, &q, DOLLARS(3), "bill");
	q.prompt_tokens = 200001;
	must_find(p, &q, INT64_C(6600000), "builtin");
	q.type = TOKEN_OUTPUT;
	must_find(p, &q, INT64_C(24750000), "builtin");
	q.prompt_tokens = 0;
	must_find(p, &q, INT64_C(16500000), "pricelist");
	q.account = STR("111122223333");
	q.prompt_tokens = 300000;
	must_find(p, &q, DOLLARS(6), "user");
	q.prompt_tokens = 100000;
	must_find(p, &q, DOLLARS(2), "user");

	struct tariffs tariffs;
	tariffs_init(&tariffs, p, STR("444455556666/us-east-1"),
	             STR("us.anthropic.claude-sonnet-4-5-20250929-v1:0"), STR_NONE, INT64_C(1793577600000));
	const struct tariff *t = tariffs_at(&tariffs, TIER_STANDARD);
	is_int(t->nbands, 2, "two bands, for a caller too");
	is_int(t->bands[0].rate[TOKEN_INPUT], DOLLARS(3), "the short one of the bill");
	is_int(t->bands[1].rate[TOKEN_INPUT], INT64_C(6600000), "the long one as built in");
	prices_free(p);
}

// What the built-in catalogue knows beyond the standard tier and short prompts.
static void check_builtin(void)
{
	struct price_query q = ask("us.anthropic.claude-haiku-5-5", TOKEN_OUTPUT);
	q.prompt_tokens = 100000;
	must_find(NULL, &q, 550000, "builtin");
	q.prompt_tokens = 100001;
	must_find(NULL, &q, 2750000, "builtin");
	q = ask("us.anthropic.claude-sonnet-4-5-20250929-v1:0", TOKEN_CACHE_WRITE_1H);
	q.prompt_tokens = 200001;
	must_find(NULL, &q, 13200000, "builtin");
	q = ask("us.anthropic.claude-sonnet-4-6", TOKEN_INPUT);
	q.prompt_tokens = 900000;
	must_find(NULL, &q, 3300000, "builtin");
	q.tier = TIER_BATCH;
	must_find(NULL, &q, 1650000, "builtin");
	q = ask("amazon.nova-pro-v1:0", TOKEN_OUTPUT);
	q.tier = TIER_PRIORITY;
	must_find(NULL, &q, 5600000, "builtin");
	q.tier = TIER_LATENCY;
	must_find(NULL, &q, 4000000, "builtin");
	q = ask("openai.gpt-oss-120b-1:0", TOKEN_INPUT);
	q.tier = TIER_FLEX;
	must_find(NULL, &q, 75000, "builtin");
	q = ask("stability.stable-image-core-v1:1", TOKEN_INPUT);
	q.per_unit = true;
	must_find(NULL, &q, 40 * INT64_C(1000000000), "builtin");
	q.model = STR("cohere.rerank-v3-5:0");
	must_find(NULL, &q, 2 * INT64_C(1000000000), "builtin");
	struct rate rate;
	q.model = STR("amazon.nova-canvas-v1:0");
	is_int(prices_find(NULL, &q, &rate, NULL), MISS_PER_UNIT,
	       "an image whose price goes by its size has none");
}

// What a file would change, of units too.
static void check_diff(void)
{
	struct err err = ERR_INIT;
	struct price_rows rows;
	struct price_diff d;
	struct buf line = BUF_INIT;
	if (!ok(price_file_read(&rows,
	                        STR(HEAD "stability.stable-image-core,regional,,,,,,,,,,,,image,4,s\n"
	                                 "cohere.rerank-v3-5,regional,,,,,,,,,,,,search unit,0.002,s\n"),
	                        "t.csv", &err),
	        "read %s", err.msg))
		return;
	price_diff_init(&d, NULL, &rows);
	is_int((long long)d.same, 1, "one is the same");
	is_int((long long)d.differing, 1, "one differs");
	if (d.n) {
		price_change_describe(&d.changes[0], &line);
		is_str(
			line.data,
			"stability.stable-image-core regional * standard per image 0.040000 -> 4.000000 (was: builtin)",
			"it is told");
		ok(price_change_is_wild(&d.changes[0], 4) && !price_change_is_wild(&d.changes[0], 100),
		   "and that it goes too far");
	}
	price_diff_release(&d);
	price_rows_release(&rows);
	buf_release(&line);
}

static void check_round_trip(void)
{
	struct err err = ERR_INIT;
	struct price_rows rows, again;
	struct buf csv = BUF_INIT;
	const char *text = HEAD
		"acme.m,global,eu-*,111122223333,flex,2026-01-01T05:00:00Z,2026-02-01T00:00:00Z,1000,0.1,20,0,1.25,,image,0.04,\"a \"\"b\"\", c\"\n"
		"acme.n,regional,,,standard,,,,0.000001,10000,,,,,,s\n";
	if (!ok(price_file_read(&rows, str_of(text), "t.csv", &err), "read %s", err.msg))
		return;
	price_file_write_head(&csv);
	for (size_t i = 0; i < rows.n; i++)
		price_file_write_row(&csv, &rows.v[i]);
	is_str(csv.data, text, "what is written is what was read");
	ok(price_file_read(&again, buf_str(&csv), "u.csv", &err) && again.n == rows.n, "and is read again %s",
	   err.msg);
	price_rows_release(&rows);
	price_rows_release(&again);
	buf_release(&csv);
}

static void must_discount(const struct discounts *d, const char *account, const char *model, int64_t time_ms,
                          int line)
{
	const struct discount *found = discounts_find(d, str_of(account), str_of(model), time_ms);
	is_int(found ? found->line : 0, line, model);
}

static void check_discounts(void)
{
	static const struct {
		const char *line, *part;
	} bad[] = {
		{"1234,,,,1,", "d.csv:2: account: expected 12 digits"},
		{",us.anthropic.claude-opus-5,,,1,", "d.csv:2: model: expected a model without profile"},
		{",,2026-01-01T00:30Z,,1,", "d.csv:2: expected a whole hour"},
		{",,2026-02-01,2026-01-01,1,", "d.csv:2: to: expected a time after from"},
		{",,,,101,", "d.csv:2: percent: expected 0 to 100"},
		{",,,,-1,", "d.csv:2: percent: expected 0 to 100"},
		{",,,,,", "d.csv:2: percent: expected 0 to 100"},
		{",,,2027-01-01,1,\n,,2026-01-01,,2,", "d.csv:3: expected one discount at a time"},
	};
	const int64_t now = INT64_C(1793577600000); // 2026-11-02
	struct discounts *d;
	struct err err = ERR_INIT;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct buf text = BUF_INIT;
		struct err why = ERR_INIT;
		buf_addf(&text, "account,model,from,to,percent,note\n%s\n", bad[i].line);
		ok(!discounts_read(&d, buf_str(&text), "d.csv", &why) && why.kind == ERR_CONFIG &&
		       strstr(why.msg, bad[i].part),
		   "refused: %s", why.msg);
		buf_release(&text);
	}
	if (!ok(discounts_read(
				&d,
				STR("# ours\naccount,model,from,to,percent,note\n,,,,4,all\n,anthropic.*,,,5,a vendor\n"
	                ",anthropic.claude-opus-5,,,6,a model\n111122223333,,,,7,an account\n"
	                "111122223333,anthropic.*,,2026-11-01,8,over\n111122223333,anthropic.*,2027-01-01,,9,to come\n"),
				"d.csv", &err),
	        "discounts are read %s", err.msg))
		return;
	must_discount(d, "444455556666", "openai.gpt-5.5", now, 3);
	must_discount(d, "444455556666", "anthropic.claude-sonnet-5", now, 4);
	must_discount(d, "444455556666", "anthropic.claude-opus-5", now, 5);
	must_discount(d, "111122223333", "anthropic.claude-opus-5", now, 6);
	must_discount(d, "111122223333", "anthropic.claude-opus-5", INT64_C(1790000000000), 7);
	must_discount(NULL, "111122223333", "anthropic.claude-opus-5", now, 0);
	discounts_free(d);
}

static void check_nearest(void)
{
	static const struct str some[] = {STR("us-east-1"), STR("ap-northeast-1"), STR("eu-west-3"),
	                                  STR("us-gov-west-1")};
	static const struct {
		const char *from, *nearest;
	} cases[] = {{"eu-central-1", "eu-west-3"},
	             {"sa-east-1", "us-east-1"},
	             {"ap-southeast-6", "ap-northeast-1"},
	             {"us-west-2", "us-east-1"},
	             {"af-south-1", "eu-west-3"},
	             {"us-gov-east-1", ""},
	             {"xx-north-9", ""}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str got = nearest_region(str_of(cases[i].from), some, sizeof some / sizeof *some);
		ok(str_eq(got, str_of(cases[i].nearest)), "nearest to %s: %.*s", cases[i].from, STR_ARG(got));
	}
}

// Whether `k` has other prices than before, or none, with the reason.
static const char *look_again(struct prices_kept *k, const struct conf *conf)
{
	struct err err = ERR_INIT;
	const struct prices *before = k->prices, *now = prices_kept_read(k, conf, &err);
	static char why[sizeof err.msg];
	snprintf(why, sizeof why, "%s", now ? now == before ? "the same" : "others" : err.msg);
	return why;
}

static void check_kept(void)
{
	struct conf conf;
	struct err err = ERR_INIT;
	struct prices_kept k = {.mark = 0};
	struct price_query q = ask("us.anthropic.claude-sonnet-4-6", TOKEN_INPUT);
	write_file("mine.csv", HEAD "anthropic.claude-sonnet-4-6,regional,,,,,,,1,,,,,,,my contract\n");
	if (!ok(read_conf(&conf, "prices.file = FOLDER/mine.csv\nprices.dir = FOLDER\n", &err), "keys %s", err.msg))
		return;
	ok(strcmp(look_again(&k, &conf), "others") == 0, "prices are read at the first look");
	const struct prices *first = k.prices;
	must_find(k.prices, &q, DOLLARS(1), "user");
	ok(strcmp(look_again(&k, &conf), "the same") == 0 && k.prices == first, "and not at the second");
	write_file("mine.csv", HEAD "anthropic.claude-sonnet-4-6,regional,,,,,,,7,,,,,,,my contract\n");
	look_again(&k, &conf);
	must_find(k.prices, &q, DOLLARS(7), "user");
	write_file("mine.csv", "nothing\n");
	for (int i = 0; i < 2; i++)
		ok(strstr(look_again(&k, &conf), "mine.csv") && !k.prices, "a bad file is said at each look");
	write_file("mine.csv", HEAD "anthropic.claude-sonnet-4-6,regional,,,,,,,,5,,,,,,my contract\n");
	write_file("litellm-new.csv", HEAD "anthropic.claude-sonnet-4-6,regional,,,,,,,9,,,,,,,LiteLLM\n");
	look_again(&k, &conf);
	size_t files = prices_count(k.prices);
	struct buf path = path_of("litellm-new.csv");
	unlink(path.data);
	buf_release(&path);
	look_again(&k, &conf);
	ok(prices_count(k.prices) == files - 1, "a file of the folder that is gone is noticed");
	conf_release(&conf);
	ok(read_conf(&conf, "prices = builtin\n", &err), "other keys %s", err.msg);
	look_again(&k, &conf);
	is_int((long long)prices_count(k.prices), 1, "other keys are other prices");
	conf_release(&conf);
	prices_kept_release(&k);
}

int main(void)
{
	snprintf(folder, sizeof folder, "%s/nowcast-prices.XXXXXX", "/tmp");
	if (!ok(mkdtemp(folder) != NULL, "a folder"))
		return done();
	check_order();
	check_refusals();
	check_dimensions();
	check_discounts();
	check_nearest();
	check_cache_doubt();
	check_ttl_doubt();
	check_bands_of_sources();
	check_builtin();
	check_diff();
	check_round_trip();
	check_kept();
	for (size_t i = 0; i < 4; i++) {
		struct buf path =
			path_of((const char *const[]){"mine.csv", "bill.csv", "pricelist-A.csv", "d.csv"}[i]);
		unlink(path.data);
		buf_release(&path);
	}
	rmdir(folder);
	return done();
}
