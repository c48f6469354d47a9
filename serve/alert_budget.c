// SPDX-License-Identifier: Apache-2.0
// Budgets: what is spent of them, and when they will be gone at this rate. Both ring on the lower end of the band.
//
// How every budget stands is told as well, ringing or not: one JSON object a rule and group, for the dashboard.
#include "base/when.h"
#include "serve/alert.h"

enum { DAY = 24, SHORT_BACK = 3, LONG_BACK = DAY, RATIO_MAX = 100000, STATUS_MAX = 500 };

// One rule's figures of the period in hand, and of the hours by which the rate to go on with is told.
struct standing {
	char period[WHEN_SIZE];
	int64_t from, to;          // hours
	struct groups spent, recent;
	int64_t recent_ms;
};

// The rate to go on with: the last three whole hours for an hour or a day, the last day for more; and the hour in hand.
static bool read_standing(struct alert_check *c, const struct alert_rule *rule, struct standing *ret, struct err *err)
{
	int64_t now = c->now_ms / MS_PER_HOUR, back = rule->period <= PERIOD_DAY ? SHORT_BACK : LONG_BACK;
	*ret = (struct standing){.recent_ms = back * MS_PER_HOUR + c->now_ms % MS_PER_HOUR};
	alert_period_of(rule->period, now, &ret->from, &ret->to, ret->period);
	groups_init(&ret->recent, &rule->by);
	return alert_sum(c, rule, ret->from, now + 1, &ret->spent, err) && alert_sum(c, rule, now - back, now + 1, &ret->recent, err);
}

static void release_standing(struct standing *s)
{
	groups_release(&s->spent);
	groups_release(&s->recent);
}

// When the budget will be gone at the present rate; 0: not before its period ends, or it is gone already.
static int64_t gone_at(const struct alert_check *c, const struct alert_rule *rule, const struct standing *s, const struct group *g)
{
	const struct group *r = alert_same(&s->recent, g);
	struct usd left = usd_sub(rule->amount, g->usd_low);
	if (!r || r->usd_low.pico <= 0 || left.pico <= 0 || left.pico / r->usd_low.pico > RATIO_MAX)
		return 0;
	int64_t at = c->now_ms + (int64_t)(left.pico * s->recent_ms / r->usd_low.pico);
	return at < s->to * MS_PER_HOUR ? at : 0;
}

// ---- as JSON -------------------------------------------------------------------------------------------------------

static void set_usd(json_t *j, const char *key, struct usd u)
{
	char text[USD_SIZE];
	json_object_set_new(j, key, json_string(usd_format(u, 6, text)));
}

static void set_time(json_t *j, const char *key, int64_t ms)
{
	char text[WHEN_SIZE];
	json_object_set_new(j, key, ms ? json_string(when_format(ms, text)) : json_null());
}

static void tell_status(struct alert_check *c, const struct alert_rule *rule, const struct standing *s, const struct group *g)
{
	char basis[GROUP_BASIS_SIZE];
	struct str group = rule->by.n ? g->keys[0] : STR("all");
	json_t *at = json_array(), *name = json_stringn(group.p ? group.p : "", group.len);
	for (int k = 0; k < rule->nat; k++)
		json_array_append_new(at, json_integer(rule->at[k]));
	json_t *j = json_pack("{s:s%, s:s, s:o, s:s, s:s, s:I, s:o, s:s}", "rule", rule->name.p, rule->name.len, "kind", alert_kind_names[rule->kind], "group",
	                      name ? name : json_string("(not UTF-8)"), "by", rule->by.n ? "" : "all", "period", s->period, "percent",
	                      (json_int_t)(g->usd.pico * 100 / rule->amount.pico), "at", at, "basis", group_basis(g, basis));
	if (rule->by.n)
		json_object_set_new(j, "by", json_stringn(rule->by.name[0].p, rule->by.name[0].len));
	set_time(j, "from", s->from * MS_PER_HOUR);
	set_time(j, "to", s->to * MS_PER_HOUR);
	set_usd(j, "limit", rule->amount);
	set_usd(j, "spent", g->usd);
	set_usd(j, "spent_low", g->usd_low);
	set_usd(j, "spent_high", g->usd_high);
	set_time(j, "breach", gone_at(c, rule, s, g));
	json_array_append_new(c->budgets, j);
}

static void tell_all(struct alert_check *c, const struct alert_rule *rule, struct standing *s)
{
	bool told = false;
	groups_sort_by_usd(&s->spent);
	for (int32_t i = 0; i < s->spent.n && json_array_size(c->budgets) < STATUS_MAX; i++)
		if (!rule->only.len || (rule->by.n && str_eq(rule->only, s->spent.list[i].keys[0]))) {
			tell_status(c, rule, s, &s->spent.list[i]);
			told = true;
		}
	if (!told && rule->by.n == (rule->only.len > 0)) { // nothing spent yet is an answer too
		struct group none = {.keys = {rule->only}};
		tell_status(c, rule, s, &none);
	}
}

// ---- rules ---------------------------------------------------------------------------------------------------------

bool alert_check_budget(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	struct standing s;
	bool good = read_standing(c, rule, &s, err);
	for (int32_t i = 0; good && i < s.spent.n; i++) {
		const struct group *g = &s.spent.list[i];
		int64_t level = 0;
		for (int k = 0; k < rule->nat; k++)
			if (usd_cmp(usd_muldiv(rule->amount, rule->at[k], 100), g->usd_low) <= 0)
				level = rule->at[k];
		if (!level || !alert_wanted(c, rule, g))
			continue;
		struct alert_finding *f = alert_check_add(c, rule, g);
		f->period = arena_str(c->arena, str_of(s.period));
		f->level = level;
		f->latched = true;
		f->against = rule->amount;
		f->from = s.from;
		f->to = c->now_ms / MS_PER_HOUR + 1;
		f->text = alert_say(c, "%.*s has spent %s, %lld%% of its budget of %s for the %s", STR_ARG(f->group), alert_money(f->usd).text,
		                    (long long)(f->usd.pico * 100 / rule->amount.pico), alert_money(rule->amount).text, alert_period_names[rule->period]);
	}
	if (good && c->budgets)
		tell_all(c, rule, &s);
	release_standing(&s);
	return good;
}

bool alert_check_forecast(struct alert_check *c, const struct alert_rule *rule, struct err *err)
{
	struct standing s;
	char when[WHEN_SIZE];
	bool good = read_standing(c, rule, &s, err);
	for (int32_t i = 0; good && i < s.spent.n; i++) {
		const struct group *g = &s.spent.list[i];
		int64_t gone = gone_at(c, rule, &s, g);
		if (!gone || !alert_wanted(c, rule, g))
			continue;
		struct alert_finding *f = alert_check_add(c, rule, g);
		f->period = arena_str(c->arena, str_of(s.period));
		f->against = rule->amount;
		f->from = s.from;
		f->to = c->now_ms / MS_PER_HOUR + 1;
		f->text = alert_say(c, "at this rate %.*s passes %s for the %s at %s; so far it has spent %s", STR_ARG(f->group), alert_money(rule->amount).text,
		                    alert_period_names[rule->period], when_format(gone, when), alert_money(f->usd).text);
	}
	if (good && c->budgets)
		tell_all(c, rule, &s);
	release_standing(&s);
	return good;
}
