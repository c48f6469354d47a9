// SPDX-License-Identifier: Apache-2.0
// What settling costs: a backfill computes every hour about once, however many hours learn from each other,
// and nothing is computed again when nothing has changed. And what it comes to: the same, when several
// engines settle the same hours at once; figures all the same, when facts change while an hour is computed.
#include <pthread.h>

#include "tests/support/engine.h"

enum { HOURS = 60 };

static int64_t first; // of the hours

static void fill(struct engine *e, struct arena *arena)
{
	for (int h = 0; h < HOURS; h++) {
		for (int m = 0; m < 60; m += 7) {
			int64_t minute = (first + h) * 60 + m;
			for (int who = 0; who < 4; who++) {
				struct record call = test_call(arena, minute, who, 0);
				add(e, &call);
			}
			struct record metric = test_metric(minute, TOKENS_INPUT, 1000 + 10 * m + h);
			add(e, &metric);
		}
	}
	apply(e);
}

// Applies everything and settles it, while others do the same.
static void *one_of_many(void *options)
{
	struct arena arena = ARENA_INIT;
	struct engine *e = open_with(options);
	fill(e, &arena);
	settle_all(e);
	engine_close(e);
	arena_release(&arena);
	return NULL;
}

// Fields in which the hours of one prefix differ from those of another; *ret_fields: how many there are.
static int differences(const char *one, const char *other, int *ret_fields)
{
	struct err err = ERR_INIT;
	struct arena arena = ARENA_INIT;
	char key[128], when[WHEN_SIZE];
	int differ = 0;
	*ret_fields = 0;
	for (int h = 0; h < 2 * HOURS; h++) {
		const char *hash = h % 2 ? "usage_meta" : "usage";
		when_format((first + h / 2) * MS_PER_HOUR, when);
		snprintf(key, sizeof key, "%s:" TEST_ACCT_REGION ":%s:%.13s:" TEST_MODEL, one, hash, when);
		int64_t n = ask("HGETALL", key, NULL, NULL);
		struct str *all = arena_alloc(&arena, (size_t)(n + 1) * sizeof *all);
		for (int64_t i = 0; i < n; i++)
			all[i] = arena_str(&arena, redis_elem(test_redis, 0, (size_t)i));
		snprintf(key, sizeof key, "%s:" TEST_ACCT_REGION ":%s:%.13s:" TEST_MODEL, other, hash, when);
		differ += n != ask("HGETALL", key, NULL, NULL);
		for (int64_t i = 0; i + 1 < n; i += 2) {
			redis_cmd(test_redis, 3, (struct str[]){STR("HGET"), str_of(key), all[i]});
			must(redis_exec(test_redis, &err), &err);
			differ += !str_eq(redis_str(test_redis, 0), all[i + 1]);
			++*ret_fields;
		}
	}
	arena_release(&arena);
	return differ;
}

static void many_at_once(void)
{
	pthread_t threads[3];
	struct engine_options o = test_options("many");
	int fields;
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, one_of_many, &o);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	is_int(differences("t", "many", &fields), 0,
	       "three engines that settle the same hours at once come to the same figures");
	ok(fields > HOURS, "of %d", fields);
	is_int(ask("ZCARD", "many:" TEST_ACCT_REGION ":due", NULL, NULL), 0, "and leave nothing due");
}

// ---- facts that change while an hour is computed

#define UNPRICED_MODEL "acme.unheard-of-v1"

struct busy {
	struct arena arena;
	struct engine *other; // what it applies while an hour is computed
	int64_t minute;
	int calls;
};

static void add_busy(struct busy *b, struct engine *e)
{
	struct record call = test_call(&b->arena, b->minute, 0, b->calls++);
	call.call.model = call.call.model_called = STR(UNPRICED_MODEL);
	call.call.known[TOKENS_INPUT] = true;
	call.call.tokens[TOKENS_INPUT] = 100;
	add(e, &call);
	apply(e);
}

static void apply_more(void *user, struct str model, const char *why)
{
	struct busy *b = user;
	(void)model, (void)why;
	add_busy(b, b->other);
}

// Input tokens of the hour in its figures; 0: it has none.
static long long figures_of(const struct busy *b)
{
	char when[WHEN_SIZE], key[128];
	struct str value;
	when_format(b->minute * MS_PER_MINUTE, when);
	snprintf(key, sizeof key, "busy:" TEST_ACCT_REGION ":usage:%.13s:" UNPRICED_MODEL, when);
	if (!ask("HVALS", key, NULL, NULL))
		return 0;
	value = redis_elem(test_redis, 0, 0);
	return strtoll(value.p, NULL, 10);
}

static void while_computed(void)
{
	struct busy b = {.minute = first * 60};
	struct engine_options o = test_options("busy"), busy = o;
	busy.on_unpriced = apply_more;
	busy.user = &b;
	b.other = open_with(&o);
	struct engine *e = open_with(&busy);
	struct err err = ERR_INIT;
	size_t left;
	add_busy(&b, e);
	must(engine_settle(e, false, &left, &err), &err);
	is_int(b.calls, 2, "a second call is applied while the hour is computed");
	is_int(figures_of(&b), 100, "the figures are those of the first");
	is_int(ask("ZCARD", "busy:" TEST_ACCT_REGION ":due", NULL, NULL), 1, "and the hour stays due");
	settle_all(b.other);
	is_int(figures_of(&b), 200, "then they are those of both");
	is_int(ask("ZCARD", "busy:" TEST_ACCT_REGION ":due", NULL, NULL), 0, "and nothing is due");
	engine_close(e);
	engine_close(b.other);
	arena_release(&b.arena);
}

