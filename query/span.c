// SPDX-License-Identifier: Apache-2.0
#include "query/span.h"

#include "base/when.h"

enum { DAY = 24, WEEK = 7 * DAY, HOURS_MAX = 100000 };

static int64_t month_end(int64_t month) // from the hour at which a month begins
{
	return when_month_start(month + 32 * DAY);
}

static int64_t min_of(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static bool parse_word(struct time_span *ret, struct time_span *ret_before, struct str text, int64_t now)
{
	int64_t day = when_day_start(now), week = when_week_start(now), month = when_month_start(now);
	int64_t last = when_month_start(month - 1);
	struct time_span none = {0, 0};
	const struct {
		const char *word;
		struct time_span span, before; // none: the one that ends where it begins
	} words[] = {
		{"today", {day, now + 1}, {day - DAY, now + 1 - DAY}},
		{"yesterday", {day - DAY, day}, none},
		{"this-week", {week, now + 1}, {week - WEEK, now + 1 - WEEK}},
		{"last-week", {week - WEEK, week}, none},
		{"this-month", {month, now + 1}, {last, min_of(last + (now + 1 - month), month)}},
		{"last-month", {last, month}, none},
		{"all", {0, INT64_MAX / MS_PER_HOUR}, none},
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_is(text, words[i].word)) {
			*ret = words[i].span;
			*ret_before = words[i].before.to ? words[i].before : span_before(*ret);
			return true;
		}
	return false;
}

// "24h", "7d", "2w": the last so many hours.
static bool parse_length(struct time_span *ret, struct str text, int64_t now)
{
	int64_t n = 0;
	size_t i = 0;
	for (; i < text.len && text.p[i] >= '0' && text.p[i] <= '9' && n < HOURS_MAX; i++)
		n = n * 10 + (text.p[i] - '0');
	if (i == 0 || i + 1 != text.len)
		return false;
	n *= text.p[i] == 'h' ? 1 : text.p[i] == 'd' ? DAY : text.p[i] == 'w' ? WEEK : 0;
	if (n < 1 || n > HOURS_MAX)
		return false;
	*ret = (struct time_span){now + 1 - n, now + 1};
	return true;
}

static bool parse_date(struct time_span *ret, struct str text)
{
	char day[] = "2026-11-01";
	int64_t ms;
	if (text.len != 7 && text.len != 10)
		return false;
	memcpy(day, text.p, text.len);
	if (!when_parse(str_of(day), &ms))
		return false;
	int64_t from = ms / MS_PER_HOUR;
	*ret = (struct time_span){from, text.len == 10 ? from + DAY : month_end(from)};
	return true;
}

// Time begins at hour 0.
static struct time_span clip(struct time_span s)
{
	return (struct time_span){s.from > 0 ? s.from : 0, s.to > 0 ? s.to : 0};
}

bool span_parse(struct time_span *ret, struct time_span *ret_before, struct str text, int64_t now_ms,
                struct err *err)
{
	int64_t now = now_ms / MS_PER_HOUR;
	struct time_span before;
	bool good = parse_word(ret, &before, text, now);
	if (!good && (parse_length(ret, text, now) || parse_date(ret, text))) {
		before = span_before(*ret);
		good = true;
	}
	if (good && ret_before)
		*ret_before = clip(before);
	if (good) {
		*ret = clip(*ret);
		return true;
	}
	return err_set(err, ERR_CONFIG, "expected a span, one of " SPAN_WORDS ", got \"%.*s\"",
	               (int)(text.len < 60 ? text.len : 60), text.p);
}

bool span_parse_bound(int64_t *ret_hour, struct str text, int64_t latest, const char *flag, struct err *err)
{
	int64_t ms;
	if (!when_parse(text, &ms) && !when_parse_clock(text, (latest + 1) * MS_PER_HOUR - 1, &ms))
		return err_set(err, ERR_CONFIG,
		               "%s: expected a time like 2026-11-02T00:00:00Z, 2026-11-02 or 14:00, got \"%.*s\"",
		               flag, (int)(text.len < 60 ? text.len : 60), text.p);
	int64_t rest = ms % MS_PER_HOUR;
	if (rest >= MS_PER_HOUR - 1000) {
		ms += MS_PER_HOUR - rest;
		rest = 0;
	}
	if (rest)
		return err_set(err, ERR_CONFIG,
		               "%s %.*s: figures are kept by the hour, and this time lies within one; give a whole hour",
		               flag, STR_ARG(text));
	*ret_hour = ms / MS_PER_HOUR;
	return true;
}

struct time_span span_before(struct time_span s)
{
	int64_t length = s.to - s.from;
	if (s.from > 0 && when_month_start(s.from) == s.from && month_end(s.from) == s.to)
		return (struct time_span){when_month_start(s.from - 1), s.from};
	return (struct time_span){s.from > length ? s.from - length : 0, s.from};
}
