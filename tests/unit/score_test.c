// SPDX-License-Identifier: Apache-2.0
// What was said, kept in few bytes; and how good it was: misses by cause, that add up whatever the figures
// are.
#include "tests/tap.h"

#include "base/buf.h"
#include "base/when.h"
#include "reconcile/asof.h"
#include "reconcile/score.h"

static struct usd nano(int64_t n)
{
	return (struct usd){(usd_pico)n * 1000};
}

static bool same(struct usd a, struct usd b)
{
	return usd_cmp(a, b) == 0;
}

static void test_packed(unsigned seed)
{
	struct buf b = BUF_INIT;
	struct asof_entry in[200], out;
	bool all = true;
	int n = 0;
	for (int i = 0; i < 200; i++) {
		int64_t usd = (int64_t)rand_r(&seed) << (rand_r(&seed) % 24),
				below = rand_r(&seed) % 3 ? rand_r(&seed) : 0;
		in[i] = (struct asof_entry){(uint64_t)rand_r(&seed) << 33 ^ (uint64_t)rand_r(&seed), nano(usd),
		                            nano(usd - below), nano(usd + rand_r(&seed) % 1000)};
		asof_add(&b, &in[i]);
	}
	struct str packed = buf_str(&b);
	for (; asof_next(&packed, &out); n++)
		all &= out.caller == in[n].caller && same(out.usd, in[n].usd) && same(out.low, in[n].low) &&
		       same(out.high, in[n].high);
	ok(all && n == 200 && packed.len == 0, "what is packed comes back");
	diag("%zu bytes a caller", b.len / 200);
	char *exact = xmalloc(40); // no byte behind it, so that the sanitizer sees a step too far
	for (size_t cut = 0; cut < 40; cut++) {
		memcpy(exact + 40 - cut, b.data, cut);
		for (struct str part = {exact + 40 - cut, cut}; asof_next(&part, &out);)
			all &= part.len < cut;
	}
	free(exact);
	ok(all, "bytes cut short end where they are cut");
	struct str endless = STR("12345678\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
	ok(!asof_next(&endless, &out), "a number without an end is refused");
	buf_release(&b);
}

static struct score_cell cell(int64_t said, int64_t late, int64_t volume, int64_t price, int64_t attribution,
                              int64_t unmetered, int64_t unbilled)
{
	struct score_cell c = {.said = nano(said), .low = nano(said - 10), .high = nano(said + 10)};
	c.d = (struct difference){.estimated = nano(said + late),
	                          .volume = nano(volume),
	                          .price = nano(price),
	                          .attribution = nano(attribution),
	                          .unmetered = nano(unmetered),
	                          .unbilled = nano(unbilled)};
	c.d.billed = nano(said + late + volume + price + attribution + unmetered + unbilled);
	return c;
}

static void is_explained(struct score_cell c, const char *want, const char *what)
{
	struct usd cause[SCORE_CAUSES];
	char got[200] = "";
	size_t n = 0;
	score_explain(&c, cause);
	for (int i = 0; i < SCORE_CAUSES; i++)
		n += (size_t)snprintf(got + n, sizeof got - n, "%s%lld", i ? " " : "",
		                      (long long)(cause[i].pico / 1000));
	is_str(got, want, what);
}

static void test_causes(void)
{
	is_explained(cell(100, 0, 0, 0, 0, 0, 0), "0 0 0 0 0 0 0", "nothing missed");
	is_explained(cell(100, 30, 0, 0, 0, 0, 0), "30 0 0 0 0 0 0", "what came later");
	is_explained(cell(100, 0, 0, 20, -10, 0, 0), "0 0 10 0 0 0 0",
	             "what pulled the other way gets none of it");
	is_explained(cell(100, 0, -30, 0, -10, 20, 0), "0 15 0 5 0 0 0", "causes share the miss in proportion");
	is_explained(cell(0, 0, 0, 0, 0, 50, 0), "0 0 0 0 50 0 0", "billed and never seen");
	is_explained(cell(100, 0, 0, 0, 0, 0, -100), "0 0 0 0 0 100 0", "seen and never billed");
	struct score_cell longer = cell(100, 0, 20, 0, 0, 0, 0);
	longer.d.ttl = nano(60);
	longer.d.billed = nano(180);
	is_explained(longer, "0 20 0 0 0 0 60", "written for longer");
	const int64_t huge = INT64_C(300000000000000000);
	is_explained(cell(0, 0, huge, 2 * huge, 0, 0, 0), "0 300000000000000000 600000000000000000 0 0 0 0",
	             "hundreds of millions of dollars");
}

static void test_sums(unsigned seed)
{
	struct score s = {0}, halves[2] = {{0}}, back;
	struct score_worst worst[SCORE_WORST_MAX] = {{STR("arn:aws:iam::1:user/with space"), nano(7),
	                                              CAUSE_PRICE}},
					   read[SCORE_WORST_MAX];
	bool exact = true;
	for (int i = 0; i < 5000; i++) {
		int64_t v[6];
		struct usd cause[SCORE_CAUSES], sum = USD_ZERO;
		for (int k = 0; k < 6; k++)
			v[k] =
				rand_r(&seed) % 3 ? ((int64_t)rand_r(&seed) - RAND_MAX / 2) * (1 << (rand_r(&seed) % 28)) : 0;
		struct score_cell c =
			cell((int64_t)rand_r(&seed) << (rand_r(&seed) % 28), v[0], v[1], v[2], v[3], v[4], v[5]);
		c.d.ttl = nano(rand_r(&seed) % 1000);
		c.d.billed = usd_add(c.d.billed, c.d.ttl);
		score_explain(&c, cause);
		for (int k = 0; k < SCORE_CAUSES; k++) {
			exact &= cause[k].pico >= 0;
			sum = usd_add(sum, cause[k]);
		}
		usd_pico miss = c.d.billed.pico - c.said.pico;
		exact &= sum.pico == (miss < 0 ? -miss : miss);
		score_add_cell(&s, &c);
		score_add_cell(&halves[i % 2], &c);
	}
	ok(exact, "causes are never negative and add up to the miss");
	score_add(&halves[0], &halves[1]);
	ok(memcmp(&s, &halves[0], sizeof s) == 0, "scores add up");
	struct buf b = BUF_INIT;
	int n;
	s.hours = 24;
	score_write(&b, &s, worst, 1);
	ok(score_read(buf_str(&b), &back, read, &n) && memcmp(&s, &back, sizeof s) == 0,
	   "a score comes back from its text");
	ok(n == 1 && str_eq(read[0].principal, worst[0].principal) && same(read[0].missed, worst[0].missed) &&
	       read[0].cause == CAUSE_PRICE,
	   "with who was missed");
	struct str line = buf_str(&b), without = {line.p, line.len - str_after_last(line, '\n').len - 1};
	without.len -= str_after_last(without, ' ').len + 1;
	ok(score_read(without, &back, read, &n) && back.cause[CAUSE_TTL].pico == 0 && n == 0,
	   "a score of a version that knew no TTL is read");
	ok(!score_read(STR("24 3 1 2"), &back, read, &n), "half a text is refused");
	buf_release(&b);
}

static void test_band(void)
{
	struct score s = {0};
	struct score_cell in = cell(100, 0, 10, 0, 0, 0, 0), out = cell(100, 0, 11, 0, 0, 0, 0);
	score_add_cell(&s, &in);
	score_add_cell(&s, &out);
	ok(same(s.covered, nano(110)) && same(s.billed, nano(221)) && same(s.width, nano(40)),
	   "the ends of a band belong to it");
}

// Dollars billed as a normal law says around figures whose band is `wide` times as narrow as it should be.
static int learned_scale(double wide, int shown, int days, unsigned *seed)
{
	struct band_misses m = {0};
	for (int i = 0; i < 20000; i++) {
		double off = 0; // of 12 even draws: variance 1
		for (int k = 0; k < 12; k++)
			off += (double)rand_r(seed) / RAND_MAX;
		int64_t half = 1645 * (int64_t)shown, billed = 100000000 + (int64_t)((off - 6) * wide * 1e6);
		band_add(&m, nano(100000000), nano(100000000 - half), nano(100000000 + half), nano(billed), shown);
	}
	return band_scale(&m, days);
}

static bool about(int got, int want)
{
	if (abs(got - want) <= want / 20)
		return true;
	diag("%d, not %d", got, want);
	return false;
}

static void test_calibration(unsigned seed)
{
	struct band_misses none = {0};
	ok(band_scale(&none, 0) == BAND_SCALE_ONE, "before any bill bands are as they are");
	ok(about(learned_scale(1, 1000, 30, &seed), 1000),
	   "bands that hold nine dollars in ten stay as they are");
	ok(about(learned_scale(2, 1000, 30, &seed), 1950),
	   "those half as wide as they should be are doubled, in a month");
	ok(learned_scale(2, 1000, 1, &seed) < 1800, "a day alone does not do it");
	ok(about(learned_scale(2, 1500, 30, &seed), 1950), "whatever they were scaled by when they were shown");
	ok(learned_scale(.1, 1000, 30, &seed) == BAND_SCALE_MIN &&
	       learned_scale(100, 1000, 30, &seed) == BAND_SCALE_MAX,
	   "within bounds");
	band_add(&none, nano(5), nano(5), nano(5), nano(7), 1000);
	band_add(&none, nano(5), nano(4), nano(6), nano(-7), 1000);
	ok(band_scale(&none, 1) == BAND_SCALE_ONE, "what had no band, and a credit, teach nothing");
}

int main(void)
{
	unsigned seed = getenv("SEED") ? (unsigned)atoi(getenv("SEED")) : (unsigned)when_now_ms();
	diag("SEED=%u", seed);
	test_packed(seed);
	test_causes();
	test_sums(seed);
	test_band();
	test_calibration(seed);
	return done();
}
