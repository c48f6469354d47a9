// SPDX-License-Identifier: Apache-2.0
#include "store/call_sums.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "estimator/rate_class.h"
#include "store/cell_codec.h"

void call_sums_clear(struct call_sums *s)
{
	s->n = s->unjoined = 0;
	map_clear(&s->index);
}

void call_sums_release(struct call_sums *s)
{
	free(s->list);
	map_release(&s->index);
	*s = (struct call_sums){0};
}

// What the tokens of a call say.
struct token_facts {
	int n;                         // token kinds that are known, a limit of the output among them
	uint8_t kinds[TOKEN_KINDS];    // ascending
	uint32_t counts[TOKEN_KINDS];
	bool telemetry;                // some are those of telemetry
	const uint8_t *second;         // of its record, as in evidence; NULL
	int64_t prompt;                // as far as it is known
	int prompts;                   // of how many kinds it is
};

static bool is_prompt(int kind)
{
	return kind == TOKENS_INPUT || kind == TOKENS_CACHE_READ || kind == TOKENS_CACHE_WRITE;
}

// `end`: of the tokens in the evidence. A second that telemetry could be joined by is none once a log or
// telemetry knows tokens.
static void read_tokens(const uint8_t *p, const uint8_t *end, struct token_facts *ret)
{
	bool closed = false;
	*ret = (struct token_facts){0};
	for (; p < end; p += EVIDENCE_TOKENS) {
		int kind = *p >> EVIDENCE_KIND_SHIFT, rank = *p & ((1 << EVIDENCE_KIND_SHIFT) - 1);
		ret->telemetry |= rank == EVIDENCE_TELEMETRY;
		if (kind == EVIDENCE_SECOND) {
			ret->second = p;
			continue;
		}
		assert(ret->n < TOKEN_KINDS);
		ret->kinds[ret->n] = (uint8_t)kind;
		ret->counts[ret->n++] = bytes_get32(p + 1);
		closed |= rank > EVIDENCE_TRAIL;
		if (is_prompt(kind)) {
			ret->prompt += bytes_get32(p + 1);
			ret->prompts++;
		}
	}
	if (closed)
		ret->second = NULL;
}

// Whether any usage is known.
static bool has_tokens(const struct token_facts *t)
{
	return t->n > 0 && t->kinds[0] < TOKENS_OUTPUT_MAX;
}

static uint32_t time_of(const struct evidence *e) { return bytes_get32(e->bytes + EVIDENCE_AT_TIME); }

static size_t write_key(const struct evidence *e, const struct token_facts *t, bool failed, uint8_t *key)
{
	const uint8_t *meta =
		(e->len - EVIDENCE_HEAD) % EVIDENCE_TOKENS ? e->bytes + e->len - (EVIDENCE_META - 1) : NULL;
	const uint8_t *second = failed ? NULL : t->second;
	int tier = e->bytes[EVIDENCE_AT_TIMING] >> EVIDENCE_TIER_SHIFT &
	           ((1 << (EVIDENCE_TIER_RANK_SHIFT - EVIDENCE_TIER_SHIFT)) - 1);
	int rate_class =
		has_tokens(t) ? rate_class_of((enum price_tier)tier, t->prompt, t->prompts == 3 || failed) : tier;
	if (t->telemetry)
		rate_class += CELL_TELEMETRY;
	size_t n = EVIDENCE_AT_FLAGS;
	memcpy(key, e->bytes, n);
	bytes_put32(key + EVIDENCE_AT_TIME, time_of(e) - time_of(e) % EVIDENCE_SIXTHS);
	if (rate_class || meta || second)
		key[n++] = (uint8_t)rate_class;
	if (meta) {
		memcpy(key + n, meta, EVIDENCE_META - 1);
		n += EVIDENCE_META - 1;
	}
	if (second) {
		memcpy(key + n, second, EVIDENCE_TOKENS);
		n += EVIDENCE_TOKENS;
	}
	return n;
}

