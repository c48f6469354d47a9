// SPDX-License-Identifier: Apache-2.0
#include "query/group_sum.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "query/group_priv.h"

__extension__ typedef unsigned __int128 wide;

enum { DIGIT_BITS = 7, MORE = 1 << DIGIT_BITS, SHORT_BITS = 63 };
enum { WHOLE_SIZE = 20 }; // bytes at most of a whole number

// Every figure of a group that adds up: whole numbers, dollars and floats, in the order of their numbers;
// then the bins of the errors. The band is made of them.
#define AT(name) offsetof(struct group, name)
static const uint16_t counts[] = {
	AT(calls),     AT(failed), AT(calls_final), AT(prompt),      AT(cache_read), AT(units),    AT(tokens),
	AT(billed),    AT(exact),  AT(telemetry),   AT(allocated),   AT(provisional), AT(unpriced), AT(unbilled),
};
static const uint16_t dollars[] = {
	AT(usd_unbilled),      AT(usd),           AT(usd_billed),         AT(usd_exact),
	AT(usd_telemetry),     AT(usd_allocated), AT(usd_provisional),    AT(usd_band_estimated),
	AT(usd_ttl_estimated), AT(usd_borrowed),  AT(usd_scope_unknown),  AT(less),
	AT(floor),             AT(ceiling),
};
static const uint16_t floats[] = {AT(chance_variance), AT(usd_of_others)};
#undef AT
enum {
	COUNTS = sizeof counts / sizeof *counts,
	WHOLE = COUNTS + sizeof dollars / sizeof *dollars, // numbers below that are whole
	FIELDS = WHOLE + sizeof floats / sizeof *floats,
	NUMBERS = FIELDS + ERROR_BINS
};
static_assert(NUMBERS <= 64, "a bit for each number");

static int64_t *count_at(const struct group *x, int k)
{
	return (int64_t *)(void *)((uintptr_t)x + counts[k]);
}

static struct usd *dollars_at(const struct group *x, int k)
{
	return (struct usd *)(void *)((uintptr_t)x + dollars[k - COUNTS]);
}

static double *float_at(const struct group *x, int k)
{
	return k < FIELDS ? (double *)(void *)((uintptr_t)x + floats[k - WHOLE])
	                  : (double *)(uintptr_t)&x->weights_errors.bins[k - FIELDS];
}

void group_add_figures(struct group *to, const struct group *from)
{
	for (int k = 0; k < COUNTS; k++)
		*count_at(to, k) += *count_at(from, k);
	for (int k = COUNTS; k < WHOLE; k++)
		*dollars_at(to, k) = usd_add(*dollars_at(to, k), *dollars_at(from, k));
	for (int k = WHOLE; k < NUMBERS; k++)
		*float_at(to, k) += *float_at(from, k);
	to->band_scale = from->band_scale ? from->band_scale : to->band_scale;
}

void group_add(struct group *to, const struct group *from)
{
	group_add_figures(to, from);
	group_set_band(to);
}

void groups_merge(struct groups *g, const struct groups *from)
{
	for (int32_t i = 0; i < from->n; i++)
		group_add(groups_get(g, from->list[i].keys), &from->list[i]);
}

// ---- packed -------------------------------------------------------------------------------------

// Returns the end.
static char *put_whole(char *to, wide signed_value)
{
	wide sign = (usd_pico)signed_value < 0 ? ~(wide)0 : 0, v = signed_value << 1 ^ sign;
	for (; v >> SHORT_BITS; v >>= DIGIT_BITS)
		*to++ = (char)((unsigned)(v & (MORE - 1)) | MORE);
	uint64_t low = (uint64_t)v;
	for (; low >> DIGIT_BITS; low >>= DIGIT_BITS)
		*to++ = (char)((low & (MORE - 1)) | MORE);
	*to++ = (char)low;
	return to;
}

