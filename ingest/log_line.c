// SPDX-License-Identifier: Apache-2.0
// A head is recognised by its first word. Structured data of syslog may have brackets and quotes in it, so
// each brace is tried in turn, as the start of the value, up to CANDIDATES_MAX.
#include "ingest/log_line.h"

#include "ingest/json_split.h"

enum { HEAD_MAX = 1024, CANDIDATES_MAX = 8 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t count_digits(struct str s)
{
	size_t n = 0;
	while (n < s.len && is_digit(s.p[n]))
		n++;
	return n;
}

static bool starts_with_word(struct str s, const char *const *words, const char *ends)
{
	for (; *words; words++) {
		size_t n = strlen(*words);
		if (str_starts(s, str_of(*words)) && (s.len == n || strchr(ends, s.p[n])))
			return true;
	}
	return false;
}

// A date, a time, seconds since 1970: a word of 8 characters or more that begins with a digit and has at
// least six.
static bool is_time(struct str s)
{
	size_t n = 0, digits = 0;
	while (n < s.len && !strchr(" \t]\",|", s.p[n]))
		digits += is_digit(s.p[n++]);
	return n >= 8 && digits >= 6 && is_digit(s.p[0]);
}

static bool is_priority(struct str s) // <134>
{
	size_t n = s.len && s.p[0] == '<' ? count_digits((struct str){s.p + 1, s.len - 1}) : 0;
	return n >= 1 && n <= 3 && s.len > n + 1 && s.p[n + 1] == '>';
}

// A key and a time, as logfmt begins; or a key and a level.
static bool is_logfmt(struct str s)
{
	static const char *const levels[] = {"level", "lvl", "severity", NULL};
	static const char *const times[] = {"time", "ts", "timestamp", "t", "@timestamp", "date", NULL};
	if (starts_with_word(s, levels, "="))
		return true;
	if (!starts_with_word(s, times, "="))
		return false;
	str_cut(&s, '=');
	if (s.len && s.p[0] == '"')
		s.p++, s.len--;
	return s.len && is_time(s);
}

// A word with a number in brackets: app[17]:
static bool is_process(struct str s)
{
	size_t n = 0;
	while (n < s.len && s.p[n] > ' ' && s.p[n] != '[')
		n++;
	struct str rest = {s.p + n, s.len - n};
	size_t digits =
		n && rest.len && rest.p[0] == '[' ? count_digits((struct str){rest.p + 1, rest.len - 1}) : 0;
	return digits && rest.len > digits + 2 && rest.p[digits + 1] == ']' && rest.p[digits + 2] == ':';
}

static bool is_head(struct str s)
{
	static const char *const days[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct",
	                                   "Nov", "Dec", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", NULL};
	static const char *const levels[] = {"TRACE", "DEBUG",   "INFO",  "NOTICE",   "WARN", "WARNING",
	                                     "ERROR", "SEVERE", "FATAL", "CRITICAL", "ERR",  NULL};
	static const char *const consumers[] = {"CreateTime", "LogAppendTime", "NoTimestamp", NULL};
	bool tab = s.len && s.p[s.len - 1] == '\t';
	s = str_trim(s);
	if (s.len && s.p[0] == '[')
		s.p++, s.len--;
	if (!s.len)
		return false;
	size_t digits = count_digits(s);
	struct str after = {s.p + digits, s.len - digits};
	return tab || str_is(s, "data:") || is_time(s) || is_priority(s) || is_logfmt(s) || is_process(s) ||
	       starts_with_word(s, days, " ,") || starts_with_word(s, levels, " :]|\t,") ||
	       starts_with_word(s, consumers, ":") ||
	       (digits && after.len > 1 && is_priority((struct str){after.p + 1, after.len - 1})) || // its length
	       (digits == 0 && strchr("IWEF", s.p[0]) &&
	        count_digits((struct str){s.p + 1, s.len - 1}) == 4); // klog
}

static bool is_line_end(struct str s)
{
	while (s.len && (str_is_space(s.p[0]) || s.p[0] == '\0') && s.p[0] != '\n')
		s.p++, s.len--;
	return !s.len || s.p[0] == '\n';
}

// The start of the value whose first brace is at p[at]: a list's bracket or a string's quote may be in front.
static size_t value_start(struct str line, size_t at)
{
	if (at > 0 && line.p[at - 1] == '[')
		at--;
	if (at > 0 && line.p[at - 1] == '"' && at + 1 < line.len &&
	    (line.p[at + 1] == '\\' || (at + 2 < line.len && line.p[at + 2] == '\\')))
		at--;
	return at;
}

// Whether a value of JSON begins with this brace, and not, say, a dictionary of Python.
static bool is_json_brace(const char *brace, const char *end)
{
	const char *p = brace + 1;
	while (p < end && str_is_space(*p))
		p++;
	return p == end || *p == '"' || *p == '\\' || *p == '}';
}

struct str log_line_value(struct str text, size_t *scan_left)
{
	const char *end = memchr(text.p, '\n', text.len);
	struct str line = {text.p, end ? (size_t)(end - text.p) : text.len};
	size_t at = 0;
	for (int i = 0; i < CANDIDATES_MAX && at < line.len && at < HEAD_MAX; i++) {
		const char *brace = memchr(line.p + at, '{', line.len - at);
		if (!brace)
			break;
		at = (size_t)(brace - line.p);
		size_t start = value_start(line, at++);
		struct str rest = {line.p + start, line.len - start}, value = json_split_value(rest);
		if (i == 0 && !is_head((struct str){line.p, start}))
			break;
		if (!is_json_brace(brace, line.p + line.len))
			continue;
		if (!value.len && *scan_left) { // it goes on over more lines, or a bracket is missing
			rest.len = text.len - start;
			value = json_split_value(rest);
			size_t looked = value.len ? value.len : rest.len;
			*scan_left -= looked < *scan_left ? looked : *scan_left;
		}
		if (value.len && is_line_end((struct str){value.p + value.len, text.len - start - value.len}))
			return value;
	}
	return STR_NONE;
}
