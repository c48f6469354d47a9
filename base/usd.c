// SPDX-License-Identifier: Apache-2.0
#include "base/usd.h"

#include <assert.h>
#include <string.h>

__extension__ typedef unsigned __int128 upico;

struct usd usd_add(struct usd a, struct usd b)
{
	bool over = __builtin_add_overflow(a.pico, b.pico, &a.pico);
	assert(!over);
	return a;
}

struct usd usd_sub(struct usd a, struct usd b)
{
	bool over = __builtin_sub_overflow(a.pico, b.pico, &a.pico);
	assert(!over);
	return a;
}

// Rounds half to even, given the quotient q and the remainder r of a division by d.
static usd_pico round_half_even(usd_pico q, usd_pico r, usd_pico d)
{
	usd_pico twice = (r < 0 ? -r : r) * 2;
	if (twice > d || (twice == d && (q & 1)))
		q += r < 0 ? -1 : 1;
	return q;
}

static usd_pico div_half_even(usd_pico n, usd_pico d)
{
	return round_half_even(n / d, n % d, d);
}

struct usd usd_muldiv(struct usd a, int64_t num, int64_t den)
{
	assert(den > 0);
	usd_pico product, whole;
	if (!__builtin_mul_overflow(a.pico, (usd_pico)num, &product))
		return (struct usd){div_half_even(product, den)};
	// Dividing first, the product fits if the result does; remainders have 64 bits.
	product = a.pico % den * num;
	bool over = __builtin_mul_overflow(a.pico / den, (usd_pico)num, &whole) ||
	            __builtin_add_overflow(whole, product / den, &whole);
	assert(!over);
	return (struct usd){round_half_even(whole, product % den, den)};
}

// Reads digits, an optional point and an optional exponent into an integer and a power of ten, then shifts.
static bool parse_scaled(struct str s, int scale, usd_pico *ret)
{
	const usd_pico limit = (usd_pico)1 << 120;
	bool negative = false, point = false, any = false;
	usd_pico v = 0;
	int shift = scale;
	size_t i = 0;
	if (i < s.len && (s.p[i] == '-' || s.p[i] == '+'))
		negative = s.p[i++] == '-';
	for (; i < s.len; i++) {
		char c = s.p[i];
		if (c == '.' && !point) {
			point = true;
		} else if (c >= '0' && c <= '9') {
			if (v >= limit)
				return false;
			v = v * 10 + (c - '0');
			shift -= point;
			any = true;
		} else {
			break;
		}
	}
	if (!any)
		return false;
	if (i < s.len && (s.p[i] == 'e' || s.p[i] == 'E')) {
		bool down = false;
		int e = 0;
		size_t first;
		i++;
		if (i < s.len && (s.p[i] == '-' || s.p[i] == '+'))
			down = s.p[i++] == '-';
		for (first = i; i < s.len && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
			e = e * 10 + (s.p[i] - '0');
			if (e > 1000)
				return false;
		}
		if (i == first)
			return false;
		shift += down ? -e : e;
	}
	if (i != s.len)
		return false;
	for (; shift > 0 && v != 0; shift--) {
		if (v >= limit)
			return false;
		v *= 10;
	}
	for (; shift < 0 && v != 0; shift++) {
		if (v % 10 != 0)
			return false;
		v /= 10;
	}
	*ret = negative ? -v : v;
	return true;
}

bool usd_parse_scaled(struct str s, int scale, int64_t *ret)
{
	usd_pico v;
	if (!parse_scaled(s, scale, &v) || v > INT64_MAX || v < INT64_MIN)
		return false;
	*ret = (int64_t)v;
	return true;
}

bool usd_parse(struct str s, struct usd *ret)
{
	return parse_scaled(s, 12, &ret->pico);
}

bool usd_parse_pico(struct str s, struct usd *ret)
{
	return parse_scaled(s, 0, &ret->pico);
}

static char *format_int(usd_pico v, int places, char *buf)
{
	char rev[USD_SIZE];
	int n = 0;
	upico wide = v < 0 ? -(upico)v : (upico)v;
	for (; wide > UINT64_MAX; wide /= 10) {
		if (n == places && places > 0)
			rev[n++] = '.';
		rev[n++] = (char)('0' + (int)(wide % 10));
	}
	uint64_t u = (uint64_t)wide; // 64-bit division is much faster
	do {
		if (n == places && places > 0)
			rev[n++] = '.';
		rev[n++] = (char)('0' + (int)(u % 10));
		u /= 10;
	} while (u != 0 || n < places + 1 + (places > 0));
	char *p = buf;
	if (v < 0)
		*p++ = '-';
	while (n > 0)
		*p++ = rev[--n];
	*p = '\0';
	return buf;
}

char *usd_format(struct usd a, int places, char *buf)
{
	assert(places >= 0 && places <= 12);
	usd_pico unit = 1;
	for (int i = places; i < 12; i++)
		unit *= 10;
	return format_int(div_half_even(a.pico, unit), places, buf);
}

char *usd_format_pico(struct usd a, char *buf)
{
	return format_int(a.pico, 0, buf);
}
