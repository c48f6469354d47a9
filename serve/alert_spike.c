// SPDX-License-Identifier: Apache-2.0
// Spikes. Usage is kept by the hour, so a minute's amount is how much the newest hours have grown since the last look: what
// *arrived* in it, which is also what can be known of it. A backfill of older hours is no spike and is not seen here.
//
//     last look      [h-1 .......][h ..|            total
//     this look      [h-1 .......][h ..|###         total + ###     -> pace_add
//
// Each group's pace (pace.h) lives in Redis, so whoever looks next goes on where the last one stopped. When a backlog is read,
// an hour arrives in a minute: how far the calls' own times have moved (the rule's clock) tells it from a spike.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/when.h"
#include "serve/alert.h"
#include "serve/pace.h"

enum { DAY = 24, SEASON_DAYS = 7, BACK_HOURS = 4, PACES_MAX = 20000, LOOKS = 10 };
static const int64_t PICO_PER_MICRO = 1000000;

// One group's hours: of[k] is hour `first` + k.
struct hour_sum {
	int64_t calls, micro;
};
struct recent {
	struct str group;
	struct hour_sum *of;
	struct hour_sum season;     // the most of this hour on other days
	const struct group *newest; // for the basis
};

// How far the calls' own times had come by the last looks; the newest look first. Minutes.
struct clock {
	int64_t looked[LOOKS], heard[LOOKS];
};

struct spikes {
	struct alert_check *check;
	const struct alert_rule *rule;
	int64_t first;
	int nhours;                 // the last one is the hour in hand
	struct groups hours;        // by the rule's key and hour
	struct recent *list;
	int32_t n;
	int64_t span;               // minutes of calls that came in the last PACE_QUICK
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
		s->list[s->n - 1].of[k] = (struct hour_sum){g->calls, micro(g->usd)};
		s->list[s->n - 1].newest = g;
	}
	return true;
}

static void raise_season(struct recent *r, const struct group *g)
{
	if (g->calls > r->season.calls)
		r->season.calls = g->calls;
	if (micro(g->usd) > r->season.micro)
		r->season.micro = micro(g->usd);
}

static bool read_season(struct spikes *s, struct err *err)
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
			if (k < s->n && (!s->rule->by.n || str_eq(s->list[k].group, g.list[i].keys[0])))
				raise_season(&s->list[k], &g.list[i]);
		}
		groups_release(&g);
		if (!good)
			return false;
	}
	return true;
}

// ---- what has arrived ----------------------------------------------------------------------------------------------

static void begin(struct pace *p, const struct spikes *s, const struct recent *r)
{
	int64_t calls[BACK_HOURS], dollars[BACK_HOURS];
	int n = s->nhours - 1;
	for (int k = 0; k < n; k++) {
		calls[k] = r->of[n - 1 - k].calls;
		dollars[k] = r->of[n - 1 - k].micro;
	}
	pace_begin(p, s->check->now_ms / MS_PER_MINUTE, calls, dollars, n);
}

// What has come on top since the last look; the two newest hours are the base of the next one.
static void add_arrived(struct pace *p, const struct spikes *s, const struct recent *r)
{
	int64_t now = s->check->now_ms / MS_PER_HOUR;
	const struct hour_sum *of = r->of + s->nhours - 1;
	struct hour_sum both = {of[0].calls + of[-1].calls, of[0].micro + of[-1].micro}, grown = both;
	if (p->base_hour == now) {
		grown.calls -= p->base_calls;
		grown.micro -= p->base_micro;
	} else if (p->base_hour == now - 1) {
		grown.calls += of[-2].calls - p->base_calls;
		grown.micro += of[-2].micro - p->base_micro;
	} else if (p->base_hour == 0) { // never looked at before: there is no telling when it came
		grown = (struct hour_sum){0, 0};
	}
	p->base_hour = now;
	p->base_calls = both.calls;
	p->base_micro = both.micro;
	// An estimate that was lowered is no spend.
	pace_add(p, s->check->now_ms / MS_PER_MINUTE, grown.calls > 0 ? grown.calls : 0, grown.micro > 0 ? grown.micro : 0);
}

// ---- the clock -----------------------------------------------------------------------------------------------------

static void read_clock(struct clock *k, struct str text)
{
	*k = (struct clock){{0}, {0}};
	for (int i = 0; i < LOOKS; i++) {
		char z[64];
		long long looked, heard;
		struct str pair = str_cut(&text, ',');
		if (pair.len == 0 || pair.len >= sizeof z)
			return;
		memcpy(z, pair.p, pair.len);
		z[pair.len] = '\0';
		if (sscanf(z, "%lld %lld", &looked, &heard) != 2)
			return;
		k->looked[i] = looked;
		k->heard[i] = heard;
	}
}

static void write_clock(const struct clock *k, struct buf *out)
{
	for (int i = 0; i < LOOKS && k->looked[i]; i++)
		buf_addf(out, "%s%lld %lld", i ? "," : "", (long long)k->looked[i], (long long)k->heard[i]);
}

// Notes this look and tells how many minutes of calls have come since the one PACE_QUICK minutes ago, or the oldest known.
static int64_t advance(struct clock *k, int64_t minute, int64_t heard)
{
	int oldest = 0;
	if (k->looked[0] != minute) {
		memmove(k->looked + 1, k->looked, (LOOKS - 1) * sizeof *k->looked);
		memmove(k->heard + 1, k->heard, (LOOKS - 1) * sizeof *k->heard);
	}
	k->looked[0] = minute;
	k->heard[0] = heard;
	while (oldest + 1 < LOOKS && k->looked[oldest + 1] && minute - k->looked[oldest] < PACE_QUICK)
		oldest++;
	return heard - k->heard[oldest];
}

