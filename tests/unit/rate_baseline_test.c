// SPDX-License-Identifier: Apache-2.0
// A baseline distinguishes a jump from usual variation, is the same after it was stored, and reports nothing
// while it is new.
#include "alert/rate_baseline.h"
#include "tests/tap.h"

enum { FLOOR = 1000, COST = 5000 }; // micro-dollars a minute, a call

static const struct rate_test plain = {
	.factor_tenths = 43, .floor_micro = FLOOR, .call_micro = COST, .span = RATE_QUICK};

// `minutes` of about so many calls each, up and down by a quarter.
static int64_t feed(struct rate_baseline *p, int64_t from, int minutes, int64_t calls, int64_t cost)
{
	for (int i = 0; i < minutes; i++) {
		int64_t n = calls + calls * (i % 3 - 1) / 4;
		rate_baseline_add(p, from + i, n, n * cost);
	}
	return from + minutes;
}

static bool by_calls; // was the last jump one?

static bool jumps(const struct rate_baseline *p, struct rate_spike *ret)
{
	by_calls = rate_baseline_calls_spike(p, &plain, ret);
	return by_calls || rate_baseline_usd_spike(p, &plain, ret);
}

// Minutes until it jumps, -1: not within `minutes`.
static int until_jump(struct rate_baseline *p, int64_t from, int minutes, int64_t calls, int64_t cost,
                      struct rate_spike *ret)
{
	for (int i = 0; i < minutes; i++) {
		rate_baseline_add(p, from + i, calls, calls * cost);
		if (jumps(p, ret))
			return i + 1;
	}
	return -1;
}

static void test_jumps(void)
{
	struct rate_baseline p = {0}, q;
	struct rate_spike j;
	int64_t m = feed(&p, 1000, 60, 20, COST);
	q = p;
	ok(until_jump(&q, m, 10, 200, COST, &j) < 0, "a new baseline reports no jump");
	m = feed(&p, m, 300, 20, COST);
	ok(!jumps(&p, &j), "a steady one does not");
	q = p;
	ok(until_jump(&q, m, 60, 60, COST, &j) < 0, "nor does an hour of thrice as much");
	q = p;
	is_int(until_jump(&q, m, 10, 200, COST, &j), 3, "ten times as many calls do, within minutes");
	ok(by_calls && j.usual_calls > 90 && j.usual_calls < 110 && j.calls > 550,
	   "and are compared to what is usual");
	q = p;
	int dear = until_jump(&q, m, 60, 20, 10 * COST, &j);
	ok(dear > 10 && dear <= 20, "calls ten times as dear do once it lasts");
	ok(!by_calls && j.usual_micro > 900000 && j.usual_micro < 1100000, "and say so in dollars");
	q = p;
	rate_baseline_add(&q, m, 1, 50000000);
	ok(!jumps(&q, &j), "a single dear call is no jump");
	feed(&p, m, 600, 200, COST);
	ok(!jumps(&p, &j), "what lasts becomes the usual");
}

static void test_reasons_not_to(void)
{
	struct rate_baseline p = {0}, q;
	struct rate_spike j;
	struct rate_test ask = plain;
	int64_t m = feed(&p, 1000, 400, 20, COST);
	q = p;
	for (int i = 0; i < 6; i++)
		rate_baseline_add(&q, m + i, 200, 200 * COST);
	ok(rate_baseline_calls_spike(&q, &ask, &j), "a jump");
	ask.floor_micro = 2000000;
	ok(!rate_baseline_calls_spike(&q, &ask, &j), "is none below the floor");
	ask = plain;
	ask.calls = seasonal_baseline_of((const int64_t[]){12000, 0, 12000, 12000}, 4);
	ok(!rate_baseline_calls_spike(&q, &ask, &j), "is none where this hour takes as much on most other days");
	ask.calls = seasonal_baseline_of((const int64_t[]){0, 0, 15000, 0}, 4);
	ok(!rate_baseline_calls_spike(&q, &ask, &j), "is none where it took more on one");
	ask.calls = seasonal_baseline_of((const int64_t[]){1200, 4000, 1200, 1200}, 4);
	ok(rate_baseline_calls_spike(&q, &ask, &j), "is one where they took the usual, but for one");
	ask.calls = seasonal_baseline_of((const int64_t[]){4000, 4000}, 2);
	ok(rate_baseline_calls_spike(&q, &ask, &j), "two busy days are not enough to believe");
	ask.calls = seasonal_baseline_of((const int64_t[]){4000, 4000, 4000}, 3);
	ok(!rate_baseline_calls_spike(&q, &ask, &j), "three are");
	ask = plain;
	ask.span = 60;
	ok(!rate_baseline_calls_spike(&q, &ask, &j), "is none where a backlog of an hour is read");
	q = p;
	m = feed(&q, m, 480, 0, COST); // the night
	ok(until_jump(&q, m, 60, 20, COST, &j) < 0, "who comes back to work is no jump");
	q = p;
	m = feed(&q, 1400, 120, 0, COST);
	ok(until_jump(&q, m, 60, 200, COST, &j) > 0, "unless it is far more than work");
}

