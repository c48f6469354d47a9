// SPDX-License-Identifier: Apache-2.0
// The baselines and the rule's clock are kept in one hash a rule, so that the next process that evaluates
// continues where the last one stopped. Groups come and go (sessions, tags of every day), so each evaluation
// looks at some fields by chance and drops those that have had no usage for a day: what a baseline knows is
// no older than half of that. A rule of more groups than MONITORED_GROUPS_MAX keeps the baselines of those
// that cost most, and the log says so.
#include "alert/rate_monitor_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/check_priv.h"
#include "alert/keys.h"
#include "base/log.h"
#include "base/when.h"
#include "query/group_minutes.h"
#include "store/keys.h"

enum { MONITORED_GROUPS_MAX = 20000, CLOCK_ENTRIES = 10, UNOBSERVED_MAX = 6 };
enum { PRUNE_AT_ONCE = 256, PRUNE_MINUTES = 24 * 60 };
#define CLOCK_FIELD "\nclock" // no group has this name
#define KEEP_SECONDS "172800"  // after which nothing is left of a rule that was removed

static const int64_t PICO_PER_MICRO = 1000000;

// The newest time of a call, at each of the last evaluations, the newest first. Minutes since the epoch.
struct rule_clock {
	int64_t at_minute[CLOCK_ENTRIES], calls_minute[CLOCK_ENTRIES];
};

int64_t micro_of_usd(struct usd u)
{
	usd_pico v = u.pico / PICO_PER_MICRO;
	return v > INT64_MAX / 1000 ? INT64_MAX / 1000 : (int64_t)v;
}

struct usd usd_of_micro(int64_t micro)
{
	return (struct usd){(usd_pico)micro * PICO_PER_MICRO};
}

// ---- hours --------------------------------------------------------------------------------------

// Sums by (group, hour); after groups_sort by name the hours of a group follow one another.
static bool read_hours(struct rate_monitor *p, struct err *err)
{
	struct alert_check *c = p->check;
	struct grouping by = p->rule->by;
	int64_t now = c->now_ms / MS_PER_HOUR, first = now - RATE_MONITOR_HOURS + 1;
	by.by[by.n] = BY_HOUR;
	by.name[by.n++] = STR("hour");
	groups_init(&p->hours, &by);
	if (!rollups_sum(c->rollups, &(struct rollups_query){&by, NULL, first, now + 1, now}, &p->hours, err))
		return false;
	groups_sort(&p->hours, ORDER_NAME);
	p->list = arena_alloc(c->arena, ((size_t)p->hours.n + 1) * sizeof *p->list);
	for (int32_t i = 0; i < p->hours.n; i++) {
		const struct group *g = &p->hours.list[i];
		struct str name = p->rule->by.n ? g->keys[0] : STR("all");
		int64_t ms = 0;
		if (p->n == 0 || !str_eq(p->list[p->n - 1].group, name))
			p->list[p->n++] = (struct monitored_group){.group = name};
		when_parse(g->keys[by.n - 1], &ms);
		int64_t k = ms / MS_PER_HOUR - first;
		if (k < 0 || k >= RATE_MONITOR_HOURS)
			continue;
		p->list[p->n - 1].hours[k] =
			(struct hour_sum){g->calls, micro_of_usd(g->usd_low), micro_of_usd(g->usd)};
		p->list[p->n - 1].newest = g;
	}
	return true;
}

// ---- what has arrived ---------------------------------------------------------------------------

// Of an hour that was not observed nobody knows that it was quiet.
static bool count_observed(struct rate_monitor *p, struct err *err)
{
	int64_t now_ms = p->check->now_ms, now = now_ms / MS_PER_HOUR;
	const struct observed *o =
		rollups_observed(p->check->rollups, NULL, now - RATE_MONITOR_HOURS + 1, now, now_ms, err);
	while (o && p->observed < RATE_MONITOR_HOURS - 1 &&
	       observed_count(o, (now - p->observed - 1) * 60, (now - p->observed) * 60, MINUTE_UNOBSERVED) <
	           UNOBSERVED_MAX)
		p->observed++;
	return o != NULL;
}

static void begin_baseline(struct monitored_group *x, int64_t minute, int nhours)
{
	int64_t calls[RATE_MONITOR_HOURS - 1], dollars[RATE_MONITOR_HOURS - 1];
	for (int k = 0; k < RATE_MONITOR_HOURS - 1; k++) {
		calls[k] = x->hours[RATE_MONITOR_HOURS - 2 - k].calls;
		dollars[k] = x->hours[RATE_MONITOR_HOURS - 2 - k].micro;
	}
	rate_baseline_begin(&x->rate_baseline, minute, calls, dollars, nhours);
}

