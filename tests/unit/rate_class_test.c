// SPDX-License-Identifier: Apache-2.0
// Lanes: what they are called, where their limits lie, and that dividing a caller's tokens among them loses
// none, whatever the calls, the tiers that metrics tell, and the units.
#include <stdlib.h>

#include "estimator/tier_metric.h"
#include "estimator/units.h"
#include "tests/support/random.h"
#include "tests/tap.h"

enum { CALLERS = 5 };

static void test_text(void)
{
	static const char *const texts[] = {
		"", "flex", "standard<=100000", "priority>200000", "standard>272000", "batch>100000+"};
	char buf[RATE_CLASS_TEXT_SIZE];
	int rate_class, bad = 0;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		bool good = rate_class_parse(str_of(texts[i]), &rate_class);
		ok(good && strcmp(rate_class_format(rate_class, buf) + (*texts[i] != 0), texts[i]) == 0,
		   "\"%s\" is read and written", texts[i]);
	}
	static const char *const others[] = {"turbo",    "flex>", "flex>1",           "flex<=200000",
	                                     "standard", "flex ", "standard>200000x", "units",
	                                     "<=100000"};
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		bad += rate_class_parse(str_of(others[i]), &rate_class);
	is_int(bad, 0, "nothing else is");
}

static void test_limits(void)
{
	int64_t from, to, expected = 0;
	bool follow = true;
	for (int band = 1; band <= 6; band++) {
		rate_class_prompt(band << 3, &from, &to);
		follow &= from == (band == 1 ? 0 : expected + 1);
		expected = to;
	}
	ok(follow && expected == INT64_MAX, "the bands lie side by side, up to any length");
	rate_class_prompt(0, &from, &to);
	ok(from == 0 && to == INT64_MAX, "a prompt that is not known may be of any length");
	rate_class_prompt(3 << 3 | RATE_CLASS_AT_LEAST, &from, &to);
	ok(from == 128001 && to == INT64_MAX, "and one of at least so many of any beyond");
}

// ---- dividing -----------------------------------------------------------------------------------

static struct hour *random_hour(struct arena *a, bool tiers)
{
	struct hour *h = arena_alloc(a, sizeof *h);
	memset(h, 0, sizeof *h);
	for (int m = 0; m < 60; m++) {
		struct minute *at = &h->minutes[m];
		at->ncalls = (int32_t)below(5);
		at->calls = arena_alloc(a, 8 * sizeof *at->calls);
		for (int32_t i = 0; i < at->ncalls; i++) {
			struct calls *c = &at->calls[i];
			*c = (struct calls){.caller = (int32_t)below(CALLERS),
			                    .rate_class = (uint8_t)(below(2) ? 0 : below(PRICE_TIERS) | below(7) << 3),
			                    .n = 1 + below(4)};
			for (int kind = 0; kind < TOKEN_KINDS; kind++)
				if (below(3) == 0) {
					c->exact_n[kind] = below(c->n + 1);
					c->exact[kind] = c->exact_n[kind] * below(1000);
				}
		}
		if (tiers && below(2)) {
			at->of_tier = arena_alloc(a, PRICE_TIERS * sizeof *at->of_tier);
			for (int tier = 0; tier < PRICE_TIERS; tier++)
				for (int kind = 0; kind < METRIC_KINDS; kind++)
					at->of_tier[tier][kind] = below(3) ? 0 : below(2000);
		}
		if (below(8) == 0) {
			at->has_units = true;
			at->units = below(9);
		}
	}
	return h;
}

