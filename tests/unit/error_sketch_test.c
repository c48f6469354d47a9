// SPDX-License-Identifier: Apache-2.0
// What a sketch of errors makes of them: those of one source add up in full and those of many as independent
// ones do, whatever the order, and in whichever parts they were summed.
#include "query/error_sketch.h"

#include <math.h>
#include <stdio.h>

#include "base/hash.h"
#include "tests/tap.h"

enum { HOURS = 24, SOURCES = 300, WORLDS = 200 };

static uint64_t source_of(int world, int i)
{
	char name[64];
	int n = snprintf(name, sizeof name, "arn:aws:iam::111122223333:user/%d-%d", world, i);
	return digest64(name, (size_t)n);
}

static bool is_near(double a, double b, double part) { return fabs(a - b) <= part * fabs(b); }

static void one(void)
{
	struct error_sketch s = {{0}};
	for (int h = 0; h < HOURS; h++)
		for (int kind = 0; kind < 4; kind++)
			error_sketch_add(&s, source_of(0, 0), kind, kind + 1);
	ok(is_near(error_sketch_variance(&s), (1 + 4 + 9 + 16) * HOURS * HOURS, 1e-12),
	   "hours of one caller add up in full, and its kinds as independent errors");
}

// Callers of whom each calls in some hours: the mean of the sketch over many sets of names, and how far one
// is from it.
static void many(void)
{
	double sum = 0, squares = 0, want = 0;
	for (int i = 0; i < SOURCES; i++)
		want += pow(1 + i % HOURS, 2);
	for (int world = 0; world < WORLDS; world++) {
		struct error_sketch first = {{0}}, second = {{0}};
		for (int h = 0; h < HOURS; h++)
			for (int i = 0; i < SOURCES; i++)
				if (h <= i % HOURS)
					error_sketch_add(h % 2 ? &first : &second, source_of(world, i), 0, 1);
		error_sketch_merge(&first, &second);
		sum += error_sketch_variance(&first) / want;
		squares += pow(error_sketch_variance(&first) / want, 2);
	}
	double mean = sum / WORLDS, sd = sqrt(squares / WORLDS - mean * mean);
	if (!ok(is_near(mean, 1, 0.1), "those of many callers add up as independent errors, in the mean"))
		diag("%.3f", mean);
	if (!ok(sd < 0.45, "and are seldom off by more than a third"))
		diag("%.3f", sd);
}

int main(void)
{
	one();
	many();
	return done();
}
