// SPDX-License-Identifier: Apache-2.0
// Lines of `kcat -C -J`, {"topic":T,"partition":P,"offset":O,...,"payload":"..."}, and of the file of dead
// letters (origin.h). Such a line is a frame around a message. It is removed before the decoder, so that
// faults report the message's own origin, and so that the decoder sees a dead letter as it came. A scan of
// the top level is enough: the message is one string.
#include "ingest/origin.h"

#include <stdlib.h>

#include "ingest/base64.h"

struct scan {
	const char *p, *end;
};

static void skip_space(struct scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r' || *s->p == '\n'))
		s->p++;
}

static bool expect_char(struct scan *s, char c)
{
	skip_space(s);
	if (s->p >= s->end || *s->p != c)
		return false;
	s->p++;
	return true;
}

// A string without its quotes, still escaped.
static bool scan_string(struct scan *s, struct str *ret)
{
	if (!expect_char(s, '"'))
		return false;
	const char *start = s->p;
	for (;;) {
		const char *quote = s->p < s->end ? memchr(s->p, '"', (size_t)(s->end - s->p)) : NULL;
		if (!quote)
			return false;
		size_t slashes = 0;
		while (quote - slashes > start && quote[-1 - (ptrdiff_t)slashes] == '\\')
			slashes++;
		s->p = quote + 1;
		if (slashes % 2 == 0) {
			*ret = (struct str){start, (size_t)(quote - start)};
			return true;
		}
	}
}

// Any value, up to a comma or `end`; *ret_quoted: it is a string, and *ret is without its quotes.
static bool scan_value_in(struct scan *s, char end, struct str *ret, bool *ret_quoted)
{
	struct str ignored;
	int depth = 0;
	skip_space(s);
	*ret_quoted = s->p < s->end && *s->p == '"';
	if (*ret_quoted)
		return scan_string(s, ret);
	const char *start = s->p;
	while (s->p < s->end) {
		char c = *s->p;
		if (depth == 0 && (c == ',' || c == end))
			break;
		if (c == '"') {
			if (!scan_string(s, &ignored))
				return false;
			continue;
		}
		depth += (c == '{' || c == '[') - (c == '}' || c == ']');
		s->p++;
	}
	*ret = (struct str){start, (size_t)(s->p - start)};
	return ret->len > 0 && depth == 0;
}

static bool scan_value(struct scan *s, struct str *ret, bool *ret_quoted)
{
	return scan_value_in(s, '}', ret, ret_quoted);
}

