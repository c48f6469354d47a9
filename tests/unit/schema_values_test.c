// SPDX-License-Identifier: Apache-2.0
// Values of schema 1 and what they are in schema 2: field by field, once, twice, and where a program of
// schema 1 has written again.
#include "store/schema_values.h"

#include "store/usage_rows.h"
#include "tests/redis_server.h"
#include "tests/tap.h"

#define AR "111122223333/us-east-1"
#define USAGE "p:{" AR "}:usage:2026-11-02T05:m:0"
#define USAGE_META "p:{" AR "}:usage_meta:2026-11-02T05:m:0"
#define PART "p:{" AR "}:part:494000:00000000000000aa"
#define PART_META "p:{" AR "}:part_meta:494000:00000000000000aa"
#define ACTUAL "p:{" AR "}:actual:2026-11-02T05:m:0"
#define ANN "arn:aws:iam::111122223333:user/ann"
#define FIGURE "7 70 7 0 0 0 0 0 0"

static struct redis *r;

static void run(void)
{
	struct err err = ERR_INIT;
	if (!redis_exec(r, &err))
		ok(false, "Redis: %s", err.msg);
}

static void set(const char *key, const char *field, const char *value)
{
	redis_cmdz(r, "HSET", key, field, value, NULL);
}

static void has(const char *key, const char *field, const char *value)
{
	redis_cmdz(r, "HGET", key, field, NULL);
	run();
	is_str(redis_nil(r, 0) ? "(none)" : redis_str(r, 0).p, value, field);
}

static void has_fields(const char *key, int n, const char *what)
{
	redis_cmdz(r, "HLEN", key, NULL);
	run();
	is_int(redis_int(r, 0), n, what);
}

static void convert(enum migrate_kind kind, const char *key, struct str hour, struct str model)
{
	struct err err = ERR_INIT;
	const struct migrate_model_hour x = {.kind = kind,
	                                     .prefix = "p",
	                                     .acct_region = STR(AR),
	                                     .hour = hour,
	                                     .model = model,
	                                     .key = str_of(key)};
	ok(schema_values_convert(r, &x, NULL, &err), "%s is converted %s", key, err.msg);
}

static void fill(const char *key)
{
	set(key, ANN " - input", FIGURE);
	set(key, ANN " t1 output@flex", FIGURE);
	set(key, ANN " - output@units", FIGURE);
	set(key, ANN " - output@units+", "3 - 0 0 3 0 0 0 0");
	set(key, ANN " - calls", "9 1");
	set(key, ANN " - calls@standard>200000", "2 0");
	set(key, ANN " - weights", "1 2 model 0 0 none 0 0 none 0 0 none");
	set(key, "# cache_write", "100 5");
	set(key, "# units", "4 0");
}

static void is_converted(const char *key, const char *meta)
{
	has(key, ANN " - input", FIGURE);
	has(key, ANN " t1 output@flex", FIGURE);
	has(key, ANN " - units", FIGURE);
	has(key, ANN " - uncounted", "3 - 0 0 3 0 0 0 0");
	has_fields(key, 4, "the usage hash has nothing else");
	has(meta, ANN " - calls", "9 1");
	has(meta, ANN " - calls@standard>200000", "2 0");
	has(meta, ANN " - weights", "1 2 model 0 0 none 0 0 none 0 0 none");
	has(meta, "metric cache_write", "100 5");
	has(meta, "metric units", "4 0");
}

// The sum that a writer of schema 2 would have made.
static uint64_t digest_of(const char *key, const char *meta)
{
	uint64_t sum = 0;
	redis_cmdz(r, "HGETALL", key, NULL);
	redis_cmdz(r, "HGETALL", meta, NULL);
	run();
	for (size_t hash = 0; hash < 2; hash++)
		for (size_t i = 0; i + 1 < redis_len(r, hash); i += 2)
			if (!str_is(redis_elem(r, hash, i), META_DIGEST))
				sum += row_digest(redis_elem(r, hash, i), redis_elem(r, hash, i + 1));
	return sum;
}

static void test_usage(void)
{
	char digest[ROW_DIGEST_SIZE];
	fill(USAGE);
	set(USAGE, "# model", "arn:x");
	set(USAGE, "# foundation", "amazon.nova");
	set(USAGE, "# digest", "00000000000000aa");
	redis_cmdz(r, "PEXPIRE", USAGE, "100000", NULL);
	run();
	for (int turn = 0; turn < 2; turn++) {
		convert(MIGRATE_USAGE, USAGE, STR("2026-11-02T05"), STR("m:0"));
		is_converted(USAGE, USAGE_META);
		has(USAGE_META, "model", "arn:x");
		has(USAGE_META, "foundation", "amazon.nova");
		has(USAGE_META, "digest", row_digest_format(digest_of(USAGE, USAGE_META), digest));
		has_fields(USAGE_META, 8, "nor has the meta hash");
	}
	redis_cmdz(r, "PTTL", USAGE_META, NULL);
	run();
	ok(redis_int(r, 0) > 0 && redis_int(r, 0) <= 100000, "which expires with it");
}

static void test_late_writer(void)
{
	redis_cmdz(r, "DEL", USAGE, NULL);
	set(USAGE, ANN " - output", FIGURE);
	set(USAGE, ANN " - calls", "1 0");
	run();
	convert(MIGRATE_USAGE, USAGE, STR("2026-11-02T05"), STR("m:0"));
	has_fields(USAGE, 1, "what a program of schema 1 wrote later");
	has_fields(USAGE_META, 1, "replaces both hashes");
}

static void test_calls_only(void)
{
	redis_cmdz(r, "DEL", USAGE, USAGE_META, NULL);
	set(USAGE, ANN " - calls", "0 3");
	redis_cmdz(r, "PEXPIRE", USAGE, "100000", NULL);
	run();
	convert(MIGRATE_USAGE, USAGE, STR("2026-11-02T05"), STR("m:0"));
	has_fields(USAGE, 0, "an hour without tokens has no usage hash");
	has(USAGE_META, ANN " - calls", "0 3");
}

static void test_part(void)
{
	fill(PART);
	run();
	convert(MIGRATE_PART, PART, STR("494000"), STR("00000000000000aa"));
	is_converted(PART, PART_META);
	has_fields(PART_META, 5, "a part has no digest");
}

static void test_actual(void)
{
	set(ACTUAL, ANN " input", "5 50 50");
	set(ACTUAL, "# model", "arn:x");
	run();
	for (int turn = 0; turn < 2; turn++) {
		convert(MIGRATE_ACTUAL, ACTUAL, STR("2026-11-02T05"), STR("m:0"));
		has(ACTUAL, ANN " input", "5 50 50");
		has_fields(ACTUAL, 1, "a billed hour has rows only");
		has("p:{" AR "}:actual:called", "m:0", "arn:x");
	}
}

int main(void)
{
	struct redis_server server;
	struct err err = ERR_INIT;
	if (!redis_server_start(&server))
		skip_all("no redis-server here");
	if (ok(redis_open(&r, (struct redis_target){.url = server.url}, &err), "Redis %s", err.msg)) {
		test_usage();
		test_late_writer();
		test_calls_only();
		test_part();
		test_actual();
		redis_close(r);
	}
	redis_server_stop(&server);
	return done();
}