// What allocate.c would say: exact tokens as the calls have them, and some more.
static void random_usage(struct arena *a, const struct hour *h, struct hour_usage *u)
{
	*u = (struct hour_usage){.callers = arena_alloc(a, CALLERS * sizeof *u->callers)};
	memset(u->callers, 0, CALLERS * sizeof *u->callers);
	for (int m = 0; m < 60; m++)
		for (int32_t i = 0; i < h->minutes[m].ncalls; i++) {
			const struct calls *c = &h->minutes[m].calls[i];
			u->callers[c->caller].calls += c->n;
			for (int kind = 0; kind < METRIC_KINDS; kind++)
				u->callers[c->caller].by_kind[kind].exact += c->exact[kind];
		}
	for (int kind = 0; kind < METRIC_KINDS; kind++)
		u->unattributed[kind] = below(2) ? below(5000) : 0;
	for (int k = 0; k < CALLERS; k++)
		for (int kind = 0; u->callers[k].calls && kind < METRIC_KINDS; kind++) {
			u->callers[k].by_kind[kind].allocated = below(100000);
			u->callers[k].by_kind[kind].provisional = below(2) ? below(1000) : 0;
		}
}

static bool adds_up(const struct rate_classes *l, const struct hour_usage *u)
{
	bool good = true;
	for (int32_t k = 0; k <= CALLERS; k++) {
		int32_t n;
		const struct rate_class_usage *v = rate_classes_of(l, k, &n);
		for (int kind = 0; n && kind < METRIC_KINDS; kind++) {
			struct shares sum = {0}, nobodys = {.allocated = u->unattributed[kind]},
						  *want = k < CALLERS ? &u->callers[k].by_kind[kind] : &nobodys;
			for (int32_t i = 0; i < n; i++) {
				const struct shares *x = &v[i].usage.by_kind[kind];
				good &= x->exact >= 0 && x->allocated >= 0 && x->provisional >= 0 &&
				        (i == 0 || v[i - 1].rate_class < v[i].rate_class);
				sum.exact += x->exact;
				sum.allocated += x->allocated;
				sum.provisional += x->provisional;
			}
			good &= sum.exact == want->exact && sum.allocated == want->allocated &&
			        sum.provisional == want->provisional;
		}
	}
	return good;
}

// A tier has what its metric says, unless the calls' own records say more or there is not so much to take.
static bool tiers_met(const struct rate_classes *l, const struct hour *h)
{
	for (int tier = 1; tier < PRICE_TIERS; tier++)
		for (int kind = 0; kind < METRIC_KINDS; kind++) {
			int64_t told = 0, has = 0, standard = 0;
			for (int m = 0; m < 60; m++)
				told += h->minutes[m].of_tier ? h->minutes[m].of_tier[tier][kind] : 0;
			for (int32_t i = 0; i < l->n; i++) {
				const struct shares *x = &l->v[i].usage.by_kind[kind];
				*(rate_class_tier(l->v[i].rate_class) == (enum price_tier)tier ? &has
				  : rate_class_tier(l->v[i].rate_class) == TIER_STANDARD       ? &standard
				                                                               : &(int64_t){0}) +=
					x->exact + x->allocated;
			}
			if (has < told && standard > 0)
				return false;
		}
	return true;
}

static void test_split(void)
{
	bool sums = true, met = true, units = true;
	for (int turn = 0; turn < 400; turn++) {
		struct arena a = ARENA_INIT;
		struct hour *h = random_hour(&a, turn % 2);
		struct span span = {.hour = h, .ncallers = CALLERS};
		struct hour_usage u;
		struct rate_classes rate_classes;
		struct units x;
		random_usage(&a, h, &u);
		rate_class_split(&span, 0, &u, &a, &rate_classes);
		sums &= adds_up(&rate_classes, &u);
		met &= !(turn % 2) || tiers_met(&rate_classes, h);
		units_split(&span, turn % 3 == 0, &a, &x);
		int64_t given = x.unattributed;
		for (int k = 0; x.exact && k < CALLERS; k++)
			given += x.exact[k] + x.allocated[k];
		units &= given == x.metered + x.excess || !x.metered;
		arena_release(&a);
	}
	ok(sums, "a caller's lanes add up to the caller, to the token, in order");
	ok(met, "each tier has what its metric says");
	ok(units, "and so have the units");
}

int main(void)
{
	diag("NOWCAST_SEED=%llu", (unsigned long long)seed_rng());
	test_text();
	test_limits();
	test_split();
	return done();
}
