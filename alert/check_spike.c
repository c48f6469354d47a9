// SPDX-License-Identifier: Apache-2.0
// Spikes: each group's pace (alert_pace.h) against this hour of other days, its own last hours, and its busy times.
#include <stdio.h>
#include <stdlib.h>

#include "alert/rate_monitor.h"
#include "base/arn.h"
#include "base/when.h"

enum { DAY = 24, DOUBT_MINUTES = 60 };

struct hour_days {
	int64_t calls[PACE_DAYS], micro[PACE_DAYS];
};

// Adds what a group took in this hour of another day.
static bool read_day(const struct alert_paces *p, int d, struct hour_days *list, struct err *err)
{
	struct alert_check *c = p->check;
	int64_t hour = c->now_ms / MS_PER_HOUR - (d + 1) * DAY;
	struct groups g;
	bool good = alert_sum(c, p->rule, hour, hour + 1, &g, err);
	for (int32_t i = 0; good && i < g.n; i++) {
		const struct paced *x = alert_paces_find(p, p->rule->by.n ? g.list[i].keys[0] : STR("all"));
		if (!x)
			continue;
		list[x - p->list].calls[d] = g.list[i].calls;
		list[x - p->list].micro[d] = micro_of(g.list[i].usd_low);
	}
	groups_release(&g);
	return good;
}

static bool read_seasons(struct alert_paces *p, struct err *err)
{
	int64_t now = p->check->now_ms / MS_PER_HOUR, first, last;
	if (!rollups_extent(p->check->rollups, &first, &last, err))
		return false;
	struct hour_days *list = xcalloc((size_t)p->n + 1, sizeof *list);
	int days = 0;
	bool good = true;
	for (; good && days < PACE_DAYS && now - (days + 1) * DAY > first; days++) // the first hour is hardly ever whole
		good = read_day(p, days, list, err);
	for (int32_t i = 0; good && i < p->n; i++) {
		p->list[i].calls = pace_season(list[i].calls, days);
		p->list[i].micro = pace_season(list[i].micro, days);
	}
	free(list);
	return good;
}

static void ring(struct alert_paces *p, const struct paced *x, const struct pace_jump *j, bool by_calls)
{
	struct alert_check *c = p->check;
	char now[USD_SIZE], usual[USD_SIZE], basis[GROUP_BASIS_SIZE], calls[24] = "hardly any";
	struct alert_finding *f = alert_check_add(c, p->rule, NULL);
	f->group = arena_str(c->arena, x->group);
	f->usd = f->low = f->high = usd_of_micro(j->micro);
	f->against = usd_of_micro(j->usual_micro);
	f->basis = x->newest ? arena_str(c->arena, str_of(group_basis(x->newest, basis))) : STR("");
	f->from = c->now_ms / MS_PER_HOUR;
	f->to = f->from + 1;
	usd_format(f->usd, 2, now);
	usd_format(f->against, 2, usual);
	if (j->usual_calls)
		snprintf(calls, sizeof calls, "%lld", (long long)j->usual_calls);
	if (by_calls)
		f->text = alert_say(c, "%.*s makes %lld calls in %lld minutes, where %s are usual: about $%s in place of $%s", STR_ARG(f->group),
		                    (long long)j->calls, (long long)j->minutes, calls, now, usual);
	else
		f->text = alert_say(c, "%.*s spends $%s or more in %lld minutes, where $%s is usual", STR_ARG(f->group), now, (long long)j->minutes, usual);
}

static struct pace_ask ask_of(const struct alert_paces *p, const struct paced *x)
{
	int64_t calls = 0, mid = 0;
	for (int k = 0; k < PACED_HOURS; k++) {
		calls += x->hours[k].calls;
		mid += x->hours[k].mid;
	}
	return (struct pace_ask){.factor_tenths = p->rule->factor_tenths, .floor_micro = micro_of(p->rule->floor), .call_micro = calls ? mid / calls : 0,
	                         .span = p->span, .calls = x->calls, .micro = x->micro};
}

static bool is_wanted(const struct alert_paces *p, const struct paced *x)
{
	return !p->rule->only.len || str_eq(p->rule->only, x->group);
}

// ---- live ----------------------------------------------------------------------------------------------------------

// The account in an ARN; empty for other names.
static struct str account_of(struct str group)
{
	return str_starts(group, STR("arn:")) ? arn_cut_account(&group) : STR_NONE;
}

// Has somebody's number of calls jumped of late whose tokens may have been split with this one? Until it is known what those
// calls take, others seem to spend it.
static bool is_doubtful(const struct alert_paces *p, const struct paced *x)
{
	struct str mine = account_of(x->group);
	for (int32_t i = 0; i < p->n; i++) {
		struct str other = account_of(p->list[i].group);
		if (p->list[i].pace.jumped && x->pace.at_minute - p->list[i].pace.jumped < DOUBT_MINUTES && (!mine.len || !other.len || str_eq(mine, other)))
			return true;
	}
	return false;
}

static void judge_live(struct alert_paces *p)
{
	struct pace_jump jump;
	bool doubt = false;
	for (int32_t i = 0; i < p->n; i++) {
		struct paced *x = &p->list[i];
		struct pace_ask ask = ask_of(p, x);
		if (pace_calls_jump(&x->pace, &ask, &jump)) {
			x->pace.jumped = x->pace.at_minute;
			if (is_wanted(p, x))
				ring(p, x, &jump, true);
		}
		doubt |= x->pace.jumped != 0;
	}
	for (int32_t i = 0; i < p->n; i++) {
		const struct paced *x = &p->list[i];
		struct pace_ask ask = ask_of(p, x);
		if (is_wanted(p, x) && pace_dollars_jump(&x->pace, &ask, &jump) && !(doubt && is_doubtful(p, x)))
			ring(p, x, &jump, false);
	}
}

// ---- stored hours --------------------------------------------------------------------------------------------------

// Each hour's amount spread evenly over its minutes, so a jump shows as its hour begins, if the whole hour makes one.
static void judge_hour(struct alert_paces *p, const struct paced *x)
{
	int64_t first = (p->check->now_ms / MS_PER_HOUR - PACED_HOURS + 1) * 60;
	const struct pace_ask ask = ask_of(p, x);
	struct pace_jump jump;
	struct pace pace = {0};
	for (int m = 0; is_wanted(p, x) && m < (PACED_HOURS - 1) * 60 + PACE_MINUTES; m++) {
		pace_add(&pace, first + m, x->hours[m / 60].calls / 60, x->hours[m / 60].micro / 60);
		if (m < (PACED_HOURS - 1) * 60)
			continue;
		bool by_calls = pace_calls_jump(&pace, &ask, &jump);
		if (by_calls || pace_dollars_jump(&pace, &ask, &jump)) {
			ring(p, x, &jump, by_calls);
			return;
		}
	}
}

// ---- all -----------------------------------------------------------------------------------------------------------

bool alert_check_spikes(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	struct alert_paces p;
	bool good = alert_paces_read(&p, c, rule, err) && read_seasons(&p, err);
	for (int32_t i = 0; good && c->hourly && i < p.n; i++)
		judge_hour(&p, &p.list[i]);
	if (good && !c->hourly)
		judge_live(&p);
	good = good && alert_paces_write(&p, err);
	alert_paces_release(&p);
	return good;
}
