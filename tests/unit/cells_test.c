// SPDX-License-Identifier: Apache-2.0
// Cells of every form, as apply.lua writes them, before every reader of cells: the codec knows each field,
// the facts that are read back are those that were fed, and the minutes of the API show usage in the minutes
// that had some. Each case has an hour of its own and facts in three of its minutes. A new form of a cell is
// a new case here; a new reader of cells is a new check in main.
#include <jansson.h>

#include "base/conf.h"
#include "base/json_writer.h"
#include "estimator/rate_class.h"
#include "store/cell_codec.h"
#include "store/store.h"
#include "tests/support/engine.h"
#include "web/api.h"

enum { FIRST_HOUR = 494000, FIRST_MINUTE = 3, MINUTES = 3, CALLS = 10, SIXTH = 5, CASES_MAX = 128 };

static const int64_t limits[] = {100000, 128000, 200000, 256000, 272000};

enum { BANDS = sizeof limits / sizeof *limits + 2 };

struct cell_case {
	char name[80];
	int rate_class; // of the calls
	bool started;   // the calls are streams whose start is known, and not their end
	bool metric;    // of all tiers
	bool tier_metric;
	bool projects;  // two, besides
	bool pairs;     // each metric is of two calls, and says so
	bool units;
};

static struct cell_case cases[CASES_MAX];
static int ncases;
static struct arena arena;

static void add_case(struct cell_case c)
{
	if (ncases == CASES_MAX)
		abort();
	cases[ncases++] = c;
}

static void make_cases(void)
{
	for (int tier = 0; tier < PRICE_TIERS; tier++)
		for (int band = 0; band < BANDS; band++)
			for (int at_least = 0; at_least <= (band > 1); at_least++) {
				struct cell_case c = {.rate_class = tier | band << 3 | (at_least ? RATE_CLASS_AT_LEAST : 0)};
				char text[RATE_CLASS_TEXT_SIZE];
				snprintf(c.name, sizeof c.name, "calls of rate class %d \"%s\"", c.rate_class,
				         rate_class_format(c.rate_class, text));
				add_case(c);
			}
	add_case((struct cell_case){.name = "streams known by their start", .started = true});
	add_case((struct cell_case){.name = "a metric of all tiers", .metric = true});
	add_case((struct cell_case){.name = "a metric of tiers", .metric = true, .tier_metric = true});
	add_case((struct cell_case){.name = "metrics of projects", .metric = true, .projects = true});
	add_case((struct cell_case){.name = "metrics of two calls",
	                            .metric = true,
	                            .tier_metric = true,
	                            .projects = true,
	                            .pairs = true});
	add_case((struct cell_case){.name = "units", .units = true});
}

static void set_tokens(struct call *c, int kind, int64_t n)
{
	c->known[kind] = true;
	c->tokens[kind] = (uint32_t)n;
}

// A log tells all token kinds, so the prompt is known; CloudTrail's record tells the input and the output.
static void set_prompt(struct call *c, int rate_class)
{
	int band = rate_class >> 3 & 7;
	bool at_least = rate_class & RATE_CLASS_AT_LEAST;
	c->tier_known = rate_class_tier(rate_class) != TIER_STANDARD;
	c->tier = rate_class_tier(rate_class);
	c->source = band && !at_least ? SOURCE_LOG : SOURCE_API;
	set_tokens(c, TOKENS_INPUT, band < 2 ? 1000 : limits[band - 2] + 1);
	set_tokens(c, TOKENS_OUTPUT, 200);
}

static void feed_minute(struct engine *e, const struct cell_case *x, int64_t minute)
{
	for (int i = 0; i < CALLS; i++) {
		struct record r = test_call(&arena, minute, i % 2, i);
		r.call.streaming = x->started;
		r.call.time_is_end = !x->started;
		r.call.time_ms += (SIXTH - 1) * 10000 + 9999;
		if (x->units)
			set_tokens(&r.call, TOKENS_UNITS, 4);
		else if (!x->metric)
			set_prompt(&r.call, x->rate_class);
		add(e, &r);
	}
	if (x->units) {
		struct record r = test_metric(minute, TOKENS_UNITS, 4 * CALLS);
		add(e, &r);
	}
	for (int kind = 0; x->metric && kind < METRIC_KINDS; kind++) {
		struct record r = test_metric(minute, (enum token_kind)kind, 70000);
		r.metric.samples = x->pairs ? 2 : 0;
		r.metric.larger = x->pairs ? 40000 : 0;
		add(e, &r);
		r.metric.sum = 1000;
		r.metric.larger = x->pairs ? 600 : 0;
		for (int project = 0; x->projects && project < 2; project++) {
			r.metric.project = project ? STR("proj_b") : STR("proj_a");
			add(e, &r);
		}
		r.metric.project = STR_NONE;
		r.metric.of_tier = true;
		for (int served = 0; x->tier_metric && served < PRICE_TIERS; served++) {
			r.metric.served = (enum price_tier)served;
			r.metric.asked = served ? TIER_STANDARD : PRICE_TIERS;
			add(e, &r);
		}
	}
}

