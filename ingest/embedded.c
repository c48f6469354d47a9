// SPDX-License-Identifier: Apache-2.0
// How a length N is written in front of a string:
//
//     varint of N         Protobuf               varint of 2N           Avro (zigzag)
//     d9, 1 byte          MessagePack            78, 1 byte             CBOR
//     da, 2 bytes         MessagePack            79, 2 bytes            CBOR
//     4 bytes             Thrift, MessagePack, CBOR and others; the highest byte first, as above
#include "ingest/embedded.h"

#include "ingest/base64.h"
#include "ingest/inflate.h"
#include "ingest/json_split.h"

enum {
	SCAN_FACTOR = 4, // bytes read in search of the ends of values, by bytes of the message
	HEAD_MAX = 8,    // of a serialiser: a zero byte, the schema's id in four, perhaps an index
	SPACE_MAX = 4,   // white space in front of a value, and the bracket of a list
	BASE64_MIN = 64, // digits in a row; shorter ones hold no record
	LENGTH_MAX = 4,  // bytes of a length, which may look like digits of base64
	GZIP_MIN = 18,   // its head and trailer
};

struct embedded embedded_begin(struct str bytes)
{
	size_t scan = bytes.len < SIZE_MAX / SCAN_FACTOR ? bytes.len * SCAN_FACTOR : bytes.len;
	return (struct embedded){bytes, 0, scan, STR_NONE, STR_NONE};
}

static unsigned byte_before(struct str s, size_t at, size_t n)
{
	return at >= n ? (unsigned char)s.p[at - n] : 0;
}

// Of the varints that end before `at`, the one of `n` bytes; 0 if these are no varint.
static size_t varint_before(struct str s, size_t at, size_t n)
{
	size_t v = 0;
	if (at < n || byte_before(s, at, 1) & 0x80)
		return 0;
	for (size_t i = 1; i <= n; i++) {
		unsigned c = byte_before(s, at, i);
		if (i > 1 && !(c & 0x80))
			return 0;
		v = v << 7 | (c & 0x7f);
	}
	return v;
}

// Calls for each length that may stand before `at`; `n` counts them. 0: no such length, or none left.
static size_t length_before(struct str s, size_t at, int n)
{
	unsigned one = byte_before(s, at, 1), two = byte_before(s, at, 2), three = byte_before(s, at, 3);
	size_t big = (size_t)byte_before(s, at, 4) << 24 | three << 16 | two << 8 | one, varint;
	switch (n) {
	case 0: case 1: case 2: case 3:
		return varint_before(s, at, (size_t)n + 1);
	case 4: case 5: case 6: case 7:
		varint = varint_before(s, at, (size_t)n - 3);
		return varint % 2 ? 0 : varint / 2;
	case 8:
		return two == 0xd9 || two == 0x78 ? one : 0;
	case 9:
		return three == 0xda || three == 0x79 ? two << 8 | one : 0;
	default:
		return big;
	}
}

enum { LENGTHS = 11 };

static struct str from(const struct embedded *e, size_t at)
{
	return (struct str){e->whole.p + at, e->whole.len - at};
}

// Takes `n` bytes of what may still be read.
static bool may_scan(struct embedded *e, size_t n)
{
	if (n > e->scan_left)
		return false;
	e->scan_left -= n;
	return true;
}

// The lengths that may stand before `at` and fit, one after another, from *n on; 0: there are no more.
static size_t next_length(const struct embedded *e, size_t at, int *n)
{
	while (*n < LENGTHS) {
		size_t len = length_before(e->whole, at, (*n)++);
		if (len >= 2 && len <= e->whole.len - at)
			return len;
	}
	return 0;
}

// ---- JSON

static bool is_between_values(char c)
{
	return str_is_space(c) || c == ',';
}

// The objects and lists that `s` starts with, one after another.
static struct str values_of(struct str s)
{
	size_t end = 0, at = 0;
	for (;;) {
		while (at < s.len && is_between_values(s.p[at]))
			at++;
		if (at == s.len || (s.p[at] != '{' && s.p[at] != '['))
			return (struct str){s.p, end};
		struct str value = json_split_value((struct str){s.p + at, s.len - at});
		if (!value.len)
			return (struct str){s.p, end};
		end = at += value.len;
	}
}

