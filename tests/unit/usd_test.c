// SPDX-License-Identifier: Apache-2.0
// Money between text and integers: exact or refused, and rounded half to even where it is shown.
#include "base/usd.h"

#include "tests/tap.h"

static void is_pico(const char *text, const char *want)
{
	struct usd usd;
	char got[USD_SIZE];
	is_str(usd_parse(str_of(text), &usd) ? usd_format_pico(usd, got) : "no number", want, text);
}

static void is_shown(const char *pico, int places, const char *want)
{
	struct usd usd;
	char got[USD_SIZE];
	is_str(usd_parse_pico(str_of(pico), &usd) ? usd_format(usd, places, got) : "no number", want, pico);
}

static void is_muldiv(int64_t pico, int64_t num, int64_t den, const char *want)
{
	char got[USD_SIZE];
	is_str(usd_format_pico(usd_muldiv((struct usd){pico}, num, den), got), want,
	       "times and divided, half to even");
}

static void is_wide(const char *pico, int64_t num, int64_t den, const char *want)
{
	struct usd usd;
	char got[USD_SIZE];
	is_str(usd_parse_pico(str_of(pico), &usd) ? usd_format_pico(usd_muldiv(usd, num, den), got) : "no number",
	       want, pico);
}

int main(void)
{
	int64_t rate = 42;
	is_pico("12.5", "12500000000000");
	is_pico("-0.000001", "-1000000");
	is_pico("1.1e-06", "1100000");
	is_pico("1.1E+2", "110000000000000");
	is_pico(".5", "500000000000");
	is_pico("5.", "5000000000000");
	is_pico("-0", "0");
	is_pico("0e999", "0");
	is_pico("000000000000000000000000000000000000000000001", "1000000000000");
	is_pico("0.0000000000010", "1");
	is_pico("0.0000000000001", "no number"); // not whole at a picodollar: refused, not rounded
	is_pico("1e400", "no number");
	is_pico("1e-400", "no number");
	is_pico("1e99999999999999999999", "no number");
	is_pico("99999999999999999999999999999999999999999", "no number");
	const char *const none[] = {"",   "-",  ".",    "e5",  "1e",  "1e+",   "1.2.3", "1,5",
	                            " 1", "1 ", "0x10", "NaN", "inf", "1e5.5", "--1",   "\xd9\xa1"};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		is_pico(none[i], "no number");
	ok(!usd_parse_scaled(STR("9223372036855"), 6, &rate) && rate == 42,
	   "what does not fit into 64 bits is refused, and nothing is set");
	ok(usd_parse_scaled(STR("9223372036854.775807"), 6, &rate) && rate == INT64_MAX, "the largest that fits");
	ok(usd_parse_scaled(STR("-9223372036854.775808"), 6, &rate) && rate == INT64_MIN, "and the smallest");
	is_shown("1500000000000", 0, "2");
	is_shown("2500000000000", 0, "2");
	is_shown("-2500000000000", 0, "-2");
	is_shown("-3500000000000", 0, "-4");
	is_shown("123456789012345678901234567890", 12, "123456789012345678.901234567890");
	is_shown("1", 12, "0.000000000001");
	is_shown("-1", 2, "0.00");
	is_muldiv(5, 1, 2, "2");
	is_muldiv(7, 1, 2, "4");
	is_muldiv(-7, 1, 2, "-4");
	is_muldiv(INT64_MAX, INT64_MAX, INT64_MAX, "9223372036854775807");
	// What is beyond 128 bits on the way.
	is_wide("1000000000000000000000000000000", 9000000000000000001, 9000000000000000000,
	        "1000000000000000000111111111111");
	is_wide("1000000000000000000000000000001", INT64_MAX - 1, INT64_MAX, "999999999999999999891579782752");
	is_wide("-1000000000000000000000000000001", INT64_MAX - 1, INT64_MAX, "-999999999999999999891579782752");
	is_wide("1267650600228229401496703205379", INT64_C(1) << 40, INT64_C(1) << 41,
	        "633825300114114700748351602690");
	is_wide("1267650600228229401496703205377", INT64_C(1) << 40, INT64_C(1) << 41,
	        "633825300114114700748351602688");
	is_wide("2535301200456458802993406410751", INT64_C(1) << 60, INT64_C(1) << 61,
	        "1267650600228229401496703205376");
	return done();
}
