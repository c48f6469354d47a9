// SPDX-License-Identifier: Apache-2.0
#include "alert/budgets.h"

#include <assert.h>
#include <stdlib.h>

#include "base/when.h"
#include "query/group_forecast.h"

enum { LATER_MAX = 100000 };

bool alert_rule_is_budget(const struct alert_rule *r)
{
	return r->amount.pico > 0 &&
	       (r->kind == ALERT_BUDGET || r->kind == ALERT_FORECAST || r->kind == ALERT_BURN);
}

bool alert_rules_are_one_budget(const struct alert_rule *a, const struct alert_rule *b)
{
	return alert_rule_is_budget(a) && alert_rule_is_budget(b) && a->by.n == b->by.n &&
	       (a->by.n == 0 || str_eq(a->by.name[0], b->by.name[0])) && str_eq(a->only, b->only) &&
	       a->period == b->period && usd_cmp(a->amount, b->amount) == 0;
}

int64_t budget_percent(struct usd spent, struct usd amount)
{
	assert(amount.pico > 0);
	usd_pico percent = (spent.pico * 100 + amount.pico / 2) / amount.pico;
	return percent < INT64_MAX ? (int64_t)percent : INT64_MAX;
}

int64_t budget_mark(const struct alert_rule *rule, struct usd low)
{
	int64_t mark = 0;
	for (int k = 0; k < rule->nat; k++)
		if (usd_cmp(usd_muldiv(rule->amount, rule->at[k], 100), low) <= 0)
			mark = rule->at[k];
	return mark;
}

int64_t budget_used_ppm(const struct budget *b)
{
	assert(b->rule->amount.pico > 0);
	usd_pico ppm = b->spent.usd.pico * 1000000 / b->rule->amount.pico;
	return ppm < INT64_MAX ? (int64_t)ppm : INT64_MAX;
}

static bool is_new(const struct alert_rules *rules, int i)
{
	for (int k = 0; k < i; k++)
		if (alert_rules_are_one_budget(&rules->rules[k], &rules->rules[i]))
			return false;
	return true;
}

// ---- one rule -----------------------------------------------------------------------------------

// The figures of one rule, and what its forecast is made of.
struct rule_figures {
	int64_t from, to;         // hours of the period
	struct groups spent;      // in the period
	struct group_forecasts group_forecasts;
	struct groups recent;     // in `recent_ms`, where there are too many groups for a forecast
	int64_t recent_ms;
};

static struct usd find_recent(const struct rule_figures *s, const struct group *g)
{
	for (int32_t i = 0; i < s->recent.n; i++)
		if (s->recent.by.n == 0 || str_eq(s->recent.list[i].keys[0], g->keys[0]))
			return s->recent.list[i].usd;
	return USD_ZERO;
}

// Expects that spending goes on at `rate` dollars in `rate_ms`. `room`: what is left of the amount.
static void expect_rate(struct budget *b, int64_t now_ms, struct usd room, struct usd rate, int64_t rate_ms)
{
	int64_t left_ms = b->to * MS_PER_HOUR - now_ms;
	b->at_this_rate = true;
	b->expected = usd_add(b->spent.usd, usd_muldiv(rate, left_ms, rate_ms));
	if (rate.pico > 0 && room.pico / rate.pico < LATER_MAX && room.pico * rate_ms / rate.pico < left_ms)
		b->passes_ms = now_ms + (int64_t)(room.pico * rate_ms / rate.pico);
}

static void expect_end(struct budget *b, const struct rule_figures *s, int64_t now_ms)
{
	struct usd room = usd_sub(b->rule->amount, b->spent.usd);
	const struct group_forecast *g =
		group_forecasts_of(&s->group_forecasts, b->rule->by.n ? b->spent.keys[0] : STR(""));
	b->expected = b->spent.usd;
	if (s->group_forecasts.too_many) {
		expect_rate(b, now_ms, room, find_recent(s, &b->spent), s->recent_ms);
	} else if (g) {
		b->expected = usd_add(b->spent.usd, group_forecasts_more(&s->group_forecasts, g, b->to));
		b->passes_ms = group_forecasts_passes(&s->group_forecasts, g, room, b->to);
	}
	if (room.pico <= 0)
		b->passes_ms = now_ms;
}

