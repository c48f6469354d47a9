// SPDX-License-Identifier: Apache-2.0
// Spikes: each group's recent minutes (alert/rate_baseline.h) against this hour of other days, its own last
// hours, and its busy times.
#include <stdio.h>
#include <stdlib.h>

#include "alert/check_priv.h"
#include "alert/rate_monitor_priv.h"
#include "base/arn.h"
#include "base/when.h"

enum { DAY = 24, DOUBT_MINUTES = 60, OBSERVED_MIN = 54 };

struct hour_days {
	int64_t calls[RATE_DAYS], micro[RATE_DAYS];
};

// An hour of which little was observed tells nothing of what is usual.
static bool was_observed(const struct rate_monitor *p, int64_t hour, bool *ret, struct err *err)
{
	struct alert_check *c = p->check;
	const struct observed *o = rollups_observed(c->rollups, NULL, hour, hour + 1, c->now_ms, err);
	*ret = o && observed_count(o, hour * 60, (hour + 1) * 60, MINUTE_OBSERVED) >= OBSERVED_MIN;
	return o != NULL;
}

// Reads what each group took in an hour of another day, as day `d` of the list.
static bool read_day(const struct rate_monitor *p, int64_t hour, int d, struct hour_days *list,
                     struct err *err)
{
	struct alert_check *c = p->check;
	struct groups g;
	bool good = alert_sum_groups(c, p->rule, hour, hour + 1, &g, err);
	for (int32_t i = 0; good && i < g.n; i++) {
		const struct monitored_group *x =
			rate_monitor_find(p, p->rule->by.n ? g.list[i].keys[0] : STR("all"));
		if (!x)
			continue;
		list[x - p->list].calls[d] = g.list[i].calls;
		list[x - p->list].micro[d] = micro_of_usd(g.list[i].usd_low);
	}
	groups_release(&g);
	return good;
}

static bool read_seasonal_baselines(struct rate_monitor *p, struct err *err)
{
	int64_t now = p->check->now_ms / MS_PER_HOUR, first, last;
	if (p->has_seasons)
		return true;
	if (!rollups_extent(p->check->rollups, &first, &last, err))
		return false;
	struct hour_days *list = xcalloc((size_t)p->n + 1, sizeof *list);
	int days = 0;
	bool good = true;
	// the first hour with figures is hardly ever complete
	for (int back = 1; good && back <= RATE_DAYS && now - back * DAY > first; back++) {
		bool observed = false;
		good = was_observed(p, now - back * DAY, &observed, err) &&
		       (!observed || read_day(p, now - back * DAY, days, list, err));
		days += observed;
	}
	for (int32_t i = 0; good && i < p->n; i++) {
		p->list[i].calls = seasonal_baseline_of(list[i].calls, days);
		p->list[i].micro = seasonal_baseline_of(list[i].micro, days);
	}
	free(list);
	p->has_seasons = good;
	return good;
}

static void add_spike(struct rate_monitor *p, const struct monitored_group *x, const struct rate_spike *spike,
                 bool by_calls)
{
	struct alert_check *c = p->check;
	char now[USD_SIZE], usual[USD_SIZE], basis[GROUP_BASIS_SIZE], calls[24] = "hardly any";
	struct alert_finding *f = alert_add_finding(c, p->rule, NULL);
	f->group = arena_str(c->arena, x->group);
	f->usd = f->low = f->high = usd_of_micro(spike->micro);
	f->against = usd_of_micro(spike->usual_micro);
	f->basis = x->newest ? arena_str(c->arena, str_of(group_basis(x->newest, basis))) : STR("");
	f->from = c->now_ms / MS_PER_HOUR;
	f->to = f->from + 1;
	usd_format(f->usd, 2, now);
	usd_format(f->against, 2, usual);
	if (spike->usual_calls)
		snprintf(calls, sizeof calls, "%lld", (long long)spike->usual_calls);
	if (by_calls)
		f->text = alert_format(
			c->arena, "%.*s makes %lld calls in %lld minutes, where %s are usual: about $%s instead of $%s",
			STR_ARG(f->group), (long long)spike->calls, (long long)spike->minutes, calls, now, usual);
	else
		f->text = alert_format(c->arena, "%.*s spends $%s or more in %lld minutes, where $%s is usual",
		                    STR_ARG(f->group), now, (long long)spike->minutes, usual);
}

