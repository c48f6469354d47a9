// SPDX-License-Identifier: Apache-2.0
// The unused bits of the last group are ignored: they have no meaning.
#include "ingest/base64.h"

enum { BAD = 255, SPACE = 254, PAD = 253 };

const uint8_t base64_values[256] = {
	['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,
	['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
	['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
	['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
	['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
	['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
	['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
	['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
	['-'] = 63, ['_'] = 64,
};

// The value of a digit, or what else the character is.
static uint8_t classify(char c)
{
	uint8_t v = base64_digit(c);
	if (v != BAD)
		return v;
	return c == '=' ? PAD : c == '\n' || c == '\r' ? SPACE : BAD;
}

bool base64_plausible(struct str s)
{
	size_t digits = 0;
	for (size_t i = 0; i < s.len; i++) {
		uint8_t v = classify(s.p[i]);
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
		uint8_t v = classify(in.p[i]);
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
		uint8_t v = classify(in.p[i]);
		if (v != PAD && v != SPACE)
			return err_set(err, ERR_SKIP, "base64 text continues after its padding, at byte %zu", i);
	}
	return true;
}
