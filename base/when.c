// SPDX-License-Identifier: Apache-2.0
#include "base/when.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t LAST_SECOND = 253402300799; // 9999-12-31T23:59:59Z

// Days from 1970-01-01 to a date of the proleptic Gregorian calendar (Howard Hinnant, days_from_civil). Years
// begin in March, so that the leap day is the last day.
static int64_t days_from_date(int64_t y, int m, int d)
{
	y -= m <= 2;
	int64_t era = y / 400, yoe = y - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool parse_digits(struct str *s, size_t n, int *ret)
{
	int v = 0;
	if (s->len < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		v = v * 10 + (s->p[i] - '0');
	}
	s->p += n;
	s->len -= n;
	*ret = v;
	return true;
}

static bool skip_char(struct str *s, char c)
{
	if (!s->len || s->p[0] != c)
		return false;
	s->p++;
	s->len--;
	return true;
}

static int parse_fraction_ms(struct str *s)
{
	int ms = 0, scale = 100;
	while (s->len && s->p[0] >= '0' && s->p[0] <= '9') {
		ms += (s->p[0] - '0') * scale;
		scale /= 10;
		s->p++;
		s->len--;
	}
	return ms;
}

// "Z", nothing, or +hh:mm / -hh:mm / +hhmm; minutes east of UTC.
static bool parse_zone(struct str *s, int *ret_minutes)
{
	*ret_minutes = 0;
	if (s->len == 0 || skip_char(s, 'Z') || skip_char(s, 'z'))
		return true;
	int sign = skip_char(s, '-') ? -1 : skip_char(s, '+') ? 1 : 0, h = 0, m = 0;
	if (!sign || !parse_digits(s, 2, &h))
		return false;
	skip_char(s, ':');
	if (!parse_digits(s, 2, &m) || h > 14 || m > 59)
		return false;
	*ret_minutes = sign * (h * 60 + m);
	return true;
}

// Two digits; below 0 if one of them is none.
static inline int two_digits(const char *p)
{
	unsigned a = (unsigned)p[0] - '0', b = (unsigned)p[1] - '0';
	return a <= 9 && b <= 9 ? (int)(a * 10 + b) : -1;
}

// 2026-11-02T05:00:00Z, as most times come. False: it may be a time of another form.
static bool parse_usual(struct str s, int64_t *ret_ms)
{
	if (s.len != 20 || s.p[4] != '-' || s.p[7] != '-' || s.p[10] != 'T' || s.p[13] != ':' || s.p[16] != ':' ||
	    s.p[19] != 'Z')
		return false;
	int century = two_digits(s.p), year = two_digits(s.p + 2), month = two_digits(s.p + 5),
		day = two_digits(s.p + 8), hour = two_digits(s.p + 11), minute = two_digits(s.p + 14),
		second = two_digits(s.p + 17);
	// the days of a month beyond the 28th, and the 60th second, are left to when_parse
	if ((century | year | minute | second) < 0 || century < 20 || month < 1 || month > 12 || day < 1 ||
	    day > 28 || hour < 0 || hour > 23 || minute > 59 || second > 59)
		return false;
	int64_t days = days_from_date(century * 100 + year, month, day);
	*ret_ms = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000;
	return true;
}

bool when_parse(struct str s, int64_t *ret_ms)
{
	static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int y, mo, d, h = 0, mi = 0, sec = 0, ms = 0, east = 0;
	if (parse_usual(s, ret_ms))
		return true;
	if (!parse_digits(&s, 4, &y))
		return false;
	bool basic = !skip_char(&s, '-');
	if (!parse_digits(&s, 2, &mo) || (!basic && !skip_char(&s, '-')) || !parse_digits(&s, 2, &d))
		return false;
	if (skip_char(&s, 'T') || skip_char(&s, ' ')) {
		if (!parse_digits(&s, 2, &h))
			return false;
		if (basic ? s.len && parse_digits(&s, 2, &mi) : skip_char(&s, ':')) {
			if (!basic && !parse_digits(&s, 2, &mi))
				return false;
			if (basic ? s.len && parse_digits(&s, 2, &sec) : skip_char(&s, ':')) {
				if (!basic && !parse_digits(&s, 2, &sec))
					return false;
				if (skip_char(&s, '.'))
					ms = parse_fraction_ms(&s);
			}
		}
		if (!parse_zone(&s, &east))
			return false;
	}
	if (s.len || y < 1970 || mo < 1 || mo > 12 || d < 1 || h > 23 || mi > 59 || sec > 60)
		return false;
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	if (d > month_days[mo - 1] + (mo == 2 && leap))
		return false;
	int64_t minutes = (days_from_date(y, mo, d) * 24 + h) * 60 + mi - east,
			at = (minutes * 60 + sec) * 1000 + ms;
	if (at < 0 || at / 1000 > LAST_SECOND) // by its zone
		return false;
	*ret_ms = at;
	return true;
}

bool when_parse_clock(struct str s, int64_t latest_ms, int64_t *ret_ms)
{
	enum { DAY_MS = 24 * MS_PER_HOUR };
	int hour, minute;
	if (!parse_digits(&s, 2, &hour) || !skip_char(&s, ':') || !parse_digits(&s, 2, &minute) || s.len ||
	    hour > 23 || minute > 59)
		return false;
	int64_t ms =
		latest_ms - latest_ms % DAY_MS + (int64_t)hour * MS_PER_HOUR + (int64_t)minute * MS_PER_MINUTE;
	if (ms > latest_ms)
		ms -= DAY_MS;
	if (ms < 0)
		return false;
	*ret_ms = ms;
	return true;
}

char *when_format(int64_t ms, char *buf)
{
	int64_t secs = ms < 0 ? 0 : ms / 1000 > LAST_SECOND ? LAST_SECOND : ms / 1000;
	time_t t = (time_t)secs;
	struct tm tm;
	gmtime_r(&t, &tm);
	strftime(buf, WHEN_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf;
}

static int64_t clock_ms(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

char *when_format_length(int64_t minutes, char *buf)
{
	long long hours = minutes / 60, rest = minutes % 60;
	if (hours >= 48 && hours % 24)
		snprintf(buf, WHEN_LENGTH_SIZE, "%lld days %lld h", hours / 24, hours % 24);
	else if (hours >= 48)
		snprintf(buf, WHEN_LENGTH_SIZE, "%lld days", hours / 24);
	else if (hours && rest)
		snprintf(buf, WHEN_LENGTH_SIZE, "%lld h %lld min", hours, rest);
	else
		snprintf(buf, WHEN_LENGTH_SIZE, hours ? "%lld h" : "%lld min", hours ? hours : rest);
	return buf;
}

char *when_format_age(int64_t ms, char *buf)
{
	long long seconds = ms > 0 ? ms / 1000 : 0;
	if (seconds < 2 * 60)
		snprintf(buf, WHEN_LENGTH_SIZE, "%lld s", seconds);
	else if (seconds < 2 * 3600)
		snprintf(buf, WHEN_LENGTH_SIZE, "%lld min", seconds / 60);
	else if (seconds < 48 * 3600)
		snprintf(buf, WHEN_LENGTH_SIZE, "%lld h", seconds / 3600);
	else
		snprintf(buf, WHEN_LENGTH_SIZE, "%lld days", seconds / 86400);
	return buf;
}

int64_t when_now_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

int64_t when_ticks_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

int64_t when_day_start(int64_t hour)
{
	return hour - hour % 24;
}

int64_t when_week_start(int64_t hour)
{
	int64_t days = hour / 24 + 3; // 1970-01-01 was a Thursday: the Monday before it is three days back
	return (days - days % 7 - 3) * 24;
}

int64_t when_month_start(int64_t hour)
{
	char text[WHEN_SIZE];
	int64_t ms = 0;
	when_format(hour * MS_PER_HOUR, text);
	memcpy(text + 8, "01", 3); // 2026-11-01
	bool good = when_parse(str_of(text), &ms);
	assert(good && ms % MS_PER_HOUR == 0);
	return ms / MS_PER_HOUR;
}