// A turn is over after a run of hours. What it leaves is there for the next one at once.
static void in_turns(void)
{
	struct arena arena = ARENA_INIT;
	struct engine_options o = test_options("turns");
	o.turn_ms = 1;
	struct engine *e = open_with(&o), *next = open_with(&o);
	struct err err = ERR_INIT;
	size_t left = 0;
	fill(e, &arena);
	for (int i = 0; i < 500 && !engine_counts(e)->settled; i++, usleep(10000))
		must(engine_settle(e, false, &left, &err), &err);
	int64_t settled = (int64_t)engine_counts(e)->settled;
	ok(settled > 0 && settled <= 24, "a turn computes a run of hours (%d)", (int)settled);
	is_int((int64_t)left, HOURS - settled, "and leaves the rest");
	must(engine_settle(next, false, &left, &err), &err);
	ok(engine_counts(next)->settled > 0, "which is not held until a lease has passed");
	for (int i = 0; i < 500 && ask("ZCARD", "turns:" TEST_ACCT_REGION ":due", NULL, NULL); i++, usleep(10000))
		must(engine_settle(i % 2 ? e : next, false, &left, &err), &err);
	is_int(ask("ZCARD", "turns:" TEST_ACCT_REGION ":due", NULL, NULL), 0, "turn by turn, nothing is left");
	int fields, differ = differences("t", "turns", &fields);
	ok(fields > 0 && differ == 0, "and the figures are the same");
	engine_close(e);
	engine_close(next);
	arena_release(&arena);
}

// Turns begin with the hours that have waited longest, and what is given back has waited as long as before.
static void oldest_first(void)
{
	static const char key[] = "aged:" TEST_ACCT_REGION ":due";
	struct arena arena = ARENA_INIT;
	struct engine_options o = test_options("aged");
	o.turn_ms = 1;
	struct engine *e = open_with(&o);
	struct err err = ERR_INIT;
	size_t left, n;
	fill(e, &arena);
	is_int(ask("ZRANGE", key, "0", "-1"), HOURS, "all hours are due");
	struct str *members = redis_copy_list(test_redis, 0, &arena, &n);
	for (size_t i = 0; i < n; i++) { // the last one since 1 ms, the first since HOURS
		char at[24];
		snprintf(at, sizeof at, "%lld", (long long)(first + HOURS - atoll(members[i].p)));
		ask("ZADD", key, at, members[i].p);
	}
	must(engine_settle(e, false, &left, &err), &err);
	is_int((long long)engine_counts(e)->settled, HOURS % 24, "a turn computes the run of hours that waits longest");
	is_int(ask("ZCOUNT", key, "-inf", "12"), 0, "which is the last one");
	is_int(ask("ZCOUNT", key, "13", "60"), HOURS - HOURS % 24, "and the others have waited as long as before");
	engine_close(e);
	arena_release(&arena);
}

// Redis would search the sums of a busy hour from their beginning for each one, until there are 512.
static void many_callers(void)
{
	struct arena arena = ARENA_INIT;
	struct engine_options o = test_options("crowd");
	struct engine *e = open_with(&o);
	for (int who = 0; who < 40; who++) {
		struct record call = test_call(&arena, first * 60, who, 0);
		add(e, &call);
	}
	apply(e);
	is_int(ask("KEYS", "crowd:*:cells:*", NULL, NULL), 1, "callers of one minute");
	ask("OBJECT", "ENCODING", arena_str(&arena, redis_elem(test_redis, 0, 0)).p, NULL);
	ok(str_is(redis_str(test_redis, 0), "hashtable"),
	   "who are many for an hour are in a table from the first batch on");
	engine_close(e);
	arena_release(&arena);
}

int main(void)
{
	struct arena arena = ARENA_INIT;
	start_test_redis();
	struct engine_options o = test_options("t");
	struct engine *e = open_with(&o), *other = open_with(&o);
	first = when_now_ms() / MS_PER_HOUR - HOURS - 2;

	fill(e, &arena);
	settle_all(e);
	uint64_t once = engine_counts(e)->settled;
	if (!ok(once <= 2 * HOURS, "a backfill of %d hours computes each about once", HOURS))
		diag("computed %llu", (unsigned long long)once);
	is_int(ask("ZCARD", "t:" TEST_ACCT_REGION ":usage", NULL, NULL), HOURS, "every hour has figures");

	fill(e, &arena);
	settle_all(e);
	is_int((long long)(engine_counts(e)->settled - once), 0,
	       "the same records once more: nothing is computed again");

	in_turns();
	oldest_first();
	many_callers();
	many_at_once();
	while_computed();

	struct record late = test_metric(first * 60, TOKENS_OUTPUT, 500);
	add(e, &late);
	apply(e);
	settle_all(other);
	uint64_t again = engine_counts(other)->settled;
	if (!ok(again <= 2 * (1 + 24),
	        "a late metric computes its hour and those that learn from it, about once each"))
		diag("computed %llu", (unsigned long long)again);

	engine_close(e);
	engine_close(other);
	arena_release(&arena);
	stop_test_redis();
	return done();
}
