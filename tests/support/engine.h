// SPDX-License-Identifier: Apache-2.0
// An engine on a private Redis, and the plainest records to feed it, for tests of what the estimator
// promises.
#ifndef NOWCAST_TESTS_SUPPORT_ENGINE_H
#define NOWCAST_TESTS_SUPPORT_ENGINE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/when.h"
#include "store/engine.h"
#include "store/name_id.h"
#include "store/redis.h"
#include "store/usage_rows.h"
#include "tests/redis_server.h"
#include "tests/tap.h"

#define TEST_ACCOUNT "111122223333"
#define TEST_REGION "us-east-1"
#define TEST_ACCT_REGION "{" TEST_ACCOUNT "/" TEST_REGION "}"
#define TEST_MODEL "us.anthropic.claude-sonnet-4-6"

static struct redis_server server;
static struct redis *test_redis; // of the test itself

// What a step of a test cannot go on without.
static inline void must(bool good, const struct err *err)
{
	if (good)
		return;
	printf("Bail out! %s\n", err->msg);
	redis_server_stop(&server);
	exit(1);
}

static inline void start_test_redis(void)
{
	struct err err = ERR_INIT;
	if (!redis_server_start(&server))
		skip_all("no redis-server here (deploy/install-deps --test)");
	must(redis_open(&test_redis, (struct redis_target){.url = server.url}, &err), &err);
}

static inline void stop_test_redis(void)
{
	redis_close(test_redis);
	redis_server_stop(&server);
}

// Of the ids of names: of all prefixes alike, so that what is kept under them can be compared.
static struct siphash_key test_name_key = {1, 2};

static inline struct engine_options test_options(const char *prefix)
{
	struct err err = ERR_INIT;
	must(name_key_take(test_redis, prefix, &test_name_key, &err), &err);
	return (struct engine_options){.redis = {.url = server.url, .prefix = prefix},
	                               .window_ms = 24LL * MS_PER_HOUR,
	                               .retention_ms = 400LL * 24 * MS_PER_HOUR,
	                               .future_ms = 24LL * MS_PER_HOUR,
	                               .lookback_minutes = 5,
	                               .learn_hours = 24,
	                               .sessions_max = 1000,
	                               .users_max = 5000,
	                               .models_max = 5000,
	                               .label_keys_max = 32,
	                               .label_values_max = 1000};
}

static inline struct engine *open_with(const struct engine_options *o)
{
	struct engine *e;
	struct err err = ERR_INIT;
	must(engine_open(&e, o, &err), &err);
	return e;
}

static inline void add(struct engine *e, const struct record *r)
{
	struct err err = ERR_INIT;
	must(engine_add(e, r, &err), &err);
}

static inline void apply(struct engine *e)
{
	struct err err = ERR_INIT;
	must(engine_apply(e, &err), &err);
}

static inline void settle_all(struct engine *e)
{
	struct err err = ERR_INIT;
	size_t left;
	must(engine_settle(e, true, &left, &err), &err);
}

// A call that ended in `minute` (since the epoch), of session `who`. The texts live in `arena`.
static inline struct record test_call(struct arena *arena, int64_t minute, int who, int number)
{
	char id[64], arn[96];
	struct record r = {.kind = RECORD_CALL};
	struct call *c = &r.call;
	snprintf(id, sizeof id, "call-%lld-%d-%d", (long long)minute, who, number);
	snprintf(arn, sizeof arn, "arn:aws:sts::" TEST_ACCOUNT ":assumed-role/role/session-%d", who);
	c->request_id = arena_str(arena, str_of(id));
	c->source = SOURCE_API;
	c->account = STR(TEST_ACCOUNT);
	c->region = STR(TEST_REGION);
	c->model = c->model_called = STR(TEST_MODEL);
	c->caller.arn = arena_str(arena, str_of(arn));
	c->caller.role_arn = STR("arn:aws:iam::" TEST_ACCOUNT ":role/role");
	c->time_ms = minute * MS_PER_MINUTE;
	c->time_is_end = true;
	return r;
}

static inline struct record test_metric(int64_t minute, enum token_kind token_kind, int64_t sum)
{
	return (struct record){.kind = RECORD_METRIC,
	                       .metric = {.account = STR(TEST_ACCOUNT),
	                                  .region = STR(TEST_REGION),
	                                  .model = STR(TEST_MODEL),
	                                  .minute = minute,
	                                  .token_kind = (int)token_kind,
	                                  .sum = sum}};
}

// The answer to one command, as a number (of elements, if it is a list). Valid: the text of it, by
// redis_str(test_redis, 0).
static inline int64_t ask(const char *verb, const char *key, const char *a, const char *b)
{
	struct err err = ERR_INIT;
	redis_cmdz(test_redis, verb, key, a, b, NULL);
	must(redis_exec(test_redis, &err), &err);
	size_t n = redis_len(test_redis, 0);
	return n ? (int64_t)n : redis_int(test_redis, 0);
}

#endif
