// SPDX-License-Identifier: Apache-2.0
// Burn rates by two windows each: the long one says that it matters, the short one that it still goes on.
// Both must spend the budget so many times as fast as would make it last for its period.
//
//     1 hour and 5 minutes   14.4 times        a fiftieth of a month's budget is gone in the hour
//     6 hours and 30 minutes    6 times        a twentieth
//     3 days and 6 hours        1 time         a tenth
//
// Windows end now. Long ones are sums of hours, the oldest of them in part; minutes are what has arrived in
// them (alert_pace.h). Over stored hours, whose minutes are not kept, a short window is the hour in hand.
#include "alert/check_priv.h"
#include "alert/rate_monitor_priv.h"
#include "base/when.h"

enum { HOUR = 60 };

static const struct burn {
	int64_t hours, short_minutes, tenths;
} burns[] = {{1, 5, 144}, {6, 30, 60}, {72, 6 * HOUR, 10}};

// The sums of the last `hours`: those of the hours they touch, and of the oldest, of which a part does not
// count.
struct rolling {
	struct groups all, oldest;
};

static bool read_rolling(struct alert_check *c, const struct alert_rule *rule, int64_t hours,
                         struct rolling *ret, struct err *err)
{
	int64_t now = c->now_ms / MS_PER_HOUR;
	groups_init(&ret->oldest, &rule->by);
	return alert_sum_groups(c, rule, now - hours, now + 1, &ret->all, err) &&
	       alert_sum_groups(c, rule, now - hours, now - hours + 1, &ret->oldest, err);
}

static void release_rolling(struct rolling *r)
{
	groups_release(&r->all);
	groups_release(&r->oldest);
}

static struct usd rolling_of(const struct alert_check *c, const struct rolling *r, const struct group *g)
{
	const struct group *all = alert_find_group(&r->all, g), *oldest = alert_find_group(&r->oldest, g);
	if (!all)
		return USD_ZERO;
	return oldest ? usd_sub(all->usd_low, usd_muldiv(oldest->usd_low, c->now_ms % MS_PER_HOUR, MS_PER_HOUR))
	              : all->usd_low;
}

static bool too_fast(struct usd spent, const struct alert_rule *rule, int64_t period_hours, int64_t minutes,
                     int64_t tenths)
{
	struct usd even = usd_muldiv(rule->amount, minutes, period_hours * HOUR); // what lasts exactly
	return usd_cmp(spent, usd_muldiv(even, tenths, 10)) > 0;
}

static void ring(struct alert_check *c, const struct alert_rule *rule, const struct burn *b,
                 const struct group *g, struct usd long_, struct usd short_, int64_t short_minutes,
                 int64_t period_hours)
{
	struct alert_finding *f = alert_add_finding(c, rule, g);
	int64_t now = c->now_ms / MS_PER_HOUR;
	struct str lately = short_minutes < HOUR ? alert_format(c->arena, "last %lld minutes", (long long)short_minutes)
	                    : short_minutes == HOUR
	                        ? STR("hour in hand")
	                        : alert_format(c->arena, "last %lld hours", (long long)short_minutes / HOUR);
	f->usd = f->low = f->high = long_;
	f->period = alert_format(c->arena, "%lldh", (long long)b->hours);
	f->against = rule->amount;
	f->from = now - b->hours;
	f->to = now + 1;
	f->text = alert_format(c->arena,
		"%.*s spends its %s for the %s at more than %lld.%lld times the even pace: %s in the last %s, evenly it would be %s; %s in the %.*s",
		STR_ARG(f->group), alert_money(rule->amount).text, alert_period_names[rule->period],
		(long long)b->tenths / 10, (long long)b->tenths % 10, alert_money(long_).text,
		b->hours == 1 ? "hour" : f->period.p,
		alert_money(usd_muldiv(rule->amount, b->hours, period_hours)).text, alert_money(short_).text,
		STR_ARG(lately));
}

static bool check_one(struct alert_check *c, const struct alert_rule *rule, const struct burn *b,
                      const struct rate_monitor *monitor, struct err *err)
{
	char name[WHEN_SIZE];
	int64_t from, to;
	bool by_hours = b->short_minutes >= HOUR;
	struct rolling long_, few;
	alert_period_of(rule->period, c->now_ms / MS_PER_HOUR, &from, &to, name);
	groups_init(&few.all, &rule->by);
	groups_init(&few.oldest, &rule->by);
	bool good = read_rolling(c, rule, b->hours, &long_, err) &&
	            (!by_hours || read_rolling(c, rule, b->short_minutes / HOUR, &few, err));
	for (int32_t i = 0; good && i < long_.all.n; i++) {
		const struct group *g = &long_.all.list[i];
		const struct monitored_group *x = rate_monitor_find(monitor, rule->by.n ? g->keys[0] : STR("all"));
		int64_t minutes = b->short_minutes;
		struct usd spent = rolling_of(c, &long_, g), lately = USD_ZERO;
		if (by_hours) {
			lately = rolling_of(c, &few, g);
		} else if (x && c->hourly) {
			lately = usd_of_micro(x->hours[RATE_MONITOR_HOURS - 1].micro);
			minutes = HOUR;
		} else if (x) {
			lately = usd_of_micro(rate_baseline_micro(&x->rate_baseline, (int)minutes));
		}
		if (alert_rule_covers(rule, g) && usd_cmp(spent, rule->floor) >= 0 &&
		    too_fast(spent, rule, to - from, b->hours * HOUR, b->tenths) &&
		    too_fast(lately, rule, to - from, minutes, b->tenths))
			ring(c, rule, b, g, spent, lately, minutes, to - from);
	}
	release_rolling(&long_);
	release_rolling(&few);
	return good;
}

bool alert_check_burn(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	struct rate_monitor monitor;
	bool good = rate_monitor_read(&monitor, c, rule, err);
	for (size_t i = 0; good && i < sizeof burns / sizeof *burns; i++)
		good = check_one(c, rule, &burns[i], &monitor, err);
	good = good && rate_monitor_write(&monitor, err);
	rate_monitor_release(&monitor);
	return good;
}
