// SPDX-License-Identifier: Apache-2.0
// What the day and the month will have cost when they are over (query/forecast.h says how), with the band,
// and with how far off the same forecast was on the days before.
#include "base/when.h"
#include "query/group_forecast.h"
#include "web/api.h"

enum { DAY = 24 };

// `so_far`: what is spent, and stays so. `all`: the middle of the band, half as wide as `half`.
static void add_forecast(struct buf *out, const char *name, int64_t end, struct usd so_far, struct usd all,
                         struct usd half, const struct forecast_score *score)
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

bool api_forecast(struct api *a, const struct api_query *q, struct buf *out, struct err *err)
{
	int64_t now = q->now_ms / MS_PER_HOUR, day = when_day_start(now), month = when_month_start(now),
			next_month = when_month_start(month + 32 * DAY);
	struct group_forecasts o;
	struct group today, so_far;
	if (!group_forecasts_read(&o, a->rollups, &(struct grouping){0}, &q->only, q->now_ms, next_month, err))
		return false;
	bool good = api_sum(a, q, day, now + 1, &today, err) && api_sum(a, q, month, now + 1, &so_far, err);
	if (good) {
		struct group_forecast *all = &o.list[0];
		group_forecasts_judge(all);
		const struct forecast *f = &all->forecast;
		struct usd half = group_forecasts_usd(f->half);
		buf_adds(out, "{\"now\":");
		json_time(out, q->now_ms);
		buf_addf(out, ",\"days_of_history\":%d,", f->days);
		add_forecast(out, "day", day + DAY, today.usd,
		             usd_add(today.usd, group_forecasts_more(&o, all, day + DAY)), half, &f->score);
		buf_addc(out, ',');
		add_forecast(out, "month", next_month, so_far.usd,
		             usd_add(so_far.usd, group_forecasts_more(&o, all, next_month)),
		             usd_add(half, group_forecasts_usd(f->ahead_half)), &f->ahead_score);
		buf_addc(out, '}');
	}
	group_forecasts_release(&o);
	return good;
}
