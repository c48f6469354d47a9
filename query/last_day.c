// SPDX-License-Identifier: Apache-2.0
#include "query/last_day.h"

#include <assert.h>

#include "query/group_sum.h"

struct reading {
	struct groups callers;
	struct telemetry_calls *telemetry;
};

static void add_telemetry(struct telemetry_calls *to, const struct telemetry_calls *from)
{
	to->used += from->used;
	to->refused += from->refused;
	to->unjoined += from->unjoined;
}

static bool add_model_hour(void *user, struct view *v, const struct model_hour *model_hour)
{
	struct reading *r = user;
	add_telemetry(r->telemetry, &model_hour->telemetry);
	return groups_add(&r->callers, v, model_hour);
}

// One hour at a time: all 24 may be a hundred thousand groups.
static bool read_hour(struct view *v, int64_t hour, struct last_day_sum *ret, struct err *err)
{
	struct grouping by = {.n = 1, .by = {BY_PRINCIPAL}, .name = {STR("principal")}};
	struct reading r = {.telemetry = &ret->telemetry};
	*ret = (struct last_day_sum){.width = USD_ZERO};
	groups_init(&r.callers, &by);
	bool good = view_each(v, hour, hour + 1, add_model_hour, &r, err);
	for (int32_t i = 0; i < r.callers.n; i++) {
		const struct group *caller = &r.callers.list[i];
		group_add_figures(&ret->all, caller);
		ret->width = usd_add(ret->width, usd_sub(caller->usd_high, caller->usd_low));
	}
	groups_release(&r.callers);
	return good;
}

bool last_day_read(struct last_day *d, struct view *v, int64_t now, struct last_day_sum *ret, struct err *err)
{
	uint64_t marks[LAST_DAY_HOURS];
	const int64_t from = now + 1 > LAST_DAY_HOURS ? now + 1 - LAST_DAY_HOURS : 0; // `now` may be asked for
	assert(now >= 0);
	*ret = (struct last_day_sum){.width = USD_ZERO};
	if (!view_marks(v, from, now + 1, marks, err))
		return false;
	for (int64_t hour = from; hour <= now; hour++) {
		struct last_day_hour *x = &d->hours[hour % LAST_DAY_HOURS];
		uint64_t mark = marks[hour - from];
		if (!mark || x->hour != hour || x->mark != mark) {
			*x = (struct last_day_hour){.hour = hour};
			if (!read_hour(v, hour, &x->sum, err))
				return false;
			x->mark = mark;
		}
		group_add_figures(&ret->all, &x->sum.all);
		ret->width = usd_add(ret->width, x->sum.width);
		add_telemetry(&ret->telemetry, &x->sum.telemetry);
	}
	return true;
}
