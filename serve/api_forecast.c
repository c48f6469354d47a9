// SPDX-License-Identifier: Apache-2.0
// What the day and the month will have cost when they are over, if things go on as they did.
//
// The rest of today is what the same hours cost on the days before (up to seven), times the level of today: how its hours so
// far compare with theirs. The rest of the month is one mean day for each day that is left, at that level's half-way back
// to 1, since a busy morning seldom makes a busy month. The band comes from how much those days differ from each other, and
// narrows as the day goes by. With less than a day of history, the mean of the hours there are is all there is to go by; the
// answer says how many days it knew.
#include <stdlib.h>

#include "base/when.h"
#include "serve/api.h"

enum { DAY = 24, DAYS = 7 };

struct history {
	struct usd hours[DAYS + 1][DAY];   // 0: today, 1: yesterday, ...
	int days;                          // whole days before today with figures
};

static bool read_history(struct api *a, const struct query *q, int64_t day, struct history *h, struct err *err)
{
	const struct grouping hourly = {.n = 1, .by = {BY_HOUR}, .name = {STR("hour")}};
	struct groups g;
	groups_init(&g, &hourly);
	bool good = figures_sum(a->figures, &hourly, &q->only, day - DAYS * DAY, day + DAY, q->now_ms / MS_PER_HOUR, &g, err);
	for (int32_t i = 0; good && i < g.n; i++) {
		int64_t ms = 0;
		when_parse(g.list[i].keys[0], &ms);
		int64_t hour = ms / MS_PER_HOUR, back = (day + DAY - 1 - hour) / DAY;
		if (back < 0 || back > DAYS)
			continue;
		h->hours[back][hour % DAY] = g.list[i].usd;
		if (back > h->days)
			h->days = (int)back;
	}
	groups_release(&g);
	return good;
}

static struct usd sum_of(const struct usd *hours, int from, int to)
{
	struct usd sum = USD_ZERO;
	for (int i = from; i < to; i++)
		sum = usd_add(sum, hours[i]);
	return sum;
}

static struct usd root(usd_pico square_micro2)
{
	usd_pico lo = 0, hi = (usd_pico)1 << 62;
	while (lo < hi) {
		usd_pico mid = lo + (hi - lo + 1) / 2;
		if (mid > 0 && mid > square_micro2 / mid)
			hi = mid - 1;
		else
			lo = mid;
	}
	return (struct usd){lo * 1000000};
}

// Mean and standard deviation of what the days before cost from `from` to the end of the day.
static void mean_day(const struct history *h, int from, struct usd *ret_mean, struct usd *ret_deviation)
{
	struct usd sum = USD_ZERO;
	usd_pico squares = 0; // of micro-dollars: they fit
	for (int d = 1; d <= h->days; d++)
		sum = usd_add(sum, sum_of(h->hours[d], from, DAY));
	*ret_mean = h->days ? usd_muldiv(sum, 1, h->days) : USD_ZERO;
	for (int d = 1; d <= h->days; d++) {
		usd_pico off = usd_sub(sum_of(h->hours[d], from, DAY), *ret_mean).pico / 1000000;
		squares += off * off;
	}
	*ret_deviation = h->days > 1 ? root(squares / (h->days - 1)) : usd_muldiv(*ret_mean, 1, 2);
}

// Today's level in thousandths of the days before, by the whole hours so far; 1000 where there is nothing to compare.
static int64_t level_milli(const struct history *h, int hour)
{
	struct usd today = sum_of(h->hours[0], 0, hour), before = USD_ZERO;
	for (int d = 1; d <= h->days; d++)
		before = usd_add(before, sum_of(h->hours[d], 0, hour));
	if (before.pico <= 0 || hour < 2)
		return 1000;
	usd_pico level = today.pico * h->days / (before.pico / 1000 + 1);
	return level < 250 ? 250 : level > 4000 ? 4000 : (int64_t)level;
}

struct forecast {
	struct usd rest, deviation; // of today
	struct usd day, day_deviation; // a whole day of the days to come
};