// Adds the growth since the last evaluation; the totals of the two newest hours are the base of the next one.
static void add_arrived(struct monitored_group *x, int64_t now_ms)
{
	int64_t now = now_ms / MS_PER_HOUR;
	struct rate_baseline *p = &x->rate_baseline;
	const struct hour_sum *of = x->hours + RATE_MONITOR_HOURS - 1;
	struct hour_sum both = {.calls = of[0].calls + of[-1].calls, .micro = of[0].micro + of[-1].micro},
					grown = both;
	if (p->base_hour == now) {
		grown.calls -= p->base_calls;
		grown.micro -= p->base_micro;
	} else if (p->base_hour == now - 1) {
		grown.calls += of[-2].calls - p->base_calls;
		grown.micro += of[-2].micro - p->base_micro;
	} else if (p->base_hour == 0) { // seen for the first time: when its usage arrived is unknown
		grown = (struct hour_sum){0};
	}
	p->base_hour = now;
	p->base_calls = both.calls;
	p->base_micro = both.micro;
	// An estimate that was lowered is no negative spend.
	rate_baseline_add(p, now_ms / MS_PER_MINUTE, grown.calls > 0 ? grown.calls : 0,
	                  grown.micro > 0 ? grown.micro : 0);
}

// ---- the clock ----------------------------------------------------------------------------------

static void read_clock(struct rule_clock *k, struct str text)
{
	*k = (struct rule_clock){{0}, {0}};
	for (int i = 0; i < CLOCK_ENTRIES; i++) {
		char z[64];
		long long at_minute, calls_minute;
		struct str pair = str_cut(&text, ',');
		if (pair.len == 0 || pair.len >= sizeof z)
			return;
		memcpy(z, pair.p, pair.len);
		z[pair.len] = '\0';
		if (sscanf(z, "%lld %lld", &at_minute, &calls_minute) != 2)
			return;
		k->at_minute[i] = at_minute;
		k->calls_minute[i] = calls_minute;
	}
}

static void write_clock(const struct rule_clock *k, struct buf *out)
{
	for (int i = 0; i < CLOCK_ENTRIES && k->at_minute[i]; i++)
		buf_addf(out, "%s%lld %lld", i ? "," : "", (long long)k->at_minute[i], (long long)k->calls_minute[i]);
}

// Adds this evaluation and returns how many minutes of calls have arrived since the one RATE_QUICK minutes
// ago, or since the oldest one known.
static int64_t advance_clock(struct rule_clock *k, int64_t minute, int64_t calls_minute)
{
	int oldest = 0;
	if (k->at_minute[0] != minute) {
		memmove(k->at_minute + 1, k->at_minute, (CLOCK_ENTRIES - 1) * sizeof *k->at_minute);
		memmove(k->calls_minute + 1, k->calls_minute, (CLOCK_ENTRIES - 1) * sizeof *k->calls_minute);
	}
	k->at_minute[0] = minute;
	k->calls_minute[0] = calls_minute;
	while (oldest + 1 < CLOCK_ENTRIES && k->at_minute[oldest + 1] &&
	       minute - k->at_minute[oldest] < RATE_QUICK)
		oldest++;
	return calls_minute - k->calls_minute[oldest];
}

// ---- reading and writing ------------------------------------------------------------------------

