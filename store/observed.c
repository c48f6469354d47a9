// SPDX-License-Identifier: Apache-2.0
#include "store/observed.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/when.h"
#include "store/keys.h"

enum { FIELD_MAX = 63 }; // bits of an unsigned integer of BITFIELD

const char *const observed_words[OBSERVED_SIGNALS] = {"calls", "metrics", "logs"};

static bool has_bit(const uint64_t *bits, int at)
{
	return bits[at / 60] >> at % 60 & 1;
}

bool observed_next_run(const uint64_t *bits, int hours, int *at, struct observed_run *ret)
{
	int i = *at, end = hours * 60;
	while (i < end && !has_bit(bits, i))
		i = bits[i / 60] ? i + 1 : (i / 60 + 1) * 60;
	ret->first = i;
	while (i < end && i - ret->first < OBSERVED_RUN && has_bit(bits, i))
		i++;
	ret->n = i - ret->first;
	*at = i;
	return ret->n > 0;
}

// The minutes [first, end) of a day, in as few integers as there can be.
static void queue_day(struct redis *r, struct str key, int first, int end)
{
	char text[OBSERVED_DAY / FIELD_MAX + 1][3][24];
	struct str words[2 + 4 * (OBSERVED_DAY / FIELD_MAX + 1)] = {STR("BITFIELD"), key};
	int n = 2, field = 0;
	for (int width; first < end; first += width, field++) {
		width = end - first < FIELD_MAX ? end - first : FIELD_MAX;
		snprintf(text[field][0], sizeof text[field][0], "u%d", width);
		snprintf(text[field][1], sizeof text[field][1], "%d", first);
		snprintf(text[field][2], sizeof text[field][2], "%" PRIu64, (UINT64_C(1) << width) - 1);
		words[n++] = STR("SET");
		for (int i = 0; i < 3; i++)
			words[n++] = str_of(text[field][i]);
	}
	redis_cmd(r, n, words);
}

size_t observed_queue(struct redis *r, const char *prefix, const struct observed_span *s,
                      int64_t retention_ms)
{
	struct buf key = BUF_INIT;
	size_t replies = 0;
	for (int64_t at = s->from, end; at < s->to; at = end) {
		int64_t day = at / OBSERVED_DAY;
		char till[24];
		end = (day + 1) * OBSERVED_DAY < s->to ? (day + 1) * OBSERVED_DAY : s->to;
		if (s->acct_region.len)
			key_observed(&key, prefix, s->acct_region, day, observed_words[s->signal]);
		else
			key_read_minutes(&key, prefix, day);
		queue_day(r, buf_str(&key), (int)(at - day * OBSERVED_DAY), (int)(end - day * OBSERVED_DAY));
		snprintf(till, sizeof till, "%" PRId64, (day + 1) * OBSERVED_DAY * MS_PER_MINUTE + retention_ms);
		redis_cmd(r, 3, (struct str[]){STR("PEXPIREAT"), buf_str(&key), str_of(till)});
		replies += 2;
	}
	buf_release(&key);
	return replies;
}

size_t observed_queue_read(struct redis *r, const char *prefix, struct str acct_region, int64_t from_day,
                           int64_t to_day)
{
	struct buf key = BUF_INIT;
	int each = acct_region.len ? OBSERVED_SIGNALS : 1;
	assert(from_day <= to_day);
	for (int64_t day = from_day; day < to_day; day++)
		for (int i = 0; i < each; i++) {
			struct str k = acct_region.len
			                   ? key_observed(&key, prefix, acct_region, day, observed_words[i])
			                   : key_read_minutes(&key, prefix, day);
			redis_cmd(r, 2, (struct str[]){STR("GET"), k});
		}
	buf_release(&key);
	return (size_t)(to_day - from_day) * (size_t)each;
}

static void take_day(struct str bits, int shift, uint8_t *ret)
{
	size_t bytes = bits.len < OBSERVED_DAY / 8 ? bits.len : OBSERVED_DAY / 8;
	for (size_t i = 0; i < bytes; i++)
		for (int k = 0; bits.p[i] && k < 8; k++)
			ret[8 * i + (size_t)k] |= (uint8_t)(((uint8_t)bits.p[i] >> (7 - k) & 1) << shift);
}

void observed_take(struct redis *r, size_t first, size_t n, int64_t days, uint8_t *ret)
{
	for (size_t i = 0; i < n; i++)
		take_day(redis_str(r, first + i), 0, ret + (int64_t)i * days / (int64_t)n * OBSERVED_DAY);
}

void observed_take_signals(struct redis *r, size_t first, int64_t days, uint8_t *ret)
{
	for (int64_t day = 0; day < days; day++)
		for (int s = 0; s < OBSERVED_SIGNALS; s++)
			take_day(redis_str(r, first++), s, ret + day * OBSERVED_DAY);
}
