// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <ctype.h>

#include <stdint.h>
#include <unistd.h>

// Length of the well-formed UTF-8 sequence at `i` (RFC 3629: no overlong forms, no surrogates), 0 if there is
// none.
static size_t utf8_length(struct str s, size_t i)
{
	const unsigned char *p = (const unsigned char *)s.p + i;
	size_t left = s.len - i, n;
	unsigned char low = 0x80, high = 0xbf;
	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		n = 2;
	} else if (p[0] >= 0xe0 && p[0] <= 0xef) {
		n = 3;
		low = p[0] == 0xe0 ? 0xa0 : 0x80;
		high = p[0] == 0xed ? 0x9f : 0xbf;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		n = 4;
		low = p[0] == 0xf0 ? 0x90 : 0x80;
		high = p[0] == 0xf4 ? 0x8f : 0xbf;
	} else {
		return 0;
	}
	if (left < n || p[1] < low || p[1] > high)
		return 0;
	for (size_t k = 2; k < n; k++)
		if (p[k] < 0x80 || p[k] > 0xbf)
			return 0;
	return n;
}

size_t text_control(struct str s, size_t i)
{
	const unsigned char *p = (const unsigned char *)s.p + i;
	size_t left = s.len - i;
	if (p[0] < ' ' || p[0] == 0x7f)
		return 1;
	if (left >= 2 && p[0] == 0xc2)
		return p[1] >= 0x80 && p[1] < 0xa0 ? 2 : 0;
	bool directional =
		left >= 3 && p[0] == 0xe2 &&
		((p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae) || (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9));
	return directional ? 3 : 0;
}

void text_make_plain(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		for (size_t n = text_control((struct str){text, len}, i); n; n--)
			text[i + n - 1] = '?';
}

void text_make_plain_lines(char *text, size_t len)
{
	struct str rest = {text, len};
	while (rest.len) {
		struct str line = str_cut(&rest, '\n');
		text_make_plain(text + (line.p - text), line.len);
	}
}

bool text_print(FILE *f, struct buf *b)
{
	if (b->len && isatty(fileno(f)))
		text_make_plain_lines(b->data, b->len);
	return !b->len || fwrite(b->data, 1, b->len, f) == b->len;
}

// The code point of a well-formed sequence of at most three bytes, as all control characters are.
static unsigned code_point_of(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;
	return n == 1   ? u[0]
	       : n == 2 ? (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu)
	                : (u[0] & 0x0fu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
}

char *text_group_thousands(const char *number, char *ret)
{
	size_t sign = *number == '-', whole = strcspn(number + sign, "."), n = sign;
	memcpy(ret, number, sign);
	number += sign;
	for (size_t i = 0; i < whole; i++) {
		if (i && (whole - i) % 3 == 0)
			ret[n++] = ',';
		ret[n++] = number[i];
	}
	strcpy(ret + n, number + whole);
	return ret;
}

void buf_add_json(struct buf *b, struct str s)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < s.len;) {
		unsigned char c = (unsigned char)s.p[i];
		size_t n = utf8_length(s, i);
		if (n == 0) {
			buf_adds(b, "\xef\xbf\xbd");
			i++;
		} else if (c == '"' || c == '\\') {
			buf_addc(b, '\\');
			buf_addc(b, (char)c);
			i++;
		} else if (c == '\n') {
			buf_adds(b, "\\n");
			i++;
		} else if (text_control(s, i)) {
			buf_addf(b, "\\u%04x", code_point_of(s.p + i, n));
			i += n;
		} else {
			buf_add(b, s.p + i, n);
			i += n;
		}
	}
	buf_addc(b, '"');
}

void buf_add_url_decoded(struct buf *b, struct str s, bool plus)
{
	for (size_t i = 0; i < s.len; i++) {
		bool coded = s.p[i] == '%' && i + 2 < s.len && hex_digit(s.p[i + 1]) >= 0 &&
		             hex_digit(s.p[i + 2]) >= 0;
		if (coded) {
			buf_addc(b, (char)(hex_digit(s.p[i + 1]) * 16 + hex_digit(s.p[i + 2])));
			i += 2;
		} else {
			buf_addc(b, plus && s.p[i] == '+' ? ' ' : s.p[i]);
		}
	}
}