static void feed(struct engine *e)
{
	for (int i = 0; i < ncases; i++)
		for (int m = 0; m < MINUTES; m++)
			feed_minute(e, &cases[i], (FIRST_HOUR + i) * 60 + FIRST_MINUTE + m);
	apply(e);
	settle_all(e);
}

// ---- the codec ----------------------------------------------------------------------------------

static void test_fields(void)
{
	int seen[CELL_PROJECT_METRIC + 1] = {0};
	bool rate_classes[256] = {false};
	for (int i = 0; i < ncases; i++) {
		char key[160];
		snprintf(key, sizeof key, "c:" TEST_ACCT_REGION ":cells:%d:%016llx", FIRST_HOUR + i,
		         (unsigned long long)name_id_of_model(&test_name_key, STR(TEST_MODEL)));
		int64_t n = ask("HGETALL", key, NULL, NULL);
		for (int64_t k = 0; k + 1 < n; k += 2) {
			struct cell_field f;
			cell_field_read(redis_elem(test_redis, 0, (size_t)k), &f);
			seen[f.form]++;
			if (f.form == CELL_CALLS)
				rate_classes[f.rate_class] = true;
		}
	}
	is_int(seen[CELL_OTHER], 0, "every field that apply.lua writes has a form");
	ok(seen[CELL_VERSION] && seen[CELL_CALLS] && seen[CELL_METRIC] && seen[CELL_TIER_METRIC] &&
	       seen[CELL_PROJECT_METRIC],
	   "and every form is there");
	bool all = true;
	for (int i = 0; i < ncases; i++)
		all &= rate_classes[cases[i].rate_class];
	ok(all, "every rate class too");
}

static void test_foreign_fields(void)
{
	static const struct str foreign[] = {STR(""),
	                                     STR("x"),
	                                     STR("\x05"),
	                                     STR("\x05m"),
	                                     STR("\x05x0"),
	                                     STR("\x05m9"),
	                                     STR("\x05m4"),
	                                     STR("\x3cm0"),
	                                     STR("\x05m0a"),
	                                     STR("\x05m0az"),
	                                     STR("\x05m5aa"),
	                                     STR("\xff"
	                                         "12345678"),
	                                     STR("\x05m0aaaaaaaaaa"), STR("\x3c" "12345678\x80")};
	int other = 0;
	for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
		struct cell_field f;
		cell_field_read(foreign[i], &f);
		other += f.form == CELL_OTHER;
	}
	is_int(other, sizeof foreign / sizeof *foreign, "what is no field of a cell is read as none");
}

// The cell of a stream once it has had `held` in Redis and another stream has come.
static const char *cell_after(struct engine *e, int i, const char *held)
{
	static const char set[] = "local key = redis.call('KEYS', 'd:*:cells:' .. ARGV[1] .. ':*')[1] "
							  "for _, field in ipairs(redis.call('HKEYS', key)) do "
							  "if #field == 9 then redis.call('HSET', key, field, ARGV[2]) end end return ''";
	static const char get[] = "local key = redis.call('KEYS', 'd:*:cells:' .. ARGV[1] .. ':*')[1] "
							  "for _, field in ipairs(redis.call('HKEYS', key)) do "
							  "if #field == 9 then return redis.call('HGET', key, field) end end";
	struct err err = ERR_INIT;
	const char *hour = arena_text(&arena, "%d", FIRST_HOUR + i).p;
	for (int k = 0; k < 2; k++) {
		struct record r = test_call(&arena, (FIRST_HOUR + i) * 60, 1, k);
		r.call.streaming = true;
		r.call.time_is_end = false;
		r.call.time_ms += (SIXTH - 1) * 10000;
		add(e, &r);
		apply(e);
		redis_cmdz(test_redis, "EVAL", k ? get : set, "0", hour, held, NULL);
		must(redis_exec(test_redis, &err), &err);
	}
	return arena_str(&arena, redis_str(test_redis, 0)).p;
}

static void test_damaged_sixths(void)
{
	static const char *const held[] = {"99999999999999/1 0 1", "5/", "/1 0 1", "0/1 0 1"};
	static const char *const want[] = {"100000000000004/2 0 2", "10/1 0 1", "5/2 0 2", "5/2 0 2"};
	struct engine_options o = test_options("d");
	struct engine *e = open_with(&o);
	for (int i = 0; i < (int)(sizeof held / sizeof *held); i++)
		is_str(cell_after(e, i, held[i]), want[i], "a stream is added to a cell that was damaged");
	engine_close(e);
}

// ---- the facts that are read back ---------------------------------------------------------------

