// SPDX-License-Identifier: Apache-2.0
// Spans of hours, in the words of people. All times are UTC. A week begins on Monday (ISO 8601).
#ifndef NOWCAST_QUERY_SPAN_H
#define NOWCAST_QUERY_SPAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct time_span {
	int64_t from, to; // hours since the epoch; `to` is not part of it
};

// What SPAN_WORDS lists. `now_ms`: the present, milliseconds since the epoch. "24h", "7d" and "2w" end with
// the hour of `now_ms`, that hour included; "today", "this-week" and "this-month" end there too.
// No hour is before the epoch. ERR_CONFIG: another form.
#define SPAN_NAMES "24h, 7d, 2w, today, yesterday, this-week, last-week, this-month, last-month"
#define SPAN_WORDS SPAN_NAMES ", a day (2026-11-02), a month (2026-11) or all"
//
// *ret_before (may be NULL) is the span to compare it with: of today, this week and this month the same part
// of yesterday, last week and last month, at most all of it; else span_before.
bool span_parse(struct time_span *ret, struct time_span *ret_before, struct str text, int64_t now_ms,
                struct err *err) NC_CHECK;

// A bound of a span: a time that is a whole hour. "T23:59:59" is taken for the end of its hour; "14:00" is
// the last one up to `latest`, an hour. ERR_CONFIG names `flag`: another form, or a time within an hour,
// since figures are kept by the hour.
bool span_parse_bound(int64_t *ret_hour, struct str text, int64_t latest, const char *flag,
                      struct err *err) NC_CHECK;

// The span of the same length that ends where this one begins. A whole month is compared with the month
// before.
struct time_span span_before(struct time_span s);

#endif
