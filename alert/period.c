// SPDX-License-Identifier: Apache-2.0
#include "alert/period.h"

#include <assert.h>
#include <string.h>

#include "base/when.h"

enum { DAY = 24 };

const char *const alert_period_names[] = {"hour", "day", "week", "month", NULL};

void alert_period_of(enum alert_period p, int64_t hour, int64_t *ret_from, int64_t *ret_to, char *buf)
{
	int64_t day = hour / DAY, from = hour, to = hour + 1, ms;
	char next[WHEN_SIZE];
	when_format(hour * MS_PER_HOUR, buf);
	if (p == PERIOD_DAY) {
		from = day * DAY;
		to = from + DAY;
	} else if (p == PERIOD_WEEK) { // Monday to Sunday; day 0 was a Thursday
		from = (day - (day + 3) % 7) * DAY;
		to = from + 7 * DAY;
	} else if (p == PERIOD_MONTH) {
		memcpy(buf + 8, "01", 2);
		when_parse((struct str){buf, 10}, &ms);
		from = ms / MS_PER_HOUR;
		when_format((from + 32 * DAY) * MS_PER_HOUR, next);
		memcpy(next + 8, "01", 2);
		when_parse((struct str){next, 10}, &ms);
		to = ms > from * MS_PER_HOUR ? ms / MS_PER_HOUR : from + 31 * DAY; // December 9999, the last month
	}
	assert(from <= hour && hour < to);
	*ret_from = from;
	*ret_to = to;
	when_format(from * MS_PER_HOUR, buf);
	buf[p == PERIOD_HOUR ? 13 : p == PERIOD_MONTH ? 7 : 10] = '\0';
}
