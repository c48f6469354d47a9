// SPDX-License-Identifier: Apache-2.0
// Spikes. Usage is kept by the hour, so a minute's amount is how much the newest hours have grown since the last look: what
// *arrived* in it, which is also what can be known of it. A backfill of older hours is no spike and is not seen here.
//
//     last look      [h-1 .......][h ..|            total
//     this look      [h-1 .......][h ..|###         total + ###     -> pace_add
//
// Each group's pace (pace.h) lives in Redis, so whoever looks next goes on where the last one stopped.
#include <stdlib.h>
#include <string.h>

#include "base/when.h"
#include "serve/alert.h"
#include "serve/pace.h"

enum { DAY = 24, SEASON_DAYS = 7, QUICK_PER_HOUR = 60 / PACE_QUICK, BACKTEST_HOURS = 48, PACES_MAX = 20000 };
static const int64_t PICO_PER_MICRO = 1000000;

// One group's hours: of[k] is hour `first` + k.
struct recent {
	struct str group;
	int64_t *of;
	const struct group *newest; // for the basis
};

struct spikes {
	struct alert_check *check;
	const struct alert_rule *rule;
	int64_t first;
	int nhours;
	struct groups hours;        // by the rule's key and hour
	struct recent *list;
	int32_t n;
};

static int64_t micro(struct usd u)
{
	usd_pico v = u.pico / PICO_PER_MICRO;
	return v > INT64_MAX / 1000 ? INT64_MAX / 1000 : (int64_t)v;
}

static struct usd usd_of(int64_t micro_dollars)
{
	return (struct usd){(usd_pico)micro_dollars * PICO_PER_MICRO};
}

// Sums by (group, hour) and lays each group's hours side by side; groups_sort_by_key has put them together.
static bool read_hours(struct spikes *s, struct err *err)
{
	struct alert_check *c = s->check;
	struct grouping by = s->rule->by;
	by.by[by.n] = BY_HOUR;
	by.name[by.n++] = STR("hour");
	groups_init(&s->hours, &by);
	if (!figures_sum(c->figures, &by, NULL, s->first, s->first + s->nhours, c->now_ms / MS_PER_HOUR, &s->hours, err))
		return false;
	groups_sort_by_key(&s->hours);
	s->list = arena_alloc(c->arena, ((size_t)s->hours.n + 1) * sizeof *s->list);
	for (int32_t i = 0; i < s->hours.n; i++) {
		const struct group *g = &s->hours.list[i];
		struct str name = s->rule->by.n ? g->keys[0] : STR("all");
		int64_t ms = 0;
		if (s->n == 0 || !str_eq(s->list[s->n - 1].group, name)) {
			struct recent *r = &s->list[s->n++];
			*r = (struct recent){.group = name, .of = arena_alloc(c->arena, (size_t)s->nhours * sizeof *r->of)};
			memset(r->of, 0, (size_t)s->nhours * sizeof *r->of);
		}
		when_parse(g->keys[by.n - 1], &ms);
		int64_t k = ms / MS_PER_HOUR - s->first;
		if (k < 0 || k >= s->nhours)
			continue;
		s->list[s->n - 1].of[k] = micro(g->usd);
		s->list[s->n - 1].newest = g;
	}
	return true;
}

// The most that this group took in this hour of the days before, for PACE_QUICK minutes.
static bool read_season(const struct spikes *s, int64_t *season, struct err *err)
{
	struct alert_check *c = s->check;
	int64_t now = c->now_ms / MS_PER_HOUR;
	for (int d = 1; d <= SEASON_DAYS; d++) {
		struct groups g;
		groups_init(&g, &s->rule->by);
		bool good = figures_sum(c->figures, &s->rule->by, NULL, now - d * DAY, now - d * DAY + 1, now, &g, err);
		groups_sort_by_key(&g);
		for (int32_t i = 0, k = 0; good && i < g.n && k < s->n; i++) {
			while (k < s->n && s->rule->by.n && str_cmp(s->list[k].group, g.list[i].keys[0]) < 0)
				k++;
			bool same = k < s->n && (!s->rule->by.n || str_eq(s->list[k].group, g.list[i].keys[0]));
			if (same && micro(g.list[i].usd) / QUICK_PER_HOUR > season[k])
				season[k] = micro(g.list[i].usd) / QUICK_PER_HOUR;
		}
		groups_release(&g);
		if (!good)
			return false;
	}
	return true;
}

// What has come on top since the last look; the two newest hours are the base of the next one.
static int64_t arrived(struct pace *p, const struct recent *r, int64_t now)
{
	int64_t newest = r->of[1] + r->of[2], grown = 0;
	if (p->seen && p->base_hour == now)
		grown = newest - p->total;
	else if (p->seen && p->base_hour == now - 1)
		grown = r->of[0] + newest - p->total;
	p->base_hour = now;
	p->total = newest;
	return grown > 0 ? grown : 0; // an estimate that was lowered is no spend
}

