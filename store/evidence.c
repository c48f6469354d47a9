// SPDX-License-Identifier: Apache-2.0
#include "store/evidence.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/text.h"
#include "base/when.h"

// The bytes of a UUID in its usual form; false: it is none.
static bool read_uuid(struct str s, uint8_t ret[16])
{
	static const uint8_t at[16] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
	int bad = 0;
	if (s.len != 36 || s.p[8] != '-' || s.p[13] != '-' || s.p[18] != '-' || s.p[23] != '-')
		return false;
	for (int i = 0; i < 16; i++) {
		int high = hex_digit(s.p[at[i]]), low = hex_digit(s.p[at[i] + 1]);
		bad |= high | low;
		ret[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
	}
	return bad >= 0;
}

// A UUID gives its own bytes, any other id the bytes of a digest. The first EVIDENCE_ID of them are kept.
static void write_id(uint8_t *ret, struct str s)
{
	uint8_t id[16];
	if (!read_uuid(s, id)) {
		struct digest128 h = digest128(s.p, s.len);
		bytes_put64(id, h.high);
		bytes_put64(id + 8, h.low);
	}
	memcpy(ret, id, EVIDENCE_ID);
}

static int timing_of(const struct call *c)
{
	if (c->source == SOURCE_TELEMETRY || c->telemetry)
		return EVIDENCE_TIMING_TELEMETRY;
	if (!c->time_is_end)
		return EVIDENCE_TIMING_START;
	if (c->source == SOURCE_AMENDED)
		return EVIDENCE_TIMING_AMENDED;
	return c->source == SOURCE_LOG ? EVIDENCE_TIMING_LOG : EVIDENCE_TIMING_END;
}

// The sixth in which a stream began says something of the minute in which it ended (estimator/lag.h).
static uint32_t time_of(const struct call *c)
{
	int64_t sixths = c->time_ms / (MS_PER_MINUTE / EVIDENCE_SIXTHS);
	int64_t minute = sixths - sixths % EVIDENCE_SIXTHS;
	return (uint32_t)(timing_of(c) == EVIDENCE_TIMING_START ? sixths : minute);
}

static int rank_of(const struct call *c)
{
	if (c->source == SOURCE_TELEMETRY || c->telemetry)
		return EVIDENCE_TELEMETRY;
	return c->source == SOURCE_AMENDED ? EVIDENCE_AMENDED
	       : c->source == SOURCE_LOG   ? EVIDENCE_LOG
	                                   : EVIDENCE_TRAIL;
}

// The weight of the model's name where it is not that of the source.
static int named_by(const struct call *c)
{
	switch (c->served) {
	case SERVED_CALLED: return 0;
	case SERVED_RESOURCES: return EVIDENCE_NAMED + SOURCE_COMPLETION;
	case SERVED_UNKNOWN: return EVIDENCE_NAMED;
	}
	return 0;
}

// A log that names the input tokens names the whole usage: a kind that it leaves out was zero.
static bool is_known(const struct call *c, int kind)
{
	if (c->known[kind])
		return true;
	if (c->source != SOURCE_LOG || !c->known[TOKENS_INPUT] || kind >= TOKENS_UNITS)
		return false;
	return kind != TOKENS_CACHE_WRITE_1H ||
	       (!c->known[TOKENS_CACHE_WRITE] || c->tokens[TOKENS_CACHE_WRITE] == 0);
}

void evidence_pack(struct evidence *e, const struct call *c, uint64_t model_id, uint64_t caller_id,
                   uint64_t meta_id, bool with_second)
{
	int tier =
		c->tier_known ? (int)c->tier << EVIDENCE_TIER_SHIFT | rank_of(c) << EVIDENCE_TIER_RANK_SHIFT : 0;
	write_id(e->id, c->request_id);
	bytes_put64(e->bytes + EVIDENCE_AT_MODEL, model_id);
	bytes_put64(e->bytes + EVIDENCE_AT_CALLER, caller_id);
	bytes_put32(e->bytes + EVIDENCE_AT_TIME, time_of(c));
	e->bytes[EVIDENCE_AT_FLAGS] =
		(uint8_t)(c->source << EVIDENCE_SOURCE_SHIFT | named_by(c) << EVIDENCE_NAMED_SHIFT |
	              (c->failed ? EVIDENCE_FAILED : 0));
	e->bytes[EVIDENCE_AT_TIMING] = (uint8_t)(timing_of(c) | tier);
	uint8_t *p = e->bytes + EVIDENCE_HEAD;
	for (int kind = 0; kind < TOKEN_KINDS; kind++) {
		if (!is_known(c, kind))
			continue;
		p[0] = (uint8_t)(kind << EVIDENCE_KIND_SHIFT | rank_of(c));
		bytes_put32(p + 1, c->known[kind] ? c->tokens[kind] : 0);
		p += EVIDENCE_TOKENS;
	}
	if (with_second) {
		int rank = c->time_is_end ? EVIDENCE_SECOND_END : EVIDENCE_SECOND_START;
		p[0] = (uint8_t)(EVIDENCE_SECOND << EVIDENCE_KIND_SHIFT | rank);
		bytes_put32(p + 1, (uint32_t)(c->time_ms / 1000));
		p += EVIDENCE_TOKENS;
	}
	if (meta_id) {
		p[0] = (uint8_t)rank_of(c);
		bytes_put64(p + 1, meta_id);
		p += EVIDENCE_META;
	}
	assert(p <= e->bytes + EVIDENCE_MAX);
	e->len = (uint8_t)(p - e->bytes);
}

// -1: there is none.
static int short_rank(int rank)
{
	switch (rank) {
	case EVIDENCE_TRAIL: return 0;
	case EVIDENCE_LOG: return 1;
	case EVIDENCE_AMENDED: return 2;
	case EVIDENCE_TELEMETRY: return 3;
	}
	return -1;
}

size_t evidence_shorten(const struct evidence *e, int64_t first_minute,
                        uint8_t ret[EVIDENCE_HEAD - EVIDENCE_NUMBER])
{
	int64_t sixths = bytes_get32(e->bytes + EVIDENCE_AT_TIME) - first_minute * EVIDENCE_SIXTHS;
	int64_t time = EVIDENCE_SHORT_FROM + sixths;
	size_t n = 0;
	if ((e->len - EVIDENCE_HEAD) % EVIDENCE_TOKENS || sixths < 0 || time > UINT16_MAX)
		return 0;
	ret[n++] = (uint8_t)(time >> 8);
	ret[n++] = (uint8_t)time;
	ret[n++] = e->bytes[EVIDENCE_AT_FLAGS];
	ret[n++] = e->bytes[EVIDENCE_AT_TIMING];
	for (const uint8_t *p = e->bytes + EVIDENCE_HEAD; p < e->bytes + e->len; p += EVIDENCE_TOKENS) {
		int rank = short_rank(*p & ((1 << EVIDENCE_KIND_SHIFT) - 1));
		size_t zeros = 1; // bytes of the count that are left out
		while (zeros < EVIDENCE_TOKENS && p[zeros] == 0)
			zeros++;
		size_t width = EVIDENCE_TOKENS - zeros;
		if (rank < 0 || width > 3 || n + 1 + width >= EVIDENCE_HEAD - EVIDENCE_NUMBER)
			return 0;
		ret[n++] = (uint8_t)((*p >> EVIDENCE_KIND_SHIFT) << EVIDENCE_KIND_SHIFT | rank << 2 | (int)width);
		memcpy(ret + n, p + zeros, width);
		n += width;
	}
	return n;
}
