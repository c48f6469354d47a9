// SPDX-License-Identifier: Apache-2.0
// Which minutes were observed: of each account and Region, for calls, metrics and invocation logs apart, a
// bit a minute. No spend in an observed minute is a fact; no spend in another one is not known.
//
//     nowcast:{A/R}:observed:DAY:SIGNAL    1440 bits: minute 0 of the day is bit 0, the highest of byte 0
//     nowcast:observed:DAY                 the same of what is read for all accounts: Kafka, a trail's queue
//
// A bit says one of these, and is never taken back:
//   - a record of that minute is among the facts (store/apply.lua sets it where it takes the record);
//   - AWS was asked for that minute by its APIs, after the latest time at which records of it can come
//     (run/puller.c, as the position of the source moves);
//   - in nowcast:observed:DAY, a worker had read all that Kafka held up to OBSERVED_LATE_MS after that
//     minute. It sets the bits of the time that it was behind, or away, once it has caught up: Kafka keeps
//     messages.
// Bits are only ever added, so order, repetition and several writers make no difference. What Kafka deleted
// before it was read is in nowcast:missing (store/positions.h), which readers take off (query/observed.h).
#ifndef NOWCAST_STORE_OBSERVED_H
#define NOWCAST_STORE_OBSERVED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "store/redis.h"

enum observed_signal {
	OBSERVED_CALLS,   // CloudTrail
	OBSERVED_METRICS, // CloudWatch
	OBSERVED_LOGS,    // invocation logs
	OBSERVED_SIGNALS
};
extern const char *const observed_words[OBSERVED_SIGNALS]; // "calls", ...

enum {
	OBSERVED_DAY = 24 * 60,         // minutes
	OBSERVED_RUN = 32,              // minutes of a run, at most: one integer of BITFIELD
	OBSERVED_LATE_MS = 15 * 60000,  // how late CloudTrail delivers (aws/cloudtrail.h)
};

// Minutes that follow each other.
struct observed_run {
	int first, n;
};

// The next run of bits in `hours` words of 60 bits from bit *at on, which moves behind it. False: there is
// none.
bool observed_next_run(const uint64_t *bits, int hours, int *at, struct observed_run *ret);

// Queues the bits of the minutes [from, to) since the epoch; returns how many replies there will be.
// `acct_region` STR_NONE: of what is read for all accounts; `signal` does not count then. Nothing where `to`
// is not after `from`.
struct observed_span {
	struct str acct_region;
	enum observed_signal signal;
	int64_t from, to;
};
size_t observed_queue(struct redis *r, const char *prefix, const struct observed_span *s,
                      int64_t retention_ms);

// Queues the reading of the days [from_day, to_day); returns how many replies there will be. `acct_region`
// STR_NONE: of what is read for all accounts.
size_t observed_queue_read(struct redis *r, const char *prefix, struct str acct_region, int64_t from_day,
                           int64_t to_day);

// Reads the answer, `n` replies from `first` on, of that many days: ORs 1 into the bytes of `ret`, one a
// minute.
void observed_take(struct redis *r, size_t first, size_t n, int64_t days, uint8_t *ret);

// The same of an account and Region with the signals apart: that of number N is bit 1 << N.
void observed_take_signals(struct redis *r, size_t first, int64_t days, uint8_t *ret);

#endif