static void add_budget(struct budgets *all, const struct alert_rule *rule, const struct group *g,
                       const struct rule_figures *s)
{
	if (all->n == all->cap)
		all->list = xrealloc(all->list, (size_t)(all->cap = all->cap ? all->cap * 2 : 32), sizeof *all->list);
	assert(all->n < all->cap && s->from < s->to);
	struct budget *b = &all->list[all->n++];
	*b = (struct budget){.rule = rule, .spent = *g, .from = s->from, .to = s->to};
	if (rule->by.n)
		b->spent.keys[0] = arena_str(&all->arena, g->keys[0]);
	expect_end(b, s, all->now_ms);
}

// What was spent in the observed minutes of the last hours: a rate is not lower because some are unknown.
static bool read_rate(struct rule_figures *s, struct rollups *f, const struct alert_rule *rule,
                      int64_t now_ms, struct err *err)
{
	int64_t now = now_ms / MS_PER_HOUR, from = now - (rule->period <= PERIOD_DAY ? 3 : 24);
	const struct observed *o = rollups_observed(f, NULL, from, now + 1, now_ms, err);
	if (!o)
		return false;
	s->recent_ms = observed_count(o, from * 60, (now + 1) * 60, MINUTE_OBSERVED) * MS_PER_MINUTE + 1;
	return rollups_sum(f, &(struct rollups_query){&rule->by, NULL, from, now + 1, now}, &s->recent, err);
}

// Reads one group alone if the rule names one.
static bool read_figures(struct budgets *all, const struct alert_rule *rule, struct rule_figures *s,
                          struct err *err)
{
	char name[WHEN_SIZE];
	struct rollups *f = all->rollups;
	struct group_filter one = {.by = rule->by, .value = {rule->only}},
						*only = rule->only.len && rule->by.n ? &one : NULL;
	int64_t now_ms = all->now_ms, now = now_ms / MS_PER_HOUR;
	alert_period_of(rule->period, now, &s->from, &s->to, name);
	groups_init(&s->spent, &rule->by);
	groups_init(&s->recent, &rule->by);
	const struct rollups_query q = {&rule->by, only, s->from, now + 1, now};
	return rollups_sum(f, &q, &s->spent, err) &&
	       group_forecasts_read(&s->group_forecasts, f, &rule->by, only, now_ms, s->to, err) &&
	       (!s->group_forecasts.too_many || read_rate(s, f, rule, now_ms, err));
}

static bool add_rule(struct budgets *all, const struct alert_rule *rule, struct err *err)
{
	struct rule_figures s = {0};
	bool good = read_figures(all, rule, &s, err);
	for (int32_t i = 0; good && i < s.spent.n; i++)
		add_budget(all, rule, &s.spent.list[i], &s);
	// a budget is shown before anything is spent of it
	if (good && s.spent.n == 0 && (rule->only.len || rule->by.n == 0))
		add_budget(all, rule, &(struct group){.keys = {rule->only}}, &s);
	groups_release(&s.spent);
	groups_release(&s.recent);
	group_forecasts_release(&s.group_forecasts);
	return good;
}

// ---- all ----------------------------------------------------------------------------------------

static int compare_by_use(const void *x, const void *y)
{
	const struct budget *a = x, *b = y;
	int64_t d = budget_used_ppm(b) - budget_used_ppm(a);
	if (d)
		return d > 0 ? 1 : -1;
	int c = str_cmp(a->rule->name, b->rule->name);
	return c ? c : str_cmp(a->spent.keys[0], b->spent.keys[0]);
}

bool budgets_read(struct budgets *ret, struct rollups *rollups, const struct alert_rules *rules,
                  int64_t now_ms, struct err *err)
{
	bool good = true;
	*ret = (struct budgets){.rules = rules, .rollups = rollups, .now_ms = now_ms};
	for (int i = 0; good && i < rules->nrules; i++)
		if (alert_rule_is_budget(&rules->rules[i]) && is_new(rules, i))
			good = add_rule(ret, &rules->rules[i], err);
	if (good && ret->n > 1)
		qsort(ret->list, (size_t)ret->n, sizeof *ret->list, compare_by_use);
	return good;
}

void budgets_release(struct budgets *b)
{
	free(b->list);
	arena_release(&b->arena);
	*b = (struct budgets){0};
}