static bool read_baselines(struct rate_monitor *p, struct rule_clock *clock, struct err *err)
{
	struct redis *r = p->check->redis;
	struct buf key = BUF_INIT, signals = BUF_INIT;
	int64_t minute = p->check->now_ms / MS_PER_MINUTE;
	size_t n = (size_t)p->n;
	alert_key_rate_monitor(&key, p->check->prefix, p->rule->name);
	key_signals(&signals, p->check->prefix);
	for (size_t i = 0; i < n; i++)
		redis_cmd(r, 3, (struct str[]){STR("HGET"), buf_str(&key), p->list[i].group});
	redis_cmdz(r, "HGET", key.data, CLOCK_FIELD, NULL);
	redis_cmdz(r, "ZSCORE", signals.data, "call", NULL);
	buf_release(&key);
	buf_release(&signals);
	if (!redis_exec(r, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (redis_nil(r, i) || !rate_baseline_read(&p->list[i].rate_baseline, redis_str(r, i)))
			begin_baseline(&p->list[i], minute, p->observed);
	read_clock(clock, redis_nil(r, n) ? STR_NONE : redis_str(r, n));
	p->span = advance_clock(clock, minute, redis_nil(r, n + 1) ? 0 : redis_int(r, n + 1) / MS_PER_MINUTE);
	return true;
}

// ---- past minutes -------------------------------------------------------------------------------

// A group goes on with what the hour before has left of it.
static bool begin_past_hour(struct rate_monitor *p, struct err *err)
{
	struct alert_check *c = p->check;
	const struct rate_monitor *before = alert_past_monitor_before(c->past, p->rule);
	if (!read_hours(p, err) || !count_observed(p, err))
		return false;
	for (int32_t i = 0; i < p->n; i++) {
		struct monitored_group *x = &p->list[i];
		const struct monitored_group *was = rate_monitor_find(before, x->group);
		x->whole = x->hours[RATE_MONITOR_HOURS - 1];
		x->hours[RATE_MONITOR_HOURS - 1] = (struct hour_sum){0};
		if (was)
			x->rate_baseline = was->rate_baseline;
		else
			begin_baseline(x, c->now_ms / MS_PER_MINUTE, p->observed);
	}
	*alert_past_monitor(c->past, p->rule) = *p;
	return true;
}

static void add_past_minute(struct monitored_group *x, const struct minute_amounts *of, int64_t minute)
{
	struct hour_sum *hour = &x->hours[RATE_MONITOR_HOURS - 1], part = {0};
	int64_t all = 0, m = minute % GROUP_MINUTES;
	for (int i = 0; of && i < GROUP_MINUTES; i++)
		all += of->micro[i];
	if (of)
		part = (struct hour_sum){.calls = of->calls[m], .mid = of->micro[m]};
	if (all > 0 && part.mid > 0 && x->whole.micro > 0)
		part.micro = (int64_t)((__int128)x->whole.micro * part.mid / all);
	hour->calls += part.calls;
	hour->micro += part.micro;
	hour->mid += part.mid;
	rate_baseline_add(&x->rate_baseline, minute, part.calls, part.micro);
}

static bool read_past(struct rate_monitor *ret, struct err *err)
{
	struct alert_check *c = ret->check;
	const struct alert_rule *rule = ret->rule;
	struct rate_monitor *kept = alert_past_monitor(c->past, rule);
	if (!kept->list && !begin_past_hour(ret, err))
		return false;
	*ret = *kept;
	ret->check = c;
	for (int32_t i = 0; i < ret->n; i++)
		add_past_minute(&ret->list[i], alert_past_amounts(c->past, rule, ret->list[i].group),
		                c->now_ms / MS_PER_MINUTE);
	return true;
}

// ---- all ----------------------------------------------------------------------------------------

bool rate_monitor_read(struct rate_monitor *ret, struct alert_check *c, const struct alert_rule *rule,
                       struct err *err)
{
	struct rule_clock clock;
	*ret = (struct rate_monitor){.check = c, .rule = rule, .span = RATE_QUICK};
	if (c->past)
		return read_past(ret, err);
	if (!read_hours(ret, err) || !count_observed(ret, err) || c->hourly)
		return err->kind == 0;
	if (!read_baselines(ret, &clock, err))
		return false;
	write_clock(&clock, &ret->clock);
	for (int32_t i = 0; i < ret->n; i++)
		add_arrived(&ret->list[i], c->now_ms);
	return true;
}

static int by_cost(const void *a, const void *b)
{
	const struct monitored_group *x = *(const struct monitored_group *const *)a,
								 *y = *(const struct monitored_group *const *)b;
	int64_t cost[] = {0, 0};
	for (int i = 0; i < RATE_MONITOR_HOURS; i++) {
		cost[0] += x->hours[i].mid;
		cost[1] += y->hours[i].mid;
	}
	return cost[0] != cost[1] ? (cost[0] < cost[1] ? 1 : -1) : str_cmp(x->group, y->group);
}

// The groups whose baselines are kept: all, or those that cost most. Returns how many.
static int32_t choose_kept(const struct rate_monitor *p, const struct monitored_group **ret)
{
	for (int32_t i = 0; i < p->n; i++)
		ret[i] = &p->list[i];
	if (p->n <= MONITORED_GROUPS_MAX)
		return p->n;
	qsort(ret, (size_t)p->n, sizeof *ret, by_cost);
	const char *rule = arena_text(p->check->arena, "%.*s", STR_ARG(p->rule->name)).p;
	log_warn("a rule has more groups than baselines are kept of: of the cheapest no spike is found",
	         LOG_STR("rule", rule), LOG_INT("groups", p->n), LOG_INT("kept", MONITORED_GROUPS_MAX));
	return MONITORED_GROUPS_MAX;
}

// Queues the removal of what reply `i` has of groups without usage for a day, or of no baseline. Returns how
// many.
static int queue_removals(struct rate_monitor *p, size_t reply, struct str key)
{
	struct redis *r = p->check->redis;
	int64_t minute = p->check->now_ms / MS_PER_MINUTE;
	struct str *gone = arena_alloc(p->check->arena, (redis_len(r, reply) + 1) * sizeof *gone);
	int n = 0;
	for (size_t k = 0; k + 1 < redis_len(r, reply); k += 2) {
		struct rate_baseline b;
		struct str field = redis_elem(r, reply, k);
		if (!str_is(field, CLOCK_FIELD) && !rate_monitor_find(p, field) &&
		    (!rate_baseline_read(&b, redis_elem(r, reply, k + 1)) || minute - b.at_minute > PRUNE_MINUTES))
			gone[n++] = arena_str(p->check->arena, field);
	}
	for (int k = 0; k < n; k++)
		redis_cmd(r, 3, (struct str[]){STR("HDEL"), key, gone[k]});
	return n;
}

// As long as some of those that it looks at go, there may be many.
static bool prune(struct rate_monitor *p, struct str key, struct err *err)
{
	enum { ROUNDS = 16 };
	char count[16];
	snprintf(count, sizeof count, "%d", PRUNE_AT_ONCE);
	for (int round = 0, gone = PRUNE_AT_ONCE; round < ROUNDS && gone > PRUNE_AT_ONCE / 4; round++) {
		redis_cmd(p->check->redis, 4,
		          (struct str[]){STR("HRANDFIELD"), key, str_of(count), STR("WITHVALUES")});
		if (!redis_exec(p->check->redis, err))
			return false;
		gone = queue_removals(p, 0, key);
		if (!redis_exec(p->check->redis, err))
			return false;
	}
	return true;
}

bool rate_monitor_write(struct rate_monitor *p, struct err *err)
{
	struct redis *r = p->check->redis;
	struct buf key = BUF_INIT, text = BUF_INIT;
	if (p->check->past)
		*alert_past_monitor(p->check->past, p->rule) = *p;
	if (p->check->hourly || p->check->past)
		return true;
	const struct monitored_group **kept = arena_alloc(p->check->arena, ((size_t)p->n + 1) * sizeof *kept);
	int32_t n = choose_kept(p, kept);
	alert_key_rate_monitor(&key, p->check->prefix, p->rule->name);
	for (int32_t i = 0; i < n; i++) {
		buf_clear(&text);
		rate_baseline_write(&kept[i]->rate_baseline, &text);
		redis_cmd(r, 4, (struct str[]){STR("HSET"), buf_str(&key), kept[i]->group, buf_str(&text)});
	}
	redis_cmd(r, 4, (struct str[]){STR("HSET"), buf_str(&key), STR(CLOCK_FIELD), buf_str(&p->clock)});
	redis_cmdz(r, "EXPIRE", key.data, KEEP_SECONDS, NULL);
	redis_cmdz(r, "HLEN", key.data, NULL);
	bool good = redis_exec(r, err);
	if (good && redis_int(r, (size_t)n + 2) > n + 1)
		good = prune(p, buf_str(&key), err);
	buf_release(&key);
	buf_release(&text);
	return good;
}

void rate_monitor_release(struct rate_monitor *p)
{
	if (p->check->past && alert_past_monitor(p->check->past, p->rule)->list)
		return; // it stays for the next minute
	groups_release(&p->hours);
	buf_release(&p->clock);
}

static int by_group(const void *name, const void *monitored_group)
{
	return str_cmp(*(const struct str *)name, ((const struct monitored_group *)monitored_group)->group);
}

struct monitored_group *rate_monitor_find(const struct rate_monitor *p, struct str group)
{
	return p->n ? bsearch(&group, p->list, (size_t)p->n, sizeof *p->list, by_group) : NULL;
}