// The values behind a head; what follows them and begins like another one is kept as unended.
static struct str values_behind_head(struct embedded *e, struct str rest)
{
	struct str values = may_scan(e, rest.len) ? values_of(rest) : STR_NONE, after = rest;
	after.p += values.len, after.len -= values.len;
	while (after.len && is_between_values(after.p[0]))
		after.p++, after.len--;
	if (values.len && after.len && (after.p[0] == '{' || after.p[0] == '['))
		e->unended = after;
	return values;
}

// The values that begin at `at`, if their length stands in front of them, or if they follow a head.
static struct str values_at(struct embedded *e, size_t at)
{
	struct str rest = from(e, at);
	size_t len;
	for (int n = 0; (len = next_length(e, at, &n)) != 0;) {
		struct str text = str_trim((struct str){rest.p, len});
		if (text.len < 2 || (text.p[text.len - 1] != '}' && text.p[text.len - 1] != ']') ||
		    !may_scan(e, len))
			continue;
		if (values_of(text).len == text.len)
			return (struct str){rest.p, len};
	}
	return at <= HEAD_MAX ? values_behind_head(e, rest) : STR_NONE;
}

// The values whose first brace is at `at`: white space and the bracket of a list may be in front. The longest
// start is tried first, for the last byte of a length may look like a bracket or a blank.
static struct str json_at(struct embedded *e, size_t at)
{
	size_t start = at;
	while (start > 0 && at - start < SPACE_MAX &&
	       (e->whole.p[start - 1] == '[' || str_is_space(e->whole.p[start - 1])))
		start--;
	for (; start <= at; start++) {
		struct str values = values_at(e, start);
		if (values.len)
			return values;
	}
	return STR_NONE;
}

// ---- base64

static size_t count_digits(struct str s)
{
	size_t n = 0;
	while (n < s.len && base64_digit(s.p[n]) < 64)
		n++;
	return n;
}

// Whether it may be base64 of a brace, a bracket or gzip.
static bool starts_like_base64(struct str s)
{
	return str_starts(s, STR("H4sI")) ||
	       (s.len >= 2 && (s.p[0] == 'e' || s.p[0] == 'W') && strchr("wxyz0123456789+/-_", s.p[1]));
}

// The text of base64 that begins at `at` or so, where `n` digits are: their length stands in front, or a
// head. The first digits may be the length's own bytes.
static struct str base64_at(struct embedded *e, size_t at, size_t n)
{
	size_t len;
	for (size_t skip = 0; skip <= LENGTH_MAX; skip++)
		for (int i = 0; (len = next_length(e, at + skip, &i)) != 0;) {
			struct str text = {e->whole.p + at + skip, len};
			bool all = len >= BASE64_MIN && len + skip + LENGTH_MAX >= n;
			if (all && may_scan(e, len) && base64_plausible(text))
				return text;
		}
	for (size_t skip = 0; skip <= LENGTH_MAX && at + skip <= HEAD_MAX; skip++) {
		struct str rest = from(e, at + skip);
		if (starts_like_base64(rest))
			return base64_plausible(rest) ? rest : (struct str){rest.p, n - skip};
	}
	if (n > e->loose.len)
		e->loose = (struct str){e->whole.p + at, n};
	return STR_NONE;
}

// ---- gzip

// Nothing can be said of its end without inflating it: the largest length that fits is taken.
static struct str gzip_at(struct embedded *e, size_t at)
{
	struct str rest = from(e, at);
	size_t best = 0, len;
	for (int n = 0; (len = next_length(e, at, &n)) != 0;)
		if (len > best)
			best = len;
	if (best >= GZIP_MIN)
		return (struct str){rest.p, best};
	return at <= HEAD_MAX ? rest : STR_NONE;
}

bool embedded_next(struct embedded *e, struct str *ret)
{
	while (e->at < e->whole.len && !e->unended.len) {
		struct str rest = from(e, e->at), found = STR_NONE;
		size_t digits = count_digits(rest);
		if (digits >= BASE64_MIN)
			found = base64_at(e, e->at, digits);
		else if (rest.p[0] == '{')
			found = json_at(e, e->at);
		else if (inflate_is_gzip(rest) && rest.len >= GZIP_MIN)
			found = gzip_at(e, e->at);
		if (found.len) {
			e->at = (size_t)(found.p + found.len - e->whole.p);
			*ret = found;
			return true;
		}
		e->at += digits ? digits : 1;
	}
	return false;
}
