// SPDX-License-Identifier: Apache-2.0
// Times. A moment is an int64_t of milliseconds since 1970-01-01T00:00:00Z; a minute or an hour is the number
// of them since then. All times are UTC, independent of locale and time zone.
#ifndef NOWCAST_BASE_WHEN_H
#define NOWCAST_BASE_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { MS_PER_MINUTE = 60000, MS_PER_HOUR = 3600000 };

// Parses a time of the years 1970 to 9999, in the forms of CloudTrail records and of users:
//   2024-10-17T20:11:24Z  2024-07-08T17:06:49.0000000Z  2024-10-17T20:11:24+02:00
//   2025-01-21 17:49:47.000000000  20131102T010628Z  2026-11-02  2026-11-02T05  2026-11-02T05:00
// Without a zone the time is UTC. False: another form; *ret_ms is unchanged.
bool when_parse(struct str s, int64_t *ret_ms);

// A time of day alone, "14:00" or "14:05": the last one up to `latest_ms`. False: another form; *ret_ms is
// unchanged.
bool when_parse_clock(struct str s, int64_t latest_ms, int64_t *ret_ms);

// Writes "2026-11-02T05:00:00Z" into `buf` (WHEN_SIZE bytes); returns `buf`. `ms` is clamped to the years
// above.
enum { WHEN_SIZE = 24 };
char *when_format(int64_t ms, char *buf);

// Writes a length of time, "0 min", "3 h 20 min", "3 h", "28 days 7 h", into `buf` (WHEN_LENGTH_SIZE bytes);
// returns `buf`.
enum { WHEN_LENGTH_SIZE = 48 };
char *when_format_length(int64_t minutes, char *buf);

// The same of an age, in one unit: "40 s", "12 min", "3 h", "5 days". A negative one is 0 s.
char *when_format_age(int64_t ms, char *buf);

int64_t when_now_ms(void);   // wall clock
int64_t when_ticks_ms(void); // monotonic clock, for intervals

// The hour (since the epoch) at which the day, the week or the month of an hour begins. A week begins on
// Monday (ISO 8601).
int64_t when_day_start(int64_t hour);
int64_t when_week_start(int64_t hour);
int64_t when_month_start(int64_t hour);

#endif
