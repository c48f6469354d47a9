// SPDX-License-Identifier: Apache-2.0
// Spans in the words of people: which hours they are, over the ends of weeks, months and years.
#include "base/when.h"
#include "query/span.h"
#include "tests/tap.h"

static int64_t at(const char *text)
{
	int64_t ms = -1;
	if (!when_parse(str_of(text), &ms))
		abort();
	return ms;
}

static void says(const char *now, const char *word, const char *from, const char *to)
{
	struct time_span s;
	struct err err = ERR_INIT;
	char got[2 * WHEN_SIZE + 2] = "refused", want[2 * WHEN_SIZE + 2], a[WHEN_SIZE], b[WHEN_SIZE];
	if (span_parse(&s, NULL, str_of(word), at(now), &err))
		snprintf(got, sizeof got, "%s %s", when_format(s.from * MS_PER_HOUR, a),
		         when_format(s.to * MS_PER_HOUR, b));
	snprintf(want, sizeof want, "%s%s%s", from ? when_format(at(from), a) : "refused", from ? " " : "",
	         from ? when_format(at(to), b) : "");
	is_str(got, want, word);
}

static void previous(const char *from, const char *to, const char *want_from)
{
	struct time_span s = {at(from) / MS_PER_HOUR, at(to) / MS_PER_HOUR}, before = span_before(s);
	is_int(before.from, at(want_from) / MS_PER_HOUR, from);
	is_int(before.to, s.from, "it ends where the span begins");
}

// What a word is compared with.
static void compared(const char *now, const char *word, const char *from, const char *to)
{
	struct time_span s, before = {-1, -1};
	struct err err = ERR_INIT;
	ok(span_parse(&s, &before, str_of(word), at(now), &err), "%s", word);
	is_int(before.from, at(from) / MS_PER_HOUR, "is compared from");
	is_int(before.to, at(to) / MS_PER_HOUR, "to");
}

static void bound(const char *text, const char *want)
{
	int64_t hour = -1;
	struct err err = ERR_INIT;
	bool good = span_parse_bound(&hour, str_of(text), at("2026-11-29T14:40:00Z") / MS_PER_HOUR, "--to", &err);
	is_int(good ? hour : -1, want ? at(want) / MS_PER_HOUR : -1, text);
}

int main(void)
{
	const char *now = "2026-11-29T22:40:00Z"; // a Sunday
	says(now, "24h", "2026-11-28T23:00:00Z", "2026-11-29T23:00:00Z");
	says(now, "7d", "2026-11-22T23:00:00Z", "2026-11-29T23:00:00Z");
	says(now, "2w", "2026-11-15T23:00:00Z", "2026-11-29T23:00:00Z");
	says(now, "today", "2026-11-29", "2026-11-29T23:00:00Z");
	says(now, "yesterday", "2026-11-28", "2026-11-29");
	says(now, "this-week", "2026-11-23", "2026-11-29T23:00:00Z");
	says(now, "last-week", "2026-11-16", "2026-11-23");
	says(now, "this-month", "2026-11-01", "2026-11-29T23:00:00Z");
	says(now, "last-month", "2026-10-01", "2026-11-01");
	says(now, "2026-11-02", "2026-11-02", "2026-11-03");
	says(now, "2026-12", "2026-12-01", "2027-01-01");
	says(now, "2024-02", "2024-02-01", "2024-03-01");
	says("2026-11-30T00:00:00Z", "this-week", "2026-11-30", "2026-11-30T01:00:00Z"); // a Monday
	says("2027-01-01T00:00:00Z", "last-month", "2026-12-01", "2027-01-01");
	says("2027-01-01T00:00:00Z", "yesterday", "2026-12-31", "2027-01-01");
	for (struct str words = STR(SPAN_NAMES), word; words.len;) {
		struct time_span s = {-1, -1}, before = {-1, -1};
		struct err err = ERR_INIT;
		word = str_trim(str_cut(&words, ','));
		ok(span_parse(&s, &before, word, 5 * MS_PER_HOUR, &err) && 0 <= s.from && s.from <= s.to &&
		       0 <= before.from && before.from <= before.to && before.to <= s.to,
		   "no hour is before the first one: %.*s", STR_ARG(word));
	}
	static const char *const wrong[] = {
		"",        "h",       "0h",    "24",       "24m",        "-1h",        "last-day",
		"2026-13", "2026-1x", "Today", "2026-2-2", "2026-11-31", "999999999h", "1h2",
		"today ",
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		says(now, wrong[i], NULL, NULL);

	previous("2026-11-01", "2026-12-01", "2026-10-01"); // a month of 30 days, and one of 31
	previous("2026-11-02", "2026-11-09", "2026-10-26");
	previous("2026-11-02T05:00:00Z", "2026-11-02T06:00:00Z", "2026-11-02T04:00:00Z");

	compared(now, "today", "2026-11-28", "2026-11-28T23:00:00Z");
	compared(now, "this-week", "2026-11-16", "2026-11-22T23:00:00Z");
	compared(now, "this-month", "2026-10-01", "2026-10-29T23:00:00Z");
	compared("2026-03-30T12:00:00Z", "this-month", "2026-02-01", "2026-03-01"); // February has no 30th
	compared(now, "last-month", "2026-09-01", "2026-10-01");
	compared(now, "24h", "2026-11-27T23:00:00Z", "2026-11-28T23:00:00Z");

	bound("2026-11-02", "2026-11-02");
	bound("2026-11-02T05:00:00Z", "2026-11-02T05:00:00Z");
	bound("2026-11-02T05:59:59Z", "2026-11-02T06:00:00Z");
	bound("2026-11-02T05:59:59.999Z", "2026-11-02T06:00:00Z");
	bound("2026-11-02T14:30:00Z", NULL);
	bound("2026-11-02T14:00:01Z", NULL);
	bound("2026-11-02T05:00:00+05:30", NULL); // half past eleven
	bound("14:00", "2026-11-29T14:00:00Z");
	bound("15:00", "2026-11-28T15:00:00Z");
	bound("00:00", "2026-11-29");
	bound("14:30", NULL);
	bound("24:00", NULL);
	bound("9:00", NULL);
	bound("soon", NULL);
	return done();
}