void buf_add_label(struct buf *b, struct str s)
{
	for (size_t i = 0, n; i < s.len; i += n ? n : 1) {
		unsigned char c = (unsigned char)s.p[i];
		n = utf8_length(s, i);
		if (n == 0)
			buf_adds(b, "\xef\xbf\xbd");
		else if (c == '"' || c == '\\')
			buf_addf(b, "\\%c", c);
		else if (c == '\n')
			buf_adds(b, "\\n");
		else if (text_control(s, i))
			buf_addc(b, ' ');
		else
			buf_add(b, s.p + i, n);
	}
}

void buf_add_base64(struct buf *b, struct str s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)s.p;
	buf_reserve(b, (s.len + 2) / 3 * 4);
	for (size_t i = 0; i < s.len; i += 3) {
		size_t left = s.len - i;
		uint32_t v = (uint32_t)p[i] << 16;
		if (left > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (left > 2)
			v |= p[i + 2];
		char quad[4] = {digits[v >> 18], digits[v >> 12 & 63], left > 1 ? digits[v >> 6 & 63] : '=',
		                left > 2 ? digits[v & 63] : '='};
		buf_add(b, quad, 4);
	}
}

// "redis://:sesame": somebody has forgotten the host. No port has other characters than digits.
static struct str find_bad_port(struct str url, struct str rest)
{
	const char *colon = rest.len && rest.p[0] != '[' ? memchr(rest.p, ':', rest.len) : NULL;
	if (!colon || !str_starts(url, STR("redis")))
		return STR_NONE;
	struct str port = {colon + 1, (size_t)(rest.p + rest.len - colon) - 1};
	bool several = memmem(url.p, url.len, "+sentinel://", 12); // host:port,host:port
	for (size_t i = 0; i < port.len && port.p[i] != '/' && !(several && port.p[i] == ','); i++)
		if (port.p[i] < '0' || port.p[i] > '9')
			return port;
	return STR_NONE;
}

struct str url_secret(struct str url)
{
	const char *scheme = url.len ? memmem(url.p, url.len, "://", 3) : NULL;
	if (!scheme || str_starts(url, STR("s3://")))
		return STR_NONE;
	struct str rest = {scheme + 3, (size_t)(url.p + url.len - scheme) - 3}, info = rest;
	while (info.len && info.p[info.len - 1] != '@')
		info.len--;
	if (info.len < 2)
		return info.len ? STR_NONE : find_bad_port(url, rest);
	info.len--;
	const char *colon = memchr(info.p, ':', info.len);
	return colon ? (struct str){colon + 1, (size_t)(info.p + info.len - colon) - 1} : info;
}

void buf_add_url_masked(struct buf *b, struct str url)
{
	struct str secret = url_secret(url);
	if (!secret.len) {
		buf_addstr(b, url);
		return;
	}
	buf_add(b, url.p, (size_t)(secret.p - url.p));
	buf_adds(b, "****");
	buf_add(b, secret.p + secret.len, (size_t)(url.p + url.len - secret.p) - secret.len);
}

void text_mask_urls(char *text)
{
	enum { STARS = 4 };
	for (char *at = text; (at = strstr(at, "://")); at += 3) {
		char *scheme = at;
		while (scheme > text && (isalnum((unsigned char)scheme[-1]) || scheme[-1] == '+'))
			scheme--;
		struct str secret =
			url_secret((struct str){scheme, (size_t)(at - scheme) + strcspn(at, " \t\r\n\"")});
		if (!secret.len)
			continue;
		char *to = text + (secret.p - text);
		size_t stars = secret.len < STARS ? secret.len : STARS;
		memset(to, '*', stars);
		memmove(to + stars, to + secret.len, strlen(to + secret.len) + 1);
	}
}

void buf_add_html(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		size_t n = s.p[i] == '\n' ? 0 : text_control(s, i);
		switch (s.p[i]) {
		case '&':
			buf_adds(b, "&amp;");
			break;
		case '<':
			buf_adds(b, "&lt;");
			break;
		case '>':
			buf_adds(b, "&gt;");
			break;
		case '"':
			buf_adds(b, "&quot;");
			break;
		default:
			buf_addc(b, n ? '?' : s.p[i]);
		}
		i += n ? n - 1 : 0;
	}
}