static void flat_forecast(const struct history *h, int hour, struct forecast *ret)
{
	struct usd so_far = sum_of(h->hours[0], 0, hour);
	int first = 0;
	while (first < hour && h->hours[0][first].pico == 0)
		first++;
	int known = hour - first;
	struct usd mean = known > 0 ? usd_muldiv(so_far, 1, known) : h->hours[0][hour];
	ret->rest = usd_muldiv(mean, DAY - hour, 1);
	ret->deviation = usd_muldiv(ret->rest, 1, 2);
	ret->day = usd_muldiv(mean, DAY, 1);
	ret->day_deviation = usd_muldiv(ret->day, 1, 2);
}

static void seasonal_forecast(const struct history *h, int hour, struct forecast *ret)
{
	int64_t level = level_milli(h, hour);
	struct usd mean, deviation;
	mean_day(h, hour, &mean, &deviation);
	ret->rest = usd_muldiv(mean, level, 1000);
	ret->deviation = usd_muldiv(deviation, level, 1000);
	mean_day(h, 0, &mean, &deviation);
	ret->day = usd_muldiv(mean, 1000 + level, 2000);
	ret->day_deviation = deviation;
}

static void add_forecast(struct buf *out, const char *name, int64_t end, struct usd floor, struct usd expected, struct usd deviation)
{
	struct usd low = usd_sub(expected, deviation), high = usd_add(expected, deviation);
	if (usd_cmp(low, floor) < 0) // what is spent is spent
		low = floor;
	buf_addf(out, "\"%s\":{\"end\":", name);
	json_time(out, end * MS_PER_HOUR);
	buf_adds(out, ",\"usd\":");
	json_usd(out, expected);
	buf_adds(out, ",\"usd_low\":");
	json_usd(out, low);
	buf_adds(out, ",\"usd_high\":");
	json_usd(out, high);
	buf_addc(out, '}');
}

bool api_forecast(struct api *a, const struct query *q, struct buf *out, struct err *err)
{
	int64_t now = q->now_ms / MS_PER_HOUR, day = api_day_start(now), month = api_month_start(now);
	int64_t next_month = api_month_start(month + 32 * DAY);
	int hour = (int)(now - day), days_left = (int)((next_month - day) / DAY - 1);
	struct history *h = xcalloc(1, sizeof *h);
	struct forecast f;
	struct group today, so_far;
	bool good = read_history(a, q, day, h, err) && api_sum(a, q, day, now + 1, &today, err) && api_sum(a, q, month, now + 1, &so_far, err);
	if (!good) {
		free(h);
		return false;
	}
	if (h->days)
		seasonal_forecast(h, hour, &f);
	else
		flat_forecast(h, hour, &f);
	int64_t minute = q->now_ms / MS_PER_MINUTE % 60;
	// The present hour counts as it stands, or as it was expected for the part that is over, whichever is more.
	struct usd expected = usd_add(sum_of(h->hours[0], 0, hour), f.rest), present = usd_muldiv(h->hours[0][hour], 60, minute > 5 ? minute : 60);
	struct usd least = usd_add(sum_of(h->hours[0], 0, hour), present);
	if (usd_cmp(expected, least) < 0)
		expected = least;
	struct usd rest_of_today = usd_sub(expected, today.usd), days = usd_muldiv(f.day, days_left, 1);
	struct usd month_end = usd_add(usd_add(so_far.usd, rest_of_today), days);
	usd_pico spread = f.day_deviation.pico / 1000000, own = f.deviation.pico / 1000000;
	buf_adds(out, "{\"now\":");
	json_time(out, q->now_ms);
	buf_addf(out, ",\"days_of_history\":%d,", h->days);
	add_forecast(out, "day", day + DAY, today.usd, expected, f.deviation);
	buf_addc(out, ',');
	// Days err together more often than not: half of the deviations add up, half go as the root.
	struct usd deviation = usd_add(usd_muldiv(f.day_deviation, days_left, 2), usd_muldiv(root(spread * spread * days_left + own * own), 1, 2));
	add_forecast(out, "month", next_month, so_far.usd, month_end, deviation);
	buf_addc(out, '}');
	free(h);
	return true;
}