static void test_own_measure(void)
{
	struct rate_baseline p = {0}, q = {0};
	struct rate_spike j;
	int64_t m = feed(&p, 1000, 800, 20, COST), n = 1000;
	for (int i = 0; i < 80; i++)
		n = feed(&q, n, 10, i % 2 ? 8 : 32, COST);
	ok(until_jump(&p, m, 10, 120, COST, &j) > 0, "six times as much is a jump of who comes evenly");
	ok(until_jump(&q, n, 10, 120, COST, &j) < 0, "and none of who comes in bursts");
	p = (struct rate_baseline){0};
	m = feed(&p, 1000, 800, 20, COST);
	q = p;
	ok(until_jump(&q, m, 10, 100, COST, &j) < 0, "less is none");
	m = feed(&p, m, 10, 8, COST);
	ok(until_jump(&p, m, 10, 100, COST, &j) > 0, "unless it comes steeply, out of a lull");
	p = (struct rate_baseline){0};
	m = feed(&p, 1000, 800, 20, COST);
	m = feed(&p, m, 20, 200, COST);
	m = feed(&p, m, 30, 20, COST);
	ok(!jumps(&p, &j), "a jump that is over");
	ok(until_jump(&p, m, 10, 160, COST, &j) > 0, "does not hide the next one");
}

static void test_begin(void)
{
	struct rate_baseline p;
	struct rate_spike j;
	const int64_t calls[] = {1200, 1200, 1200, 1200}, micro[] = {6000000, 6000000, 6000000, 6000000};
	rate_baseline_begin(&p, 6030, calls, micro, 4);
	ok(until_jump(&p, 6031, 10, 20, COST, &j) < 0, "started with past hours, the baseline is known");
	is_int(until_jump(&p, 6041, 10, 200, COST, &j), 3, "and a jump at once");
	rate_baseline_begin(&p, 6030, calls, micro, 0);
	ok(until_jump(&p, 6031, 10, 200, COST, &j) < 0, "begun with none, it is young");
}

static void test_text(void)
{
	struct rate_baseline p = {.spiked_at = 3, .base_hour = 7, .base_calls = 9, .base_micro = 12345}, q;
	struct buf b = BUF_INIT;
	feed(&p, 1000, 100, 50, COST);
	rate_baseline_write(&p, &b);
	ok(rate_baseline_read(&q, buf_str(&b)) && memcmp(&p, &q, sizeof p) == 0,
	   "written and read again it is the same");
	buf_adds(&b, " 1");
	p.calls.minutes[3] = INT64_MAX;
	struct buf huge = BUF_INIT;
	rate_baseline_write(&p, &huge);
	ok(!rate_baseline_read(&q, buf_str(&huge)), "amounts that would overflow a sum are refused");
	buf_release(&huge);
	ok(!rate_baseline_read(&q, STR("1 2 three")) && !rate_baseline_read(&q, STR("")) &&
	       !rate_baseline_read(&q, buf_str(&b)),
	   "what is not a baseline is refused");
	buf_release(&b);
}

int main(void)
{
	test_jumps();
	test_reasons_not_to();
	test_own_measure();
	test_begin();
	test_text();
	return done();
}
