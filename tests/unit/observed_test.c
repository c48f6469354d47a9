// SPDX-License-Identifier: Apache-2.0
// Which minutes are noted as observed (store/observed.h): those of records that count, those that were read
// to their end; in any order, and once.
#include "store/observed.h"

#include <time.h>

#include "store/keys.h"
#include "tests/support/engine.h"

static int64_t day; // of the records: yesterday

// The observed minutes of the day as "60-62 70", of an account and Region (STR_NONE: of all).
static const char *minutes_of(const char *prefix, struct str acct_region)
{
	static char text[512];
	static uint8_t bits[OBSERVED_DAY];
	struct err err = ERR_INIT;
	size_t n = 0;
	memset(bits, 0, sizeof bits);
	size_t replies = observed_queue_read(test_redis, prefix, acct_region, day, day + 1);
	must(redis_exec(test_redis, &err), &err);
	observed_take(test_redis, 0, replies, 1, bits);
	*text = '\0';
	for (int i = 0, end; i < OBSERVED_DAY && n < sizeof text - 32; i = end + 1) {
		for (end = i; end < OBSERVED_DAY && bits[end]; end++)
			;
		if (end > i)
			n += (size_t)snprintf(text + n, sizeof text - n, end - i > 1 ? "%s%d-%d" : "%s%d", n ? " " : "",
			                      i, end - 1);
	}
	return text;
}

static void runs(void)
{
	uint64_t bits[2] = {0};
	struct observed_run run;
	int at = 0;
	ok(!observed_next_run(bits, 2, &at, &run), "no bits are no run");
	for (int i = 50; i < 100; i++)
		bits[i / 60] |= UINT64_C(1) << i % 60;
	bits[1] |= UINT64_C(1) << 59;
	at = 0;
	ok(observed_next_run(bits, 2, &at, &run) && run.first == 50 && run.n == OBSERVED_RUN,
	   "a run goes over the hour, and has a limit");
	ok(observed_next_run(bits, 2, &at, &run) && run.first == 50 + OBSERVED_RUN && run.n == 50 - OBSERVED_RUN,
	   "the next one has the rest");
	ok(observed_next_run(bits, 2, &at, &run) && run.first == 119 && run.n == 1, "the last minute is found");
	ok(!observed_next_run(bits, 2, &at, &run), "and that was all");
}

static void records(struct arena *arena, const char *prefix, bool backwards)
{
	static const int minutes[] = {0, 61, 62, 359, 360, 1439};
	struct engine_options o = test_options(prefix);
	struct engine *e = open_with(&o);
	for (int i = 0; i < 6; i++) {
		int64_t minute = day * OBSERVED_DAY + minutes[backwards ? 5 - i : i];
		struct record call = test_call(arena, minute, 0, 0);
		struct record metric = test_metric(minute + 1, TOKENS_INPUT, 9);
		add(e, &call);
		add(e, &call);
		if (minute % OBSERVED_DAY == 62)
			add(e, &metric);
		if (backwards)
			apply(e);
	}
	apply(e);
	is_str(minutes_of(prefix, STR(TEST_ACCOUNT "/" TEST_REGION)), "0 61-63 359-360 1439",
	       backwards ? "in another order, in other batches, too" : "the minutes of records are observed");
	engine_close(e);
}

static void late(struct arena *arena)
{
	struct engine_options o = test_options("late");
	o.window_ms = 1;
	struct engine *e = open_with(&o);
	for (int i = 0; i < 2; i++) {
		struct record call = test_call(arena, day * OBSERVED_DAY + 10 + i, 0, 0);
		add(e, &call);
		apply(e);
		nanosleep(&(struct timespec){0, 20000000}, NULL);
	}
	is_int((long long)engine_counts(e)->late, 1, "a record comes after its window");
	is_str(minutes_of("late", STR(TEST_ACCOUNT "/" TEST_REGION)), "10",
	       "what is in no figure is not observed either");
	engine_close(e);
}

static void spans(void)
{
	struct err err = ERR_INIT;
	struct buf key = BUF_INIT;
	int64_t first = day * OBSERVED_DAY, keep = 1000LL * MS_PER_HOUR;
	const struct observed_span all[] = {
		{STR("1/r"), OBSERVED_METRICS, first + 100, first + 300},
		{STR("1/r"), OBSERVED_CALLS, first + 299, first + 301},
		{STR("1/r"), OBSERVED_CALLS, first - 5, first + 3},
		{STR("1/r"), OBSERVED_CALLS, first + 50, first + 50},
		{STR_NONE, OBSERVED_CALLS, first - 3000, first + 5000},
	};
	size_t replies = 0;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		replies += observed_queue(test_redis, "spans", &all[i], keep);
	must(redis_exec(test_redis, &err), &err);
	is_int((long long)redis_count(test_redis), (long long)replies, "spans say how many replies they have");
	is_str(minutes_of("spans", STR("1/r")), "0-2 100-300", "spans and signals are joined");
	is_str(minutes_of("spans", STR_NONE), "0-1439", "a day in the middle of a span is observed whole");
	int64_t till = ask("PEXPIRETIME", key_observed(&key, "spans", STR("1/r"), day, "calls").p, NULL, NULL);
	is_int(till, (day + 1) * 24 * MS_PER_HOUR + keep, "they are kept for the retention after the day");
	buf_release(&key);
}

int main(void)
{
	struct arena arena = ARENA_INIT;
	day = when_now_ms() / MS_PER_HOUR / 24 - 1;
	runs();
	start_test_redis();
	records(&arena, "t", false);
	records(&arena, "u", true);
	late(&arena);
	spans();
	arena_release(&arena);
	stop_test_redis();
	return done();
}
