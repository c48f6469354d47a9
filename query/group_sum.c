// SPDX-License-Identifier: Apache-2.0
#include "query/group_sum.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>


__extension__ typedef unsigned __int128 wide;

enum { DIGIT_BITS = 7, MORE = 1 << DIGIT_BITS };

// Every figure of a group that adds up. The band is made of them.
enum form { COUNT, DOLLARS, FLOAT };
#define FIELD(form, name) {offsetof(struct group, name), form}
static const struct {
	uint16_t at;
	uint8_t form;
} fields[] = {
	FIELD(COUNT, calls),
	FIELD(COUNT, failed),
	FIELD(COUNT, calls_final),
	FIELD(COUNT, prompt),
	FIELD(COUNT, cache_read),
	FIELD(COUNT, units),
	FIELD(COUNT, tokens),
	FIELD(COUNT, billed),
	FIELD(COUNT, exact),
	FIELD(COUNT, telemetry),
	FIELD(COUNT, allocated),
	FIELD(COUNT, provisional),
	FIELD(COUNT, unpriced),
	FIELD(COUNT, unbilled),
	FIELD(DOLLARS, usd_unbilled),
	FIELD(DOLLARS, usd),
	FIELD(DOLLARS, usd_billed),
	FIELD(DOLLARS, usd_exact),
	FIELD(DOLLARS, usd_telemetry),
	FIELD(DOLLARS, usd_allocated),
	FIELD(DOLLARS, usd_provisional),
	FIELD(DOLLARS, usd_band_estimated),
	FIELD(DOLLARS, usd_ttl_estimated),
	FIELD(DOLLARS, usd_borrowed),
	FIELD(DOLLARS, usd_scope_unknown),
	FIELD(DOLLARS, less),
	FIELD(DOLLARS, floor),
	FIELD(DOLLARS, ceiling),
	FIELD(FLOAT, chance_variance),
	FIELD(FLOAT, usd_of_others),
};
#undef FIELD
enum { FIELDS = sizeof fields / sizeof *fields, NUMBERS = FIELDS + ERROR_BINS };
static_assert(NUMBERS <= 64, "a bit for each number");

static void add_number(struct group *x, int k, wide whole, double real)
{
	char *p = (char *)x + (k < FIELDS ? fields[k].at : 0);
	if (k >= FIELDS)
		x->weights_errors.bins[k - FIELDS] += real;
	else if (fields[k].form == COUNT)
		*(int64_t *)(void *)p += (int64_t)whole;
	else if (fields[k].form == DOLLARS)
		*(struct usd *)(void *)p = usd_add(*(struct usd *)(void *)p, (struct usd){(usd_pico)whole});
	else
		*(double *)(void *)p += real;
}

// Whether number `k` is not 0, and it.
static bool number_of(const struct group *x, int k, wide *ret_whole, double *ret_real)
{
	const char *p = (const char *)x + (k < FIELDS ? fields[k].at : 0);
	*ret_whole = 0;
	*ret_real = 0;
	if (k >= FIELDS)
		*ret_real = x->weights_errors.bins[k - FIELDS];
	else if (fields[k].form == COUNT)
		*ret_whole = (wide)*(const int64_t *)(const void *)p;
	else if (fields[k].form == DOLLARS)
		*ret_whole = (wide)((const struct usd *)(const void *)p)->pico;
	else
		*ret_real = *(const double *)(const void *)p;
	return *ret_whole || *ret_real != 0;
}

static bool is_float(int k)
{
	return k >= FIELDS || fields[k].form == FLOAT;
}

void group_add(struct group *to, const struct group *from)
{
	for (int k = 0; k < NUMBERS; k++) {
		wide whole;
		double real;
		if (number_of(from, k, &whole, &real))
			add_number(to, k, whole, real);
	}
	to->band_scale = from->band_scale ? from->band_scale : to->band_scale;
	group_set_band(to);
}

void groups_merge(struct groups *g, const struct groups *from)
{
	for (int32_t i = 0; i < from->n; i++)
		group_add(groups_get(g, from->list[i].keys), &from->list[i]);
}

// ---- packed -------------------------------------------------------------------------------------

static void put_whole(struct buf *b, wide signed_value)
{
	wide sign = (usd_pico)signed_value < 0 ? ~(wide)0 : 0, v = signed_value << 1 ^ sign;
	char digits[20];
	size_t n = 0;
	do {
		digits[n++] = (char)((unsigned)(v & (MORE - 1)) | (v >> DIGIT_BITS ? MORE : 0));
		v >>= DIGIT_BITS;
	} while (v);
	buf_add(b, digits, n);
}

static wide take_whole(const char **p)
{
	wide v = 0;
	unsigned char c;
	int shift = 0;
	do {
		c = (unsigned char)*(*p)++;
		v |= (wide)(c & (MORE - 1)) << shift;
		shift += DIGIT_BITS;
	} while (c & MORE);
	return v >> 1 ^ -(v & 1);
}

static void pack_group(struct buf *b, const struct groups *g, const struct group *x)
{
	uint64_t which = 0;
	for (int i = 0; i < g->by.n; i++) {
		put_whole(b, x->keys[i].len);
		buf_addstr(b, x->keys[i]);
	}
	size_t at = b->len;
	buf_add(b, &which, sizeof which);
	put_whole(b, (wide)x->band_scale);
	for (int k = 0; k < NUMBERS; k++) {
		wide whole;
		double real;
		if (!number_of(x, k, &whole, &real))
			continue;
		which |= (uint64_t)1 << k;
		if (is_float(k))
			buf_add(b, &real, sizeof real);
		else
			put_whole(b, whole);
	}
	memcpy(b->data + at, &which, sizeof which);
}

void groups_pack(struct buf *ret, const struct groups *g)
{
	for (int32_t i = 0; i < g->n; i++)
		pack_group(ret, g, &g->list[i]);
}

static const char *merge_group(struct groups *g, const char *p)
{
	struct str at[GROUP_KEYS_MAX];
	uint64_t which;
	for (int i = 0; i < g->by.n; i++) {
		at[i].len = (size_t)take_whole(&p);
		at[i].p = p;
		p += at[i].len;
	}
	struct group *to = groups_get(g, at);
	memcpy(&which, p, sizeof which);
	p += sizeof which;
	int scale = (int)take_whole(&p);
	to->band_scale = scale ? scale : to->band_scale;
	for (; which; which &= which - 1) {
		int k = __builtin_ctzll(which);
		double real = 0;
		wide whole = 0;
		if (is_float(k)) {
			memcpy(&real, p, sizeof real);
			p += sizeof real;
		} else {
			whole = take_whole(&p);
		}
		add_number(to, k, whole, real);
	}
	group_set_band(to);
	return p;
}

void groups_merge_packed(struct groups *g, struct str packed)
{
	const char *p = packed.p, *end = packed.p + packed.len;
	while (p < end)
		p = merge_group(g, p);
	assert(p == end);
}