static struct call_sum *find_sum(struct call_sums *s, const uint8_t *key, size_t n)
{
	bool added;
	struct call_sum *last = s->n ? &s->list[s->n - 1] : NULL;
	if (last && last->key_size == n && memcmp(last->key, key, n) == 0)
		return last; // calls are sorted
	int32_t at = *map_add(&s->index, hash64(key, n), s->n, &added);
	if (!added)
		return &s->list[at];
	if (s->n == s->cap)
		s->list = xrealloc(s->list, (size_t)(s->cap = s->cap ? 2 * s->cap : 64), sizeof *s->list);
	struct call_sum *new = &s->list[s->n++];
	*new = (struct call_sum){.key_size = (uint8_t)n};
	memcpy(new->key, key, n);
	return new;
}

// A failed call that has tokens used no others.
static void add_tokens(int64_t *v, const struct token_facts *t, bool failed, int64_t times)
{
	bool ended = failed;
	for (int kind = 0; failed && kind < TOKENS_OUTPUT_MAX; kind++)
		v[CALL_SUMS_EXACT + 2 * kind] += times;
	for (int i = 0; i < t->n; i++) {
		int kind = t->kinds[i];
		ended |= kind == TOKENS_OUTPUT;
		if (kind > TOKENS_OUTPUT_MAX || (kind == TOKENS_OUTPUT_MAX && ended))
			continue;
		if (!failed)
			v[CALL_SUMS_EXACT + 2 * kind] += times;
		v[CALL_SUMS_EXACT + 2 * kind + 1] += times * t->counts[i];
	}
}

void call_sums_add(struct call_sums *s, const struct evidence *e, int64_t times)
{
	struct token_facts tokens;
	uint8_t key[CALL_SUMS_KEY];
	int flags = e->bytes[EVIDENCE_AT_FLAGS], timing = e->bytes[EVIDENCE_AT_TIMING];
	bool failed = flags & EVIDENCE_FAILED;
	if (flags >> EVIDENCE_SOURCE_SHIFT == SOURCE_TELEMETRY) {
		s->unjoined += (int32_t)times;
		return;
	}
	size_t end = e->len - ((e->len - EVIDENCE_HEAD) % EVIDENCE_TOKENS ? EVIDENCE_META : 0);
	read_tokens(e->bytes + EVIDENCE_HEAD, e->bytes + end, &tokens);
	int64_t *v = find_sum(s, key, write_key(e, &tokens, failed, key))->v;
	if (failed && !has_tokens(&tokens)) {
		v[1] += times;
		return;
	}
	v[0] += times;
	if ((timing & ((1 << EVIDENCE_TIER_SHIFT) - 1)) == EVIDENCE_TIMING_START) {
		v[2] += times;
		v[3] += times * (1 + time_of(e) % EVIDENCE_SIXTHS);
	}
	add_tokens(v, &tokens, failed, times);
}

void call_sums_write(const struct call_sums *s, struct buf *out)
{
	buf_addc(out, (char)(s->unjoined >> 8));
	buf_addc(out, (char)s->unjoined);
	for (int32_t i = 0; i < s->n; i++) {
		const struct call_sum *x = &s->list[i];
		int width = CALL_SUMS;
		uint8_t bytes[CALL_SUMS * CALL_SUMS_BYTES + sizeof(uint64_t)], *p = bytes;
		while (width > 0 && x->v[width - 1] == 0)
			width--;
		for (int k = 0; k < width; k++, p += CALL_SUMS_BYTES) {
			assert(x->v[k] >= 0 && x->v[k] < INT64_C(1) << 8 * CALL_SUMS_BYTES);
			bytes_put64(p, (uint64_t)x->v[k] << (64 - 8 * CALL_SUMS_BYTES)); // the next one takes the rest
		}
		buf_addc(out, (char)x->key_size);
		buf_add(out, x->key, x->key_size);
		buf_addc(out, (char)width);
		buf_add(out, bytes, (size_t)(p - bytes));
	}
}
