// SPDX-License-Identifier: Apache-2.0
// What the day and the month will have cost when they are over (serve/forecast.h says how), with the band, and with how far
// off the same forecast was on the days before.
#include <stdlib.h>

#include "base/when.h"
#include "serve/api.h"
#include "serve/forecast.h"

enum { DAY = 24, MICRO = 1000000 };

static double dollars(struct usd u)
{
	return (double)u.pico / 1e12;
}

// Foretold dollars are no accounts: micro-dollars are fine enough.
static struct usd usd_of(double dollars)
{
	double micro = dollars * MICRO;
	return (struct usd){(usd_pico)(micro < 9e15 ? (int64_t)micro : (int64_t)9e15) * MICRO};
}

static bool read_past(struct api *a, const struct query *q, int64_t day, struct forecast_past *p, struct err *err)
{
	const struct grouping hourly = {.n = 1, .by = {BY_HOUR}, .name = {STR("hour")}};
	struct groups g;
	int64_t from = day - FORECAST_DAYS_MAX * DAY;
	groups_init(&g, &hourly);
	bool good = figures_sum(a->figures, &hourly, &q->only, from, day + DAY, q->now_ms / MS_PER_HOUR, &g, err);
	for (int32_t i = 0; good && i < g.n; i++) {
		int64_t ms = 0;
		when_parse(g.list[i].keys[0], &ms);
		int64_t at = ms / MS_PER_HOUR - from;
		if (at >= 0 && at < (FORECAST_DAYS_MAX + 1) * DAY)
			p->hours[at] = dollars(g.list[i].usd);
	}
	p->day = FORECAST_DAYS_MAX;
	p->hour = (int)(q->now_ms / MS_PER_HOUR - day);
	p->minute = (int)(q->now_ms / MS_PER_MINUTE % 60);
	p->weekday = (int)((day / DAY + 3) % 7); // day 0 was a Thursday
	groups_release(&g);
	return good;
}

// `so_far`: what is spent, and stays so. `all`: the middle of the band, half as wide as `half`.
static void add_forecast(struct buf *out, const char *name, int64_t end, struct usd so_far, struct usd all, struct usd half, const struct forecast_score *score)
{
	struct usd low = usd_sub(all, half);
	buf_addf(out, "\"%s\":{\"end\":", name);
	json_time(out, end * MS_PER_HOUR);
	buf_adds(out, ",\"usd\":");
	json_usd(out, all);
	buf_adds(out, ",\"usd_low\":");
	json_usd(out, usd_cmp(low, so_far) < 0 ? so_far : low);
	buf_adds(out, ",\"usd_high\":");
	json_usd(out, usd_add(all, half));
	buf_addf(out, ",\"scored_days\":%d,\"off\":", score->days);
	if (score->days)
		buf_addf(out, "%.4f}", score->off);
	else
		buf_adds(out, "null}");
}

bool api_forecast(struct api *a, const struct query *q, struct buf *out, struct err *err)
{
	int64_t now = q->now_ms / MS_PER_HOUR, day = api_day_start(now), month = api_month_start(now), next_month = api_month_start(month + 32 * DAY);
	struct forecast_past *p = xcalloc(1, sizeof *p);
	struct forecast f;
	struct group today, so_far, this_hour;
	bool good = read_past(a, q, day, p, err) && api_sum(a, q, day, now + 1, &today, err) && api_sum(a, q, month, now + 1, &so_far, err) &&
	            api_sum(a, q, now, now + 1, &this_hour, err);
	if (good) {
		forecast_make(p, (int)((next_month - day) / DAY - 1), &f);
		struct usd rest = usd_sub(usd_of(f.rest), this_hour.usd); // of which the present hour is spent in part
		if (rest.pico < 0)
			rest = USD_ZERO;
		struct usd ahead = usd_of(f.ahead), half = usd_of(f.half);
		buf_adds(out, "{\"now\":");
		json_time(out, q->now_ms);
		buf_addf(out, ",\"days_of_history\":%d,", f.days);
		add_forecast(out, "day", day + DAY, today.usd, usd_add(today.usd, rest), half, &f.score);
		buf_addc(out, ',');
		add_forecast(out, "month", next_month, so_far.usd, usd_add(so_far.usd, usd_add(rest, ahead)), usd_add(half, usd_of(f.ahead_half)), &f.ahead_score);
		buf_addc(out, '}');
	}
	free(p);
	return good;
}
