// SPDX-License-Identifier: Apache-2.0
// The unused bits of the last group are ignored: they have no meaning.
#include "ingest/base64.h"

#include <stdint.h>

enum { BAD = 255, SPACE = 254, PAD = 253 };

static uint8_t digit_value(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return (uint8_t)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (uint8_t)(c - 'a' + 26);
	if (c >= '0' && c <= '9')
		return (uint8_t)(c - '0' + 52);
	switch (c) {
	case '+':
	case '-':
		return 62;
	case '/':
	case '_':
		return 63;
	case '=':
		return PAD;
	case '\n':
	case '\r':
		return SPACE;
	default:
		return BAD;
	}
}

bool base64_plausible(struct str s)
{
	size_t digits = 0;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t v = digit_value((unsigned char)s.p[i]);
		if (v == BAD)
			return false;
		digits += v < 64;
	}
	return digits >= 4;
}

bool base64_decode(struct str in, struct buf *out, struct err *err)
{
	uint32_t bits = 0;
	int have = 0;
	size_t i = 0;
	buf_reserve(out, in.len / 4 * 3 + 3);
	for (; i < in.len; i++) {
		uint8_t v = digit_value((unsigned char)in.p[i]);
		if (v == SPACE)
			continue;
		if (v == PAD)
			break;
		if (v == BAD)
			return err_set(err, ERR_SKIP, "byte %zu (0x%02x) is not base64", i, (unsigned char)in.p[i]);
		bits = bits << 6 | v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out->data[out->len++] = (char)(bits >> have);
		}
	}
	out->data[out->len] = '\0';
	if (have == 6)
		return err_set(err, ERR_SKIP, "base64 text is truncated: one character is left over");
	for (; i < in.len; i++) {
		uint8_t v = digit_value((unsigned char)in.p[i]);
		if (v != PAD && v != SPACE)
			return err_set(err, ERR_SKIP, "base64 text continues after its padding, at byte %zu", i);
	}
	return true;
}