static int parse_hex4(const char *p)
{
	int v = 0;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int d = c >= '0' && c <= '9'   ? c - '0'
		        : c >= 'a' && c <= 'f' ? c - 'a' + 10
		        : c >= 'A' && c <= 'F' ? c - 'A' + 10
		                               : -1;
		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

static void add_utf8(struct buf *b, uint32_t c)
{
	if (c < 0x80) {
		buf_addc(b, (char)c);
		return;
	}
	int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
	static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
	buf_addc(b, (char)(lead[more] | c >> (6 * more)));
	while (more-- > 0)
		buf_addc(b, (char)(0x80 | (c >> (6 * more) & 0x3f)));
}

// "\uXXXX", or a surrogate pair; `s` begins after the u.
static bool unescape_unicode(struct str *s, struct buf *b)
{
	int c = s->len >= 4 ? parse_hex4(s->p) : -1;
	if (c < 0)
		return false;
	size_t used = 4;
	if (c >= 0xd800 && c < 0xdc00 && s->len >= 10 && s->p[4] == '\\' && s->p[5] == 'u') {
		int low = parse_hex4(s->p + 6);
		if (low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
			used = 10;
		}
	}
	add_utf8(b, (uint32_t)c);
	s->p += used;
	s->len -= used;
	return true;
}

static bool unescape_string(struct str s, struct buf *b)
{
	buf_clear(b);
	buf_reserve(b, s.len);
	while (s.len) {
		const char *slash = memchr(s.p, '\\', s.len);
		size_t n = slash ? (size_t)(slash - s.p) : s.len;
		buf_add(b, s.p, n);
		s.p += n;
		s.len -= n;
		if (!slash)
			break;
		if (s.len < 2)
			return false;
		char c = s.p[1];
		static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
		const char *at = c ? strchr(from, c) : NULL;
		s.p += 2;
		s.len -= 2;
		if (at)
			buf_addc(b, to[at - from]);
		else if (c != 'u' || !unescape_unicode(&s, b))
			return false;
	}
	return true;
}

static int64_t parse_number(struct str s)
{
	char digits[24] = "";
	for (size_t i = 0; i < s.len && i < sizeof digits - 1; i++)
		digits[i] = s.p[i];
	return strtoll(digits, NULL, 10);
}

// What may come before the topic, which kcat writes first. Asked before the value is scanned: that of
// "Records" is a whole file of CloudTrail.
static bool is_kcat_key(struct str key)
{
	return str_is(key, "topic") || str_is(key, "partition") || str_is(key, "offset") ||
	       str_is(key, "payload");
}

bool kcat_line(struct str line, struct buf *scratch, struct origin *ret_origin, struct str *ret_payload)
{
	struct scan s = {line.p, line.p + line.len};
	struct str key, value, payload = STR_NONE;
	struct origin origin = *ret_origin;
	bool quoted, payload_quoted = false, topic = false, partition = false, has_payload = false;
	if (line.len < 2 || !expect_char(&s, '{'))
		return false;
	do {
		if (!scan_string(&s, &key) || !(topic || is_kcat_key(key)) || !expect_char(&s, ':') ||
		    !scan_value(&s, &value, &quoted))
			return false;
		if (str_is(key, "topic") && quoted) {
			origin.topic = value;
			topic = true;
		} else if (str_is(key, "partition") && !quoted) {
			origin.partition = (int32_t)parse_number(value);
			partition = true;
		} else if (str_is(key, "offset") && !quoted) {
			origin.offset = parse_number(value);
		} else if (str_is(key, "payload")) {
			payload = value;
			payload_quoted = quoted;
			has_payload = true;
		} else if (!topic) {
			return false; // of another type
		}
	} while (expect_char(&s, ','));
	if (!topic || !partition || !has_payload || !expect_char(&s, '}'))
		return false;
	skip_space(&s);
	if (s.p < s.end)
		return false; // text follows the object: the decoder splits such a line
	if (payload_quoted) {
		if (!unescape_string(payload, scratch))
			return false;
		payload = buf_str(scratch);
	} else if (str_is(payload, "null")) {
		payload = STR_NONE;
	}
	*ret_origin = origin;
	*ret_payload = payload;
	return true;
}

// ["reason","...","topic","...",...]; a value that is no text is none.
static bool next_header(struct scan *s, struct str *ret_name, struct str *ret_value)
{
	bool quoted;
	if (!scan_string(s, ret_name) || !expect_char(s, ',') || !scan_value_in(s, ']', ret_value, &quoted))
		return false;
	if (!quoted)
		*ret_value = STR_NONE;
	return true;
}

bool kcat_letter_origin(struct str line, struct origin *ret_origin)
{
	struct scan s = {line.p, line.p + line.len};
	struct str key, value, headers = STR_NONE;
	struct origin origin = *ret_origin;
	bool quoted, reason = false, topic = false;
	if (!expect_char(&s, '{'))
		return false;
	do {
		if (!scan_string(&s, &key) || !expect_char(&s, ':') || !scan_value(&s, &value, &quoted))
			return false;
		if (str_is(key, "headers") && !quoted)
			headers = value;
	} while (!headers.len && expect_char(&s, ','));
	if (!headers.len)
		return false;
	s = (struct scan){headers.p, headers.p + headers.len};
	if (!expect_char(&s, '['))
		return false;
	do {
		if (!next_header(&s, &key, &value))
			return false;
		if (str_is(key, "reason")) {
			reason = true;
		} else if (str_is(key, "topic")) {
			origin.topic = value.len ? value : STR_NONE;
			topic = true;
		} else if (str_is(key, "partition")) {
			origin.partition = (int32_t)parse_number(value);
		} else if (str_is(key, "offset")) {
			origin.offset = parse_number(value);
		}
	} while (expect_char(&s, ','));
	if (!reason || !topic)
		return false;
	*ret_origin = origin;
	return true;
}

// [{"data":"..."}]
static bool read_data(struct str records, struct buf *scratch)
{
	struct scan s = {records.p, records.p + records.len};
	struct str key, data;
	struct err err = ERR_INIT;
	buf_clear(scratch);
	return expect_char(&s, '[') && expect_char(&s, '{') && scan_string(&s, &key) && str_is(key, "data") &&
	       expect_char(&s, ':') && scan_string(&s, &data) && expect_char(&s, '}') && expect_char(&s, ']') &&
	       base64_decode(data, scratch, &err);
}

bool dead_letter_read(struct str line, struct buf *scratch, struct origin *ret_origin, struct str *ret_data)
{
	struct scan s = {line.p, line.p + line.len};
	struct str key, value, records = STR_NONE;
	struct origin origin = *ret_origin;
	bool quoted, reason = false, index = false;
	if (line.len < 2 || !expect_char(&s, '{'))
		return false;
	do {
		if (!scan_string(&s, &key) ||
		    !(reason || str_is(key, "reason") || str_is(key, "kind")) || // these come first
		    !expect_char(&s, ':') || !scan_value(&s, &value, &quoted))
			return false;
		if (str_is(key, "reason"))
			reason = quoted;
		else if (str_is(key, "topic") && quoted)
			origin.topic = value;
		else if (str_is(key, "partition"))
			origin.partition = (int32_t)parse_number(value);
		else if (str_is(key, "offset"))
			origin.offset = parse_number(value);
		else if (str_is(key, "firehose") && quoted)
			origin.firehose = value;
		else if (str_is(key, "index"))
			index = !quoted;
		else if (str_is(key, "records") && !quoted)
			records = value;
	} while (expect_char(&s, ','));
	if (!reason || !index || !records.len || !expect_char(&s, '}') || !read_data(records, scratch))
		return false;
	*ret_origin = origin;
	*ret_data = buf_str(scratch);
	return true;
}