static struct rate_test rate_test_of(const struct rate_monitor *p, const struct monitored_group *x)
{
	int64_t calls = 0, mid = 0;
	for (int k = 0; k < RATE_MONITOR_HOURS; k++) {
		calls += x->hours[k].calls;
		mid += x->hours[k].mid;
	}
	return (struct rate_test){.factor_tenths = p->rule->factor_tenths,
	                          .floor_micro = micro_of_usd(p->rule->floor),
	                          .call_micro = calls ? mid / calls : 0,
	                          .span = p->span,
	                          .calls = x->calls,
	                          .micro = x->micro};
}

static bool is_covered(const struct rate_monitor *p, const struct monitored_group *x)
{
	return !p->rule->only.len || str_eq(p->rule->only, x->group);
}

// ---- live ---------------------------------------------------------------------------------------

// The account in an ARN; empty for other names.
static struct str account_of(struct str group)
{
	return str_starts(group, STR("arn:")) ? arn_cut_account(&group) : STR_NONE;
}

// Whether another group of the same account has had a spike in calls in the last hour. Until the tokens of
// those calls are known, some of them may be allocated to this group.
static bool is_doubtful(const struct rate_monitor *p, const struct monitored_group *x)
{
	struct str mine = account_of(x->group);
	for (int32_t i = 0; i < p->n; i++) {
		struct str other = account_of(p->list[i].group);
		if (p->list[i].rate_baseline.spiked_at &&
		    x->rate_baseline.at_minute - p->list[i].rate_baseline.spiked_at < DOUBT_MINUTES &&
		    (!mine.len || !other.len || str_eq(mine, other)))
			return true;
	}
	return false;
}

static void check_recent(struct rate_monitor *p)
{
	struct rate_spike spike;
	bool any_spiked = false;
	for (int32_t i = 0; i < p->n; i++) {
		struct monitored_group *x = &p->list[i];
		struct rate_test ask = rate_test_of(p, x);
		if (rate_baseline_calls_spike(&x->rate_baseline, &ask, &spike)) {
			x->rate_baseline.spiked_at = x->rate_baseline.at_minute;
			if (is_covered(p, x))
				add_spike(p, x, &spike, true);
		}
		any_spiked |= x->rate_baseline.spiked_at != 0;
	}
	for (int32_t i = 0; i < p->n; i++) {
		const struct monitored_group *x = &p->list[i];
		struct rate_test ask = rate_test_of(p, x);
		if (is_covered(p, x) && rate_baseline_usd_spike(&x->rate_baseline, &ask, &spike) &&
		    !(any_spiked && is_doubtful(p, x)))
			add_spike(p, x, &spike, false);
	}
}

// ---- stored hours -------------------------------------------------------------------------------

// Each hour's amount is spread evenly over its minutes, so a spike is found at the beginning of its hour, if
// the whole hour amounts to one.
static void check_stored_hour(struct rate_monitor *p, const struct monitored_group *x)
{
	int64_t first = (p->check->now_ms / MS_PER_HOUR - RATE_MONITOR_HOURS + 1) * 60;
	const struct rate_test ask = rate_test_of(p, x);
	struct rate_spike spike;
	struct rate_baseline rate_baseline = {0};
	int begin = (RATE_MONITOR_HOURS - 1 - p->observed) * 60;
	int end = (RATE_MONITOR_HOURS - 1) * 60 + RATE_MINUTES;
	for (int m = begin; is_covered(p, x) && m < end; m++) {
		rate_baseline_add(&rate_baseline, first + m, x->hours[m / 60].calls / 60,
		                  x->hours[m / 60].micro / 60);
		if (m < (RATE_MONITOR_HOURS - 1) * 60)
			continue;
		bool by_calls = rate_baseline_calls_spike(&rate_baseline, &ask, &spike);
		if (by_calls || rate_baseline_usd_spike(&rate_baseline, &ask, &spike)) {
			add_spike(p, x, &spike, by_calls);
			return;
		}
	}
}

// ---- all ----------------------------------------------------------------------------------------

bool alert_check_spikes(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	struct rate_monitor p;
	bool good = rate_monitor_read(&p, c, rule, err) && read_seasonal_baselines(&p, err);
	for (int32_t i = 0; good && c->hourly && i < p.n; i++)
		check_stored_hour(&p, &p.list[i]);
	if (good && !c->hourly)
		check_recent(&p);
	good = good && rate_monitor_write(&p, err);
	rate_monitor_release(&p);
	return good;
}
