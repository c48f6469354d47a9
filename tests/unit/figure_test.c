// SPDX-License-Identifier: Apache-2.0
// What a valid figure is, and that rows of Redis which hold another one are not read. Every row here is
// written or refused as it stands: a new invariant of estimator/figure.h is a new row.
#include "store/actual.h"
#include "store/usage_rows.h"
#include "tests/tap.h"

#define ANN "arn:aws:iam::111122223333:user/ann - "

static const struct {
	const char *field, *value, *what;
} good[] =
	{
		{ANN "input", "7 70 7 0 0 0 0 0 0", "exact tokens"},
		{ANN "input", "7 70 1 2 4 0 0 9 81", "all three parts"},
		{ANN "input", "7 - 7 0 0 0 0 0 0", "no price"},
		{ANN "input", "7 0 7 0 0 0 0 0 0", "free of charge"},
		{ANN "cache_write_5m", "7 70 7 0 0 7 30 0 0 ttl", "assumed, and it may pay"},
		{ANN "cache_write_5m", "7 70 7 0 0 5 30 0 0 ttl by:role other:16", "a TTL by the role's bill"},
		{ANN "cache_write_1h", "7 112 7 0 0 7 0 0 0 by:all other:10 less:42", "which may be the shorter one"},
		{ANN "input@standard>100000+", "7 70 7 0 0 0 30 0 0 band", "an estimated prompt band"},
		{ANN "input", "7 70 1 2 4 0 30 0 0 cache:6 less:63", "tokens that may be cache reads or writes"},
		{ANN "input", "7 - 1 2 4 0 0 0 0 cache:6", "the same without a price"},
		{ANN "input", "7 70 0 7 0 0 0 0 0 longest:5", "a longest prompt"},
		{ANN "input", "7 70 1 2 4 0 0 0 0 scope less:7", "tokens at a rate of one scope or the other"},
		{ANN "input", "7 70 1 2 4 0 30 0 0 cache:6 longest:5 borrowed:63", "and all of that at a rate of another Region"},
		{ANN "units", "3 120 1 2 0 0 0 0 0", "units"},
		{ANN "uncounted", "3 - 0 0 3 0 0 0 0", "uncounted calls"},
		{ANN "calls@flex", "9 1", "calls"},
		{"(unattributed) - output", "7 70 0 7 0 0 0 0 0", "tokens of nobody"},
},
  bad[] = {
	  {ANN "input", "8 70 7 0 0 0 0 0 0", "parts that do not add up"},
	  {ANN "input", "7 70 9 -2 0 0 0 0 0", "a negative part"},
	  {ANN "input", "9223372036854775807 70 9223372036854775807 9223372036854775807 1 0 0 0 0",
       "parts beyond all bounds"},
	  {ANN "cache_write_5m", "7 70 7 0 0 8 30 0 0", "more assumed than there are"},
	  {ANN "cache_write_5m", "7 70 7 0 0 -1 30 0 0", "a negative number of assumed tokens"},
	  {ANN "input", "7 -70 7 0 0 0 0 0 0", "an estimate of less than nothing"},
	  {ANN "input", "7 64563604257983430656 7 0 0 0 0 0 0", "more dollars a token than a rate holds"},
	  {ANN "input", "9223372036854775807 1267650600228229401496703205377 9223372036854775807 0 0 0 0 0 0",
       "dollars beyond all bounds"},
	  {ANN "input", "7 70 7 0 0 0 1267650600228229401496703205377 0 0", "as many on top"},
	  {ANN "input", "7 70 7 0 0 0 -30 0 0", "less than nothing on top"},
	  {ANN "input", "7 70 7 0 0 0 0 0 0 cache:8", "more that may be cached than there are"},
	  {ANN "input", "7 70 7 0 0 0 0 0 0 cache:-1", "a negative number of them"},
	  {ANN "input", "7 70 7 0 0 0 0 0 0 less:3", "less for no reason"},
	  {ANN "input", "7 70 7 0 0 0 0 0 0 cache:7 less:71", "less than nothing"},
	  {ANN "input", "7 70 7 0 0 0 0 0 0 longest:x", "a longest prompt that is no number"},
	  {ANN "input", "7 70 7 0 0 0 0 0 0 longest:-5", "a negative one"},
	  {ANN "input", "7 - 7 0 0 0 30 0 0", "dollars on top of no price"},
	  {ANN "input", "7 - 7 0 0 0 0 0 0 band", "a prompt band without a price"},
	  {ANN "input", "7 70 7 0 0 0 0 0 0 ttl", "a TTL of nothing"},
	  {ANN "input", "7 70 7 0 0 0 0 0 0 by:role", "a source of the TTL of nothing"},
	  {ANN "input", "7 70 7 0 0 0 0 0 0 other:16", "a rate for nothing"},
	  {ANN "cache_write_5m", "7 70 7 0 0 7 0 0 0 by:hearsay", "a source that there is not"},
	  {ANN "cache_write_5m", "7 70 7 0 0 7 0 0 0 other:-1", "a rate below nothing"},
	  {ANN "input", "7 70 7 0 0 0 0 -1 0", "a negative deviation"},
	  {ANN "input", "7 70 7 0 0 0 0 0 -1", "a negative variance"},
	  {ANN "input", "7 70 7 0 0 0 0 0", "a word too few"},
	  {ANN "input", "7 70 7 x 0 0 0 0 0", "no number"},
	  {ANN "input@units", "7 70 7 0 0 0 0 0 0", "units of schema 1"},
	  {ANN "thoughts", "7 70 7 0 0 0 0 0 0", "a type that there is not"},
	  {ANN "calls", "9", "calls without the failed ones"},
	  {ANN "calls", "-9 1", "less than no calls"},
	  {"# input", "7 0", "a sum of schema 1"},
	  {"digest", "00000000000000aa", "no row"},
	  {"metric input", "7 0", "no row either"},
};

