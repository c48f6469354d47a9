// SPDX-License-Identifier: Apache-2.0
// The caches of the dashboard and of the alerts take from the allocator what they count, and no more:
// thousands of small objects, each of which has its own blocks, stay within the limit. And names that once
// took too much of it leave room again when they are dropped.
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "query/rollup_cache.h"
#include "store/model_hour_cache.h"
#include "tests/tap.h"

enum { LIMIT = 4 << 20, QUESTIONS = 20000, MANY_CALLERS = 8000, DAY_MS = 86400000 };

static size_t held(void) // from the system, the holes included
{
	return mallinfo2().arena + mallinfo2().hblkhd;
}

static size_t taken(void)
{
	return mallinfo2().uordblks + mallinfo2().hblkhd;
}

// What the allocator adds, and what it keeps for a moment: a quarter.
static bool is_within(const char *what, size_t began, size_t limit)
{
	size_t now = taken() - began;
	if (now > limit + limit / 4)
		diag("%s: %zu bytes, limit %zu", what, now, limit);
	return now <= limit + limit / 4;
}

static void check_rollups(void)
{
	struct grouping by = {.n = 1, .by = {BY_TAG}, .name = {STR("team")}, .tag = {STR("team")}};
	struct rollup_cache c;
	char name[32];
	rollup_cache_init(&c);
	c.bytes_max = LIMIT;
	size_t began = taken(), held_before = held();
	for (int hour = 1; hour <= QUESTIONS; hour++) {
		struct rollup *x = rollup_cache_get(&c, ROLLUP_READ, &by, NULL, hour, 1);
		rollup_open(&c, x);
		for (int i = 0; i < 3; i++) {
			snprintf(name, sizeof name, "team %d", i);
			groups_get(&x->sums, (struct str[GROUP_KEYS_MAX]){str_of(name)});
		}
		rollup_close(&c, x);
		rollup_cache_trim(&c, x->used_ms = hour);
	}
	ok(is_within("rollups", began, LIMIT), "many rollups of a few groups take what they count");
	diag("%zu bytes held for %zu", held() - held_before, c.lru.bytes);
	ok(held() - held_before <= LIMIT + LIMIT / 4, "and the allocator holds little more");
	ok(c.lru.bytes > LIMIT / 4 * 3, "and the limit is used");
	rollup_cache_trim(&c, DAY_MS + QUESTIONS);
	ok(c.lru.n == 1, "what nobody asked for in a day is dropped");
	rollup_cache_release(&c);
}

// What a large rollup took is free once it is dropped.
static void check_large_rollup(void)
{
	struct grouping by = {.n = 1, .by = {BY_PRINCIPAL}, .name = {STR("principal")}};
	struct rollup_cache c;
	char name[64];
	rollup_cache_init(&c);
	size_t began = taken();
	for (int hour = 1; hour <= 2; hour++) {
		struct rollup *x = rollup_cache_get(&c, ROLLUP_READ, &by, NULL, hour, 1);
		rollup_open(&c, x);
		for (int i = 0; i < (hour == 1 ? MANY_CALLERS : 1); i++) {
			snprintf(name, sizeof name, "arn:aws:sts::111122223333:assumed-role/r/s%d", i);
			groups_get(&x->sums, (struct str[GROUP_KEYS_MAX]){str_of(name)});
		}
		rollup_close(&c, x);
	}
	lru_remove(&c.lru, c.lru.oldest);
	ok(taken() - began < LIMIT / 16, "what a large rollup took is free once it is dropped");
	rollup_cache_release(&c);
}

static void put_one(struct model_hour_cache *s, int number)
{
	char arn[64];
	snprintf(arn, sizeof arn, "arn:aws:sts::111122223333:assumed-role/r/s%d", number);
	struct view_row row = {.principal = str_of(arn), .role = STR("r"), .tagset = STR("-")};
	row.figure.tokens = 1 + number;
	const struct model_hour_rows rows = {.model = STR("amazon.nova-pro-v1:0"), .rows = &row, .nrows = 1};
	model_hour_cache_put(s, (uint64_t)number * 0x9e3779b97f4a7c15u, 1, &rows);
}

static void check_model_hours(void)
{
	size_t began = taken();
	struct model_hour_cache *s = model_hour_cache_new();
	model_hour_cache_limit(s, LIMIT);
	for (int i = 1; i <= QUESTIONS * 3; i++) {
		put_one(s, i);
		model_hour_cache_trim(s);
	}
	ok(is_within("model hours", began, LIMIT), "many model hours of one row take what they count");
	model_hour_cache_free(s);

	s = model_hour_cache_new();
	model_hour_cache_limit(s, LIMIT / 4);
	for (int i = 1; i <= MANY_CALLERS; i++)
		put_one(s, i);
	model_hour_cache_trim(s);
	ok(model_hour_cache_callers(s) == 0, "names that take more than their part are dropped");
	put_one(s, 7);
	model_hour_cache_trim(s);
	ok(model_hour_cache_has(s, (uint64_t)7 * 0x9e3779b97f4a7c15u, 1), "then there is room again");
	model_hour_cache_free(s);
}

int main(void)
{
	check_rollups();
	check_large_rollup();
	check_model_hours();
	return done();
}