static wide take_whole(const char **p)
{
	uint64_t low = 0;
	wide v = 0;
	unsigned char c;
	int shift = 0;
	do {
		c = (unsigned char)*(*p)++;
		if (shift < SHORT_BITS)
			low |= (uint64_t)(c & (MORE - 1)) << shift;
		else
			v |= (wide)(c & (MORE - 1)) << shift;
		shift += DIGIT_BITS;
	} while (c & MORE);
	v |= low;
	return v >> 1 ^ -(v & 1);
}

static double take_float(const char **p)
{
	double x;
	memcpy(&x, *p, sizeof x);
	*p += sizeof x;
	return x;
}

static uint64_t take_bits(const char **p)
{
	uint64_t x;
	memcpy(&x, *p, sizeof x);
	*p += sizeof x;
	return x;
}

static uint64_t numbers_set(const struct group *x)
{
	uint64_t which = 0;
	for (int k = 0; k < COUNTS; k++)
		which |= (uint64_t)(*count_at(x, k) != 0) << k;
	for (int k = COUNTS; k < WHOLE; k++)
		which |= (uint64_t)(dollars_at(x, k)->pico != 0) << k;
	for (int k = WHOLE; k < NUMBERS; k++)
		which |= (uint64_t)(*float_at(x, k) != 0) << k;
	return which;
}

static void pack_keys(struct buf *b, const struct groups *g, const struct group *x)
{
	char length[WHOLE_SIZE];
	for (int i = 0; i < g->by.n; i++) {
		buf_add(b, length, (size_t)(put_whole(length, (wide)x->keys[i].len) - length));
		buf_addstr(b, x->keys[i]);
	}
}

static void pack_group(struct buf *b, const struct groups *g, const struct group *x)
{
	uint64_t which = numbers_set(x);
	char numbers[sizeof which + (1 + NUMBERS) * WHOLE_SIZE], *p = numbers;
	buf_add(b, &x->hash, sizeof x->hash);
	pack_keys(b, g, x);
	memcpy(p, &which, sizeof which);
	p = put_whole(p + sizeof which, (wide)x->band_scale);
	for (; which; which &= which - 1) {
		int k = __builtin_ctzll(which);
		if (k < WHOLE) {
			p = put_whole(p, k < COUNTS ? (wide)*count_at(x, k) : (wide)dollars_at(x, k)->pico);
		} else {
			memcpy(p, float_at(x, k), sizeof(double));
			p += sizeof(double);
		}
	}
	buf_add(b, numbers, (size_t)(p - numbers));
}

void groups_pack(struct buf *ret, const struct groups *g)
{
	buf_add(ret, &g->n, sizeof g->n);
	for (int32_t i = 0; i < g->n; i++)
		pack_group(ret, g, &g->list[i]);
}

static const char *merge_group(struct groups *g, const char *p)
{
	struct str at[GROUP_KEYS_MAX];
	uint64_t hash = take_bits(&p);
	for (int i = 0; i < g->by.n; i++) {
		at[i].len = (size_t)take_whole(&p);
		at[i].p = p;
		p += at[i].len;
	}
	struct group *to = groups_get_hashed(g, hash, at);
	uint64_t which = take_bits(&p);
	int scale = (int)take_whole(&p);
	to->band_scale = scale ? scale : to->band_scale;
	for (; which; which &= which - 1) {
		int k = __builtin_ctzll(which);
		if (k < COUNTS)
			*count_at(to, k) += (int64_t)take_whole(&p);
		else if (k < WHOLE)
			*dollars_at(to, k) = usd_add(*dollars_at(to, k), (struct usd){(usd_pico)take_whole(&p)});
		else
			*float_at(to, k) += take_float(&p);
	}
	return p;
}

void groups_merge_packed(struct groups *g, struct str packed)
{
	const char *p = packed.p, *end = packed.p + packed.len;
	int32_t n;
	assert(packed.len >= sizeof n);
	memcpy(&n, p, sizeof n);
	p += sizeof n;
	groups_reserve(g, n);
	while (p < end)
		p = merge_group(g, p);
	assert(p == end);
}

void groups_set_bands(struct groups *g)
{
	for (int32_t i = 0; i < g->n; i++)
		group_set_band(&g->list[i]);
}
