// SPDX-License-Identifier: Apache-2.0
// The detector's promises: a jump rings, once, at once; what is as usual stays quiet; the unit of the series does not
// matter; scores lie in 0..1 whatever comes; and a row's score depends on the rows before it alone.
#include <math.h>

#include "serve/detect.h"
#include "tests/tap.h"

enum { ROWS = 3000, STEP_MS = 300000, LOUD_PERMILLE = 740 };

static uint32_t seed = 7;

static double noise(void)
{
	seed = seed * 1664525 + 1013904223;
	return (double)(seed >> 8) / (1 << 24) - 0.5;
}

// A day's wave with noise; `jump_at`: from there for 12 rows ten times as much.
static void make(double *v, int jump_at)
{
	seed = 7;
	for (int i = 0; i < ROWS; i++) {
		v[i] = 20 + 5 * sin(i * 2 * M_PI / 288) + noise();
		if (i >= jump_at && i < jump_at + 12)
			v[i] *= 10;
	}
}

static void score(const double *v, int n, double scale, double *ret)
{
	struct detector *d = detector_new();
	for (int i = 0; i < n; i++)
		ret[i] = detector_add(d, (int64_t)i * STEP_MS, v[i] * scale);
	detector_free(d);
}

static int loud(const double *s, int from, int to)
{
	int n = 0;
	for (int i = from; i < to; i++)
		n += s[i] * 1000 >= LOUD_PERMILLE;
	return n;
}

static bool in_range(const double *s, int n)
{
	for (int i = 0; i < n; i++)
		if (!(s[i] >= 0 && s[i] <= 1))
			return false;
	return true;
}

static void test_jump(void)
{
	static double v[ROWS], s[ROWS], scaled[ROWS], part[ROWS];
	make(v, 2000);
	score(v, ROWS, 1, s);
	ok(loud(s, 2000, 2003) >= 1, "a tenfold jump rings within three rows");
	ok(loud(s, 2000, 2100) <= 2, "it does not ring over and over");
	ok(loud(s, 600, 2000) <= 2, "a daily wave with noise is as usual");
	ok(in_range(s, ROWS), "scores lie in 0..1");
	score(v, ROWS, 1e6, scaled);
	double off = 0;
	for (int i = 0; i < ROWS; i++)
		off = fmax(off, fabs(scaled[i] - s[i]));
	ok(off < 0.02, "the unit of the series does not matter (%.4f)", off);
	score(v, 2001, 1, part);
	ok(memcmp(part, s, 2001 * sizeof *s) == 0, "no look-ahead: the first rows alone score the same");
}

// What is odd by its shape alone: every value has been there before.
static void test_course(void)
{
	static double v[ROWS], s[ROWS];
	make(v, ROWS);
	for (int i = 2016; i < 2016 + 288; i++)
		v[i] = 20 + noise();
	score(v, ROWS, 1, s);
	ok(loud(s, 2016, 2016 + 288) >= 1, "a day without its wave rings");
	make(v, ROWS);
	for (int i = 2000; i < ROWS; i++)
		v[i] += 8;
	score(v, ROWS, 1, s);
	ok(loud(s, 2000, 2012) >= 1, "a level that shifts rings within the hour");
	ok(loud(s, 2100, ROWS) <= 3, "and is the new usual from then on");
}

static void test_odd_input(void)
{
	static double v[ROWS], s[ROWS];
	score(v, ROWS, 1, s);
	is_int(loud(s, 0, ROWS), 0, "nothing but zeros is quiet");
	for (int i = 0; i < ROWS; i++)
		v[i] = i % 7 ? 0 : noise() * pow(10, i % 300);
	score(v, ROWS, 1, s);
	ok(in_range(s, ROWS), "values up to 1e299 give scores in 0..1");
	struct detector *d = detector_new();
	bool good = true;
	for (int i = 0; i < 400; i++) {
		double x = detector_add(d, i % 3 ? 0 : INT64_MAX - i, i);
		good = good && x >= 0 && x <= 1;
	}
	ok(good, "times that jump do no harm");
	detector_free(d);
	detector_free(NULL);
}

int main(void)
{
	test_jump();
	test_course();
	test_odd_input();
	return done();
}
