// SPDX-License-Identifier: Apache-2.0
#include "alert/unmatched.h"

#include <stdarg.h>

#include "base/nearest.h"
#include "base/text.h"
#include "base/when.h"
#include "query/freshness.h"

struct matching {
	const struct alert_rules *rules;
	struct rollups *rollups;
	int64_t now_ms;
	alert_unmatched_fn *fn;
	void *user;
};

static bool names_somebody(const struct alert_rule *r)
{
	return r->only.len && r->kind != ALERT_NEW;
}

bool alert_rules_name_somebody(const struct alert_rules *rules)
{
	for (int i = 0; i < rules->nrules; i++)
		if (names_somebody(&rules->rules[i]))
			return true;
	return false;
}

static void say(const struct matching *m, const char *fmt, ...) NC_PRINTF(2, 3);
static void say(const struct matching *m, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;
	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	text_make_plain(b.data, b.len);
	m->fn(m->user, b.data);
	buf_release(&b);
}

// `what`: "team", "signal".
static void say_unmatched(const struct matching *m, const struct alert_rule *r, struct str what,
                          const struct nearest *near)
{
	say(m, "rule %.*s watches nobody: only = %.*s, and no %.*s of that name was ever seen%s%.*s%s",
	    STR_ARG(r->name), STR_ARG(r->only), STR_ARG(what), near->word.len ? "; did you mean " : "",
	    STR_ARG(near->word), near->word.len ? "?" : "");
}

static bool check_signal(const struct matching *m, const struct alert_rule *r, struct err *err)
{
	struct freshness fresh;
	struct nearest near = nearest_of(r->only);
	if (!freshness_read(&fresh, view_redis(rollups_view(m->rollups)), view_prefix(rollups_view(m->rollups)),
	                    m->now_ms, err))
		return false;
	for (int i = SIGNAL_CALL; i <= SIGNAL_METRIC; i++) {
		if (str_is(r->only, fresh.signals[i].name))
			return true;
		nearest_try(&near, str_of(fresh.signals[i].name));
	}
	say_unmatched(m, r, STR("signal"), &near);
	return true;
}

static bool check_group(const struct matching *m, const struct alert_rule *r, struct err *err)
{
	struct groups g;
	struct nearest near = nearest_of(r->only);
	int64_t first, last;
	bool found = false;
	if (!rollups_extent(m->rollups, &first, &last, err))
		return false;
	groups_init(&g, &r->by);
	const struct rollups_query q = {&r->by, NULL, first, last + 1, m->now_ms / MS_PER_HOUR};
	bool good = rollups_sum(m->rollups, &q, &g, err);
	for (int32_t i = 0; i < g.n; i++) {
		found |= str_eq(g.list[i].keys[0], r->only);
		nearest_try(&near, g.list[i].keys[0]);
	}
	if (good && !found)
		say_unmatched(m, r, r->by.name[0], &near);
	groups_release(&g);
	return good;
}

bool alert_rules_each_unmatched(const struct alert_rules *rules, struct rollups *rollups, int64_t now_ms,
                                alert_unmatched_fn *fn, void *user, struct err *err)
{
	const struct matching m = {rules, rollups, now_ms, fn, user};
	for (int i = 0; i < rules->nrules; i++) {
		const struct alert_rule *r = &rules->rules[i];
		if (!names_somebody(r))
			continue;
		bool good = true;
		if (r->kind == ALERT_SILENT)
			good = check_signal(&m, r, err);
		else if (r->by.n == 0)
			say(&m, "rule %.*s never rings: only = %.*s names one group, and `by` does not say of what",
			    STR_ARG(r->name), STR_ARG(r->only));
		else
			good = check_group(&m, r, err);
		if (!good)
			return false;
	}
	return true;
}

bool budgets_each_unmatched(const struct budgets *all, alert_unmatched_fn *fn, void *user, struct err *err)
{
	for (int i = 0; i < all->n; i++) {
		const struct budget *b = &all->list[i];
		struct alert_rule rule = *b->rule;
		const struct alert_rules one = {.rules = &rule, .nrules = 1};
		if (b->spent.usd.pico == 0 && b->spent.calls == 0 &&
		    !alert_rules_each_unmatched(&one, all->rollups, all->now_ms, fn, user, err))
			return false;
	}
	return true;
}
