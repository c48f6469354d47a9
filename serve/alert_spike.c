// SPDX-License-Identifier: Apache-2.0
// Spikes: each group's pace (alert_pace.h) against its own last hours, its busy times, and this hour of other days.
#include <stdlib.h>

#include "base/when.h"
#include "serve/alert_pace.h"

enum { DAY = 24, SEASON_DAYS = 7, DOUBT_MINUTES = 60 };

// The most that this hour took on other days, a group.
static bool read_season(const struct alert_paces *p, struct hour_sum *season, struct err *err)
{
	struct alert_check *c = p->check;
	int64_t now = c->now_ms / MS_PER_HOUR;
	for (int d = 1; d <= SEASON_DAYS; d++) {
		struct groups g;
		bool good = alert_sum(c, p->rule, now - d * DAY, now - d * DAY + 1, &g, err);
		for (int32_t i = 0; good && i < g.n; i++) {
			const struct paced *x = alert_paces_find(p, p->rule->by.n ? g.list[i].keys[0] : STR("all"));
			if (!x)
				continue;
			struct hour_sum *most = &season[x - p->list];
			if (g.list[i].calls > most->calls)
				most->calls = g.list[i].calls;
			if (micro_of(g.list[i].usd_low) > most->micro)
				most->micro = micro_of(g.list[i].usd_low);
		}
		groups_release(&g);
		if (!good)
			return false;
	}
	return true;
}

static void ring(struct alert_paces *p, const struct paced *x, const struct pace_jump *j, bool by_calls)
{
	struct alert_check *c = p->check;
	char now[USD_SIZE], usual[USD_SIZE], basis[GROUP_BASIS_SIZE];
	struct alert_finding *f = alert_check_add(c, p->rule, NULL);
	f->group = arena_str(c->arena, x->group);
	f->usd = f->low = f->high = usd_of_micro(j->micro);
	f->against = usd_of_micro(j->usual_micro);
	f->basis = x->newest ? arena_str(c->arena, str_of(group_basis(x->newest, basis))) : STR("");
	f->from = c->now_ms / MS_PER_HOUR;
	f->to = f->from + 1;
	usd_format(f->usd, 2, now);
	usd_format(f->against, 2, usual);
	if (by_calls)
		f->text = alert_say(c, "%.*s makes %lld calls in %lld minutes, where %lld are usual: about $%s in place of $%s", STR_ARG(f->group),
		                    (long long)j->calls, (long long)j->minutes, (long long)j->usual_calls, now, usual);
	else
		f->text = alert_say(c, "%.*s spends $%s or more in %lld minutes, where $%s is usual", STR_ARG(f->group), now, (long long)j->minutes, usual);
}

static struct pace_ask ask_of(const struct alert_paces *p, const struct paced *x, struct hour_sum season)
{
	int64_t calls = 0, mid = 0;
	for (int k = 0; k < PACED_HOURS; k++) {
		calls += x->hours[k].calls;
		mid += x->hours[k].mid;
	}
	return (struct pace_ask){.factor_tenths = p->rule->factor_tenths, .floor_micro = micro_of(p->rule->floor), .call_micro = calls ? mid / calls : 0,
	                         .season_calls = season.calls, .season_micro = season.micro, .span = p->span};
}

static bool is_wanted(const struct alert_paces *p, const struct paced *x)
{
	return !p->rule->only.len || str_eq(p->rule->only, x->group);
}

// ---- live ----------------------------------------------------------------------------------------------------------

// The account in an ARN; empty for other names.
static struct str account_of(struct str group)
{
	struct str rest = group, account = STR_NONE;
	if (!str_starts(group, STR("arn:")))
		return account;
	for (int i = 0; i < 5; i++)
		account = str_cut(&rest, ':');
	return account;
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

static void judge_live(struct alert_paces *p, const struct hour_sum *season)
{
	struct pace_jump jump;
	bool doubt = false;
	for (int32_t i = 0; i < p->n; i++) {
		struct paced *x = &p->list[i];
		struct pace_ask ask = ask_of(p, x, season[i]);
		if (pace_calls_jump(&x->pace, &ask, &jump)) {
			x->pace.jumped = x->pace.at_minute;
			if (is_wanted(p, x))
				ring(p, x, &jump, true);
		}
		doubt |= x->pace.jumped != 0;
	}
	for (int32_t i = 0; i < p->n; i++) {
		const struct paced *x = &p->list[i];
		struct pace_ask ask = ask_of(p, x, season[i]);
		if (is_wanted(p, x) && pace_dollars_jump(&x->pace, &ask, &jump) && !(doubt && is_doubtful(p, x)))
			ring(p, x, &jump, false);
	}
}

// ---- stored hours --------------------------------------------------------------------------------------------------

// Each hour's amount spread evenly over its minutes, so a jump shows as its hour begins, if the whole hour makes one.
static void judge_hour(struct alert_paces *p, const struct paced *x, struct hour_sum season)
{
	int64_t first = (p->check->now_ms / MS_PER_HOUR - PACED_HOURS + 1) * 60;
	const struct pace_ask ask = ask_of(p, x, season);
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
	struct hour_sum *season = NULL;
	bool good = alert_paces_read(&p, c, rule, err);
	if (good) {
		season = xcalloc((size_t)p.n + 1, sizeof *season);
		good = read_season(&p, season, err);
	}
	for (int32_t i = 0; good && c->hourly && i < p.n; i++)
		judge_hour(&p, &p.list[i], season[i]);
	if (good && !c->hourly)
		judge_live(&p, season);
	good = good && alert_paces_write(&p, err);
	free(season);
	alert_paces_release(&p);
	return good;
}