static void ring(struct spikes *s, const struct recent *r, const struct pace *p, int64_t against)
{
	struct alert_check *c = s->check;
	char quick[USD_SIZE], usual[USD_SIZE];
	struct buf b = BUF_INIT;
	if (s->rule->only.len && !str_eq(s->rule->only, r->group))
		return;
	struct alert_finding *f = alert_check_add(c, s->rule, NULL);
	char basis[GROUP_BASIS_SIZE];
	f->group = arena_str(c->arena, r->group);
	f->usd = f->low = f->high = usd_of(pace_quick(p));
	f->against = usd_of(against);
	f->basis = r->newest ? arena_str(c->arena, str_of(group_basis(r->newest, basis))) : STR("");
	f->from = c->now_ms / MS_PER_HOUR;
	f->to = f->from + 1;
	buf_addf(&b, "%.*s spends $%s in %d minutes, where $%s is usual", STR_ARG(f->group), usd_format(f->usd, 2, quick), PACE_QUICK, usd_format(f->against, 2, usual));
	f->text = arena_str(c->arena, buf_str(&b));
	buf_release(&b);
}

static void judge(struct spikes *s, const struct recent *r, const struct pace *p, int64_t season)
{
	int64_t against;
	if (pace_jumps(p, s->rule->factor, micro(s->rule->floor) * PACE_QUICK, season, &against))
		ring(s, r, p, against);
}

static void pace_key(struct buf *b, const struct spikes *s)
{
	char what[80];
	snprintf(what, sizeof what, "pace:%.*s", (int)(s->rule->name.len < 60 ? s->rule->name.len : 60), s->rule->name.p);
	alert_key(b, s->check->prefix, what);
}

static bool live(struct spikes *s, const int64_t *season, struct err *err)
{
	struct alert_check *c = s->check;
	struct redis *r = c->redis;
	int64_t now = c->now_ms / MS_PER_HOUR, minute = c->now_ms / MS_PER_MINUTE;
	struct pace *paces = xcalloc((size_t)s->n + 1, sizeof *paces);
	struct buf key = BUF_INIT, text = BUF_INIT;
	pace_key(&key, s);
	for (int32_t i = 0; i < s->n; i++)
		redis_cmd(r, 3, (struct str[]){STR("HGET"), buf_str(&key), s->list[i].group});
	bool good = redis_exec(r, err);
	for (int32_t i = 0; good && i < s->n; i++)
		if (!redis_nil(r, (size_t)i) && !pace_read(&paces[i], redis_str(r, (size_t)i)))
			paces[i] = (struct pace){0};
	for (int32_t i = 0; good && i < s->n; i++) {
		pace_add(&paces[i], minute, arrived(&paces[i], &s->list[i], now));
		judge(s, &s->list[i], &paces[i], season[i]);
		buf_clear(&text);
		pace_write(&paces[i], &text);
		redis_cmd(r, 4, (struct str[]){STR("HSET"), buf_str(&key), s->list[i].group, buf_str(&text)});
	}
	if (good && s->n) {
		redis_cmdz(r, "EXPIRE", key.data, "172800", NULL); // a rule that is gone leaves nothing behind
		redis_cmdz(r, "HLEN", key.data, NULL);
		good = redis_exec(r, err);
		if (good && redis_int(r, (size_t)s->n + 1) > PACES_MAX) { // callers that come and go: begin anew
			redis_cmdz(r, "UNLINK", key.data, NULL);
			good = redis_exec(r, err);
		}
	}
	free(paces);
	buf_release(&key);
	buf_release(&text);
	return good;
}

// Over stored hours: each hour's amount spread evenly over its minutes.
static void hourly(struct spikes *s, const int64_t *season)
{
	for (int32_t i = 0; i < s->n; i++) {
		struct pace p = {0};
		for (int m = 0; m < s->nhours * 60; m++)
			pace_add(&p, s->first * 60 + m, s->list[i].of[m / 60] / 60);
		judge(s, &s->list[i], &p, season[i]);
	}
}

bool alert_check_spikes(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	int back = c->hourly ? BACKTEST_HOURS : 2;
	struct spikes s = {.check = c, .rule = rule, .first = c->now_ms / MS_PER_HOUR - back, .nhours = back + 1};
	int64_t *season = NULL;
	bool good = read_hours(&s, err);
	if (good) {
		season = xcalloc((size_t)s.n + 1, sizeof *season);
		good = read_season(&s, season, err);
	}
	if (good && c->hourly)
		hourly(&s, season);
	else if (good)
		good = live(&s, season, err);
	free(season);
	groups_release(&s.hours);
	return good;
}
