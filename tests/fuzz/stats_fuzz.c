// SPDX-License-Identifier: Apache-2.0
// Statistics as Redis holds them: those of an hour, and rate baselines of alerts. Bytes of another form
// are refused; what is read is written and read again as what it was, and whatever the numbers are,
// computing with them ends and overflows nothing. Longest input: 4096 bytes.
#include "alert/rate_baseline.h"
#include "base/arena.h"
#include "estimator/hour_stats_priv.h"
#include "tests/fuzz/fuzz.h"

enum { NOW = 29893200 }; // minutes since the epoch

static void try_hour(struct str bytes)
{
	struct arena arena = ARENA_INIT;
	struct hour_stats s, again;
	struct buf once = BUF_INIT, twice = BUF_INIT;
	if (hour_stats_read(bytes, &arena, &s)) {
		assert(s.n > 0 && (size_t)s.n <= bytes.len);
		hour_stats_encode(&s, &once);
		bool good = hour_stats_read(buf_str(&once), &arena, &again);
		assert(good && again.n == s.n);
		hour_stats_encode(&again, &twice);
		assert(str_eq(buf_str(&once), buf_str(&twice)));
		for (int i = 0; i < s.n; i++)
			assert(s.names[i].len && str_eq(s.names[i], again.names[i]));
	}
	buf_release(&once);
	buf_release(&twice);
	arena_release(&arena);
}

// What comes next: minutes and amounts, and questions.
static void play(struct rate_baseline *p, struct input *in)
{
	struct rate_spike spike;
	int64_t minute = p->at_minute > NOW ? p->at_minute : NOW;
	for (int i = 0; i < 8 && in->n; i++) {
		int64_t calls = (int64_t)take_byte(in), micro = (int64_t)take_byte(in) << 20;
		minute += (int64_t)take_byte(in);
		rate_baseline_add(p, minute, calls, micro);
		const struct rate_test ask = {.factor_tenths = 1 + (int64_t)take_byte(in),
		                              .floor_micro = 1000,
		                              .call_micro = 1 + (int64_t)take_byte(in),
		                              .span = 1 + (int64_t)take_byte(in)};
		if (rate_baseline_calls_spike(p, &ask, &spike))
			assert(spike.minutes > 0 && spike.calls >= 0 && spike.micro >= 0);
		if (rate_baseline_usd_spike(p, &ask, &spike))
			assert(spike.minutes > 0 && spike.micro >= 0);
		assert(rate_baseline_micro(p, RATE_MINUTES) >= 0);
	}
}

static void try_baseline(struct input *in)
{
	struct rate_baseline p, again;
	struct buf text = BUF_INIT, twice = BUF_INIT;
	if (rate_baseline_read(&p, take_text(in))) {
		rate_baseline_write(&p, &text);
		bool good = rate_baseline_read(&again, buf_str(&text));
		assert(good);
		rate_baseline_write(&again, &twice);
		assert(str_eq(buf_str(&text), buf_str(&twice)));
		play(&p, in);
	}
	buf_release(&text);
	buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	if (take_byte(&in) % 2)
		try_hour(take_rest(&in));
	else
		try_baseline(&in);
	return 0;
}