static bool has_calls(const struct minute *at, const struct cell_case *x, bool wanted)
{
	int64_t n = 0, started = 0, sixths = 0, units = 0;
	bool same_class = true;
	for (int32_t k = 0; k < at->ncalls; k++) {
		n += at->calls[k].n;
		started += at->calls[k].started;
		sixths += at->calls[k].started_sixths;
		units += at->calls[k].exact[TOKENS_UNITS];
		same_class &= at->calls[k].rate_class == x->rate_class;
	}
	return same_class && n == (wanted ? CALLS : 0) && started == (x->started ? n : 0) &&
	       sixths == SIXTH * started &&
	       units == (x->units ? 4 * n : 0);
}

static bool has_metrics(const struct minute *at, const struct cell_case *x, bool wanted)
{
	bool good = at->metered == (wanted && x->metric) && !at->of_tier == !(wanted && x->tier_metric) &&
	            at->has_units == (wanted && x->units) && at->units == (at->has_units ? 4 * CALLS : 0);
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		good &= at->metric[kind] == (at->metered ? 70000 : 0) &&
		        at->samples[kind] == (at->metered && x->pairs ? 2 : 0) &&
		        at->larger[kind] == (at->metered && x->pairs ? 40000 : 0);
	good &= at->nprojects == (wanted && x->projects ? 2 : 0);
	for (int32_t i = 0; i < at->nprojects; i++)
		good &= at->projects[i].metric[TOKENS_OUTPUT] == 1000 && !at->partial &&
		        at->projects[i].larger[TOKENS_OUTPUT] == (x->pairs ? 600 : 0) &&
		        (i == 0 || at->projects[i].project > at->projects[i - 1].project);
	for (int tier = 0; at->of_tier && tier < PRICE_TIERS; tier++)
		good &= at->of_tier[tier][TOKENS_INPUT] == 1000;
	return good;
}

static void test_facts(const struct engine_options *o)
{
	struct store store;
	struct series series;
	struct err err = ERR_INIT;
	char hex[17];
	snprintf(hex, sizeof hex, "%016llx",
	         (unsigned long long)name_id_of_model(&test_name_key, STR(TEST_MODEL)));
	must(store_open(&store, o, &err), &err);
	struct due due[2] = {{STR(TEST_ACCOUNT "/" TEST_REGION), FIRST_HOUR, str_of(hex), 0}};
	due[1] = due[0];
	due[1].hour += ncases - 1;
	must(store_read_series(&store, due, 2, &arena, &series, &err), &err);
	for (int i = 0; i < ncases; i++) {
		const struct hour *h = series.hours[i + 1]; // the first is the neighbour
		bool good = h != NULL;
		for (int m = 0; good && m < CELL_MINUTES; m++) {
			bool wanted = m >= FIRST_MINUTE && m < FIRST_MINUTE + MINUTES;
			good = has_calls(&h->minutes[m], &cases[i], wanted) &&
			       has_metrics(&h->minutes[m], &cases[i], wanted);
		}
		ok(good, "facts of %s", cases[i].name);
	}
	store_close(&store);
}

// ---- the minutes of the API ---------------------------------------------------------------------

static void test_api_minutes(void)
{
	struct conf conf;
	struct err err = ERR_INIT;
	struct buf out = BUF_INIT;
	struct api_query q = {.now_ms = (int64_t)(FIRST_HOUR + ncases) * MS_PER_HOUR,
	                      .from = FIRST_HOUR,
	                      .to = FIRST_HOUR + ncases};
	conf_init(&conf);
	free(conf.redis_prefix);
	conf.redis_prefix = xstrdup(STR("c"));
	struct api api = {.conf = &conf};
	must(rollups_open(&api.rollups, (struct redis_target){.url = server.url, .prefix = "c"}, &err), &err);
	struct json_writer j = JSON_WRITER(&out);
	must(api_minutes(&api, &q, &j, &err), &err);
	json_t *root = json_loadb(out.data, out.len, 0, NULL);
	json_t *tokens = json_object_get(json_object_get(root, "total"), "tokens");
	is_int((long long)json_array_size(tokens), (long long)ncases * 60, "the API has every minute");
	for (int i = 0; i < ncases; i++) {
		long long inside = 0, outside = 0, least = INT64_MAX;
		for (int m = 0; m < CELL_MINUTES; m++) {
			long long n = json_integer_value(json_array_get(tokens, (size_t)(i * 60 + m)));
			bool wanted = m >= FIRST_MINUTE && m < FIRST_MINUTE + MINUTES;
			*(wanted ? &inside : &outside) += n;
			least = wanted && n < least ? n : least;
		}
		if (!ok(outside == 0 && least > 0 && least >= inside / MINUTES - 1, "minutes of %s", cases[i].name))
			diag("%lld tokens in the minutes of the calls, %lld in others", inside, outside);
	}
	json_decref(root);
	buf_release(&out);
	rollups_close(api.rollups);
	conf_release(&conf);
}

int main(void)
{
	start_test_redis();
	struct engine_options o = test_options("c");
	struct engine *e = open_with(&o);
	make_cases();
	feed(e);
	engine_close(e);
	test_fields();
	test_foreign_fields();
	test_damaged_sixths();
	test_facts(&o);
	test_api_minutes();
	arena_release(&arena);
	stop_test_redis();
	return done();
}
