// SPDX-License-Identifier: Apache-2.0
#include "alert/past.h"

#include <assert.h>
#include <stdlib.h>

#include "alert/check_priv.h"
#include "alert/rate_monitor_priv.h"
#include "base/when.h"
#include "query/group_minutes.h"
#include "query/group_sum.h"

// Of one rule.
struct rule_past {
	bool wanted;
	int minutes; // number of its grouping
	// of this hour and of the one before; in the arenas of these
	struct rate_monitor monitor[2];
};

// Rules by one grouping read the minutes once.
struct alert_past {
	const struct alert_rules *rules;
	struct rollups *rollups;
	int64_t hour; // 0: none yet
	bool kept;    // of that hour
	int turn;     // of the arenas and monitors: which are those of this hour
	struct arena arena[2];
	struct rule_past *of; // by number of the rule
	struct group_minutes *minutes;
	const struct grouping **by;
	int nminutes;
};

static bool is_same_grouping(const struct grouping *a, const struct grouping *b)
{
	return a->n == b->n && (a->n == 0 || str_eq(a->name[0], b->name[0]));
}

// By the minute, a bill says nothing, and of signals it is not kept when they arrived.
static bool has_minutes(const struct alert_rule *rule)
{
	return rule->kind != ALERT_BILL && rule->kind != ALERT_SILENT;
}

struct alert_past *alert_past_new(const struct alert_rules *rules, const struct alert_rule *only,
                                  struct rollups *f)
{
	struct alert_past *p = xcalloc(1, sizeof *p);
	size_t n = (size_t)rules->nrules + 1;
	*p = (struct alert_past){.rules = rules,
	                         .rollups = f,
	                         .of = xcalloc(n, sizeof *p->of),
	                         .minutes = xcalloc(n, sizeof *p->minutes),
	                         .by = xcalloc(n, sizeof *p->by)};
	for (int i = 0; i < rules->nrules; i++) {
		const struct alert_rule *rule = &rules->rules[i];
		struct rule_past *of = &p->of[i];
		of->wanted = (!only || rule == only) && has_minutes(rule);
		while (of->wanted && of->minutes < p->nminutes && !is_same_grouping(p->by[of->minutes], &rule->by))
			of->minutes++;
		if (of->wanted && of->minutes == p->nminutes)
			p->by[p->nminutes++] = &rule->by;
	}
	return p;
}

static void release_minutes(struct alert_past *p)
{
	for (int i = 0; p->hour && i < p->nminutes; i++)
		group_minutes_release(&p->minutes[i]);
}

static void forget_monitors(struct alert_past *p, int turn)
{
	for (int i = 0; i < p->rules->nrules; i++) {
		if (p->of[i].monitor[turn].list)
			groups_release(&p->of[i].monitor[turn].hours);
		p->of[i].monitor[turn] = (struct rate_monitor){.list = NULL};
	}
}

void alert_past_free(struct alert_past *p)
{
	if (!p)
		return;
	release_minutes(p);
	for (int turn = 0; turn < 2; turn++) {
		forget_monitors(p, turn);
		arena_release(&p->arena[turn]);
	}
	free(p->of);
	free(p->minutes);
	free(p->by);
	free(p);
}

bool alert_past_begin(struct alert_past *p, int64_t hour, bool *ret_kept, struct err *err)
{
	assert(hour > p->hour);
	if (hour != p->hour + 1)
		forget_monitors(p, p->turn);
	release_minutes(p);
	p->hour = hour;
	p->turn = !p->turn;
	forget_monitors(p, p->turn);
	arena_reset(&p->arena[p->turn]);
	bool good = true, any = false, kept = false;
	for (int i = 0; i < p->nminutes; i++) {
		if (!good) {
			p->minutes[i] = (struct group_minutes){.kept = false};
			continue;
		}
		good = group_minutes_read(&p->minutes[i], rollups_view(p->rollups), p->by[i], hour, err);
		any |= p->minutes[i].groups.n > 0;
		kept |= p->minutes[i].kept;
	}
	*ret_kept = p->kept = any ? kept : p->kept; // an hour without calls is like the one before
	return good;
}

struct arena *alert_past_arena(struct alert_past *p)
{
	return &p->arena[p->turn];
}

static struct rule_past *past_of(const struct alert_past *p, const struct alert_rule *rule)
{
	return &p->of[rule - p->rules->rules];
}

struct rate_monitor *alert_past_monitor(struct alert_past *p, const struct alert_rule *rule)
{
	return &past_of(p, rule)->monitor[p->turn];
}

const struct rate_monitor *alert_past_monitor_before(struct alert_past *p, const struct alert_rule *rule)
{
	return &past_of(p, rule)->monitor[!p->turn];
}

const struct minute_amounts *alert_past_amounts(const struct alert_past *p, const struct alert_rule *rule,
                                                struct str group)
{
	const struct group named = {.keys = {group}};
	return group_minutes_find(&p->minutes[past_of(p, rule)->minutes], &named);
}

bool alert_past_sum(const struct alert_check *c, const struct alert_rule *rule, struct groups *ret,
                    struct err *err)
{
	struct alert_past *p = c->past;
	const struct group_minutes *minutes = &p->minutes[past_of(p, rule)->minutes];
	struct groups hour;
	assert(c->now_ms / MS_PER_HOUR == p->hour);
	groups_init(&hour, &rule->by);
	const struct rollups_query q = {&rule->by, NULL, p->hour, p->hour + 1, p->hour};
	bool good = rollups_sum(p->rollups, &q, &hour, err);
	int n = (int)(c->now_ms % MS_PER_HOUR / MS_PER_MINUTE) + 1;
	for (int32_t i = 0; i < hour.n; i++)
		hour.list[i] = group_part(&hour.list[i], group_minutes_find(minutes, &hour.list[i]), n);
	if (good)
		groups_merge(ret, &hour);
	groups_release(&hour);
	return good;
}
