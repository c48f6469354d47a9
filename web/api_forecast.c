// SPDX-License-Identifier: Apache-2.0
// Forecasts of the day's and the month's spend at their end (query/forecast.h says how), with the band, and
// with the error of the same forecast on past days.
#include "base/when.h"
#include "query/group_forecast.h"
#include "web/api.h"

enum { DAY = 24, OFF_PLACES = 4 };

// A forecast until the hour `end`. `so_far`: what is spent already, below which the band cannot lie. `all`:
// the middle of the band, which reaches `half` to either side.
static void write_forecast(struct json_writer *j, const char *name, int64_t end, struct usd so_far,
                           struct usd all, struct usd half, const struct forecast_score *score)
{
	struct usd low = usd_sub(all, half);
	jw_object(j, name);
	jw_time(j, "end", end * MS_PER_HOUR);
	jw_usd(j, "usd", all);
	jw_usd(j, "usd_low", usd_cmp(low, so_far) < 0 ? so_far : low);
	jw_usd(j, "usd_high", usd_add(all, half));
	jw_int(j, "scored_days", score->days);
	if (score->days)
		jw_real(j, "off", score->off, OFF_PLACES);
	else
		jw_null(j, "off");
	jw_end(j);
}

bool api_forecast(struct api *a, const struct api_query *q, struct json_writer *j, struct err *err)
{
	int64_t now = q->now_ms / MS_PER_HOUR, day = when_day_start(now), month = when_month_start(now),
			next_month = when_month_start(month + 32 * DAY);
	struct group_forecasts forecasts;
	struct group today, so_far;
	if (!group_forecasts_read(&forecasts, a->rollups, &(struct grouping){0}, &q->only, q->now_ms, next_month,
	                          err))
		return false;
	bool good = api_sum(a, q, day, now + 1, &today, err) && api_sum(a, q, month, now + 1, &so_far, err);
	if (good) {
		struct group_forecast *all = &forecasts.list[0];
		group_forecasts_score(all);
		const struct forecast *f = &all->forecast;
		struct usd half = group_forecasts_usd(f->half);
		jw_object(j, NULL);
		jw_time(j, "now", q->now_ms);
		jw_int(j, "days_of_history", f->days);
		write_forecast(j, "day", day + DAY, today.usd,
		               usd_add(today.usd, group_forecasts_more(&forecasts, all, day + DAY)), half, &f->score);
		write_forecast(j, "month", next_month, so_far.usd,
		               usd_add(so_far.usd, group_forecasts_more(&forecasts, all, next_month)),
		               usd_add(half, group_forecasts_usd(f->ahead_half)), &f->ahead_score);
		jw_end(j);
	}
	group_forecasts_release(&forecasts);
	return good;
}
