// SPDX-License-Identifier: Apache-2.0
// Why two sums differ (query/change.h): each part alone, then random sums, whose parts must always add up to
// the difference. The seed is printed: change_test SEED.
#include "query/change.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/tap.h"

struct usage { // of one model: tokens, dollars in millionths, calls
	int64_t input, input_usd, output, output_usd, calls;
};

static struct group *add(struct groups *g, const char *model, const char *type)
{
	struct str keys[GROUP_KEYS_MAX] = {str_of(model), STR("us-east-1"), STR("standard"), str_of(type)};
	groups_get(g, keys);
	return &g->list[g->n - 1];
}

static void fill(struct groups *tokens, struct groups *calls, const char *model, const struct usage *u)
{
	const struct {
		const char *type;
		int64_t tokens, usd;
	} types[] = {{"input", u->input, u->input_usd}, {"output", u->output, u->output_usd}};
	for (int i = 0; i < 2; i++)
		if (types[i].tokens) {
			struct group *x = add(tokens, model, types[i].type);
			x->tokens = types[i].tokens;
			x->usd = (struct usd){(usd_pico)types[i].usd * 1000000};
		}
	if (u->calls)
		add(calls, model, "")->calls = u->calls;
}

struct sums {
	struct groups tokens_now, tokens_then, calls_now, calls_then;
	struct usd parts[CHANGE_PARTS];
};

static void begin(struct sums *s)
{
	groups_init(&s->tokens_now, &change_tokens);
	groups_init(&s->tokens_then, &change_tokens);
	groups_init(&s->calls_now, &change_calls);
	groups_init(&s->calls_then, &change_calls);
}

static void end(struct sums *s)
{
	groups_release(&s->tokens_now);
	groups_release(&s->tokens_then);
	groups_release(&s->calls_now);
	groups_release(&s->calls_then);
}

static struct usd difference(const struct sums *s)
{
	struct usd sum = USD_ZERO;
	for (int32_t i = 0; i < s->tokens_now.n; i++)
		sum = usd_add(sum, s->tokens_now.list[i].usd);
	for (int32_t i = 0; i < s->tokens_then.n; i++)
		sum = usd_sub(sum, s->tokens_then.list[i].usd);
	return sum;
}

static bool adds_up(const struct sums *s)
{
	struct usd sum = USD_ZERO;
	for (int i = 0; i < CHANGE_PARTS; i++)
		sum = usd_add(sum, s->parts[i]);
	return usd_cmp(sum, difference(s)) == 0;
}

// `want`: millionths of a dollar, in the order of enum change_part.
static void expect(const char *name, struct usage now, struct usage then, const int64_t *want)
{
	struct sums s;
	bool good = true;
	begin(&s);
	fill(&s.tokens_now, &s.calls_now, "m", &now);
	fill(&s.tokens_then, &s.calls_then, "m", &then);
	// another model, which does not change
	fill(&s.tokens_now, &s.calls_now, "a", &(struct usage){7, 7, 7, 7, 7});
	fill(&s.tokens_then, &s.calls_then, "a", &(struct usage){7, 7, 7, 7, 7});
	change_split(&s.tokens_now, &s.tokens_then, &s.calls_now, &s.calls_then, s.parts);
	for (int i = 0; i < CHANGE_PARTS; i++)
		if (s.parts[i].pico != (usd_pico)want[i] * 1000000) {
			char usd[USD_SIZE];
			good = false;
			diag("%s: %s, want %lld", change_part_names[i], usd_format(s.parts[i], 6, usd),
			     (long long)want[i]);
		}
	ok(good && adds_up(&s), "%s", name);
	end(&s);
}

#define WANT(...) ((const int64_t[CHANGE_PARTS]){__VA_ARGS__})

static void test_parts(void)
{
	const struct usage base = {1000, 3000, 100, 1500, 10};
	expect("nothing changed", base, base, WANT(0, 0, 0, 0, 0));
	expect("twice the calls", (struct usage){2000, 6000, 200, 3000, 20}, base, WANT(4500, 0, 0, 0, 0));
	expect("prompts twice as long", (struct usage){2000, 6000, 100, 1500, 10}, base, WANT(0, 3000, 0, 0, 0));
	expect("a higher rate", (struct usage){1000, 4000, 100, 1500, 10}, base, WANT(0, 0, 1000, 0, 0));
	expect("half the calls, twice as long, at double the rate", (struct usage){1000, 6000, 100, 3000, 5},
	       base, WANT(-2250, 2250, 4500, 0, 0));
	expect("a model that is new", base, (struct usage){.calls = 0}, WANT(0, 0, 0, 4500, 0));
	expect("one that is gone", (struct usage){.calls = 0}, base, WANT(0, 0, 0, 0, -4500));
	expect("a token type that is new", base, (struct usage){1000, 3000, 0, 0, 10}, WANT(0, 0, 0, 1500, 0));
	expect("calls that nobody counted", (struct usage){2000, 6000, 200, 3000, 0},
	       (struct usage){1000, 3000, 100, 1500, 0}, WANT(0, 4500, 0, 0, 0));
	expect("a credit of the bill", (struct usage){-5, -20, 100, 1500, 10},
	       (struct usage){-9, -30, 100, 1500, 10}, WANT(0, 0, 0, -20, 30));
}

static uint64_t state;

static int64_t below(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (int64_t)((state >> 33) % n);
}

static void test_random(void)
{
	static const char *const models[] = {"a", "b", "c", "d", "e", "f"};
	int wrong = 0;
	for (int turn = 0; turn < 2000; turn++) {
		struct sums s;
		begin(&s);
		for (int side = 0; side < 2; side++)
			for (int i = 0; i < 6; i++) {
				if (below(4) == 0)
					continue;
				const struct usage u = {below(1000000), below(1u << 30), below(50) - 2, below(1u << 30),
				                        below(300)};
				fill(side ? &s.tokens_now : &s.tokens_then, side ? &s.calls_now : &s.calls_then, models[i],
				     &u);
			}
		change_split(&s.tokens_now, &s.tokens_then, &s.calls_now, &s.calls_then, s.parts);
		wrong += !adds_up(&s);
		end(&s);
	}
	ok(wrong == 0, "the parts of random sums add up to the difference, to the picodollar");
}

int main(int argc, char **argv)
{
	state = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
	diag("seed %llu", (unsigned long long)state);
	test_parts();
	test_random();
	return done();
}
