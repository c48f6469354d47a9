// SPDX-License-Identifier: Apache-2.0
// Burn rates over two windows each: the long one shows that the amount matters, the short one that it is
// still being spent. In both, the budget must be spent this many times as fast as would exhaust it exactly at
// the end of its period. (The method is that of the Google SRE Workbook, "Alerting on SLOs", for error
// budgets.)
//
//     1 hour and 5 minutes   14.4 times        a fiftieth of a month's budget is spent in the hour
//     6 hours and 30 minutes    6 times        a twentieth
//     3 days and 6 hours        1 time         a tenth
//
// Windows end now. Long ones are sums of hours, the oldest in part; minutes are what arrived in them
// (alert/rate_monitor_priv.h). Over stored hours, whose minutes are not kept, a short window is the current
// hour.
#include "alert/check_priv.h"
#include "alert/rate_monitor_priv.h"
#include "base/when.h"

enum { MINUTES_AN_HOUR = 60 };

static const struct burn {
	int64_t hours, short_minutes, tenths;
} burns[] = {{1, 5, 144}, {6, 30, 60}, {72, 6 * MINUTES_AN_HOUR, 10}};

// The sums of the last `hours`: those of the hours they touch, and of the oldest, of which a part does not
// count.
struct window_sums {
	struct groups all, oldest;
};

static bool read_window(struct alert_check *c, const struct alert_rule *rule, int64_t hours,
                         struct window_sums *ret, struct err *err)
{
	int64_t now = c->now_ms / MS_PER_HOUR;
	groups_init(&ret->oldest, &rule->by);
	return alert_sum_groups(c, rule, now - hours, now + 1, &ret->all, err) &&
	       alert_sum_groups(c, rule, now - hours, now - hours + 1, &ret->oldest, err);
}

static void release_window(struct window_sums *r)
{
	groups_release(&r->all);
	groups_release(&r->oldest);
}

static struct usd window_usd(const struct alert_check *c, const struct window_sums *r, const struct group *g)
{
	const struct group *all = alert_find_group(&r->all, g), *oldest = alert_find_group(&r->oldest, g);
	if (!all)
		return USD_ZERO;
	return oldest ? usd_sub(all->usd_low, usd_muldiv(oldest->usd_low, c->now_ms % MS_PER_HOUR, MS_PER_HOUR))
	              : all->usd_low;
}

static bool is_too_fast(struct usd spent, const struct alert_rule *rule, int64_t period_hours,
                        int64_t minutes, int64_t tenths)
{
	struct usd even = usd_muldiv(rule->amount, minutes, period_hours * MINUTES_AN_HOUR); // what lasts exactly
	return usd_cmp(spent, usd_muldiv(even, tenths, 10)) > 0;
}

// What a group spent in both windows.
struct burn_spend {
	struct usd in_long, in_short;
	int64_t short_minutes; // of the short window, as it was measured
	int64_t period_hours;  // of the budget
};

static bool is_burning(const struct alert_rule *rule, const struct burn *b, const struct burn_spend *s)
{
	return usd_cmp(s->in_long, rule->floor) >= 0 &&
	       is_too_fast(s->in_long, rule, s->period_hours, b->hours * MINUTES_AN_HOUR, b->tenths) &&
	       is_too_fast(s->in_short, rule, s->period_hours, s->short_minutes, b->tenths);
}

static void add_burn(struct alert_check *c, const struct alert_rule *rule, const struct burn *b,
                     const struct group *g, const struct burn_spend *s)
{
	struct alert_finding *f = alert_add_finding(c, rule, g);
	int64_t now = c->now_ms / MS_PER_HOUR, minutes = s->short_minutes;
	struct str recently =
		minutes < MINUTES_AN_HOUR
			? alert_format(c->arena, "last %lld minute%s", (long long)minutes, text_s(minutes))
		: minutes == MINUTES_AN_HOUR
			? STR("current hour")
			: alert_format(c->arena, "last %lld hours", (long long)minutes / MINUTES_AN_HOUR);
	f->usd = f->low = f->high = s->in_long;
	f->period = alert_format(c->arena, "%lldh", (long long)b->hours);
	f->against = rule->amount;
	f->from = now - b->hours;
	f->to = now + 1;
	f->text = alert_format(
		c->arena,
		"%.*s spends its %s for the %s at more than %lld.%lld times the even pace: %s in the last %s, the even pace would be %s; %s in the %.*s",
		STR_ARG(f->group), alert_money(rule->amount).text, alert_period_names[rule->period],
		(long long)b->tenths / 10, (long long)b->tenths % 10, alert_money(s->in_long).text,
		b->hours == 1 ? "hour" : f->period.p,
		alert_money(usd_muldiv(rule->amount, b->hours, s->period_hours)).text, alert_money(s->in_short).text,
		STR_ARG(recently));
}

static bool check_windows(struct alert_check *c, const struct alert_rule *rule, const struct burn *b,
                          const struct rate_monitor *monitor, struct err *err)
{
	char name[WHEN_SIZE];
	int64_t from, to;
	bool by_hours = b->short_minutes >= MINUTES_AN_HOUR;
	struct window_sums long_window, short_window;
	alert_period_of(rule->period, c->now_ms / MS_PER_HOUR, &from, &to, name);
	groups_init(&short_window.all, &rule->by);
	groups_init(&short_window.oldest, &rule->by);
	bool good = read_window(c, rule, b->hours, &long_window, err) &&
	            (!by_hours || read_window(c, rule, b->short_minutes / MINUTES_AN_HOUR, &short_window, err));
	for (int32_t i = 0; good && i < long_window.all.n; i++) {
		const struct group *g = &long_window.all.list[i];
		const struct monitored_group *x = rate_monitor_find(monitor, rule->by.n ? g->keys[0] : STR("all"));
		struct burn_spend s = {.in_long = window_usd(c, &long_window, g),
		                       .in_short = USD_ZERO,
		                       .short_minutes = b->short_minutes,
		                       .period_hours = to - from};
		if (by_hours) {
			s.in_short = window_usd(c, &short_window, g);
		} else if (x && c->hourly) {
			s.in_short = usd_of_micro(x->hours[RATE_MONITOR_HOURS - 1].micro);
			s.short_minutes = MINUTES_AN_HOUR;
		} else if (x) {
			s.in_short = usd_of_micro(rate_baseline_micro(&x->rate_baseline, (int)b->short_minutes));
		}
		if (alert_rule_covers(rule, g) && is_burning(rule, b, &s))
			add_burn(c, rule, b, g, &s);
	}
	release_window(&long_window);
	release_window(&short_window);
	return good;
}

bool alert_check_burn(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	struct rate_monitor monitor;
	bool good = rate_monitor_read(&monitor, c, rule, err);
	for (size_t i = 0; good && i < sizeof burns / sizeof *burns; i++)
		good = check_windows(c, rule, &burns[i], &monitor, err);
	good = good && rate_monitor_write(&monitor, err);
	rate_monitor_release(&monitor);
	return good;
}
