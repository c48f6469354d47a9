// SPDX-License-Identifier: Apache-2.0
// Two imports of the same source, one after the other: the days before keep their rates, and nothing
// overlaps. The seed of the random part is printed: price_merge_test SEED.
#include "pricing/price_merge.h"

#include <stdlib.h>
#include <time.h>

#include "base/when.h"
#include "tests/tap.h"

#define HEAD                                                                                                 \
	"model,scope,region,account,tier,from,to,prompt_tokens_over,input,output,cache_read,cache_write_5m,cache_write_1h,unit,per_unit,source\n"

// Merges at noon of 2026-11-10. What comes out must be a price file, and merging the same again must change
// nothing.
static void must_merge(const char *old, const char *new, const char *want, size_t gone, const char *what)
{
	struct err err = ERR_INIT;
	struct price_rows before, after, merged;
	struct price_merge m, again;
	struct buf a = BUF_INIT, b = BUF_INIT, c = BUF_INIT;
	int64_t now_ms = 0;
	buf_addf(&a, HEAD "%s", old);
	buf_addf(&b, HEAD "%s", new);
	buf_addf(&c, HEAD "%s", want);
	if (!ok(when_parse(STR("2026-11-10T12:30:00Z"), &now_ms) &&
	            price_file_read(&before, buf_str(&a), "old.csv", &err) &&
	            price_file_read(&after, buf_str(&b), "new.csv", &err),
	        "%s: read %s", what, err.msg))
		return;
	price_merge_init(&m, &before, &after, "pricelist", now_ms);
	is_str(m.csv.data, c.data, what);
	is_int((long long)m.ngone, (long long)gone, "rates that are gone");
	if (ok(price_file_read(&merged, buf_str(&m.csv), "merged.csv", &err), "it is a price file %s", err.msg)) {
		is_int((long long)m.rows, (long long)merged.n, "of so many rows");
		price_merge_init(&again, &merged, &after, "pricelist", now_ms + 3 * (int64_t)MS_PER_HOUR);
		is_str(again.csv.data, m.csv.data, "and merged again the same");
		price_merge_release(&again);
		price_rows_release(&merged);
	}
	price_merge_release(&m);
	price_rows_release(&before);
	price_rows_release(&after);
	buf_release(&a);
	buf_release(&b);
	buf_release(&c);
}

// ---- random histories: at any moment the merged file says what the list said that spoke of that moment

static uint64_t state;

static int below(int n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (int)((state >> 33) % (uint64_t)n);
}

static const int64_t start = INT64_C(1788220800000), day = 24 * (int64_t)MS_PER_HOUR; // 2026-09-01
enum { MODELS = 3, DAYS = 100 };

// Rows that touch or leave gaps, the last one mostly open.
static void random_list(struct buf *b)
{
	buf_adds(b, HEAD);
	for (int m = 0; m < MODELS; m++) {
		char from[WHEN_SIZE], to[WHEN_SIZE];
		for (int at = below(60), rows = below(4); rows > 0; rows--) {
			int end = at + 1 + below(20);
			when_format(start + at * day, from);
			when_format(start + end * day, to);
			buf_addf(b, "acme.m%d,regional,,,,%s,%s,,%d,%s,,,,,,s\n", m, from,
			         rows == 1 && below(4) ? "" : to, 1 + below(2), below(3) ? "5" : "");
			at = end + below(2) * below(9);
		}
	}
}

static int64_t rate_at(const struct catalogue *c, int model, enum token_type type, int64_t time_ms)
{
	static const struct str names[MODELS] = {STR("acme.m0"), STR("acme.m1"), STR("acme.m2")};
	struct price_query q = {
		.model = names[model], .region = STR("us-east-1"), .type = type, .time_ms = time_ms};
	struct rate rate;
	return catalogue_find(c, &q, &rate) == MISS_NONE ? rate.pico_per_token : RATE_UNKNOWN;
}

// When the list begins to speak of the model; `never` if it does not.
static int64_t first_of(const struct catalogue *c, int model, int64_t never)
{
	const struct price_rows *rows = catalogue_rows(c);
	for (size_t i = 0; i < rows->n; i++)
		if (rows->v[i].model.p[6] == '0' + model)
			return rows->v[i].from_ms;
	return never;
}

static bool check_random(void)
{
	struct buf a = BUF_INIT, b = BUF_INIT;
	struct catalogue *old, *new, *merged;
	struct price_merge m;
	struct err err = ERR_INIT;
	random_list(&a);
	random_list(&b);
	int64_t now_ms = start + below(DAYS) * day;
	bool good = catalogue_parse(&old, buf_str(&a), "old.csv", &err) &&
	            catalogue_parse(&new, buf_str(&b), "new.csv", &err);
	if (!good)
		return false;
	price_merge_init(&m, catalogue_rows(old), catalogue_rows(new), "pricelist", now_ms);
	good = catalogue_parse(&merged, buf_str(&m.csv), "merged.csv", &err);
	for (int i = 0; good && i < MODELS * 2 * DAYS; i++) {
		int model = i % MODELS;
		enum token_type type = i / MODELS % 2 ? TOKEN_OUTPUT : TOKEN_INPUT;
		int64_t at = start + i / (MODELS * 2) * day;
		int64_t want = rate_at(at < first_of(new, model, now_ms) ? old : new, model, type, at);
		good = rate_at(merged, model, type, at) == want;
	}
	if (!good)
		diag("%s\n%s\n%s\n%s", err.msg, a.data, b.data, m.csv.data);
	price_merge_release(&m);
	catalogue_free(old);
	catalogue_free(new);
	catalogue_free(merged);
	buf_release(&a);
	buf_release(&b);
	return good;
}

