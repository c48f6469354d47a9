// SPDX-License-Identifier: Apache-2.0
// What settling costs: a backfill computes every hour about once, however many hours learn from each other, and nothing is
// computed again when nothing has changed.
#include "tests/support/engine.h"

enum { HOURS = 60 };

static void fill(struct engine *e, struct arena *arena, int64_t first_hour)
{
	for (int h = 0; h < HOURS; h++) {
		for (int m = 0; m < 60; m += 7) {
			int64_t minute = (first_hour + h) * 60 + m;
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

int main(void)
{
	struct arena arena = ARENA_INIT;
	start_test_redis();
	struct engine_options o = test_options("t");
	struct engine *e = open_with(&o), *other = open_with(&o);
	int64_t first = when_now_ms() / MS_PER_HOUR - HOURS - 2;

	fill(e, &arena, first);
	settle_all(e);
	uint64_t once = engine_counts(e)->settled;
	if (!ok(once <= 2 * HOURS, "a backfill of %d hours computes each about once", HOURS))
		diag("computed %llu", (unsigned long long)once);
	is_int(ask("ZCARD", "t:" TEST_SLOT ":usage", NULL, NULL), HOURS, "every hour has figures");

	fill(e, &arena, first);
	settle_all(e);
	is_int((long long)(engine_counts(e)->settled - once), 0, "the same records once more: nothing is computed again");

	struct record late = test_metric(first * 60, TOKENS_OUTPUT, 500);
	add(e, &late);
	apply(e);
	settle_all(other);
	uint64_t again = engine_counts(other)->settled;
	if (!ok(again <= 2 * (1 + 24), "a late metric computes its hour and those that learn from it, about once each"))
		diag("computed %llu", (unsigned long long)again);

	engine_close(e);
	engine_close(other);
	arena_release(&arena);
	stop_test_redis();
	return done();
}
