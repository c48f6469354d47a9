// SPDX-License-Identifier: Apache-2.0
// A pace knows a jump from its own ups and downs, survives being written down, and never rings while young.
#include "serve/pace.h"
#include "tests/tap.h"

static int64_t feed(struct pace *p, int64_t from, int minutes, int64_t amount)
{
	for (int i = 0; i < minutes; i++)
		pace_add(p, from + i, amount + amount * (i % 3 - 1) / 4);
	return from + minutes;
}

static void test_jumps(void)
{
	struct pace p = {0};
	int64_t against, m = feed(&p, 1000, 30, 100000);
	feed(&p, m, 5, 1000000);
	ok(!pace_jumps(&p, 4, 0, 0, &against), "a young pace never jumps");
	p = (struct pace){0};
	m = feed(&p, 1000, 300, 100000);
	ok(!pace_jumps(&p, 4, 0, 0, &against), "a steady one does not");
	pace_add(&p, m, 1000000);
	pace_add(&p, m + 1, 1000000);
	ok(pace_jumps(&p, 4, 0, 0, &against), "ten times as much does, within two minutes");
	ok(against > 400000 && against < 600000, "and is compared to what is usual");
	ok(!pace_jumps(&p, 4, 10000000, 0, &against), "not below the floor");
	ok(!pace_jumps(&p, 4, 0, 2000000, &against), "not when this hour of other days takes as much");
	m = feed(&p, m + 2, 600, 1000000);
	ok(!pace_jumps(&p, 4, 0, 0, &against), "what lasts becomes the usual");
}

static void test_text(void)
{
	struct pace p = {.base_hour = 7, .total = 12345}, q;
	struct buf b = BUF_INIT;
	feed(&p, 1000, 100, 5000);
	pace_write(&p, &b);
	ok(pace_read(&q, buf_str(&b)) && memcmp(&p, &q, sizeof p) == 0, "written and read again it is the same");
	ok(!pace_read(&q, STR("1 2 three")) && !pace_read(&q, STR("")), "what is no pace is refused");
	buf_release(&b);
}

int main(void)
{
	test_jumps();
	test_text();
	return done();
}
