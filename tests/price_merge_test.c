// SPDX-License-Identifier: Apache-2.0
// Two imports of the same source, one after the other: the days before keep their rates, and nothing overlaps.
#include "pricing/price_merge.h"

#include "base/when.h"
#include "tests/tap.h"

#define HEAD "model,scope,region,account,tier,from,to,prompt_tokens_over,input,output,cache_read,cache_write_5m,cache_write_1h,unit,per_unit,source\n"

// Merges at noon of 2026-11-10. What comes out must be a price file, and merging the same again must change nothing.
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
	if (!ok(when_parse(STR("2026-11-10T12:30:00Z"), &now_ms) && price_file_read(&before, buf_str(&a), "old.csv", &err) &&
	        price_file_read(&after, buf_str(&b), "new.csv", &err), "%s: read %s", what, err.msg))
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

#define SEPTEMBER "2026-09-01T00:00:00Z,"
#define OCTOBER "2026-10-01T00:00:00Z,"
#define DECEMBER "2026-12-01T00:00:00Z,"

int main(void)
{
	must_merge("", "acme.m,regional,,,standard," OCTOBER ",,1,2,,,,,,s\n", "acme.m,regional,,,standard," OCTOBER ",,1,2,,,,,,s\n", 0, "the first import");
	must_merge("acme.m,regional,,,standard," SEPTEMBER ",,3,2,0.2,,,,,s\n", "acme.m,regional,,,standard," OCTOBER ",,3,2,0.1,,,,,s\n",
	           "acme.m,regional,,,standard," SEPTEMBER OCTOBER ",3,2,0.2,,,,,s\n"
	           "acme.m,regional,,,standard," OCTOBER ",,3,2,0.1,,,,,s\n", 0, "a cut: before it the old rate holds");
	must_merge("acme.m,regional,,,standard," SEPTEMBER ",,3,2,,,,,,s\n", "acme.m,regional,,,standard," OCTOBER ",,3,2,,,,,,t\n",
	           "acme.m,regional,,,standard," SEPTEMBER ",,3,2,,,,,,t\n", 0, "no change: it goes on from when it began");
	must_merge("acme.m,regional,,,standard," OCTOBER ",,3,2,,,,,,s\n", "acme.m,regional,,,standard," SEPTEMBER ",,4,2,,,,,,s\n",
	           "acme.m,regional,,,standard," SEPTEMBER ",,4,2,,,,,,s\n", 0, "a correction of the past replaces it");
	must_merge("acme.m,regional,,,standard," SEPTEMBER ",,3,2,,,,,,s\n", "acme.m,regional,,,standard," DECEMBER ",,4,2,,,,,,s\n",
	           "acme.m,regional,,,standard," SEPTEMBER DECEMBER ",3,2,,,,,,s\n"
	           "acme.m,regional,,,standard," DECEMBER ",,4,2,,,,,,s\n", 0, "a rise to come");
	must_merge("acme.m,regional,,,standard," SEPTEMBER ",,3,2,,,,,,s\nacme.n,regional,,,standard," DECEMBER ",,3,2,,,,,,s\n",
	           "acme.o,global,,,standard," OCTOBER ",,1,,,,,,,s\n",
	           "acme.m,regional,,,standard," SEPTEMBER "2026-11-10T12:00:00Z,,3,2,,,,,,s\n"
	           "acme.o,global,,,standard," OCTOBER ",,1,,,,,,,s\n", 2, "what is no longer listed ends, what had not begun goes");
	must_merge("acme.m,regional,,,standard," SEPTEMBER ",,3,2,0.3,,,image,0.04,s\n", "acme.m,regional,,,standard," OCTOBER ",,3,,0.3,,,,,s\n",
	           "acme.m,regional,,,standard," SEPTEMBER OCTOBER ",3,2,0.3,,,image,0.04,s\n"
	           "acme.m,regional,,,standard," OCTOBER ",,3,,0.3,,,,,s\n", 2, "one rate of several is gone, and that of a unit");
	must_merge("acme.m,regional,,,standard," SEPTEMBER ",,3,,,,,,,s\nacme.m,regional,,,standard," SEPTEMBER ",200000,6,,,,,,,s\n",
	           "acme.m,regional,,,standard," OCTOBER ",,4,,,,,,,s\nacme.m,regional,,,standard," OCTOBER ",200000,6,,,,,,,s\n",
	           "acme.m,regional,,,standard," SEPTEMBER OCTOBER ",3,,,,,,,s\n"
	           "acme.m,regional,,,standard," OCTOBER ",,4,,,,,,,s\n"
	           "acme.m,regional,,,standard," SEPTEMBER ",200000,6,,,,,,,s\n", 0, "bands apart");
	must_merge("acme.m,regional,,,standard," SEPTEMBER OCTOBER ",3,,,,,,,s\nacme.m,regional,,,standard," OCTOBER ",,4,,,,,,,s\n",
	           "acme.m,regional,,,standard,2026-11-01T00:00:00Z,,,4,,,,,,,s\n",
	           "acme.m,regional,,,standard," SEPTEMBER OCTOBER ",3,,,,,,,s\n"
	           "acme.m,regional,,,standard," OCTOBER ",,4,,,,,,,s\n", 0, "a history of three imports");
	return done();
}