static void test_rows(void)
{
	struct view_row row;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct buf field = BUF_INIT, value = BUF_INIT;
		bool read = row_read(str_of(good[i].field), str_of(good[i].value), &row);
		if (ok(read, "read: %s", good[i].what)) {
			row_format_field(&row, &field);
			row_format_value(&row, &value);
			is_str(field.data, good[i].field, "and written as the same field");
			is_str(value.data, good[i].value, "and value");
		}
		buf_release(&field);
		buf_release(&value);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		ok(!row_read(str_of(bad[i].field), str_of(bad[i].value), &row), "not read: %s", bad[i].what);
}

// A bill takes back more than it charges now and then.
static void test_billed(void)
{
	struct view_row row;
	ok(actual_read(STR("arn:aws:iam::111122223333:user/ann input@flex"), STR("-5 -50 -60"), &row) &&
	       figure_is_valid(&row.figure) && row.figure.billed == -5,
	   "a billed figure may be negative");
	struct actual_row same = {.principal = row.principal,
	                          .type = row.type,
	                          .rate_class = row.rate_class,
	                          .tokens = row.figure.tokens,
	                          .usd = row.figure.usd,
	                          .list = row.figure.list};
	struct buf field = BUF_INIT, value = BUF_INIT;
	actual_format_field(&same, &field);
	actual_format_value(&same, &value);
	is_str(field.data, "arn:aws:iam::111122223333:user/ann input@flex", "it is written as the same field");
	is_str(value.data, "-5 -50 -60", "and value");
	buf_release(&field);
	buf_release(&value);
	ok(!actual_read(STR("arn:x input"), STR("5 1267650600228229401496703205377 0"), &row),
	   "a bill beyond all bounds is not read");
	row.figure.exact = 1;
	ok(!figure_is_valid(&row.figure), "a billed figure has no parts of an estimate");
}

static void test_weights(void)
{
	const struct weight weight = {.milli = {1500, 2, 0, 4},
	                              .sd_permille = {100, 200, 0, 400},
	                              .source = {WEIGHT_BILL, WEIGHT_EXACT, WEIGHT_NONE, WEIGHT_MODEL}};
	struct weight_row read[METRIC_KINDS];
	struct str principal, tagset;
	struct buf value = BUF_INIT;
	weights_format(&weight, &value);
	ok(weights_read(STR("arn:x t1 weights"), buf_str(&value), &principal, &tagset, read) &&
	       str_is(principal, "arn:x") && str_is(tagset, "t1") && read[0].milli == 1500 &&
	       read[3].sd_permille == 400 && str_is(read[1].source, "exact"),
	   "weights are read back");
	ok(!weights_read(STR("arn:x t1 calls"), STR("1 0"), &principal, &tagset, read), "calls are no weights");
	const struct str negative = STR("1 -2 fit 1 2 fit 1 2 fit 1 2 fit");
	ok(!weights_read(STR("arn:x t1 weights"), negative, &principal, &tagset, read),
	   "weights are not negative");
	buf_release(&value);
}

int main(void)
{
	test_rows();
	test_billed();
	test_weights();
	return done();
}
