// SPDX-License-Identifier: Apache-2.0
// Nobody is framed: a caller whose unkeyed id is that of somebody else keeps figures of its own, and two
// names of one id are shown as neither. And the ids of a batch follow the key of its Redis.
#include "store/name_id.h"

#include "store/batch.h"
#include "tests/support/engine.h"
#include "tests/support/unkeyed.h"

static struct arena arena;

// ---- a caller made to collide -------------------------------------------------------------------

static struct record call_of(int who, int64_t minute, int number, uint32_t tokens)
{
	struct record r = test_call(&arena, minute, who, number);
	r.call.known[TOKENS_INPUT] = r.call.known[TOKENS_OUTPUT] = true;
	r.call.tokens[TOKENS_INPUT] = tokens;
	return r;
}

static const char *figure_of(const char *prefix, int64_t hour, int who)
{
	char key[160], field[160], when[WHEN_SIZE];
	when_format(hour * MS_PER_HOUR, when);
	snprintf(key, sizeof key, "%s:" TEST_ACCT_REGION ":usage:%.13s:" TEST_MODEL, prefix, when);
	snprintf(field, sizeof field, "arn:aws:sts::" TEST_ACCOUNT ":assumed-role/role/session-%d - input", who);
	struct err err = ERR_INIT;
	redis_cmdz(test_redis, "HGET", key, field, NULL);
	must(redis_exec(test_redis, &err), &err);
	struct str value = redis_str(test_redis, 0), tokens = str_cut(&value, ' ');
	return arena_text(&arena, "%.*s", STR_ARG(tokens)).p;
}

static void collision(int64_t hour)
{
	struct engine_options o = test_options("framed");
	struct engine *e = open_with(&o);
	struct record victim = call_of(1, hour * 60, 1, 1000), other = call_of(2, hour * 60 + 1, 2, 9000);
	uint64_t id, seed;
	victim.call.caller.session_start_ms = hour * MS_PER_HOUR;
	id = unkeyed_id(&victim.call.caller, &seed);
	unkeyed_id(&other.call.caller, &seed);
	other.call.caller.session_start_ms = start_of(id, seed);
	ok(unkeyed_id(&other.call.caller, &seed) == id, "two callers of one unkeyed id");
	add(e, &victim);
	add(e, &other);
	apply(e);
	settle_all(e);
	is_str(figure_of("framed", hour, 1), "1000", "the one has what it used");
	is_str(figure_of("framed", hour, 2), "9000", "and the other what it used");
	engine_close(e);
}

// ---- two names of one id all the same -----------------------------------------------------------

static void ambiguity(int64_t hour)
{
	struct engine_options o = test_options("two");
	struct err err = ERR_INIT;
	struct engine *e = open_with(&o);
	struct record one = call_of(1, hour * 60, 1, 1000), other = call_of(2, hour * 60 + 1, 2, 9000);
	const char *c = "carn:aws:sts::" TEST_ACCOUNT ":assumed-role/role/session-1\t\t0\t"
					"arn:aws:iam::" TEST_ACCOUNT ":role/role\t";
	struct buf text = BUF_INIT;
	is_str(name_of_caller(&text, &one.call.caller, STR_NONE).p, c, "the text of a caller");
	uint64_t id = name_id(&test_name_key, buf_str(&text));
	buf_release(&text);
	add(e, &one);
	add(e, &other);
	apply(e);
	settle_all(e);
	char names[96];
	snprintf(names, sizeof names, "two:" TEST_ACCT_REGION ":names:%lld", (long long)(hour / BUCKET_HOURS));
	redis_begin(test_redis, 4);
	redis_argz(test_redis, "HSET");
	redis_argz(test_redis, names);
	redis_arg64(test_redis, id);
	redis_argz(test_redis, "carn:aws:sts::" TEST_ACCOUNT ":assumed-role/role/somebody-else\t\t0\t\t");
	must(redis_exec(test_redis, &err), &err);
	struct record again = call_of(1, hour * 60 + 2, 3, 10);
	add(e, &again);
	apply(e);
	settle_all(e);
	is_str(figure_of("two", hour, 1), "", "of two names of one id neither has the figures");
	is_str(figure_of("two", hour, 2), "9000", "nobody else loses any");
	char key[160], when[WHEN_SIZE];
	when_format(hour * MS_PER_HOUR, when);
	snprintf(key, sizeof key, "two:" TEST_ACCT_REGION ":usage:%.13s:" TEST_MODEL, when);
	is_int(ask("HGET", key, "(unknown) - input", NULL), 1010, "they are those of a caller who is not known");
	engine_close(e);
}

// ---- another key --------------------------------------------------------------------------------

static void another_key(int64_t hour)
{
	struct engine_options o = test_options("rekeyed");
	struct engine *e = open_with(&o);
	struct record calls[] = {call_of(1, hour * 60, 1, 1000), call_of(2, hour * 60, 2, 200)};
	struct record metric = test_metric(hour * 60, TOKENS_INPUT, 1500);
	const struct tag team = {STR("team"), STR("a")};
	calls[0].call.meta = (struct labels){&team, 1};
	calls[1].call.model_called = STR("arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/x");
	add(e, &calls[0]);
	add(e, &calls[1]);
	add(e, &metric);
	ask("SET", "rekeyed:name_key", "000000000000000a000000000000000b", NULL);
	apply(e);
	settle_all(e);
	engine_close(e);
	e = open_with(&o);
	for (int i = 0; i < 2; i++)
		add(e, &calls[i]);
	add(e, &metric);
	apply(e);
	is_int((long long)engine_counts(e)->calls_known, 2, "a batch that was collected under another key is known");
	settle_all(e);
	is_int(ask("KEYS", "rekeyed:*:cells:*", NULL, NULL), 1, "its model has one id");
	is_str(figure_of("rekeyed", hour, 2), "200", "and its callers theirs");
	engine_close(e);
}

int main(void)
{
	start_test_redis();
	int64_t hour = when_now_ms() / MS_PER_HOUR - 2;
	collision(hour);
	ambiguity(hour);
	another_key(hour);
	arena_release(&arena);
	stop_test_redis();
	return done();
}