static void test_random(uint64_t seed)
{
	int i = 0;
	state = seed;
	while (i < 3000 && check_random())
		i++;
	ok(i == 3000, "%d random histories (seed %llu)", i, (unsigned long long)seed);
}

#define SEPTEMBER "2026-09-01T00:00:00Z,"
#define OCTOBER "2026-10-01T00:00:00Z,"
#define DECEMBER "2026-12-01T00:00:00Z,"

int main(int argc, char **argv)
{
	must_merge("", "acme.m,regional,,,standard," OCTOBER ",,1,2,,,,,,s\n",
	           "acme.m,regional,,,standard," OCTOBER ",,1,2,,,,,,s\n", 0, "the first import");
	must_merge("acme.m,regional,,,standard," SEPTEMBER ",,3,2,0.2,,,,,s\n",
	           "acme.m,regional,,,standard," OCTOBER ",,3,2,0.1,,,,,s\n",
	           "acme.m,regional,,,standard," SEPTEMBER OCTOBER ",3,2,0.2,,,,,s\n"
	           "acme.m,regional,,,standard," OCTOBER ",,3,2,0.1,,,,,s\n",
	           0, "a cut: before it the old rate holds");
	must_merge("acme.m,regional,,,standard," SEPTEMBER ",,3,2,,,,,,s\n",
	           "acme.m,regional,,,standard," OCTOBER ",,3,2,,,,,,t\n",
	           "acme.m,regional,,,standard," SEPTEMBER ",,3,2,,,,,,t\n", 0,
	           "no change: it goes on from when it began");
	must_merge("acme.m,regional,,,standard," OCTOBER ",,3,2,,,,,,s\n",
	           "acme.m,regional,,,standard," SEPTEMBER ",,4,2,,,,,,s\n",
	           "acme.m,regional,,,standard," SEPTEMBER ",,4,2,,,,,,s\n", 0,
	           "a correction of the past replaces it");
	must_merge("acme.m,regional,,,standard," SEPTEMBER ",,3,2,,,,,,s\n",
	           "acme.m,regional,,,standard," DECEMBER ",,4,2,,,,,,s\n",
	           "acme.m,regional,,,standard," SEPTEMBER DECEMBER ",3,2,,,,,,s\n"
	           "acme.m,regional,,,standard," DECEMBER ",,4,2,,,,,,s\n",
	           0, "a rise to come");
	must_merge("acme.m,regional,,,standard," SEPTEMBER ",,3,2,,,,,,s\nacme.n,regional,,,standard," DECEMBER
	           ",,3,2,,,,,,s\n",
	           "acme.o,global,,,standard," OCTOBER ",,1,,,,,,,s\n",
	           "acme.m,regional,,,standard," SEPTEMBER "2026-11-10T12:00:00Z,,3,2,,,,,,s\n"
	           "acme.o,global,,,standard," OCTOBER ",,1,,,,,,,s\n",
	           2, "what is no longer listed ends, what had not begun goes");
	must_merge("acme.m,regional,,,standard," SEPTEMBER ",,3,2,0.3,,,image,0.04,s\n",
	           "acme.m,regional,,,standard," OCTOBER ",,3,,0.3,,,,,s\n",
	           "acme.m,regional,,,standard," SEPTEMBER OCTOBER ",3,2,0.3,,,image,0.04,s\n"
	           "acme.m,regional,,,standard," OCTOBER ",,3,,0.3,,,,,s\n",
	           2, "one rate of several is gone, and that of a unit");
	must_merge("acme.m,regional,,,standard," SEPTEMBER ",,3,,,,,,,s\nacme.m,regional,,,standard," SEPTEMBER
	           ",200000,6,,,,,,,s\n",
	           "acme.m,regional,,,standard," OCTOBER ",,4,,,,,,,s\nacme.m,regional,,,standard," OCTOBER
	           ",200000,6,,,,,,,s\n",
	           "acme.m,regional,,,standard," SEPTEMBER OCTOBER ",3,,,,,,,s\n"
	           "acme.m,regional,,,standard," OCTOBER ",,4,,,,,,,s\n"
	           "acme.m,regional,,,standard," SEPTEMBER ",200000,6,,,,,,,s\n",
	           0, "bands apart");
	must_merge("acme.m,regional,,,standard," SEPTEMBER OCTOBER
	           ",3,,,,,,,s\nacme.m,regional,,,standard," OCTOBER ",,4,,,,,,,s\n",
	           "acme.m,regional,,,standard,2026-11-01T00:00:00Z,,,4,,,,,,,s\n",
	           "acme.m,regional,,,standard," SEPTEMBER OCTOBER ",3,,,,,,,s\n"
	           "acme.m,regional,,,standard," OCTOBER ",,4,,,,,,,s\n",
	           0, "a history of three imports");
	test_random(argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL));
	return done();
}
