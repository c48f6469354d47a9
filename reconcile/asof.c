// SPDX-License-Identifier: Apache-2.0
#include "reconcile/asof.h"


#include "base/hash.h"
#include "base/when.h"
#include "reconcile/band.h"

enum { CALLER_SIZE = 8, NANO = 1000 };

const struct asof_horizon asof_horizons[ASOF_HORIZONS] = {
	{"5m", 5 * MS_PER_MINUTE, 5 * MS_PER_MINUTE},
	{"1h", MS_PER_HOUR, 15 * MS_PER_MINUTE},
	{"24h", 24 * MS_PER_HOUR, 2 * MS_PER_HOUR},
};

uint64_t asof_caller(struct str arn)
{
	return digest64(arn.len ? arn.p : "", arn.len); // it is stored
}

void asof_note(struct buf *note, int64_t now_ms, int band_scale)
{
	buf_clear(note);
	buf_addf(note, "%lld %d", (long long)now_ms, band_scale);
}

bool asof_note_read(struct str note, int *ret_band_scale)
{
	int64_t when, scale;
	if (!usd_parse_scaled(str_cut(&note, ' '), 0, &when) || !usd_parse_scaled(note, 0, &scale) ||
	    scale < BAND_SCALE_MIN || scale > BAND_SCALE_MAX)
		return false;
	*ret_band_scale = (int)scale;
	return true;
}

// ---- the packed form ----------------------------------------------------------------------------
// The caller (8 bytes, little endian), then usd, usd - low and high - usd: seven bits a byte, lowest first.

static void add_number(struct buf *b, usd_pico pico)
{
	uint64_t v = pico > 0 ? (uint64_t)((pico + NANO / 2) / NANO) : 0;
	for (; v >= 0x80; v >>= 7)
		buf_addc(b, (char)(v | 0x80));
	buf_addc(b, (char)v);
}

static bool take_number(struct str *s, struct usd *ret)
{
	uint64_t v = 0;
	for (size_t i = 0; i < s->len && i < 10; i++) {
		unsigned char c = (unsigned char)s->p[i];
		v |= (uint64_t)(c & 0x7f) << (7 * i);
		if (c < 0x80) {
			*ret = (struct usd){(usd_pico)v * NANO};
			*s = (struct str){s->p + i + 1, s->len - i - 1};
			return true;
		}
	}
	return false;
}

void asof_add(struct buf *packed, const struct asof_entry *e)
{
	for (int i = 0; i < CALLER_SIZE; i++)
		buf_addc(packed, (char)(e->caller >> (8 * i)));
	add_number(packed, e->usd.pico);
	add_number(packed, e->usd.pico - e->low.pico);
	add_number(packed, e->high.pico - e->usd.pico);
}

bool asof_next(struct str *packed, struct asof_entry *ret)
{
	struct asof_entry e = {0};
	struct str s = *packed;
	struct usd below, above;
	if (s.len < CALLER_SIZE)
		return false;
	for (int i = 0; i < CALLER_SIZE; i++)
		e.caller |= (uint64_t)(unsigned char)s.p[i] << (8 * i);
	s = (struct str){s.p + CALLER_SIZE, s.len - CALLER_SIZE};
	if (!take_number(&s, &e.usd) || !take_number(&s, &below) || !take_number(&s, &above))
		return false;
	e.low = usd_sub(e.usd, below);
	e.high = usd_add(e.usd, above);
	*ret = e;
	*packed = s;
	return true;
}
