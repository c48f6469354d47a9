// SPDX-License-Identifier: Apache-2.0
// Budgets: what is spent of them, and when they will be spent at this rate. Both use the lower end of the
// band. The rate is that of the last hours, not the forecast of query/, so that a sudden rise rings before it
// has changed the day's forecast. Budgets that do not ring are shown by alert/budgets.c, with that
// forecast.
#include "alert/budgets.h"
#include "alert/check_priv.h"
#include "base/when.h"

enum { DAY = 24, SHORT_BACK = 3, LONG_BACK = DAY, RATIO_MAX = 100000 };

// One rule's sums: of the current period, and of the last hours, from which the rate is taken.
struct budget_sums {
	char period[WHEN_SIZE];
	int64_t from, to;          // hours
	struct groups spent, recent;
	int64_t recent_ms;
};

// The rate is that of the last three whole hours for a budget of an hour or a day, of the last day for a
// longer one; the current hour counts in both. Minutes that were not observed are no time without spend.
static bool read_budget_sums(struct alert_check *c, const struct alert_rule *rule, struct budget_sums *ret,
                          struct err *err)
{
	int64_t now = c->now_ms / MS_PER_HOUR, back = rule->period <= PERIOD_DAY ? SHORT_BACK : LONG_BACK;
	const struct observed *o = rollups_observed(c->rollups, NULL, now - back, now + 1, c->now_ms, err);
	*ret = (struct budget_sums){0};
	groups_init(&ret->spent, &rule->by);
	if (!o) {
		groups_init(&ret->recent, &rule->by);
		return false;
	}
	int64_t minutes = observed_count(o, (now - back) * 60, (now + 1) * 60, MINUTE_OBSERVED);
	ret->recent_ms = minutes * MS_PER_MINUTE;
	alert_period_of(rule->period, now, &ret->from, &ret->to, ret->period);
	groups_init(&ret->recent, &rule->by);
	return alert_sum_groups(c, rule, ret->from, now + 1, &ret->spent, err) &&
	       alert_sum_groups(c, rule, now - back, now + 1, &ret->recent, err);
}

static void release_budget_sums(struct budget_sums *s)
{
	groups_release(&s->spent);
	groups_release(&s->recent);
}

// When the budget will be spent at the present rate (ms); 0: not before its period ends, or it is spent
// already.
static int64_t exhausted_at_ms(const struct alert_check *c, const struct alert_rule *rule,
                               const struct budget_sums *s, const struct group *g)
{
	const struct group *r = alert_find_group(&s->recent, g);
	struct usd left = usd_sub(rule->amount, g->usd_low);
	if (!r || s->recent_ms == 0 || r->usd_low.pico <= 0 || left.pico <= 0 ||
	    left.pico / r->usd_low.pico > RATIO_MAX)
		return 0;
	int64_t at = c->now_ms + (int64_t)(left.pico * s->recent_ms / r->usd_low.pico);
	return at < s->to * MS_PER_HOUR ? at : 0;
}

// ---- rules --------------------------------------------------------------------------------------

bool alert_check_budget(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	struct budget_sums s;
	bool good = read_budget_sums(c, rule, &s, err);
	for (int32_t i = 0; good && i < s.spent.n; i++) {
		const struct group *g = &s.spent.list[i];
		int64_t level = budget_mark(rule, g->usd_low);
		if (!level || !alert_rule_covers(rule, g))
			continue;
		struct alert_finding *f = alert_add_finding(c, rule, g);
		f->period = arena_str(c->arena, str_of(s.period));
		f->level = level;
		f->latched = true;
		f->against = rule->amount;
		f->from = s.from;
		f->to = c->now_ms / MS_PER_HOUR + 1;
		f->text = alert_format(
			c->arena,
			"%.*s has spent %s, %lld%% of its budget of %s for the %s %s: the mark of %lld%% is passed",
			STR_ARG(f->group), alert_money(f->usd).text,
			(long long)budget_percent(f->usd, rule->amount),
			alert_money(rule->amount).text, alert_period_names[rule->period], s.period, (long long)level);
	}
	release_budget_sums(&s);
	return good;
}

bool alert_check_forecast(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	struct budget_sums s;
	char when[WHEN_SIZE];
	bool good = read_budget_sums(c, rule, &s, err);
	for (int32_t i = 0; good && i < s.spent.n; i++) {
		const struct group *g = &s.spent.list[i];
		int64_t spent_ms = exhausted_at_ms(c, rule, &s, g);
		if (!spent_ms || !alert_rule_covers(rule, g))
			continue;
		struct alert_finding *f = alert_add_finding(c, rule, g);
		f->period = arena_str(c->arena, str_of(s.period));
		f->against = rule->amount;
		f->from = s.from;
		f->to = c->now_ms / MS_PER_HOUR + 1;
		f->text = alert_format(
			c->arena,
			"at this rate %.*s passes %s for the %s at %s; so far it has spent %s, recently %s an hour",
			STR_ARG(f->group), alert_money(rule->amount).text, alert_period_names[rule->period],
			when_format(spent_ms, when), alert_money(f->usd).text,
			alert_money(usd_muldiv(alert_find_group(&s.recent, g)->usd_low, MS_PER_HOUR, s.recent_ms)).text);
	}
	release_budget_sums(&s);
	return good;
}
