// SPDX-License-Identifier: Apache-2.0
// Times as they stand in records and as people type them: what is taken for which moment, and what is none.
#include "base/when.h"

#include "tests/tap.h"

static void is_moment(const char *text, const char *want, int ms)
{
	int64_t at = -1;
	char got[WHEN_SIZE];
	bool good = when_parse(str_of(text), &at);
	ok(good && strcmp(when_format(at, got), want) == 0 && at % 1000 == ms, "%s is %s and %d ms", text, want,
	   ms);
}

// The usual form is read by a way of its own: with something else at any place it is no time.
static void is_read_whole(void)
{
	static const char usual[] = "2026-11-02T05:06:07Z", others[] = "/:x\x80";
	char text[sizeof usual];
	int taken = 0;
	for (size_t at = 0; at < sizeof usual - 1; at++) {
		for (const char *c = others; *c; c++) {
			int64_t ms;
			memcpy(text, usual, sizeof text);
			text[at] = *c;
			taken += usual[at] != *c && when_parse(str_of(text), &ms);
		}
	}
	is_int(taken, 0, "nothing else stands for a character of a time");
}

static void is_none(const char *text)
{
	int64_t at = 42;
	ok(!when_parse(str_of(text), &at) && at == 42, "\"%s\" is no time, and nothing is set", text);
}

int main(void)
{
	static const char *const none[] = {
		"",
		"2026",
		"2026-11",
		"2026-13-01",
		"2026-00-01",
		"2026-02-30",
		"2026-02-29",
		"1900-02-29",
		"2026-11-00",
		"2026-11-31",
		"2026-11-02T24:00:00Z",
		"2026-11-02T05:60:00Z",
		"2026-11-02T05:06:61Z",
		"2026-11-02T05:06:07 CET",
		"2026-11-02T05:06:07+15:00",
		"2026-11-02T05:06:07+02",
		"2026-11-02T05:06:07Zx",
		"2026-11-02x",
		" 2026-11-02",
		"2026-11-02T",
		"1969-12-31T23:59:59Z",
		"0001-01-01T00:00:00Z",
		"10000-01-01",
		"1970-01-01T00:00:00+00:01",
		"9999-12-31T23:59:59-00:01",
		"1795842360",
		"2026-1-2",
		"-026-11-02",
	};
	char text[WHEN_SIZE];
	is_read_whole();
	is_moment("2028-02-29T23:59:59Z", "2028-02-29T23:59:59Z", 0);
	is_moment("2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z", 0);
	is_moment("1999-12-28T00:00:00Z", "1999-12-28T00:00:00Z", 0);
	is_moment("9999-12-28T23:59:59Z", "9999-12-28T23:59:59Z", 0);
	is_moment("2026-11-02", "2026-11-02T00:00:00Z", 0);
	is_moment("2026-11-02T05", "2026-11-02T05:00:00Z", 0);
	is_moment("2026-11-02T05:06", "2026-11-02T05:06:00Z", 0);
	is_moment("2026-11-02T05:06:07Z", "2026-11-02T05:06:07Z", 0);
	is_moment("2025-01-21 17:49:47.000000000", "2025-01-21T17:49:47Z", 0);
	is_moment("2026-11-02T05:06:07.123999999999999999999Z", "2026-11-02T05:06:07Z", 123);
	is_moment("20131102T010628Z", "2013-11-02T01:06:28Z", 0);
	is_moment("2024-10-17T20:11:24+02:00", "2024-10-17T18:11:24Z", 0);
	is_moment("2024-10-17T20:11:24-0730", "2024-10-18T03:41:24Z", 0);
	is_moment("2024-02-29", "2024-02-29T00:00:00Z", 0);
	is_moment("2000-02-29", "2000-02-29T00:00:00Z", 0);
	is_moment("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z", 0); // a leap second is the one behind it
	is_moment("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", 0);
	is_moment("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", 0);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		is_none(none[i]);
	is_str(when_format(-1, text), "1970-01-01T00:00:00Z", "what is before 1970 is shown as its beginning");
	is_str(when_format(INT64_MAX, text), "9999-12-31T23:59:59Z", "what is behind 9999 as its end");
	char length[WHEN_LENGTH_SIZE];
	is_str(when_format_length(200, length), "3 h 20 min", "hours and minutes");
	is_str(when_format_length(180, length), "3 h", "hours alone");
	is_str(when_format_length(0, length), "0 min", "nothing is no minute");
	is_str(when_format_length(48 * 60 - 1, length), "47 h 59 min", "two days in hours");
	is_str(when_format_length((679 * 60) + 38, length), "28 days 7 h", "more in days");
	is_str(when_format_length(14 * 24 * 60, length), "14 days", "whole ones alone");
	is_str(when_format_age(119999, length), "119 s", "an age in seconds");
	is_str(when_format_age(120000, length), "2 min", "in minutes");
	is_str(when_format_age(2 * MS_PER_HOUR, length), "2 h", "in hours");
	is_str(when_format_age(48LL * MS_PER_HOUR, length), "2 days", "in days");
	is_str(when_format_age(-5, length), "0 s", "nothing is older than now");
	return done();
}