// ---- judging -------------------------------------------------------------------------------------------------------

static void ring(struct spikes *s, const struct recent *r, const struct pace_jump *j)
{
	struct alert_check *c = s->check;
	char now[USD_SIZE], usual[USD_SIZE], basis[GROUP_BASIS_SIZE];
	struct buf b = BUF_INIT;
	struct alert_finding *f = alert_check_add(c, s->rule, NULL);
	f->group = arena_str(c->arena, r->group);
	f->usd = f->low = f->high = usd_of(j->micro);
	f->against = usd_of(j->usual_micro);
	f->basis = r->newest ? arena_str(c->arena, str_of(group_basis(r->newest, basis))) : STR("");
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

static bool judge(struct spikes *s, const struct recent *r, const struct pace *p)
{
	const struct pace_ask ask = {.factor_tenths = s->rule->factor_tenths, .floor_micro = micro(s->rule->floor), .season_calls = r->season.calls,
	                             .season_micro = r->season.micro, .span = s->span};
	struct pace_jump jump;
	if ((s->rule->only.len && !str_eq(s->rule->only, r->group)) || !pace_jumps(p, &ask, &jump))
		return false;
	ring(s, r, &jump);
	return true;
}

// ---- live ----------------------------------------------------------------------------------------------------------

#define CLOCK_FIELD "\nclock" // no group has this name

static void pace_key(struct buf *b, const struct spikes *s)
{
	char what[80];
	snprintf(what, sizeof what, "pace:%.*s", (int)(s->rule->name.len < 60 ? s->rule->name.len : 60), s->rule->name.p);
	alert_key(b, s->check->prefix, what);
}

static bool read_paces(struct spikes *s, const char *key, struct pace *paces, struct clock *clock, struct err *err)
{
	struct redis *r = s->check->redis;
	struct buf signals = BUF_INIT;
	buf_addf(&signals, "%s:signals", s->check->prefix);
	for (int32_t i = 0; i < s->n; i++)
		redis_cmd(r, 3, (struct str[]){STR("HGET"), str_of(key), s->list[i].group});
	redis_cmdz(r, "HGET", key, CLOCK_FIELD, NULL);
	redis_cmdz(r, "ZSCORE", signals.data, "call", NULL);
	buf_release(&signals);
	if (!redis_exec(r, err))
		return false;
	for (int32_t i = 0; i < s->n; i++)
		if (redis_nil(r, (size_t)i) || !pace_read(&paces[i], redis_str(r, (size_t)i)))
			begin(&paces[i], s, &s->list[i]);
	read_clock(clock, redis_nil(r, (size_t)s->n) ? STR_NONE : redis_str(r, (size_t)s->n));
	int64_t heard_ms = redis_nil(r, (size_t)s->n + 1) ? 0 : redis_int(r, (size_t)s->n + 1);
	s->span = advance(clock, s->check->now_ms / MS_PER_MINUTE, heard_ms / MS_PER_MINUTE);
	return true;
}

static bool live(struct spikes *s, struct err *err)
{
	struct redis *r = s->check->redis;
	struct pace *paces = xcalloc((size_t)s->n + 1, sizeof *paces);
	struct clock clock;
	struct buf key = BUF_INIT, text = BUF_INIT;
	pace_key(&key, s);
	bool good = read_paces(s, key.data, paces, &clock, err);
	for (int32_t i = 0; good && i < s->n; i++) {
		add_arrived(&paces[i], s, &s->list[i]);
		judge(s, &s->list[i], &paces[i]);
		buf_clear(&text);
		pace_write(&paces[i], &text);
		redis_cmd(r, 4, (struct str[]){STR("HSET"), buf_str(&key), s->list[i].group, buf_str(&text)});
	}
	if (good) {
		buf_clear(&text);
		write_clock(&clock, &text);
		redis_cmd(r, 4, (struct str[]){STR("HSET"), buf_str(&key), STR(CLOCK_FIELD), buf_str(&text)});
		redis_cmdz(r, "EXPIRE", key.data, "172800", NULL); // a rule that is gone leaves nothing behind
		redis_cmdz(r, "HLEN", key.data, NULL);
		good = redis_exec(r, err);
		if (good && redis_int(r, (size_t)s->n + 2) > PACES_MAX) { // callers that come and go: begin anew
			redis_cmdz(r, "UNLINK", key.data, NULL);
			good = redis_exec(r, err);
		}
	}
	free(paces);
	buf_release(&key);
	buf_release(&text);
	return good;
}

// Over stored hours: each hour's amount spread evenly over its minutes, so a jump shows as its hour begins, if the whole hour
// makes one.
static void hourly(struct spikes *s)
{
	for (int32_t i = 0; i < s->n; i++) {
		const struct recent *r = &s->list[i];
		struct pace p = {0};
		for (int m = 0; m < s->nhours * 60; m++) {
			pace_add(&p, s->first * 60 + m, r->of[m / 60].calls / 60, r->of[m / 60].micro / 60);
			if (m == (s->nhours - 1) * 60 + PACE_TEN - 1 || m == (s->nhours - 1) * 60 + PACE_MINUTES - 1)
				if (judge(s, r, &p))
					break;
		}
	}
}

bool alert_check_spikes(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	struct spikes s = {.check = c, .rule = rule, .first = c->now_ms / MS_PER_HOUR - BACK_HOURS, .nhours = BACK_HOURS + 1};
	bool good = read_hours(&s, err) && read_season(&s, err);
	if (good && c->hourly)
		hourly(&s);
	else if (good)
		good = live(&s, err);
	groups_release(&s.hours);
	return good;
}
