// SPDX-License-Identifier: Apache-2.0
#include "ingest/json_repair.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ESCAPE = 6 }; // "\ud83d"

// The value of four hex digits; -1: they are none.
static int read_hex(const char *p)
{
	int v = 0;
	for (int i = 0; i < 4; i++) {
		const char *digits = "0123456789abcdefABCDEF", *at = p[i] ? strchr(digits, p[i]) : NULL;
		if (!at)
			return -1;
		v = v * 16 + (int)(at - digits < 16 ? at - digits : at - digits - 6);
	}
	return v;
}

static int read_escape(const char *text, size_t at, size_t len)
{
	return at + ESCAPE <= len && text[at] == '\\' && text[at + 1] == 'u' ? read_hex(text + at + 2) : -1;
}

// Of the escape at text[at]: returns where the text goes on.
static size_t repair_escape(char *text, size_t at, size_t len, bool *changed)
{
	int first = read_escape(text, at, len), second = read_escape(text, at + ESCAPE, len);
	if (first < 0xd800 || first > 0xdfff)
		return at + 2;
	if (first < 0xdc00 && second >= 0xdc00 && second <= 0xdfff)
		return at + 2 * ESCAPE;
	memcpy(text + at + 2, "fffd", 4);
	*changed = true;
	return at + ESCAPE;
}

static bool is_too_large(const char *number, size_t n)
{
	bool negative = number[0] == '-';
	uint64_t v = 0, most = negative ? (uint64_t)INT64_MAX + 1 : UINT64_MAX;
	for (size_t i = negative; i < n; i++) {
		unsigned digit = (unsigned)(number[i] - '0');
		if (digit > 9)
			return isinf(strtod(number, NULL));
		if (v > (most - digit) / 10)
			return true;
		v = v * 10 + digit;
	}
	return false;
}

static size_t repair_number(char *text, size_t at, size_t len, bool *changed)
{
	size_t n = 1;
	while (at + n < len && text[at + n] && strchr("0123456789+-.eE", text[at + n]))
		n++;
	if (is_too_large(text + at, n)) {
		text[at] = text[at + n - 1] = '"';
		text[at + 1] = 'x';
		*changed = true;
	}
	return at + n;
}

bool json_repair(char *text, size_t len)
{
	bool changed = false, quoted = false;
	for (size_t at = 0; at < len;) {
		char c = text[at];
		if (c == '"')
			quoted = !quoted;
		if (quoted && c == '\\')
			at = repair_escape(text, at, len, &changed);
		else if (!quoted && (c == '-' || (c >= '0' && c <= '9')))
			at = repair_number(text, at, len, &changed);
		else
			at++;
	}
	return changed;
}
