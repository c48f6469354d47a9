// SPDX-License-Identifier: Apache-2.0
// Spikes: each group's pace (alert_pace.h) against its own last hours, its busy times, and this hour of other days.
#include <stdlib.h>

#include "base/when.h"
#include "serve/alert_pace.h"

enum { DAY = 24, SEASON_DAYS = 7 };

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
			if (micro_of(g.list[i].usd) > most->micro)
				most->micro = micro_of(g.list[i].usd);
		}
		groups_release(&g);
		if (!good)
			return false;
	}
	return true;
}

static void ring(struct alert_paces *p, const struct paced *x, const struct pace_jump *j)
{
	struct alert_check *c = p->check;
	char now[USD_SIZE], usual[USD_SIZE], basis[GROUP_BASIS_SIZE];
	struct buf b = BUF_INIT;
	struct alert_finding *f = alert_check_add(c, p->rule, NULL);
	f->group = arena_str(c->arena, x->group);
	f->usd = f->low = f->high = usd_of_micro(j->micro);
	f->against = usd_of_micro(j->usual_micro);
	f->basis = x->newest ? arena_str(c->arena, str_of(group_basis(x->newest, basis))) : STR("");
	f->from = c->now_ms / MS_PER_HOUR;
	f->to = f->from + 1;
	usd_format(f->usd, 2, now);
	usd_format(f->against, 2, usual);
	if (j->by_calls)
		buf_addf(&b, "%.*s makes %lld calls in %lld minutes, where %lld are usual: about $%s in place of $%s", STR_ARG(f->group), (long long)j->calls,
		         (long long)j->minutes, (long long)j->usual_calls, now, usual);
	else
		buf_addf(&b, "%.*s spends $%s in %lld minutes, where $%s is usual", STR_ARG(f->group), now, (long long)j->minutes, usual);
	f->text = arena_str(c->arena, buf_str(&b));
	buf_release(&b);
}

static bool judge(struct alert_paces *p, const struct paced *x, const struct pace *pace, struct hour_sum season)
{
	const struct pace_ask ask = {.factor_tenths = p->rule->factor_tenths, .floor_micro = micro_of(p->rule->floor), .season_calls = season.calls,
	                             .season_micro = season.micro, .span = p->span};
	struct pace_jump jump;
	if ((p->rule->only.len && !str_eq(p->rule->only, x->group)) || !pace_jumps(pace, &ask, &jump))
		return false;
	ring(p, x, &jump);
	return true;
}

// Over stored hours: each hour's amount spread evenly over its minutes, so a jump shows as its hour begins, if the whole hour
// makes one.
static void judge_hour(struct alert_paces *p, const struct paced *x, struct hour_sum season)
{
	int64_t first = (p->check->now_ms / MS_PER_HOUR - PACED_HOURS + 1) * 60;
	struct pace pace = {0};
	for (int m = 0; m < (PACED_HOURS - 1) * 60 + PACE_MINUTES; m++) {
		pace_add(&pace, first + m, x->hours[m / 60].calls / 60, x->hours[m / 60].micro / 60);
		if (m >= (PACED_HOURS - 1) * 60 && judge(p, x, &pace, season))
			return;
	}
}

bool alert_check_spikes(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	struct alert_paces p;
	struct hour_sum *season = NULL;
	bool good = alert_paces_read(&p, c, rule, false, err);
	if (good) {
		season = xcalloc((size_t)p.n + 1, sizeof *season);
		good = read_season(&p, season, err);
	}
	for (int32_t i = 0; good && i < p.n; i++) {
		if (c->hourly)
			judge_hour(&p, &p.list[i], season[i]);
		else
			judge(&p, &p.list[i], &p.list[i].pace, season[i]);
	}
	good = good && alert_paces_write(&p, err);
	free(season);
	alert_paces_release(&p);
	return good;
}
